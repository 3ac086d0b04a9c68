"""What somebody asks of the reports: which days, and of them which cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal

# A quarter: everything is read at once, and no report may keep a process busy for minutes.
MOST_DAYS = 92
USUAL_DAYS = 7


class PeriodTooLong(Refusal):
    code = "invalid"
    status = 400
    detail = _("Choose 92 days at most, the first before the last.")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days on the clock of TIME_ZONE, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 0 <= (self.last - self.first).days < MOST_DAYS:
            raise PeriodTooLong

    @classmethod
    def up_to(cls, now: datetime, days: int = USUAL_DAYS) -> "Period":
        """Return the latest days, today included."""
        today = timezone.localdate(now)
        return cls(today - timedelta(days=days - 1), today)

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer in it."""
        return _midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        count = (self.last - self.first).days + 1
        return [self.first + timedelta(days=number) for number in range(count)]

    def has(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, and of what is in it only some; None and "" ask for everything."""

    period: Period
    queue_id: int | None = None
    agent_id: int | None = None  # who answered first
    intent: str = ""  # Intent.code: what it was about

    @property
    def is_of_all(self) -> bool:
        return self.queue_id is None and self.agent_id is None and not self.intent


Handed = Mapping[UUID, list[datetime]]  # conversation: when it was handed over
