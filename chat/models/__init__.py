"""Conversations and what belongs to them: rows and reads. Changes are made by chat/services/."""

from chat.models.assignments import Assignment, AssignmentQuerySet, Handover, HandoverQuerySet
from chat.models.conversations import Conversation, ConversationQuerySet
from chat.models.messages import Message, MessageQuerySet
from chat.models.queues import BusinessHours, Queue, SpecialDay
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
    "BusinessHours",
    "Conversation",
    "ConversationQuerySet",
    "Handover",
    "HandoverQuerySet",
    "Message",
    "MessageQuerySet",
    "Queue",
    "SpecialDay",
    "Team",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEndpointQuerySet",
    "WebhookEvent",
]
