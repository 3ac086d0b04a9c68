"""Every change to a conversation: rules, locks and events of a change stand in one place.

Sockets, REST views, admin actions and tasks all come through here. Keyword-only, ids in,
one transaction each; refusals stand beside the function that raises them.
"""

from chat.services.agents import Desk, NoSuchAgent, desk_of, set_availability
from chat.services.assignment import (
    NoSuchQueue,
    assign_waiting,
    escalate_overdue,
    renew,
    return_overdue,
    transfer,
)
from chat.services.closing import close, close_idle
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
from chat.services.waiting import Place, place

__all__ = [
    "AlreadyTaken",
    "ConversationClosed",
    "Desk",
    "EmptyMessage",
    "NoSuchAgent",
    "NoSuchQueue",
    "NotYours",
    "Place",
    "Posted",
    "TooLong",
    "ask_for_human",
    "assign_waiting",
    "close",
    "close_idle",
    "desk_of",
    "escalate_overdue",
    "hand_back",
    "join_visitor",
    "leave_to_agent",
    "place",
    "post_agent_message",
    "post_answer",
    "post_customer_message",
    "renew",
    "return_overdue",
    "set_availability",
    "take_over",
    "transfer",
]
