"""The people who answer: their teams, and what each can do and takes at once."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from intents.models import Intent, Language


def check_languages(value: Any) -> None:
    """Refuse what is not a list of languages that the platform speaks."""
    if not isinstance(value, list) or not set(value) <= set(Language.values):
        raise ValidationError(_("Choose languages of the list."))


class Team(models.Model):
    """Agents who answer for the same queues."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AgentProfile(models.Model):
    """What one agent can do, how much at once, and whether he takes chats now.

    Whether he is there at all is not in it: chat/presence.py knows.
    """

    class Availability(models.TextChoices):
        AVAILABLE = "AVAILABLE", _("available")
        BUSY = "BUSY", _("busy")
        BREAK = "BREAK", _("on a break")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="agent_profile",
        verbose_name=_("agent"),
    )
    capacity = models.PositiveSmallIntegerField(
        _("chats at once"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("More are not assigned automatically; anybody may take more by hand."),
    )
    languages = models.JSONField(
        _("languages"),
        default=list,
        blank=True,
        validators=[check_languages],
        help_text=_("None chosen: all."),
    )
    teams = models.ManyToManyField(Team, blank=True, related_name="agents", verbose_name=_("teams"))
    skills = models.ManyToManyField(
        Intent,
        blank=True,
        related_name="+",
        verbose_name=_("intents this agent is good at"),
        help_text=_("None chosen: all."),
    )
    availability = models.CharField(
        _("availability"), max_length=9, choices=Availability, default=Availability.AVAILABLE
    )

    class Meta:
        verbose_name = _("agent profile")
        verbose_name_plural = _("agent profiles")

    def __str__(self) -> str:
        return self.user.get_full_name() or self.user.get_username()
