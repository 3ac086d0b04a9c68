"""Intents that live on examples: how good each is, and what would make it better."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext, ngettext

from intents.models import ContentVersion, Intent, LiveIntent

# Utterances from which on more of them help less than a training does: of a public set's new
# intents, 5 find 60 % of the messages, 10 find 70 %, 20 find 75 % (docs/accuracy.md).
_FEWEST, _ENOUGH = 5, 10
_GOOD = 0.7  # found again
_CONFUSIONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Row:
    """An intent that lives on examples, in words for staff."""

    pk: int
    name: str
    code: str
    is_active: bool
    is_trained: bool
    utterances: int
    judged: int
    found: int
    confused: list[str]  # "Delivery (3)", most first
    advice: str

    @property
    def recall(self) -> float | None:
        """Share of the examples that the others find, 0 to 1; None when there are no others."""
        return self.found / self.judged if self.judged else None

    @property
    def kind(self) -> str:
        """The colour of the recall: success, warning or danger."""
        if self.recall is None or self.recall < _GOOD - 0.2:
            return "danger"
        return "success" if self.recall >= _GOOD else "warning"


def advice_of(live: LiveIntent, names: Mapping[str, str]) -> str:
    """Say what to do next for one intent.

    Args:
        names: Of all intents, by code.
    """
    missing = (_FEWEST if live.utterances < _FEWEST else _ENOUGH) - live.utterances
    if missing > 0:
        return ngettext("Add %(number)d utterance.", "Add %(number)d utterances.", missing) % {
            "number": missing
        }
    if live.judged and live.found / live.judged < _GOOD and live.confused_with:
        other = live.confused_with[0][0]
        return gettext("Add utterances that tell it from “%(other)s”, then train again.") % {
            "other": names.get(other, other)
        }
    return gettext("Train again: the model then learns it.")


def rows(lives: Iterable[LiveIntent], intents: Mapping[str, Intent]) -> list[Row]:
    """Return what is shown of each, the weakest first; of intents that are gone nothing."""
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    names = {code: intent.name(language) for code, intent in intents.items()}
    shown = [
        Row(
            pk=intents[live.intent].pk,
            name=names[live.intent],
            code=live.intent,
            is_active=intents[live.intent].is_active,
            is_trained=live.is_trained,
            utterances=live.utterances,
            judged=live.judged,
            found=live.found,
            confused=[
                f"{names.get(code, code)} ({times})"
                for code, times in live.confused_with[:_CONFUSIONS_SHOWN]
            ],
            advice=advice_of(live, names),
        )
        for live in lives
        if live.intent in intents
    ]
    return sorted(shown, key=lambda row: (row.recall or 0.0, row.utterances, row.code))


def row_of(intent: Intent) -> Row | None:
    """Return what is shown on an intent's page, None for one that the model has learnt in full."""
    live = LiveIntent.objects.filter(intent=intent.code).first()
    if live is None:
        return None
    return rows([live], {each.code: each for each in Intent.objects.all()})[0]


def live_intents(request: HttpRequest) -> HttpResponse:
    """Show all of them. Four queries, however many there are."""
    if not request.user.has_perm("intents.view_intent"):
        raise PermissionDenied
    lives = list(LiveIntent.objects.all())
    content = ContentVersion.objects.order_by("pk").first()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Intents that live on examples"),
        "rows": rows(lives, {intent.code: intent for intent in Intent.objects.all()}),
        "measured_at": min((live.measured_at for live in lives), default=None),
        "model_version": lives[0].model_version if lives else "",
        "is_behind": content is not None
        and any(live.content_version != content.understanding for live in lives),
        "may_train": request.user.has_perm("training.add_trainingrun"),
    }
    return TemplateResponse(request, "admin/intents/live_intents.html", context)
