"""Where conversations wait for people, and when people are there."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.dateparse import parse_time
from django.utils.translation import gettext_lazy as _

from chat.models.teams import Team, check_languages
from intents.models import Intent


class Queue(models.Model):
    """Conversations of one kind that wait for an agent, and the rules for giving them out."""

    class Strategy(models.TextChoices):
        ROUND_ROBIN = "ROUND_ROBIN", _("whose turn it is")
        LEAST_BUSY = "LEAST_BUSY", _("who has the fewest chats")
        LAST_AGENT = "LAST_AGENT", _("who spoke with the customer last")

    name = models.CharField(_("name"), max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=100,
        help_text=_("A conversation goes into the first queue that fits, lowest position first."),
    )
    languages = models.JSONField(
        _("languages"),
        default=list,
        blank=True,
        validators=[check_languages],
        help_text=_("None chosen: all."),
    )
    intents = models.ManyToManyField(
        Intent,
        blank=True,
        related_name="+",
        verbose_name=_("intents"),
        help_text=_("What the customer wants. None chosen: everything."),
    )
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="queues",
        verbose_name=_("team"),
        help_text=_("Who answers. None chosen: everybody."),
    )
    strategy = models.CharField(
        _("who gets the next one"), max_length=11, choices=Strategy, default=Strategy.LEAST_BUSY
    )
    unseen_after_s = models.PositiveIntegerField(
        _("seconds to open it"),
        default=60,
        validators=[MinValueValidator(5)],
        help_text=_("An assigned chat that was not opened by then goes back into the queue."),
    )
    unanswered_after_s = models.PositiveIntegerField(
        _("seconds to answer"),
        default=180,
        validators=[MinValueValidator(10)],
        help_text=_("A chat whose customer waits longer goes back into the queue."),
    )
    escalate_after_s = models.PositiveIntegerField(
        _("seconds until supervisors get it"),
        default=600,
        validators=[MinValueValidator(10)],
        help_text=_("Of waiting within business hours."),
    )
    # What is promised, and measured in reports; nothing is moved by it.
    first_response_s = models.PositiveIntegerField(
        _("target: seconds to the first answer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Of an agent, from the hand-over, in business hours. Empty: no target."),
    )
    resolution_s = models.PositiveIntegerField(
        _("target: seconds to the end"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Ended or handed back, from the hand-over, in business hours."),
    )
    has_special_days = models.BooleanField(
        _("closed on holidays"),
        default=True,
        help_text=_("And open on make-up workdays, as the special days say."),
    )

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class BusinessHours(models.Model):
    """One span of a weekday in which people answer a queue, on the clock of TIME_ZONE.

    A queue without any is always open. A day may have several spans.
    """

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    queue = models.ForeignKey(
        Queue, models.CASCADE, related_name="business_hours", verbose_name=_("queue")
    )
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    opens_at = models.TimeField(_("opens at"))
    closes_at = models.TimeField(_("closes at"), help_text=_("00:00 is midnight at its end."))

    class Meta:
        verbose_name = _("business hours")
        verbose_name_plural = _("business hours")
        ordering = ["weekday", "opens_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")) | Q(closes_at="00:00"),
                name="chat_closes_after_opening",
                violation_error_message=_("It must close after it opens."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


def check_spans(value: Any) -> None:
    """Refuse what is not a list of ["HH:MM", "HH:MM"], each closing after it opens."""
    try:
        for opens, closes in value:
            first, last = parse_time(opens), parse_time(closes)
            if first is None or last is None or (first >= last and closes != "00:00"):
                raise ValueError(opens)
    except (TypeError, ValueError):
        raise ValidationError(
            _('Write it like this: [["09:00", "12:00"], ["13:00", "18:00"]].')
        ) from None


class SpecialDay(models.Model):
    """A date that is not like its weekday, for every queue that observes them."""

    class Kind(models.TextChoices):
        HOLIDAY = "HOLIDAY", _("holiday")
        MAKE_UP_WORKDAY = "MAKE_UP_WORKDAY", _("make-up workday")

    date = models.DateField(_("date"), unique=True)
    kind = models.CharField(_("kind"), max_length=15, choices=Kind)
    name = models.CharField(_("name"), max_length=60, blank=True)
    spans = models.JSONField(
        _("hours"),
        default=list,
        blank=True,
        validators=[check_spans],
        help_text=_(
            "None: closed on a holiday; on a make-up workday the hours of the queue's Monday."
        ),
    )

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["date"]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.name or self.get_kind_display()}"
