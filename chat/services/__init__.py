"""Every change to a conversation: rules, locks and events of a change stand in one place.

Sockets, REST views, admin actions and tasks all come through here. Keyword-only, ids in,
one transaction each; refusals stand beside the function that raises them.
"""

from chat.services.addresses import (
    Letter,
    MailIsOff,
    due_letters,
    forget_addresses,
    leave_address,
    take_letter,
)
from chat.services.agents import Desk, NoSuchAgent, desk_of, set_availability
from chat.services.assignment import (
    NoSuchQueue,
    assign_waiting,
    escalate_overdue,
    renew,
    return_overdue,
    transfer,
)
from chat.services.canned import (
    NoSuchCannedReply,
    TooManyCannedReplies,
    Worded,
    delete_own,
    own_of,
    save_own,
    worded_for,
)
from chat.services.closing import (
    DispositionRequired,
    NoSuchDisposition,
    close,
    close_by_customer,
    close_idle,
)
from chat.services.conversations import ConversationClosed
from chat.services.destinations import (
    Colleague,
    OpenQueue,
    PassedOn,
    colleagues,
    open_queues,
    passed_on,
    summary_of,
)
from chat.services.findings import store_findings
from chat.services.handover import AlreadyTaken, NotYours, ask_for_human, hand_back, take_over
from chat.services.labelling import NoSuchLabel, attach_label, detach_label
from chat.services.notes import (
    mentions_of,
    notes_of,
    see_mentions,
    unread_mentions,
    write_note,
)
from chat.services.posting import (
    EmptyMessage,
    Posted,
    TooLong,
    leave_to_agent,
    post_agent_message,
    post_answer,
    post_customer_message,
)
from chat.services.ratings import (
    NoSuchAnswer,
    NotRatable,
    asks_rating,
    give_feedback,
    put_rating_away,
    rate,
)
from chat.services.reading import Unread, read_by_agent, read_by_customer, unread_of_customer
from chat.services.recalls import NoSuchMessage, TooLate, original, recall
from chat.services.starting import load_starter
from chat.services.suggestions import (
    NoSuchSuggestion,
    compare_suggestion,
    dismiss_suggestion,
    pick_suggestion,
)
from chat.services.visitors import join_visitor
from chat.services.waiting import Place, place, places

__all__ = [
    "AlreadyTaken",
    "Colleague",
    "ConversationClosed",
    "Desk",
    "DispositionRequired",
    "EmptyMessage",
    "Letter",
    "MailIsOff",
    "NoSuchAgent",
    "NoSuchAnswer",
    "NoSuchCannedReply",
    "NoSuchDisposition",
    "NoSuchLabel",
    "NoSuchMessage",
    "NoSuchQueue",
    "NoSuchSuggestion",
    "NotRatable",
    "NotYours",
    "OpenQueue",
    "PassedOn",
    "Place",
    "Posted",
    "TooLate",
    "TooLong",
    "TooManyCannedReplies",
    "Unread",
    "Worded",
    "ask_for_human",
    "asks_rating",
    "assign_waiting",
    "attach_label",
    "close",
    "close_by_customer",
    "close_idle",
    "colleagues",
    "compare_suggestion",
    "delete_own",
    "desk_of",
    "detach_label",
    "dismiss_suggestion",
    "due_letters",
    "escalate_overdue",
    "forget_addresses",
    "give_feedback",
    "hand_back",
    "join_visitor",
    "leave_address",
    "leave_to_agent",
    "load_starter",
    "mentions_of",
    "notes_of",
    "open_queues",
    "original",
    "own_of",
    "passed_on",
    "pick_suggestion",
    "place",
    "places",
    "post_agent_message",
    "post_answer",
    "post_customer_message",
    "put_rating_away",
    "rate",
    "read_by_agent",
    "read_by_customer",
    "recall",
    "renew",
    "return_overdue",
    "save_own",
    "see_mentions",
    "set_availability",
    "store_findings",
    "summary_of",
    "take_letter",
    "take_over",
    "transfer",
    "unread_mentions",
    "unread_of_customer",
    "worded_for",
    "write_note",
]
