"""Webhooks: whom we tell what happened, and what became of it. Written by chat/webhooks/."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def with_work(self, now: "timezone.datetime") -> "WebhookEndpointQuerySet":  # type: ignore[name-defined]
        """Those that something is due for and nobody sends to, the longest at rest first."""
        due = WebhookDelivery.objects.filter(
            endpoint=OuterRef("pk"), status=WebhookDelivery.Status.PENDING, due_at__lte=now
        )
        return self.filter(Exists(due), is_active=True, free_at__lte=now).order_by("free_at")


class WebhookEndpoint(models.Model):
    """An address of another program that hears of what happens. Switched off, never deleted.

    Its secret is in no table: chat/webhooks/signing.py derives it from `id` and
    `secret_generation`.
    """

    class SwitchedOff(models.TextChoices):
        BY_STAFF = "STAFF", _("by staff")
        FAILING = "FAILING", _("it failed for days")
        GONE = "GONE", _("it answered that it is gone (410)")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)
    url = models.CharField(_("address"), max_length=500)
    kinds = models.JSONField(_("events"), default=list)  # of chat.webhooks.kinds
    is_active = models.BooleanField(_("active"), default=True, editable=False)
    switched_off_because = models.CharField(
        _("switched off"), max_length=8, choices=SwitchedOff, blank=True, editable=False
    )
    # Counts the secrets it has had; the former one still signs until then.
    secret_generation = models.PositiveIntegerField(default=1, editable=False)
    former_secret_until = models.DateTimeField(
        _("the former secret still signs until"), null=True, blank=True, editable=False
    )
    # Until then nobody sends to it: somebody does (a lease), or it rests after a failure.
    free_at = models.DateTimeField(default=timezone.now, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)  # in a row
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    attempted_at = models.DateTimeField(_("latest attempt"), null=True, blank=True, editable=False)
    outcome = models.CharField(_("latest outcome"), max_length=200, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class WebhookEvent(models.Model):
    """Something that happened, worded once: each attempt sends these very bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("event"), max_length=40)
    payload = models.TextField(_("content"))  # JSON, without personal data
    conversation = models.ForeignKey(
        Conversation,
        models.CASCADE,
        null=True,
        related_name="+",
        verbose_name=_("conversation"),
    )
    created_at = models.DateTimeField(_("happened at"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        indexes = [
            # forget_old(): every hour
            models.Index(fields=["created_at"], name="chat_webhook_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint."""

    class Status(models.TextChoices):
        PENDING = "PENDING", _("on its way")
        DELIVERED = "DELIVERED", _("delivered")
        GIVEN_UP = "GIVEN_UP", _("given up")

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.ForeignKey(
        WebhookEvent, models.CASCADE, related_name="deliveries", verbose_name=_("event")
    )
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)  # that were recorded
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    # Of the latest attempt:
    attempted_at = models.DateTimeField(_("latest attempt"), null=True, blank=True)
    response_code = models.PositiveIntegerField(_("response"), null=True, blank=True)  # HTTP status
    response_ms = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)  # for people

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="chat_webhook_once"),
        ]
        indexes = [
            # with_work() and the next one of an endpoint: every sweep
            models.Index(fields=["endpoint", "status", "due_at"], name="chat_webhook_due"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
