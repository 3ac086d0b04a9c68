"""Addresses of the customers' REST interface."""

from django.urls import path

from chat.api import views

urlpatterns = [
    path("chat", views.Chat.as_view(), name="api-chat"),
    path("conversation", views.OpenConversation.as_view(), name="api-conversation"),
    path("conversation/messages", views.Messages.as_view(), name="api-messages"),
    path("conversation/human", views.Human.as_view(), name="api-human"),
]
