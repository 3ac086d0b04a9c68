"""Every change to a conversation: rules, locks and events of a change stand in one place.

Sockets, REST views, admin actions and tasks all come through here. Keyword-only, ids in,
one transaction each; refusals stand beside the function that raises them.
"""

from chat.services.closing import close
from chat.services.conversations import ConversationClosed
from chat.services.handover import AlreadyTaken, NotYours, ask_for_human, hand_back, take_over
from chat.services.posting import (
    EmptyMessage,
    Posted,
    TooLong,
    leave_to_agent,
    post_agent_message,
    post_answer,
    post_customer_message,
)
from chat.services.visitors import join_visitor

__all__ = [
    "AlreadyTaken",
    "ConversationClosed",
    "EmptyMessage",
    "NotYours",
    "Posted",
    "TooLong",
    "ask_for_human",
    "close",
    "hand_back",
    "join_visitor",
    "leave_to_agent",
    "post_agent_message",
    "post_answer",
    "post_customer_message",
    "take_over",
]
