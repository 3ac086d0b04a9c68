"""The admin's pages of content: what customers mean, what we say, what we never let through."""

from intents.admin import drafts, intents, phrases, records, replies, review, utterances, words

__all__ = ["drafts", "intents", "phrases", "records", "replies", "review", "utterances", "words"]
