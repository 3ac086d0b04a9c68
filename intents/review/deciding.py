"""What becomes of sentences of the inbox: labelled, made a new intent, put away; and undone.

Each decision is one transaction: the sentences are taken by a conditional UPDATE, content is
written through intents.services (or into a draft, where a second person has to agree), and a
ReviewDecision says who, when, and what came of it. Undo puts back exactly that.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from intents import services
from intents.drafts import proposing, workflow
from intents.drafts.proposing import Proposal
from intents.models import (
    Draft,
    Intent,
    Reply,
    ReviewCandidate,
    ReviewDecision,
    ReviewItem,
    Utterance,
)
from intents.review import clusters, reasons
from intents.review.inbox import LEASE, NotClaimed

Kind = ReviewDecision.Kind
Status = ReviewItem.Status

# Of one decision: a cluster's most typical sentences, not a training set.
MOST_TOGETHER = 200


class NoSuchIntent(Refusal):
    code = "no_such_intent"
    status = 404
    detail = _("There is no such intent any more.")


class NothingToUndo(Refusal):
    code = "nothing_to_undo"
    detail = _("There is nothing to undo.")


class ChangedSince(Refusal):
    """What the decision made is no longer as it made it; nothing was undone."""

    code = "changed_since"
    detail = _("What came of this decision has been changed since. It cannot be undone here.")


@transaction.atomic
def label(keys: Sequence[int], *, intent: str, by: Any, now: datetime) -> ReviewDecision:
    """Make sentences utterances of an intent; one that is another intent's is moved.

    Args:
        keys: Sentences that this person has claimed, MOST_TOGETHER at most.
        intent: Intent.code.

    Raises:
        NoSuchIntent: It is gone.
        NotClaimed: One of the sentences is not this person's; nothing is decided.
        ValidationError: A sentence cannot be an utterance.
    """
    target = Intent.objects.filter(code=intent).first()
    if target is None:
        raise NoSuchIntent
    items = _taken(keys, by, now)
    is_known = all(intent in _said(item) for item in items)
    decision = _decided(items, Kind.ACCEPTED if is_known else Kind.MOVED, by, now, intent=intent)
    decision.came_of = _labelled(items, target)
    decision.save()
    return decision


@transaction.atomic
def new_intent(keys: Sequence[int], *, intent: Intent, by: Any, now: datetime) -> ReviewDecision:
    """Make an intent with these sentences as its utterances.

    Where this person needs a second one's consent, both wait in a draft of his.

    Args:
        intent: Unsaved, with code and names.

    Raises:
        ValidationError: A field is wrong, or a sentence cannot be an utterance.
        NotClaimed: One of the sentences is not this person's; nothing is decided.
        MayNot: He writes no drafts, and would have to.
    """
    items = _taken(keys, by, now)
    decision = _decided(items, Kind.NEW_INTENT, by, now, intent=intent.code)
    if workflow.needs_draft(by):
        decision.came_of = _drafted(items, intent, by, now)
    else:
        services.save_intent(intent)
        decision.came_of = {"intent": intent.pk, **_labelled(items, intent)}
    decision.save()
    return decision


@transaction.atomic
def put_away(keys: Sequence[int], *, out_of_scope: bool, by: Any, now: datetime) -> ReviewDecision:
    """Decide that nothing is to be learnt from sentences; they do not come back.

    Args:
        out_of_scope: They are about none of our topics: kept as examples of that, also beyond
            the log's retention (`out_of_scope_examples`). False: noise, forgotten with the log.

    Raises:
        NotClaimed: One of the sentences is not this person's; nothing is decided.
    """
    kind = Kind.OUT_OF_SCOPE if out_of_scope else Kind.IGNORED
    return _decided(_taken(keys, by, now), kind, by, now)


@transaction.atomic
def undo(*, by: Any, now: datetime, decision: int | None = None) -> ReviewDecision:
    """Put back what a decision changed; its sentences are then claimed by who undid it.

    Args:
        decision: None for this person's latest that still stands.

    Raises:
        NothingToUndo: There is none, or it is undone already.
        ChangedSince: An utterance or the new intent has been changed since; nothing is undone.
        IntentIsKnown: The new intent is in use; it can be switched off, not deleted.
    """
    standing = ReviewDecision.objects.filter(undone_at=None)
    found = (
        standing.filter(by=by).order_by("-at", "-pk").first()
        if decision is None
        else standing.filter(pk=decision).first()
    )
    if found is None or not standing.filter(pk=found.pk).update(undone_at=now, undone_by=by):
        raise NothingToUndo
    _put_back(found, by, now)
    items = list(ReviewItem.objects.filter(decision=found))
    ReviewItem.objects.filter(decision=found).update(
        status=Status.OPEN, decision=None, claimed_by=by, claimed_until=now + LEASE
    )
    _mark_candidates(items, ReviewCandidate.Status.NEW)
    clusters.count_again({item.cluster_id for item in items if item.cluster_id})
    found.refresh_from_db()
    return found


def out_of_scope_examples() -> list[tuple[str, str]]:
    """Return (text, language) of what people said is about none of our topics, oldest first.

    Frozen: nothing is trained on them. They tell how well the bot keeps out of what it does not know.
    """
    kept = ReviewItem.objects.filter(decision__kind=Kind.OUT_OF_SCOPE).order_by("decision", "pk")
    return list(kept.values_list("text", "language"))


# --- Taking ------------------------------------------------------------------------------------


def _taken(keys: Sequence[int], by: Any, now: datetime) -> list[ReviewItem]:
    """Close sentences that this person has, all or none.

    A lease that ran out counts as long as nobody else has taken it.
    """
    wanted = sorted(set(keys))[:MOST_TOGETHER]
    mine = ReviewItem.objects.filter(pk__in=wanted, status=Status.OPEN, claimed_by=by)
    closed = mine.update(status=Status.DECIDED, claimed_by=None, claimed_until=None)
    if not wanted or closed < len(set(keys)):
        raise NotClaimed
    return list(ReviewItem.objects.filter(pk__in=wanted).order_by("pk"))


def _decided(
    items: Sequence[ReviewItem], kind: str, by: Any, now: datetime, *, intent: str = ""
) -> ReviewDecision:
    decision = ReviewDecision.objects.create(
        kind=kind, intent=intent, sentences=len(items), by=by, at=now
    )
    ReviewItem.objects.filter(pk__in=[item.pk for item in items]).update(decision=decision)
    _mark_candidates(items, ReviewCandidate.Status.REVIEWED)
    clusters.count_again({item.cluster_id for item in items if item.cluster_id})
    return decision


def _mark_candidates(items: Sequence[ReviewItem], status: str) -> None:
    """Say of the agents' words on these sentences whether they have been looked at."""
    with_words = [item.pk for item in items if _by_agent(item)]
    if not with_words:
        return
    messages = Q(message__in=_messages_of(with_words))
    ReviewCandidate.objects.filter(messages).update(status=status)


