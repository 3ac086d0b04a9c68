"""Who reacts to what. This is the whole list.

| event | reaction |
| --- | --- |
| MessagePosted, StatusChanged | every socket that follows the conversation looks |
| StatusChanged, and MessagePosted while it waits for or is with an agent | every workspace looks at its inbox |

Answers are not in it: whoever posts a customer's message has it answered (consumers.py,
api/chat.py), and the sweep of tasks.py finds what a killed process left.
"""

from chat import events, sockets
from chat.models import Conversation


@events.on(events.MessagePosted, events.StatusChanged)
def look_at_conversation(event: events.Event) -> None:
    sockets.hint(event.conversation_id, event.seq)


@events.on(events.StatusChanged)
def look_at_inbox(event: events.StatusChanged) -> None:
    sockets.hint_inbox()


@events.on(events.MessagePosted)
def look_at_newest_line(event: events.MessagePosted) -> None:
    if event.status in (Conversation.Status.WAITING, Conversation.Status.AGENT):
        sockets.hint_inbox()
