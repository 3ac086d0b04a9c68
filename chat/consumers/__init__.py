"""The sockets of customers and agents."""

from chat.consumers.customer import CustomerConsumer
from chat.consumers.running import finish
from chat.consumers.workspace import WorkspaceConsumer

__all__ = ["CustomerConsumer", "WorkspaceConsumer", "finish"]
