"""The admin's pages that see everything: conversations, who answers them, webhooks."""

from chat.admin import conversations, desk, labels, routing, watches, webhooks

__all__ = ["conversations", "desk", "labels", "routing", "watches", "webhooks"]
