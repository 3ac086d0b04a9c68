"""Who reacts to what. This is the whole list.

| event | reaction |
| --- | --- |
| MessagePosted, StatusChanged, VisitorJoined | every socket that follows the conversation looks |
| StatusChanged | the foremost waiting customers look at their places |
| StatusChanged to a human | the prediction log: what the bot said last did not help |
| StatusChanged, VisitorJoined, and MessagePosted while it waits for or is with an agent | every workspace looks at its inbox |
| what webhooks tell of (chat/webhooks/kinds.py) | written for the endpoints that want it before the commit, sent after it |

Answers are not in it: whoever posts a customer's message has it answered (consumers.py,
api/chat.py), and the sweep of tasks.py finds what a killed process left.
"""

from django.db import transaction

from chat import events, sockets, tasks, webhooks
from chat.models import Conversation, Message
from intents import records

# Waiting customers who see at once that they have moved up.
_FOREMOST = 30
_WITH_PEOPLE = (Conversation.Status.WAITING, Conversation.Status.AGENT)


@events.on(events.MessagePosted, events.StatusChanged, events.VisitorJoined)
def look_at_conversation(event: events.Event) -> None:
    sockets.hint(event.conversation_id, event.seq)


@events.on(events.StatusChanged, events.VisitorJoined)
def look_at_inbox(event: events.Event) -> None:
    sockets.hint_inbox()


@events.on(events.MessagePosted)
def look_at_newest_line(event: events.MessagePosted) -> None:
    if event.status in _WITH_PEOPLE:
        sockets.hint_inbox()


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
