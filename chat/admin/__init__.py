"""The admin's pages that see everything: conversations, who answers them, webhooks."""

from chat.admin import conversations, routing, webhooks

__all__ = ["conversations", "routing", "webhooks"]
