"""Who reacts to what. This is the whole list.

| event | reaction |
| --- | --- |
| MessagePosted, StatusChanged, VisitorJoined, ReadMarkMoved, Rated, RatingPutAway | every socket that follows the conversation looks |
| FeedbackGiven | every socket that follows the conversation reads that line again |
| StatusChanged | the foremost waiting customers look at their places |
| StatusChanged to a human | the prediction log: what the bot said last did not help |
| StatusChanged, VisitorJoined, LabelsChanged, and MessagePosted while it waits for or is with an agent | every workspace looks at its inbox |
| MessagePosted by an agent | how it relates to what was suggested to him is noted |
| NoteWritten | the workspaces that have the conversation open look at its notes; who is named, at his mentions |
| LongTextPosted | a worker is asked to read it |
| TextRead | the workspaces that have the conversation open look at what was found |
| Whispered | the workspaces that have the conversation open look at its whispers |
| what webhooks tell of (chat/webhooks/kinds.py) | written for the endpoints that want it before the commit, sent after it |

Answers are not in it: whoever posts a customer's message has it answered (consumers.py,
api/chat.py), and the sweep of tasks.py finds what a killed process left.
"""

from django.db import transaction
from django.utils import timezone

from chat import events, services, sockets, tasks, webhooks
from chat.models import Conversation, Message
from intents import records

# Waiting customers who see at once that they have moved up.
_FOREMOST = 30
_WITH_PEOPLE = (Conversation.Status.WAITING, Conversation.Status.AGENT)


@events.on(
    events.MessagePosted,
    events.StatusChanged,
    events.VisitorJoined,
    events.ReadMarkMoved,
    events.Rated,
    events.RatingPutAway,
)
def look_at_conversation(event: events.Event) -> None:
    sockets.hint(event.conversation_id, event.seq)


@events.on(events.FeedbackGiven)
def look_at_line(event: events.FeedbackGiven) -> None:
    sockets.hint_line(event.conversation_id, event.seq)


@events.on(events.StatusChanged, events.VisitorJoined, events.LabelsChanged)
def look_at_inbox(event: events.Event) -> None:
    sockets.hint_inbox(event.conversation_id)


@events.on(events.MessagePosted)
def look_at_newest_line(event: events.MessagePosted) -> None:
    if event.status in _WITH_PEOPLE:
        sockets.hint_inbox(event.conversation_id)


@events.on(events.MessagePosted)
def compare_with_suggestion(event: events.MessagePosted) -> None:
    if event.sender == Message.Sender.AGENT:
        services.compare_suggestion(
            conversation_id=event.conversation_id, seq=event.seq, now=timezone.now()
        )


@events.on(events.NoteWritten)
def look_at_notes(event: events.NoteWritten) -> None:
    sockets.hint_notes(event.conversation_id)
    for user_id in event.mentioned:
        sockets.hint_mentions(user_id)


@events.on(events.Whispered)
def look_at_whispers(event: events.Whispered) -> None:
    sockets.hint_whispers(event.conversation_id)


@events.on(events.LongTextPosted)
def have_text_read(event: events.LongTextPosted) -> None:
    tasks.analyse_soon(event.message_id)


@events.on(events.TextRead)
def look_at_findings(event: events.TextRead) -> None:
    sockets.hint_analysis(event.conversation_id, event.seq)


@events.in_transaction(*webhooks.TOLD_OF)
def tell_endpoints(event: events.Event) -> None:
    if webhooks.publish(event):
        transaction.on_commit(tasks.send_webhooks_soon, robust=True)


@events.on(events.StatusChanged)
def look_at_places(event: events.StatusChanged) -> None:
    """Those who wait may have moved up; further back the heartbeat tells them."""
    ahead = Conversation.objects.filter(status=Conversation.Status.WAITING)
    foremost = ahead.exclude(pk=event.conversation_id).order_by("waiting_since")
    for conversation_id, seq in foremost.values_list("pk", "last_seq")[:_FOREMOST]:
        sockets.hint(conversation_id, seq)


@events.on(events.StatusChanged)
def log_handover(event: events.StatusChanged) -> None:
    if event.status not in _WITH_PEOPLE:
        return
    lines = Message.objects.filter(conversation_id=event.conversation_id)
    newest = (
        lines.exclude(sender=Message.Sender.SYSTEM)
        .order_by("-seq")
        .values_list("sender", "pk", "answers_id")
        .first()
    )
    if newest is None or newest[0] == Message.Sender.AGENT:
        return
    _sender, line, answered = newest
    records.handed_over(message=answered or line)
