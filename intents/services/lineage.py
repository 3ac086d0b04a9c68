"""Renaming, merging and splitting intents, so that models and frozen utterances follow."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from intents.models import Intent, IntentMigration, Utterance
from intents.services.intents import save_intent, switch_off
from intents.services.utterances import move_utterances
from intents.services.validation import in_field, validate_code
from intents.services.versions import changed_once, content_changed


@changed_once()
def rename_intent(intent: Intent, *, code: str, now: datetime, by: Any = None) -> Intent:
    """Give an intent another code; what models and logs call it is read by the record.

    Raises:
        ValidationError: The code is not one, or another intent has it.
    """
    with in_field("code"):
        validate_code(code)
    stored = Intent.objects.select_for_update().get(pk=intent.pk)
    if Intent.objects.filter(code=code).exists():
        raise ValidationError({"code": _("Another intent has this code, or this one already.")})
    former, stored.code = stored.code, code
    stored.revision += 1  # whoever has the page open is asked to look again
    stored.full_clean()
    stored.save()
    _record(IntentMigration.Kind.RENAMED, former, [code], now, by)
    content_changed(understanding=True)
    return stored


@changed_once()
def merge_intent(intent: Intent, *, into: Intent, now: datetime, by: Any = None) -> int:
    """Give all utterances of an intent, frozen ones too, to another, and switch it off.

    Its replies stay with it: the other one has its own.

    Returns:
        How many utterances were moved.

    Raises:
        ValidationError: Both are the same, or the other is switched off.
    """
    if intent.pk == into.pk or not into.is_active:
        raise ValidationError({"into": _("Choose another intent that is switched on.")})
    moved = move_utterances(Utterance.objects.filter(intent=intent), into)
    switch_off(intent)
    _record(IntentMigration.Kind.MERGED, intent.code, [into.code], now, by)
    content_changed(understanding=True)
    return moved


@changed_once()
def split_intent(
    intent: Intent, *, part: Intent, utterances: Iterable[int], now: datetime, by: Any = None
) -> int:
    """Give some utterances of an intent, frozen ones too, to a new intent that is part of it.

    Args:
        part: New, or stored already.
        utterances: Primary keys of those that move; others than the intent's are left alone.

    Returns:
        How many were moved.

    Raises:
        ValidationError: The new intent is not valid, or nothing or everything would move.
    """
    own = Utterance.objects.filter(intent=intent)
    moving = own.filter(pk__in=set(utterances))
    count = moving.count()
    if not count or count == own.count():
        raise ValidationError(
            {"utterances": _("Choose some of the utterances: neither none of them nor all.")}
        )
    if part.pk is None:
        save_intent(part)
    elif part.pk == intent.pk:
        raise ValidationError({"part": _("Choose another intent that is switched on.")})
    moved = move_utterances(moving, part)
    _record(IntentMigration.Kind.SPLIT, intent.code, [intent.code, part.code], now, by)
    content_changed(understanding=True)
    return moved


def _record(kind: str, source: str, targets: list[str], now: datetime, by: Any) -> None:
    IntentMigration.objects.create(kind=kind, source=source, targets=targets, at=now, by=by)
