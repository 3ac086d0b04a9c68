"""What reviewers think of changed answers; accepted ones the gate holds later models to."""

import logging
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents.models import Intent
from training.gate import cases
from training.models import ChangedAnswer, RegressionCase

logger = logging.getLogger(__name__)

Verdict = ChangedAnswer.Verdict
# In one sweep; what is left is kept by the next.
_KEPT_TOGETHER = 200


class AlreadyJudged(Refusal):
    """A colleague was faster."""

    code = "already_judged"
    detail = _("A colleague has judged this answer already.")


class NotYours(Refusal):
    """Only who judged an answer takes that back."""

    code = "not_yours"
    detail = _("Only whoever judged an answer can take that back.")


def accept(*, change_id: int, now: datetime, by: Any) -> ChangedAnswer:
    """Say that the new answer is right: the gate holds later models to it.

    An answer by an intent that is in a draft only is kept as soon as the intent is published.
    Accepting twice changes nothing.

    Raises:
        AlreadyJudged: Somebody else has judged it.
        ValidationError: The text cannot be kept: it is too long.
    """
    with transaction.atomic():
        change = _judge(change_id, Verdict.ACCEPTED, now, by)
        _keep(change, now)
    return change


def reject(*, change_id: int, now: datetime, by: Any) -> ChangedAnswer:
    """Say that the new answer is wrong.

    Raises:
        AlreadyJudged: Somebody else has judged it.
    """
    return _judge(change_id, Verdict.REJECTED, now, by)


def take_back(*, change_id: int, by: Any) -> ChangedAnswer:
    """Take one's own verdict back; its regression sentence expects what it did before.

    It counts no longer if it was not on the list. What somebody has made of it since stays.

    Raises:
        NotYours: Somebody else judged it, or nobody.
    """
    with transaction.atomic():
        _lock_case(change_id)
        change = ChangedAnswer.objects.get(pk=change_id)
        own = ChangedAnswer.objects.filter(pk=change_id, decided_by=by).exclude(
            verdict=Verdict.OPEN
        )
        taken_back = own.update(
            verdict=Verdict.OPEN,
            decided_by=None,
            decided_at=None,
            case=None,
            case_before=None,
            case_after=None,
            awaits_intent=False,
        )
        if not taken_back:
            raise NotYours
        if change.case_id is not None:
            _put_back(change, change.case_id)
    return ChangedAnswer.objects.get(pk=change_id)


def keep_waiting(*, now: datetime) -> int:
    """Keep accepted answers whose intent was not published then, and is now.

    Returns:
        How many.
    """
    codes = Intent.objects.values("code")
    waiting = ChangedAnswer.objects.filter(awaits_intent=True, intent_after__in=codes)
    kept = 0
    for change in waiting.select_related("decided_by").order_by("pk")[:_KEPT_TOGETHER]:
        try:
            with transaction.atomic():
                kept += _keep(change, now)
        except ValidationError as error:
            # Once and for all: those behind it wait for their turn.
            ChangedAnswer.objects.filter(pk=change.pk).update(awaits_intent=False)
            logger.warning("Accepted answer %s is not kept: %s", change.pk, error.messages)
    return kept


def expectation(change: ChangedAnswer) -> dict[str, str]:
    """Return what the gate is to expect: the intent where it is answered by, and the decision."""
    is_answered = change.decision_after == RegressionCase.Decision.ANSWER
    return {
        "intent": change.intent_after if is_answered else "",
        "decision": change.decision_after,
    }


def _judge(change_id: int, verdict: str, now: datetime, by: Any) -> ChangedAnswer:
    open_one = ChangedAnswer.objects.filter(pk=change_id, verdict=Verdict.OPEN)
    judged = open_one.update(verdict=verdict, decided_by=by, decided_at=now)
    change = ChangedAnswer.objects.select_related("decided_by").get(pk=change_id)
    if not judged and (change.verdict != verdict or change.decided_by_id != by.pk):
        raise AlreadyJudged
    return change


def _keep(change: ChangedAnswer, now: datetime) -> bool:
    if change.case_id is not None:
        return False
    this = ChangedAnswer.objects.filter(pk=change.pk)
    expected = expectation(change)
    if expected["intent"] and not Intent.objects.filter(code=expected["intent"]).exists():
        cases.require_text(change.text)  # said at once, not when the intent is published
        change.awaits_intent = True
        this.update(awaits_intent=True)
        return False
    kept = cases.keep(
        text=change.text,
        now=now,
        origin=RegressionCase.Origin.REPLAY,
        by=change.decided_by,
        **expected,
    )
    change.case, change.awaits_intent = kept.case, False
    this.update(case=kept.case, case_before=kept.before, case_after=kept.after, awaits_intent=False)
    return True


def _lock_case(change_id: int) -> None:
    """Let those who take back what they made of one sentence do so one after the other."""
    case = ChangedAnswer.objects.filter(pk=change_id).values("case")
    RegressionCase.objects.select_for_update().filter(pk__in=case).first()


def _put_back(change: ChangedAnswer, case_id: int) -> None:
    """Undo what an answer that was accepted made of its sentence."""
    others = list(
        ChangedAnswer.objects.filter(case=case_id, verdict=Verdict.ACCEPTED).order_by("pk")
    )
    if change.case_after is None:  # of a former release, which did not note what was there
        if not others:
            RegressionCase.objects.filter(pk=case_id, origin=RegressionCase.Origin.REPLAY).update(
                is_active=False
            )
        return
    # Who accepted it on top of this one goes back, in turn, to what was there before both.
    if upon := next((one for one in others if one.case_before == change.case_after), None):
        ChangedAnswer.objects.filter(pk=upon.pk).update(case_before=change.case_before)
        return
    cases.put_back(case_id, before=change.case_before, after=change.case_after)
