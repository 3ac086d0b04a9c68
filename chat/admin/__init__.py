"""The admin's pages that see everything: conversations, and what the bot would say."""

from chat.admin import conversations

__all__ = ["conversations"]
