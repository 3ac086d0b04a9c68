"""What staff make of a suspect: move it, keep it where it is, delete it, or undo that."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy

from csplatform.errors import Refusal
from intents import services
from intents.models import Intent, Utterance
from training.models import KeptLabel, Suspect

Decision = Suspect.Decision


class ChangedMeanwhile(Refusal):
    """The utterance or the suspect is not what it was when the page was opened."""

    code = "changed_meanwhile"
    detail = gettext_lazy("Somebody else has changed, moved or deleted this utterance meanwhile.")


def label_of(key: str, code: str) -> str:
    """Return the identity of a label: of a sentence in any spelling, and an intent."""
    return hashlib.sha256(f"{key}\0{code}".encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def decide(suspect_id: int, decision: Decision, *, by: Any, now: datetime) -> Suspect:
    """Move, keep or delete the utterance of an open suspect.

    Kept ones are remembered: no later search names them, as long as text and intent are the same.

    Args:
        by: A user.

    Raises:
        ChangedMeanwhile: Somebody else has decided, or has changed the utterance. Nothing is
            changed.
        Suspect.DoesNotExist: The search is too old.
    """
    claimed = Suspect.objects.filter(pk=suspect_id, decision=Decision.OPEN).update(
        decision=decision, decided_by=by, decided_at=now
    )
    suspect = Suspect.objects.get(pk=suspect_id)
    utterance = (
        Utterance.objects.filter(pk=suspect.utterance, intent__code=suspect.labelled)
        .select_related("intent")
        .first()
    )
    if not claimed or utterance is None or utterance.text != suspect.text:
        raise ChangedMeanwhile
    if decision == Decision.MOVED:
        _move(suspect, source=suspect.labelled, target=suspect.believed)
    elif decision == Decision.DELETED:
        suspect.deleted = {
            "family": utterance.family,
            "split": utterance.split,
            "created_at": utterance.created_at.isoformat(),
        }
        suspect.save(update_fields=["deleted"])
        services.delete_utterance(utterance)
        services.raise_revisions({utterance.intent_id})
    else:
        KeptLabel.objects.get_or_create(
            label=label_of(utterance.key, suspect.labelled),
            defaults={"kept_by": by, "kept_at": now},
        )
    return suspect


@transaction.atomic
def undo(suspect_id: int) -> Suspect:
    """Take a decision back; an open suspect stays open.

    Raises:
        ChangedMeanwhile: The utterance has been changed since. Nothing is changed.
        Suspect.DoesNotExist: The search is too old.
    """
    suspect = Suspect.objects.get(pk=suspect_id)
    decision = suspect.decision
    claimed = (
        Suspect.objects.filter(pk=suspect_id, decision=decision)
        .exclude(decision=Decision.OPEN)
        .update(decision=Decision.OPEN, decided_by=None, decided_at=None)
    )
    if not claimed:
        return suspect
    if decision == Decision.MOVED:
        _move(suspect, source=suspect.believed, target=suspect.labelled)
    elif decision == Decision.DELETED:
        _bring_back(suspect)
    else:
        key = services.key_of(suspect.text)
        KeptLabel.objects.filter(label=label_of(key, suspect.labelled)).delete()
    suspect.refresh_from_db()
    return suspect


def _move(suspect: Suspect, *, source: str, target: str) -> None:
    try:
        moved = services.move_utterance(suspect.utterance, source=source, target=target)
    except Intent.DoesNotExist:
        moved = False
    if not moved:
        raise ChangedMeanwhile


def _bring_back(suspect: Suspect) -> None:
    intent = Intent.objects.filter(code=suspect.labelled).first()
    if intent is None or Utterance.objects.filter(key=services.key_of(suspect.text)).exists():
        raise ChangedMeanwhile
    columns = suspect.deleted
    utterance = services.save_utterance(
        Utterance(
            intent=intent,
            text=suspect.text,
            language=suspect.language,
            family=columns["family"],
            split=columns["split"],
            created_at=datetime.fromisoformat(columns["created_at"]),
        )
    )
    services.raise_revisions({intent.pk})
    Suspect.objects.filter(pk=suspect.pk).update(utterance=utterance.pk, deleted={})
