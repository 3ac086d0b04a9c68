"""phrases.csv: `text` with one time in it, `at` (wall clock of `zone`, or with an offset) when it was written, and the
stretch `from` (inclusive) `to` (exclusive): dates, or wall clock times of the zone. A date is the
same as its midnight. Further files phrases*.csv beside it are read as well.
"""

import csv
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.analysis.entities import times
from training.analysis.entities.folding import fold
from training.analysis.entities.times.interval import moment

_HERE = Path(__file__).parent
_SHANGHAI = ZoneInfo("Asia/Shanghai")


def _phrases() -> list[dict[str, str]]:
    rows = []
    for path in sorted(_HERE.glob("phrases*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    return rows


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """A time as it is written: with an offset of its own, else on the wall clock of the zone."""
    written = datetime.fromisoformat(text)
    return written.astimezone(zone) if written.tzinfo else written.replace(tzinfo=zone)


@pytest.mark.parametrize("row", _phrases(), ids=lambda row: f"{row['text']} ({row['at']})")
def test_a_phrase_means_this_stretch(row: dict[str, str]) -> None:
    zone = ZoneInfo(row["zone"])

    found = times.find(fold(row["text"]).lower, _moment(row["at"], zone))

    assert [
        (moment(each.interval.start, zone), moment(each.interval.end, zone)) for each in found
    ] == [(_moment(row["from"], zone), _moment(row["to"], zone))]


@pytest.mark.parametrize(
    "text",
    [
        "有一点问题，便宜一点",
        "收到货7天内无理由退货",
        "每周三次",
        "下单3天后才发货",
        "买了3件，第二件半价",
        "住在5号楼",
        "比例1:1",
        "You may return it",
        "版本 2.5.1",
        "尺码大了2号，想换小一号的",
        "好评要4-5分",
        "I bought 2 to 4 items",
        "from 2 to 4 pieces",
        "I want a quarter of it, the first half was fine",
        "几十天前买的",
        "三四五天前买的",
        "农历十月初三买的",
        "闰五月初五买的",
        "腊月二十三发货吗",
        "四月初八买的",
        "2月30号买的",
        "2月30号下午三点买的",
        "2025年2月30号买的",
        "11月31号下的单",
        "这个月31号能到吗",
        "11/31号下的单",
        "3月32号买的",
        "February 30 I ordered",
        "I ordered it on the 31st of November",
        "Nov 31st 2 pm",
        "9999个工作日内",
        "1.5个工作日后",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    at = datetime(2026, 11, 18, 15, 20, tzinfo=_SHANGHAI)

    assert times.find(fold(text).lower, at) == []


_PIECES = st.sampled_from(
    [
        "昨天",
        "上周",
        "五",
        "下",
        "个月",
        "31",
        "号",
        "2",
        "月",
        "30",
        "日",
        "点",
        "半",
        "前",
        "后",
        "内",
        "到",
        "至",
        "-",
        "双十一",
        "国庆",
        "期间",
        "那天",
        "去年",
        "9999",
        "年",
        "0",
        "12",
        ":",
        "99",
        "天",
        "小时",
        "last",
        "next",
        "friday",
        "feb",
        "30th",
        "in",
        "5000",
        "years",
        "ago",
        "weeks",
        "of",
        "三百",
        "两",
        "几",
        "初",
        "底",
        "除夕",
        "2051年",
        "the",
        "31st",
        "nov",
        "-",
        "between",
        "and",
        "pm",
        "25",
        "14:00",
        "周六",
        "和",
        "之间",
        "from",
        "at",
        "tomorrow",
        "afternoon",
        "third",
        "quarter",
        "q3",
        "十",
        "正",
        "农历",
        "大",
        "上",
        "今天",
        "工作日",
        "business days",
        "before last",
    ]
)


@given(
    st.lists(_PIECES | st.text(max_size=3), max_size=12).map("".join)
    | st.lists(_PIECES, max_size=10).map(" ".join),
    st.datetimes(),
)
def test_resolving_never_raises_and_never_runs_backwards(text: str, at: datetime) -> None:
    lower = fold(text).lower

    found = times.find(lower, at.replace(tzinfo=_SHANGHAI))

    for one in found:
        assert 0 <= one.start < one.end <= len(lower)
        assert one.interval.start < one.interval.end
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.dates(min_value=date(2016, 1, 1), max_value=date(2049, 1, 1)))
def test_a_past_festival_has_begun_and_a_coming_one_has_not_ended(day: date) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=_SHANGHAI)

    for name in ("双十一那天", "中秋节", "春节", "国庆节", "黑五"):
        [past] = times.find(f"{name}买的", at)
        [coming] = times.find(f"{name}会有活动吗", at)

        assert past.interval.start <= day < coming.interval.end
        assert coming.interval.start - past.interval.start < timedelta(days=400)
