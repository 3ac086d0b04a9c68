"""Intents: saved under an optimistic lock, switched off and on, deleted only while nobody knows them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents.models import Intent, PredictionRecord
from intents.services.validation import in_field, validate_code
from intents.services.versions import content_changed

# Who knows intents by their codes besides the log: each returns the labels of its models.
# training/apps.py adds its own in ready(), because intents must not import training.
KNOWN_LABELS: list[Callable[[], Iterable[str]]] = []

_EDITED = (
    "name_zh",
    "name_en",
    "description_zh",
    "description_en",
    "position",
    "is_active",
    "hands_over",
    "is_offered",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not what the editor had before him."""

    field: str  # as staff read it
    stored: str  # what the database has now
    yours: str  # what was to be saved


class ChangedMeanwhile(Refusal):
    """Somebody else has saved the intent since it was opened; nothing was saved."""

    code = "changed_meanwhile"
    detail = _("Somebody else has saved this intent since you opened it.")

    def __init__(self, differences: Sequence[Difference] = ()) -> None:
        super().__init__()
        self.differences = tuple(differences)  # empty if only replies or utterances changed


class IntentIsKnown(Refusal):
    """A model or a log knows the intent: it can be switched off, not deleted."""

    code = "intent_is_known"
    detail = _("A model or a log knows this intent. Switch it off instead of deleting it.")


@transaction.atomic
def save_intent(intent: Intent, *, expected_revision: int | None = None) -> Intent:
    """Create the intent, or save its changed fields over the revision that the editor saw.

    Args:
        intent: New, or read and changed. Its code cannot change.
        expected_revision: The `revision` when the editor opened it; None for whatever is
            there (programs that change one field of a row they have just read).

    Returns:
        The intent with its new revision.

    Raises:
        ValidationError: A field is wrong, or the code was changed.
        ChangedMeanwhile: Somebody saved since; carries the differences. Nothing is saved.
    """
    if intent.pk is None:
        with in_field("code"):
            validate_code(intent.code)
        intent.full_clean()
        intent.revision = 1
    else:
        stored = Intent.objects.select_for_update().get(pk=intent.pk)
        if stored.code != intent.code:
            raise ValidationError(
                {"code": _("The code is fixed: models and logs know the intent by it.")}
            )
        intent.full_clean()
        expected = stored.revision if expected_revision is None else expected_revision
        raised = Intent.objects.filter(pk=intent.pk, revision=expected).update(
            revision=F("revision") + 1
        )
        if not raised:
            raise ChangedMeanwhile(_differences(stored, intent))
        intent.revision = expected + 1
    intent.save()
    content_changed(understanding=True)
    return intent


@transaction.atomic
def raise_revisions(intent_ids: Iterable[int]) -> None:
    """Let nobody who has the page of one of these intents open save over what is new in it."""
    # Locked as they are read: saving writes all fields, and would undo what a colleague saves
    # between the two.
    held = Intent.objects.select_for_update().filter(pk__in=set(intent_ids)).order_by("pk")
    for intent in held:
        save_intent(intent)


def _differences(stored: Intent, yours: Intent) -> list[Difference]:
    return [
        Difference(
            field=str(label_for_field(name, Intent)),
            stored=_shown(getattr(stored, name)),
            yours=_shown(getattr(yours, name)),
        )
        for name in _EDITED
        if getattr(stored, name) != getattr(yours, name)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value)


def switch_off(intent: Intent) -> Intent:
    """Never answer it again; its utterances and records stay. Safe to repeat."""
    return _switch(intent, is_active=False)


def switch_on(intent: Intent) -> Intent:
    """Answer it again. Safe to repeat."""
    return _switch(intent, is_active=True)


@transaction.atomic
def _switch(intent: Intent, *, is_active: bool) -> Intent:
    stored = Intent.objects.select_for_update().get(pk=intent.pk)
    if stored.is_active == is_active:
        return stored
    stored.is_active = is_active
    return save_intent(stored)


def known_to(code: str) -> list[str]:
    """Return who still knows the intent, in words for staff; empty if it can be deleted."""
    known = []
    if PredictionRecord.objects.filter(intent=code).exists():
        known.append(str(_("the log of predictions")))
    if any(code in labels() for labels in KNOWN_LABELS):
        known.append(str(_("a trained model")))
    return known


@transaction.atomic
def delete_intent(intent: Intent) -> None:
    """Delete the intent with its utterances and replies.

    Raises:
        IntentIsKnown: A model or a log knows it; nothing is deleted.
    """
    if known := known_to(intent.code):
        raise IntentIsKnown(
            _("%(intent)s is known to %(who)s. Switch it off instead of deleting it.")
            % {"intent": intent, "who": ", ".join(known)}
        )
    intent.delete()
    content_changed(understanding=True)
