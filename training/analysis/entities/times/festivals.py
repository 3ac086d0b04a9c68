"""Days that people name instead of a date: Double 11, National Day, Black Friday."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from chinese_calendar import constants

from training.analysis.entities.times.interval import Interval, days, one_day

_DAY = timedelta(days=1)
# Of the Chinese lunar calendar, Gregorian dates from 2015 to 2050: what Unicode's calendar
# (ICU, as in Node's Intl.DateTimeFormat "en-u-ca-chinese") says, but for the first months of 2027
# and 2030: their new moons are within minutes of midnight in China, and ICU takes the wrong day.
_LUNAR = Path(__file__).with_name("festivals.csv")

_Rule = Callable[[int], date]


def _fixed(month: int, day: int) -> _Rule:
    return lambda year: date(year, month, day)


def _weekday_of(month: int, weekday: int, number: int, days_later: int = 0) -> _Rule:
    """Return the rule of the `number`th such weekday of a month (Monday is 0)."""

    def rule(year: int) -> date:
        first = date(year, month, 1)
        to_first = (weekday - first.weekday()) % 7
        return first + (to_first + 7 * (number - 1) + days_later) * _DAY

    return rule


@cache
def _lunar_dates() -> dict[str, dict[int, date]]:
    found: dict[str, dict[int, date]] = {}
    with _LUNAR.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            year = int(row.pop("year"))
            for name, month_and_day in row.items():
                found.setdefault(name, {})[year] = date.fromisoformat(f"{year}-{month_and_day}")
    return found


def _lunar(name: str, days_later: int = 0) -> _Rule:
    def rule(year: int) -> date:
        day = _lunar_dates()[name].get(year)
        if day is None:
            raise ValueError(f"{name} of {year} is not in the table.")
        return day + days_later * _DAY

    return rule


def _qingming(year: int) -> date:
    """Return the day of the solar term; the rule of thumb holds for this century."""
    past = year % 100
    return date(year, 4, int(past * 0.2422 + 4.81) - past // 4)


def _easter(year: int) -> date:
    """Return Easter Sunday.

    Source: "Anonymous Gregorian algorithm", Meeus, "Astronomical Algorithms", 1991, chapter 8.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    j = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * j) // 433
    month = (h + j - 7 * m + 90) // 25
    return date(year, month, (h + j - 7 * m + 33 * month + 19) % 32)


_DAYS: dict[str, _Rule] = {
    "double_11": _fixed(11, 11),
    "double_12": _fixed(12, 12),
    "mid_year_sale": _fixed(6, 18),
    "new_year": _fixed(1, 1),
    "valentine": _fixed(2, 14),
    "women": _fixed(3, 8),
    "consumer_rights": _fixed(3, 15),
    "qingming": _qingming,
    "labour": _fixed(5, 1),
    "youth": _fixed(5, 4),
    "mother": _weekday_of(5, 6, 2),
    "children": _fixed(6, 1),
    "father": _weekday_of(6, 6, 3),
    "teacher": _fixed(9, 10),
    "national": _fixed(10, 1),
    "halloween": _fixed(10, 31),
    "thanksgiving": _weekday_of(11, 3, 4),
    "black_friday": _weekday_of(11, 3, 4, 1),
    "cyber_monday": _weekday_of(11, 3, 4, 4),
    "christmas_eve": _fixed(12, 24),
    "christmas": _fixed(12, 25),
    "boxing": _fixed(12, 26),
    "new_years_eve": _fixed(12, 31),
    "easter": _easter,
    "spring_festival": _lunar("spring_festival"),
    "lunar_new_years_eve": _lunar("spring_festival", -1),
    "lantern": _lunar("lantern"),
    "dragon_boat": _lunar("dragon_boat"),
    "qixi": _lunar("qixi"),
    "mid_autumn": _lunar("mid_autumn"),
    "double_ninth": _lunar("double_ninth"),
}

