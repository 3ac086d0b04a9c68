"""Business hours: when they are, and how much of a time they are."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from chat.models import BusinessHours, Queue, SpecialDay
from chat.services import hours, special_days
from chat.services.hours import Calendar

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NINE_TO_SIX = ((time(9), time(12)), (time(13), time(18)))
WORKWEEK = dict.fromkeys(range(5), NINE_TO_SIX)

moments = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001  (hypothesis adds the zone)
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
times = st.times().map(lambda one: one.replace(microsecond=0, tzinfo=None))
spans = st.tuples(times, times).map(lambda two: (min(two), max(two)))
calendars = st.builds(
    Calendar,
    zone=st.sampled_from([SHANGHAI, BERLIN]),
    weekly=st.dictionaries(st.integers(0, 6), st.lists(spans, max_size=3), max_size=7),
    special=st.dictionaries(
        st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.lists(spans, max_size=2), max_size=9
    ),
)


def shanghai(*when: int) -> datetime:
    return datetime(*when, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


class TestWorkingSeconds:
    @given(calendars, st.lists(moments, min_size=3, max_size=3).map(sorted))
    def test_of_two_parts_is_that_of_the_whole(self, calendar: Calendar, at: list[datetime]):
        whole = calendar.working_seconds(at[0], at[2])
        parts = calendar.working_seconds(at[0], at[1]) + calendar.working_seconds(at[1], at[2])

        assert parts == pytest.approx(whole, abs=1e-3)

    @given(calendars, st.lists(moments, min_size=2, max_size=2).map(sorted))
    def test_are_neither_negative_nor_more_than_the_time(
        self, calendar: Calendar, at: list[datetime]
    ):
        seconds = calendar.working_seconds(*at)

        assert 0 <= seconds <= (at[1] - at[0]).total_seconds() + 1e-3

    @given(calendars, moments, st.integers(0, 10**6), st.integers(0, 10**6))
    def test_grow_with_the_time(self, calendar: Calendar, start: datetime, one: int, two: int):
        first, second = sorted((one, two))

        assert calendar.working_seconds(
            start, start + timedelta(seconds=first)
        ) <= calendar.working_seconds(start, start + timedelta(seconds=second))

    @given(calendars, moments)
    def test_begin_at_the_next_opening(self, calendar: Calendar, now: datetime):
        opening = calendar.next_opening(now)
        if opening is None:
            return

        assert calendar.is_open(opening)
        assert calendar.working_seconds(now, opening) == 0
        assert (opening == now) == calendar.is_open(now)

    def test_leave_out_lunch_and_the_night(self):
        calendar = Calendar(SHANGHAI, WORKWEEK)

        seconds = calendar.working_seconds(shanghai(2026, 11, 23, 17), shanghai(2026, 11, 24, 14))

        assert seconds == 3600 * (1 + 3 + 1)

    def test_of_a_night_on_which_the_clock_goes_back_has_its_hour_twice(self):
        calendar = Calendar(BERLIN, {6: [(time(0), time(6))]})
        night = datetime(2026, 10, 24, 20, tzinfo=BERLIN), datetime(2026, 10, 25, 20, tzinfo=BERLIN)

        assert calendar.working_seconds(*night) == 7 * 3600

    def test_without_hours_it_is_always_open(self, now: datetime):
        calendar = Calendar(SHANGHAI)

        assert calendar.is_open(now)
        assert calendar.next_opening(now) == now
        assert calendar.working_seconds(now, now + timedelta(days=2)) == 172_800

    def test_that_end_at_midnight_go_on_until_it(self):
        calendar = Calendar(SHANGHAI, {0: [(time(18), time(0))]})

        assert calendar.is_open(shanghai(2026, 11, 23, 23, 59))
        assert not calendar.is_open(shanghai(2026, 11, 24, 0, 0))


@pytest.mark.django_db
class TestSpecialDays:
    @pytest.fixture
    def queue(self) -> Queue:
        queue = Queue.objects.create(name="工作日")
        for weekday in range(5):
            BusinessHours.objects.create(
                queue=queue, weekday=weekday, opens_at=time(9), closes_at=time(18)
            )
        return queue

    def test_a_holiday_is_closed_and_its_make_up_saturday_open(self, queue: Queue):
        special_days.load([2026])

        assert not hours.is_open(queue, shanghai(2026, 10, 1, 10))  # a Thursday
        assert hours.is_open(queue, shanghai(2026, 10, 10, 10))  # a Saturday
        assert not hours.is_open(queue, shanghai(2026, 10, 17, 10))  # any other Saturday
        assert hours.next_opening(queue, shanghai(2026, 9, 30, 20)) == shanghai(2026, 10, 8, 9)

    def test_hours_of_its_own_come_before_the_rule(self, queue: Queue):
        day = SpecialDay(
            date=date(2026, 12, 31), kind=SpecialDay.Kind.HOLIDAY, spans=[["09:00", "12:00"]]
        )
        day.full_clean()
        day.save()

        assert hours.is_open(queue, shanghai(2026, 12, 31, 10))
        assert not hours.is_open(queue, shanghai(2026, 12, 31, 14))

    def test_a_queue_may_go_on_as_usual(self, queue: Queue):
        special_days.load([2026])
        queue.has_special_days = False

        assert hours.is_open(queue, shanghai(2026, 10, 1, 10))

    @pytest.mark.parametrize("spans", ["09:00", [["18:00", "09:00"]], [["9"]], [["a", "b"]], 7])
    def test_hours_that_cannot_be_meant_are_refused(self, spans: Any):
        day = SpecialDay(date=date(2026, 12, 31), kind=SpecialDay.Kind.HOLIDAY, spans=spans)

        with pytest.raises(ValidationError):
            day.full_clean()

    def test_the_command_enters_them_once_and_says_what_is_not_published(self):
        SpecialDay.objects.create(date=date(2026, 1, 1), kind=SpecialDay.Kind.HOLIDAY, name="元旦")
        said = StringIO()

        for _ in range(2):
            call_command("load_special_days", "2026", "2099", stdout=said)

        assert SpecialDay.objects.filter(date__year=2026).count() == 33 + 6
        assert "2026: 38 days entered." in said.getvalue()
        assert "2026: 0 days entered." in said.getvalue()
        assert "2099: not known" in said.getvalue()
