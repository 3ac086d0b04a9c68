"""What customers think: of a conversation that has ended, and of single answers of the bot."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chat import access, events
from chat.models import Assignment, Conversation, Message, MessageFeedback, Rating
from chat.services.conversations import Status, locked
from csplatform.errors import Refusal
from intents import records


class NotRatable(Refusal):
    code = "not_ratable"
    detail = _("This cannot be rated now.")


class NoSuchAnswer(Refusal):
    code = "no_such_answer"
    status = 404
    detail = _("The assistant has not said this.")


def asks_rating(conversation: Conversation) -> bool:
    """Whether the customer may rate it now: it was ended or handed back, and no agent has it again."""
    return conversation.asks_rating and conversation.status in (Status.BOT, Status.CLOSED)


def rate(
    *, uid: str, conversation_id: UUID, score: int, now: datetime, comment: str = ""
) -> Rating:
    """Store how content the customer was; saying it again changes it.

    Args:
        score: 1 (worst) to 5 (best); the caller has checked it.

    Raises:
        NotRatable: It goes on, or it was closed for silence.
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    with transaction.atomic():
        conversation = locked(access.of_customer(uid, conversation_id).pk)
        if not asks_rating(conversation):
            raise NotRatable
        before = conversation.assignments.exclude(ended_because__in=Assignment.LAPSED)
        agent_id = before.order_by("-pk").values_list("agent_id", flat=True).first()
        said = {"score": score, "comment": comment.strip(), "changed_at": now}
        rating, _is_new = Rating.objects.update_or_create(
            conversation=conversation,
            defaults=said,
            create_defaults={**said, "agent_id": agent_id, "rated_at": now},
        )
        events.publish_on_commit(
            events.Rated(
                conversation_id=conversation.pk,
                seq=conversation.last_seq,
                status=conversation.status,
            )
        )
    return rating


def put_rating_away(*, uid: str, conversation_id: UUID) -> None:
    """Stop asking the customer about this conversation. What he has said of it stays.

    Raises:
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    with transaction.atomic():
        conversation = locked(access.of_customer(uid, conversation_id).pk)
        if not conversation.asks_rating or hasattr(conversation, "rating"):
            return
        conversation.asks_rating = False
        conversation.save(update_fields=["asks_rating"])
        events.publish_on_commit(
            events.RatingPutAway(
                conversation_id=conversation.pk,
                seq=conversation.last_seq,
                status=conversation.status,
            )
        )


def give_feedback(
    *,
    uid: str,
    conversation_id: UUID,
    seq: int,
    is_up: bool,
    now: datetime,
    reason: str = "",
) -> Message:
    """Store thumbs up or down for one answer of the bot; saying it again changes it.

    Args:
        reason: A MessageFeedback.Reason of "down", "" for none.

    Returns:
        The answer, with its feedback.

    Raises:
        NoSuchAnswer: The line is none of the bot's.
        NoSuchConversation: It does not exist, or is somebody else's.
    """
    with transaction.atomic():
        conversation = locked(access.of_customer(uid, conversation_id).pk)
        answers = conversation.messages.filter(seq=seq, sender=Message.Sender.BOT)
        answer = answers.first()
        if answer is None:
            raise NoSuchAnswer
        said = {"is_up": is_up, "reason": "" if is_up else reason, "given_at": now}
        feedback, _is_new = MessageFeedback.objects.update_or_create(message=answer, defaults=said)
        answer.feedback = feedback
        events.publish_on_commit(
            events.FeedbackGiven(
                conversation_id=conversation.pk, seq=seq, status=conversation.status
            )
        )
        if answer.answers_id is not None:
            # After the commit: the log is of what is true.
            asked = answer.answers_id
            transaction.on_commit(lambda: records.rated(message=asked, is_up=is_up), robust=True)
    return answer
