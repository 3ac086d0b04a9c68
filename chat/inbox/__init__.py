"""What agents see of the conversations: one agent's live list, the lists to leaf through, search.

Reads only. Nothing here grows with the conversations there are: lists and counts are cut,
and go along an index.
"""

from chat.inbox.entries import Listed, entries, entry_of, label_frame, read
from chat.inbox.lists import NoSuchView, Page, View, Wanted, page
from chat.inbox.live import LISTED_MOST, changed, counts, whole
from chat.inbox.searching import Found, Hit, Mood, Narrowed, TooShort, search
from chat.inbox.viewers import Viewer, viewer

__all__ = [
    "LISTED_MOST",
    "Found",
    "Hit",
    "Listed",
    "Mood",
    "Narrowed",
    "NoSuchView",
    "Page",
    "TooShort",
    "View",
    "Viewer",
    "Wanted",
    "changed",
    "counts",
    "entries",
    "entry_of",
    "label_frame",
    "page",
    "read",
    "search",
    "viewer",
    "whole",
]
