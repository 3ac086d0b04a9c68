"""Addresses of the sockets. Each consumer states its roles, checked at its first frame."""

from django.urls import path

from chat.consumers import CustomerConsumer, WorkspaceConsumer

websocket_urlpatterns = [
    path("ws/chat/", CustomerConsumer.as_asgi()),
    path("ws/workspace/", WorkspaceConsumer.as_asgi()),
]
