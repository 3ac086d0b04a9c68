"""The admin's pages that see everything: conversations, who answers them, webhooks."""

from chat.admin import conversations, desk, labels, longtexts, ratings, routing, watches, webhooks

__all__ = [
    "conversations",
    "desk",
    "labels",
    "longtexts",
    "ratings",
    "routing",
    "watches",
    "webhooks",
]
