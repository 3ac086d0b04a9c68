""" "Try a question": what the bot would understand and say, without a conversation."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from chat.admin.preview import customers_to_try, facts_of
from chat.replies import Answer, Templates, Turn
from intents import content, guard, inference
from intents.admin.labels import DECISIONS, SOURCES
from intents.decisions import Decision, decide
from intents.guard import Masked, normalize, pii
from intents.language import detect
from intents.models import Channel

RANKED_SHOWN = 5


class QuestionForm(forms.Form):
    """A question, and who would be asking it."""

    text = forms.CharField(
        label=_("a customer's question"),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
    )
    customer = forms.ChoiceField(
        label=_("asked by"), required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customers = customers_to_try()
        self.fields["customer"].initial = customers[0].uid if customers else ""
        self.fields["customer"].choices = [  # type: ignore[attr-defined]
            *((one.uid, str(one)) for one in customers),
            ("", _("a visitor who is not signed in")),
        ]


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen to one question."""

    masked: Masked
    refused: str  # why it would not be accepted at all; then nothing below is known
    language: str = ""
    ranked: tuple[tuple[str, float], ...] = ()  # name, probability
    source: Any = ""
    model_version: str = ""
    decision: Any = ""
    answer: Answer | None = None
    variants: int = 0  # replies that the answer is chosen from


def attempt(text: str, uid: str) -> Trial:
    """Do everything that the bot does with a message, except storing it."""
    now = content.current()
    shown_in = (get_language() or "")[:2]
    masked = now.masker.mask(text)
    try:
        guard.check(text)
    except guard.Blocked as refusal:
        return Trial(masked=masked, refused=str(refusal))
    language = detect(masked.text)
    prediction = inference.Prediction(ranked=(), source="none")
    if language:
        prediction = inference.classify(normalize.for_model(pii.redact(masked.text)))
    intent = now.intents.get(prediction.intent)
    hands_over = intent is not None and intent.hands_over
    decision = decide(prediction, now)
    # Everything else that the bot says is a phrase, of which there is one.
    is_reply = decision == Decision.ANSWER or (decision == Decision.HAND_OVER and hands_over)
    variants = now.replies(prediction.intent, language, Channel.WEB) if is_reply else []
    answer = Templates().compose(
        Turn(
            content=now,
            prediction=prediction,
            decision=decision,
            language=language,
            channel=Channel.WEB,
            facts=lambda spoken: facts_of(uid, spoken),
        )
    )
    return Trial(
        masked=masked,
        refused="",
        language=language,
        ranked=tuple(
            (now.intents[code].name(shown_in) if code in now.intents else code, probability)
            for code, probability in prediction.ranked[:RANKED_SHOWN]
        ),
        source=SOURCES.get(prediction.source, prediction.source),
        model_version=prediction.model_version,
        decision=DECISIONS[decision],
        answer=answer,
        variants=len(variants),
    )


def try_question(request: HttpRequest) -> HttpResponse:
    """Show the box, and below it what would happen."""
    if not request.user.has_perm("intents.view_intent"):
        raise PermissionDenied
    form = QuestionForm(request.POST or None)
    trial = None
    if form.is_valid():
        trial = attempt(form.cleaned_data["text"], form.cleaned_data["customer"])
    context = {
        **admin.site.each_context(request),
        "title": gettext("Try a question"),
        "form": form,
        "trial": trial,
    }
    return TemplateResponse(request, "admin/chat/try_question.html", context)
