"""Addresses of the agents' pages."""

from django.urls import path

from chat.workspace import views

urlpatterns = [
    path("workspace/", views.workspace, name="workspace"),
    path("workspace/token", views.token, name="workspace-token"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
]
