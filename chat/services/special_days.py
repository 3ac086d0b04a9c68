"""China's holidays and the workdays that make up for them, as the State Council publishes them.

They are published each November for the next year. The package `chinesecalendar` carries
them; what it does not know yet is entered in the admin, by hand or from a spreadsheet.
"""

from collections.abc import Iterable
from datetime import date

from chinese_calendar import constants
from django.db import transaction

from chat.models import SpecialDay

_CHINESE = {holiday.value: holiday.chinese for holiday in constants.Holiday}


def published_years() -> range:
    """Return the years that the installed package knows."""
    years = {day.year for day in constants.holidays}
    return range(min(years), max(years) + 1)


@transaction.atomic
def load(years: Iterable[int]) -> int:
    """Add the special days of these years; what is entered already stays as it is.

    Returns:
        How many were added; 0 for years that are not published.
    """
    wanted = set(years)
    days = [
        *_days(constants.holidays, SpecialDay.Kind.HOLIDAY, wanted),
        *_days(constants.workdays, SpecialDay.Kind.MAKE_UP_WORKDAY, wanted),
    ]
    entered = set(SpecialDay.objects.values_list("date", flat=True))
    new = [day for day in days if day.date not in entered]
    SpecialDay.objects.bulk_create(new)
    return len(new)


def _days(
    published: dict[date, str], kind: SpecialDay.Kind, years: set[int]
) -> Iterable[SpecialDay]:
    for day, name in published.items():
        if day.year in years:
            yield SpecialDay(date=day, kind=kind, name=_CHINESE.get(name, name))
