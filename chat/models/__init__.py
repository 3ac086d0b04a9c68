"""Conversations and what belongs to them: rows and reads. Changes are made by chat/services/."""

from chat.models.addresses import LeftAddress
from chat.models.assignments import Assignment, AssignmentQuerySet, Handover, HandoverQuerySet
from chat.models.attachments import Attachment, AttachmentQuerySet
from chat.models.canned import CannedReply, CannedReplyQuerySet
from chat.models.conversations import Conversation, ConversationQuerySet
from chat.models.dispositions import Disposition
from chat.models.labels import ConversationLabel, Label
from chat.models.messages import Message, MessageQuerySet
from chat.models.notes import Mention, Note
from chat.models.queues import BusinessHours, Queue, SpecialDay
from chat.models.ratings import MessageFeedback, Rating
from chat.models.suggestions import Suggestion, SuggestionQuerySet
from chat.models.supervision import Watch, WatchQuerySet, Whisper
from chat.models.teams import AgentProfile, Team
from chat.models.webhooks import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpointQuerySet,
    WebhookEvent,
)

__all__ = [
    "AgentProfile",
    "Assignment",
    "AssignmentQuerySet",
    "Attachment",
    "AttachmentQuerySet",
    "BusinessHours",
    "CannedReply",
    "CannedReplyQuerySet",
    "Conversation",
    "ConversationLabel",
    "ConversationQuerySet",
    "Disposition",
    "Handover",
    "HandoverQuerySet",
    "Label",
    "LeftAddress",
    "Mention",
    "Message",
    "MessageFeedback",
    "MessageQuerySet",
    "Note",
    "Queue",
    "Rating",
    "SpecialDay",
    "Suggestion",
    "SuggestionQuerySet",
    "Team",
    "Watch",
    "WatchQuerySet",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEndpointQuerySet",
    "WebhookEvent",
    "Whisper",
]