CHINESE: dict[str, str] = {
    name: key
    for key, names in {
        "double_11": "双十一 双11 双一一 11.11 光棍节",
        "double_12": "双十二 双12 12.12",
        "mid_year_sale": "618 6.18 六一八 六幺八",
        "new_year": "元旦节 元旦",
        "valentine": "情人节",
        "women": "三八妇女节 妇女节 三八节 女神节 38节",
        "consumer_rights": "315 三一五",
        "qingming": "清明节 清明",
        "labour": "五一劳动节 劳动节 五一 51劳动节",
        "youth": "五四青年节 青年节",
        "mother": "母亲节",
        "children": "六一儿童节 儿童节 六一",
        "father": "父亲节",
        "teacher": "教师节",
        "national": "国庆节 国庆 十一国庆",
        "halloween": "万圣节",
        "thanksgiving": "感恩节",
        "black_friday": "黑色星期五 黑五",
        "cyber_monday": "网络星期一 网一",
        "christmas_eve": "平安夜",
        "christmas": "圣诞节 圣诞",
        "new_years_eve": "跨年夜",
        "easter": "复活节",
        "spring_festival": "春节 大年初一 年初一 正月初一",
        "lunar_new_years_eve": "除夕夜 除夕 大年三十 年三十",
        "lantern": "元宵节 元宵",
        "dragon_boat": "端午节 端午",
        "qixi": "七夕节 七夕",
        "mid_autumn": "中秋节 中秋",
        "double_ninth": "重阳节",
    }.items()
    for name in names.split()
}
ENGLISH: dict[str, str] = {
    "singles' day": "double_11",
    "singles day": "double_11",
    "single's day": "double_11",
    "double 11": "double_11",
    "double eleven": "double_11",
    "11.11": "double_11",
    "double 12": "double_12",
    "double twelve": "double_12",
    "12.12": "double_12",
    "new year's day": "new_year",
    "new years day": "new_year",
    "new year's eve": "new_years_eve",
    "new years eve": "new_years_eve",
    "new year": "new_year",
    "valentine's day": "valentine",
    "valentines day": "valentine",
    "valentine's": "valentine",
    "women's day": "women",
    "labor day": "labour_us",
    "labour day": "labour",
    "mother's day": "mother",
    "mothers day": "mother",
    "father's day": "father",
    "fathers day": "father",
    "children's day": "children",
    "national day": "national",
    "halloween": "halloween",
    "thanksgiving day": "thanksgiving",
    "thanksgiving": "thanksgiving",
    "black friday": "black_friday",
    "cyber monday": "cyber_monday",
    "christmas eve": "christmas_eve",
    "christmas day": "christmas",
    "christmas": "christmas",
    "xmas": "christmas",
    "boxing day": "boxing",
    "easter sunday": "easter",
    "easter": "easter",
    "chinese new year": "spring_festival",
    "lunar new year": "spring_festival",
    "spring festival": "spring_festival",
    "lantern festival": "lantern",
    "dragon boat festival": "dragon_boat",
    "mid-autumn festival": "mid_autumn",
    "mid autumn festival": "mid_autumn",
    "independence day": "independence_us",
}
_DAYS["labour_us"] = _weekday_of(9, 0, 1)
_DAYS["independence_us"] = _fixed(7, 4)

# Names of the State Council's holidays (chinesecalendar), and how long each usually is where it
# has not been published yet.
_HOLIDAYS = {
    "new_year": (constants.Holiday.new_years_day, 1),
    "spring_festival": (constants.Holiday.spring_festival, 8),
    "lunar_new_years_eve": (constants.Holiday.spring_festival, 8),
    "qingming": (constants.Holiday.tomb_sweeping_day, 3),
    "labour": (constants.Holiday.labour_day, 5),
    "dragon_boat": (constants.Holiday.dragon_boat_festival, 3),
    "national": (constants.Holiday.national_day, 7),
    "mid_autumn": (constants.Holiday.mid_autumn_festival, 3),
}

# Lunar months with a festival, and which of their days it is.
_LUNAR_MONTHS = {
    1: ("spring_festival", 1),
    5: ("dragon_boat", 5),
    7: ("qixi", 7),
    8: ("mid_autumn", 15),
    9: ("double_ninth", 9),
}
_LEAST_LUNAR_MONTH = 29  # of days; not all have a thirtieth


def day_of(key: str, year: int) -> Interval:
    """Return the day itself in a year.

    Raises:
        ValueError: The year is beyond the table of lunar days, or beyond all calendars.
    """
    return one_day(_DAYS[key](year))


def holiday_of(key: str, year: int) -> Interval:
    """Return the days off around it as published, else as many as is usual from the day on.

    Raises:
        ValueError: As `day_of`.
    """
    day = _DAYS[key](year)
    if key not in _HOLIDAYS:
        return one_day(day)
    holiday, usual = _HOLIDAYS[key]
    published = _published(holiday.value, day)
    if published is not None:
        return published
    first = day - _DAY if key == "spring_festival" else day
    return days(first, usual)


def is_workday(day: date) -> bool:
    """Whether people work in China, as published; where nothing is, from Monday to Friday."""
    return day in constants.workdays or (is_weekday(day) and day not in constants.holidays)


def is_weekday(day: date) -> bool:
    return day.weekday() < 5


def lunar_day(month: int, day: int, year: int) -> Interval:
    """Return a day of a Chinese lunar month, by the festival that the month has.

    Raises:
        ValueError: The month has none, it has no such day, or the year is beyond the table.
    """
    if month not in _LUNAR_MONTHS or not 1 <= day <= _LEAST_LUNAR_MONTH:
        raise ValueError(f"It is not known when day {day} of lunar month {month} is.")
    key, known = _LUNAR_MONTHS[month]
    return one_day(_DAYS[key](year) + (day - known) * _DAY)


@cache
def _published(name: str, day: date) -> Interval | None:
    """Return the days off in a row with this name around a day."""
    off = {each for each, called in constants.holidays.items() if called == name}
    near = {each for each in off if abs(each - day) <= 10 * _DAY}
    if not near:
        return None
    return Interval(min(near), max(near) + _DAY)