def _by_agent(item: ReviewItem) -> bool:
    return bool({"corrected", "confirmed", "rated_down"} & set(item.reasons))


def _messages_of(items: Sequence[int]) -> Any:
    return ReviewItem.objects.filter(pk__in=items, sightings__isnull=False).values(
        "sightings__message"
    )


def _said(item: ReviewItem) -> set[str]:
    """Return the intents that the bot or people named for a sentence."""
    likeliest = {str(item.ranked[0][0])} if item.ranked else set()
    return likeliest | {reasons.proposed(item.votes)} - {""}


# --- Writing -----------------------------------------------------------------------------------


def _labelled(items: Sequence[ReviewItem], intent: Intent) -> dict[str, Any]:
    added: list[int] = []
    moved: list[list[int]] = []
    there = {one.key: one for one in Utterance.objects.filter(key__in=[i.key for i in items])}
    with services.changed_once():
        for item in items:
            utterance = there.get(item.key)
            if utterance is None:
                added.append(services.save_utterance(_utterance(item, intent)).pk)
            elif utterance.intent_id != intent.pk:
                moved.append([utterance.pk, utterance.intent_id])
                utterance.intent = intent
                services.save_utterance(utterance)
    return {"added": added, "moved": moved}


def _utterance(item: ReviewItem, intent: Intent) -> Utterance:
    return Utterance(
        intent=intent, text=item.text, language=item.language, origin=Utterance.Origin.REVIEW
    )


def _drafted(items: Sequence[ReviewItem], intent: Intent, by: Any, now: datetime) -> dict[str, Any]:
    """Put a new intent and its sentences into a draft of their own."""
    title = gettext("New intent “%(name)s” from the review inbox") % {"name": intent.name_zh}
    draft = workflow.begin(title[:80], by=by, now=now)
    proposals = [Proposal.to_save(intent, None)]
    proposals += [Proposal.to_save(_utterance(item, intent), None) for item in items]
    proposing.propose(draft.pk, proposals, by=by, now=now)
    return {"draft": draft.pk}


def _put_back(decision: ReviewDecision, by: Any, now: datetime) -> None:
    came_of = decision.came_of
    if "draft" in came_of:
        _withdraw(came_of["draft"], by, now)
        return
    with services.changed_once():
        for pk in came_of.get("added", []):
            utterance = _unchanged(pk, decision)
            services.delete_utterance(utterance)
        for pk, before in came_of.get("moved", []):
            utterance = _unchanged(pk, decision)
            former = Intent.objects.filter(pk=before).first()
            if former is None:
                raise ChangedSince
            utterance.intent = former
            services.save_utterance(utterance)
        if "intent" in came_of:
            _delete_intent(came_of["intent"])


def _unchanged(pk: int, decision: ReviewDecision) -> Utterance:
    """Return an utterance that the decision wrote, if it is still as it wrote it."""
    utterance = Utterance.objects.select_related("intent").filter(pk=pk).first()
    is_same = (
        utterance is not None
        and utterance.intent.code == decision.intent
        and decision.items.filter(key=utterance.key).exists()
    )
    if utterance is None or not is_same:
        raise ChangedSince
    return utterance


def _delete_intent(pk: int) -> None:
    intent = Intent.objects.filter(pk=pk).first()
    if intent is None:
        return
    is_used = intent.utterances.exists() or Reply.objects.filter(intent=intent).exists()
    if is_used:  # somebody has gone on with it
        raise ChangedSince
    services.delete_intent(intent)


def _withdraw(draft_id: int, by: Any, now: datetime) -> None:
    draft = Draft.objects.filter(pk=draft_id).first()
    if draft is not None and draft.status == Draft.Status.PUBLISHED:
        raise ChangedSince
    if draft is not None and draft.status != Draft.Status.WITHDRAWN:
        workflow.withdraw(draft_id, by=by, now=now)
