"""Addresses of this app's sockets."""

from django.urls import path

from training.consumers import TrainingConsumer, with_cookies

websocket_urlpatterns = [
    path("ws/admin/training/", with_cookies(TrainingConsumer.as_asgi())),
]
