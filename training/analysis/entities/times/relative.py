"""So long ago, so long from now: shared by the languages."""

from datetime import UTC, date, timedelta
from decimal import Decimal

from training.analysis.entities.times import festivals
from training.analysis.entities.times.grammar import DAY, Context
from training.analysis.entities.times.interval import Interval, days, one_day, same_day

UNITS = {
    **dict.fromkeys(("年", "year", "yr"), "year"),
    **dict.fromkeys(("季度", "quarter"), "quarter"),
    **dict.fromkeys(("月", "month"), "month"),
    **dict.fromkeys(("周", "星期", "礼拜", "week", "wk"), "week"),
    **dict.fromkeys(("天", "日", "day"), "day"),
    **dict.fromkeys(("工作日",), "workday"),
    **dict.fromkeys(("business day", "working day"), "weekday"),
    **dict.fromkeys(("小时", "钟头", "hour", "hr"), "hour"),
    **dict.fromkeys(("刻钟",), "quarter_hour"),
    **dict.fromkeys(("分钟", "分", "minute", "min"), "minute"),
    **dict.fromkeys(("fortnight",), "fortnight"),
}
_MINUTES = {"hour": 60, "quarter_hour": 15, "minute": 1}
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_DAYS = {"fortnight": 14, "week": 7, "day": 1}
_HALF_MONTH_DAYS = 15
_MOST_DAYS = 40_000
# Published days off are those of China: asked only of who says it in Chinese.
_WORKING = {"workday": festivals.is_workday, "weekday": festivals.is_weekday}
_MOST_WORKDAYS = 366  # they are counted one by one


def away(count: Decimal, unit: str, context: Context) -> Interval:
    """Return the day, or for hours the minute, that lies so far from the message.

    Args:
        count: Negative for what has been. Halves of months are 15 days, of days 12 hours.

    Raises:
        ValueError, OverflowError: It lies beyond the calendar.
    """
    if unit in _MINUTES or (count % 1 and unit == "day"):
        minutes = int(count * _MINUTES.get(unit, 24 * 60))
        # Elapsed time, also where clocks are changed.
        there = context.at.astimezone(UTC) + timedelta(minutes=minutes)
        there = there.astimezone(context.zone).replace(second=0, microsecond=0)
        return Interval(there, there + timedelta(minutes=1))
    return one_day(day_away(count, unit, context.today))


def between(least: Decimal, most: Decimal, unit: str, context: Context, *, ahead: bool) -> Interval:
    """Return the stretch in which lies what is "two or three days" away."""
    if ahead:
        return Interval(away(least, unit, context).start, away(most, unit, context).end)
    return Interval(away(-most, unit, context).start, away(-least, unit, context).end)


def day_away(count: Decimal, unit: str, day: date) -> date:
    """Return the day so many years, months, weeks, days or working days on."""
    if abs(count) > _MOST_DAYS:
        raise ValueError(f"{count} is too far away.")
    if unit in _WORKING:
        return _working_day_away(count, unit, day)
    if unit in _MONTHS:
        months = count * _MONTHS[unit]
        whole = int(months)
        half = 0 if months == whole else (_HALF_MONTH_DAYS if months > 0 else -_HALF_MONTH_DAYS)
        return same_day(day, whole) + half * DAY
    return day + round(count * _DAYS[unit]) * DAY


def _working_day_away(count: Decimal, unit: str, day: date) -> date:
    if count % 1 or abs(count) > _MOST_WORKDAYS:
        raise ValueError(f"Nobody counts {count} working days.")
    step = DAY if count > 0 else -DAY
    left = int(abs(count))
    while left:
        day += step
        left -= _WORKING[unit](day)
    return day


def lasting(count: Decimal, unit: str, context: Context, *, ahead: bool) -> Interval:
    """Return the stretch of so many days up to today, or, `ahead`, from tomorrow on.

    Of hours: up to the message, or from it.
    """
    if unit in _MINUTES:
        there = away(count if ahead else -count, unit, context).start
        at = context.at.replace(second=0, microsecond=0)
        return Interval(at, there) if ahead else Interval(there, at)
    tomorrow = context.today + DAY
    if ahead and unit in _WORKING:
        return Interval(tomorrow, day_away(count, unit, context.today) + DAY)
    there = day_away(count if ahead else -count, unit, tomorrow)
    return Interval(tomorrow, there) if ahead else Interval(there, tomorrow)


def within(count: Decimal, unit: str, context: Context) -> Interval:
    """Return the stretch from the message until so much later, its last day included."""
    if unit in _MINUTES:
        return lasting(count, unit, context, ahead=True)
    return Interval(context.today, day_away(count, unit, context.today) + DAY)


def some_days(context: Context, *, ahead: bool) -> Interval:
    """Return what "a few days" are: up to seven, today not counted."""
    if ahead:
        return days(context.today + DAY, 7)
    return days(context.today - 7 * DAY, 7)
