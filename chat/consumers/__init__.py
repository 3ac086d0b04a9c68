"""The sockets of customers and agents."""

from chat.consumers.base import finish
from chat.consumers.customer import CustomerConsumer
from chat.consumers.workspace import WorkspaceConsumer

__all__ = ["CustomerConsumer", "WorkspaceConsumer", "finish"]
