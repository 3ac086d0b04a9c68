"""Addresses under /api/ that this app answers."""

from django.urls import path

from intents.api.views import ClassifyView

urlpatterns = [path("classify", ClassifyView.as_view(), name="classify")]
