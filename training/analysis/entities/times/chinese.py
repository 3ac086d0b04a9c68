"""Days as they are named in Chinese."""

import re
from datetime import date
from decimal import Decimal

from training.analysis.entities import numerals
from training.analysis.entities.times import festivals, relative
from training.analysis.entities.times.grammar import DAY, Context, Rule, rule, sensible_year
from training.analysis.entities.times.interval import (
    Interval,
    days,
    monday,
    month,
    months,
    one_day,
    same_day,
    third,
    week,
    year,
)

_DAYS_AWAY = {
    "大大前": -4,
    "大前": -3,
    "前": -2,
    "昨": -1,
    "今": 0,
    "明": 1,
    "后": 2,
    "大后": 3,
    "大大后": 4,
}
_YEARS_AWAY = {
    "大前": -3,
    "前": -2,
    "去": -1,
    "上一": -1,
    "今": 0,
    "本": 0,
    "明": 1,
    "下一": 1,
    "后": 2,
}
_STEPS = {
    "大上上": -3,
    "上上上": -3,
    "大上": -2,
    "上上": -2,
    "上": -1,
    "上一": -1,
    "这": 0,
    "本": 0,
    "这一": 0,
    "当": 0,
    "下": 1,
    "下一": 1,
    "下下": 2,
    "大下": 2,
    "下下下": 3,
}
_FAR_STEPS = "大上上|上上上|大上|上上|下下下|大下|下下"
_WEEKDAYS = {
    each: number
    for number, names in enumerate(("一1", "二2", "三3", "四4", "五5", "六6", "日天7"))
    for each in names
}
_C = "零〇一二三四五六七八九"
_MONTH = "1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九]"
_DAY_OF_MONTH = "3[01]|[12]\\d|0?[1-9]|三十一?|二十[一二三四五六七八九]?|十[一二三四五六七八九]?|[一二三四五六七八九]"
_YEAR = rf"(?P<year>(?<!\d)(?:19|20)\d\d|(?<!\d)[0-3]\d(?=年)|[{_C}]{{4}})年|(?P<yearword>大前|前|去|上一|今|本|明|下一|后)年"
# Not a number of things (上周两次, 上周五天), nor 上周一直, 上周日用品.
_WEEKDAY = (
    r"(?P<weekday>[二三四五六日天末](?![个次周天气]|用品)|一(?![个次周天直共起般些样])"
    r"|[1-7](?![\d个次周天点:]))"
)
# 十月初八 is a day of the lunar calendar; 月初一直没发货 and 月初三单 are not.
_LUNAR_DAY = "初[一二三四五六七八九十](?![个件单笔次天周月年元块套折直起共些开般样])"
_PART_OF_MONTH = rf"(?!{_LUNAR_DAY})初|中旬?|底|末|上旬|下旬"
_UNIT = "个?半?(?:年|月|周|星期|礼拜|天|日|小时|钟头|分钟|刻钟)"
# Of what follows or precedes "3天内" in a promise: counted from an event, not from the message.
_EVENT = "收到|收货|签收|付款|支付|购买|买|下单|到货|发货|拍下|确认|提交|申请|退回|寄出|完成|激活|开封|使用|用|穿|入住"


def _year(match: re.Match[str], context: Context) -> int | None:
    if match["year"]:
        number = numerals.integer(match["year"])
        if number is not None and len(match["year"]) == 2:
            number += 2000
        return None if number is None else sensible_year(number)
    if match["yearword"]:
        return context.today.year + _YEARS_AWAY[match["yearword"]]
    return None


def _relative_day(match: re.Match[str], context: Context) -> Interval:
    return one_day(context.today + _DAYS_AWAY[match["day"]] * DAY)


def _relative_week(match: re.Match[str], context: Context) -> Interval | None:
    whole = week(context.today, _STEPS[match["step"]])
    return _in_week(whole, match["weekday"])


def _in_week(whole: Interval, weekday: str | None) -> Interval:
    if not weekday:
        return whole
    if weekday == "末":
        return days(whole.start + 5 * DAY, 2)
    return one_day(whole.start + _WEEKDAYS[weekday] * DAY)


def _weekday(match: re.Match[str], context: Context) -> Interval | None:
    first = monday(context.reference)
    return context.nearest(lambda offset: _in_week(week(first, offset), match["weekday"]))


def _relative_month(match: re.Match[str], context: Context) -> Interval | None:
    whole = month(context.today.year, context.today.month + _STEPS[match["step"]])
    return _in_month(whole, match["part"], match["day"])


def _in_month(whole: Interval, part: str | None, day: str | None) -> Interval | None:
    if part:
        return third(whole, {"初": 0, "上": 0, "中": 1}.get(part[0], 2))
    if not day:
        return whole
    number = numerals.integer(day) or 0
    return one_day(whole.start.replace(day=number))


def _today_of_another(match: re.Match[str], context: Context) -> Interval:
    """Return what 去年今天, 上个月今天 and 上周今天 are."""
    day = context.today + _DAYS_AWAY[match["day"]] * DAY
    if match["yearword"]:
        return one_day(same_day(day, 12 * _YEARS_AWAY[match["yearword"]]))
    if match["unit"] == "月":
        return one_day(same_day(day, _STEPS[match["step"]]))
    return one_day(day + 7 * _STEPS[match["step"]] * DAY)


def _lunar_day(match: re.Match[str], context: Context) -> Interval | None:
    """Return a day of the lunar calendar; None where only a table of its months could tell."""
    number = 1 if match["month"] in ("正", "年") else numerals.integer(match["month"])
    day = numerals.integer((match["day"] or "").removeprefix("初"))
    if number is None or day is None or match["leap"]:
        return None
    known = _year(match, context)
    if known is not None:
        return festivals.lunar_day(number, day, known)
    return context.nearest(
        lambda offset: festivals.lunar_day(number, day, context.reference.year + offset)
    )


def _part_of_nearest_month(match: re.Match[str], context: Context) -> Interval | None:
    def candidate(offset: int) -> Interval | None:
        whole = month(context.reference.year, context.reference.month + offset)
        return _in_month(whole, match["part"], None)

    return context.nearest(candidate)


def _day_of_month(match: re.Match[str], context: Context) -> Interval | None:
    def candidate(offset: int) -> Interval | None:
        whole = month(context.reference.year, context.reference.month + offset)
        return _in_month(whole, None, match["day"])

    return context.nearest(candidate)


def _days_of_month(match: re.Match[str], context: Context) -> Interval | None:
    first, last = numerals.integer(match["first"]), numerals.integer(match["last"])
    if first is None or last is None or first >= last:
        return None

    def candidate(offset: int) -> Interval:
        whole = month(context.reference.year, context.reference.month + offset)
        return Interval(whole.start.replace(day=first), whole.start.replace(day=last) + DAY)

    if match["month"] is None:
        return context.nearest(candidate)
    number = numerals.integer(match["month"]) or 0

    def in_year(offset: int) -> Interval:
        whole = month(context.reference.year + offset, number)
        return Interval(whole.start.replace(day=first), whole.start.replace(day=last) + DAY)

    known = _year(match, context)
    return in_year(known - context.reference.year) if known else context.nearest(in_year)


def _month_and_day(match: re.Match[str], context: Context) -> Interval | None:
    number = numerals.integer(match["month"])
    if number is None:
        return None
    part, day = match["part"], match["day"]
    known = _year(match, context)
    if known is not None:
        return _in_month(month(known, number), part, day)
    return context.nearest(
        lambda offset: _in_month(month(context.reference.year + offset, number), part, day)
    )


def _whole_year(match: re.Match[str], context: Context) -> Interval | None:
    known = _year(match, context)
    return None if known is None else _in_year(known, (match["part"] or "").lstrip())


def _in_year(known: int, part: str | None) -> Interval:
    if not part:
        return year(known)
    if part == "上半年":
        return months(known, 1, 6)
    if part == "下半年":
        return months(known, 7, 6)
    if "季" in part or part.startswith("q"):
        number = numerals.integer(part.lstrip("第q").split("季")[0]) or 0
        return months(known, 3 * number - 2, 3)
    if part in ("初", "年初"):
        return months(known, 1, 2)
    if part in ("中", "年中"):
        return months(known, 6, 2)
    return months(known, 11, 2)


def _part_of_nearest_year(match: re.Match[str], context: Context) -> Interval | None:
    return context.nearest(lambda offset: _in_year(context.reference.year + offset, match["part"]))


def _relative_quarter(match: re.Match[str], context: Context) -> Interval:
    first = (context.today.month - 1) // 3 * 3 + 1
    return months(context.today.year, first + 3 * _STEPS[match["step"]], 3)


def _written(match: re.Match[str], context: Context) -> Interval:
    return one_day(date(sensible_year(int(match["y"])), int(match["m"]), int(match["d"])))


def _month_dot_day(match: re.Match[str], context: Context) -> Interval | None:
    number, day = int(match["m"]), int(match["d"])
    return context.nearest(
        lambda offset: one_day(date(context.reference.year + offset, number, day))
    )


def _festival(match: re.Match[str], context: Context) -> Interval | None:
    name, after = match["name"], match["after"] or ""
    key = "national" if name == "十一" else festivals.CHINESE[name]
    told = after or match["told"] is not None or match["year"] or match["yearword"]
    if name in _NEEDS_MORE and not told:
        return None
    if after in ("前一天", "前夕", "前夜", "头一天"):
        shift = -1
    else:
        shift = 1 if after in ("后一天", "第二天", "次日") else 0
    is_period = after in ("期间", "假期", "长假", "黄金周", "放假", "那几天", "这几天", "小长假")

    def candidate(number: int) -> Interval:
        if is_period:
            return festivals.holiday_of(key, number)
        day = festivals.day_of(key, number)
        return Interval(day.start + shift * DAY, day.end + shift * DAY)

    known = _year(match, context)
    if known is not None:
        return candidate(known)
    return context.nearest(lambda offset: candidate(context.reference.year + offset))


def _count(match: re.Match[str]) -> tuple[Decimal, Decimal, str] | None:
    """Return how many at least and at most, and of which unit.

    "3天", "半个月", "一个半月", "两年半", "两三天", "3-5天", "十几天".
    """
    unit_text = match["unit"]
    unit = relative.UNITS[unit_text.removeprefix("个").removeprefix("半")]
    said = match["count"]
    if said == "半":
        return Decimal("0.5"), Decimal("0.5"), unit
    least, most = _least_and_most(said)
    if least is None or most is None:
        return None
    if "半" in unit_text or match["half"]:
        if least != most:
            return None
        least = most = least + Decimal("0.5")
    return least, most, unit


def _least_and_most(said: str) -> tuple[Decimal | None, Decimal | None]:
    """Return what a number may mean: 两三 is 2 to 3, 二三十 is 20 to 30, 十几 is 11 to 19."""
    least: Decimal | None
    most: Decimal | None
    if said.endswith("几"):
        tens = numerals.number(said.removesuffix("几")) or Decimal(0)
        return tens + 1, tens + 9
    if joint := _TO.search(said):
        least, most = numerals.number(said[: joint.start()]), numerals.number(said[joint.end() :])
    elif about := _ABOUT.fullmatch(said):
        least, most = (
            numerals.number(f"{about['tens'] or ''}{about[name]}{about['unit'] or ''}")
            for name in ("least", "most")
        )
        if said == "三两":
            least, most = most, least
    elif _DIGITS_IN_A_ROW.search(said):
        return None, None
    else:
        least = most = numerals.number(said)
        return least, most
    if least is None or most is None or least >= most:
        return None, None
    return least, most


def _away(match: re.Match[str], context: Context) -> Interval | None:
    return _so_far(match, context, ahead="前" not in match["side"])


def _so_far(match: re.Match[str], context: Context, *, ahead: bool) -> Interval | None:
    if match["count"] == "几":
        return relative.some_days(context, ahead=ahead) if match["unit"] == "天" else None
    counted = _count(match)
    return None if counted is None else relative.between(*counted, context, ahead=ahead)


def _within(match: re.Match[str], context: Context) -> Interval | None:
    counted = None if match["count"] == "几" else _count(match)
    return None if counted is None else relative.within(*counted[1:], context)


def _lasting(match: re.Match[str], context: Context) -> Interval | None:
    word = match["side"].rstrip("的")
    ahead = word in ("未来", "接下来", "今后", "往后", "之后")
    if match["count"] in ("几", "些"):
        if match["unit"] != "天":
            return None
        if word in ("这", "最近", "近", "最近这"):
            return days(context.today - 6 * DAY, 7)
        return relative.some_days(context, ahead=ahead)
    counted = _count(match)
    if counted is None:
        return None
    _, count, unit = counted
    if word == "前":  # 前两天: the days before today
        if unit != "day":
            return None
        return Interval(relative.day_away(-count, unit, context.today), context.today)
    return relative.lasting(count, unit, context, ahead=ahead)


def _in_a_while(match: re.Match[str], context: Context) -> Interval | None:
    return _so_far(match, context, ahead=True)


# Names that are as often something else: numbers, the eleventh, 1 May of no holiday.
_NEEDS_MORE = {
    "618",
    "6.18",
    "六一八",
    "315",
    "三一五",
    "十一",
    "五一",
    "六一",
    "11.11",
    "12.12",
    "网一",
}
_HAN = "一二两俩三四五六七八九"
_TO = re.compile("[-~–—到至]")
# 两三, 十五六, 二三十
_ABOUT = re.compile(
    rf"(?P<tens>[{_HAN}]?十)?(?P<least>[{_HAN}])(?P<most>[{_HAN}])(?P<unit>(?<!十..)[十百])?"
)
_DIGITS_IN_A_ROW = re.compile(f"[{_HAN}]{{2}}")
# What begins in the midst of a number is none: 几十天, 十几天.
_NUMBER = (
    r"(?<![\d.第/:-])\d{1,3}[-~–—到至]\d{1,3}|(?<![\d.第])\d{1,4}(?:\.\d)?|半"
    rf"|(?<![第几数双周期拜月号日千万零〇十百{_HAN}])[{_HAN}十百]{{1,7}}[-~–—到至][{_HAN}十百]{{1,7}}"
    rf"|(?<![第几数千万零〇十百{_HAN}])[{_HAN}十百]{{1,7}}"
    rf"|(?<![第几数千万零〇十百{_HAN}])(?:[{_HAN}]?十)?几"
)
_COUNT = rf"(?P<count>{_NUMBER})"
_WHOLE_UNIT = r"(?P<unit>个?半?(?:年|月|周|星期|礼拜|天|日|工作日|小时|钟头|分钟|刻钟)(?![内线]?班))(?P<half>半)?"
_FESTIVAL_NAMES = "|".join(
    re.escape(name) for name in sorted([*festivals.CHINESE, "十一"], key=len, reverse=True)
)
_AFTER_FESTIVAL = (
    "(?:的|节)?(?P<after>那天|当天|当日|那日|期间|假期|小长假|长假|黄金周|放假|那几天|这几天|前一天|头一天|前夕|前夜"
    "|后一天|第二天|次日)?(?P<told>(?=的?时候|活动|大促|促销|买|的?[下拍]|[就之以]?前|[之以]?后|凌晨|晚上|的订单))?"
)

RULES: tuple[Rule, ...] = (
    rule(r"(?P<day>大大前|大大后|大前|大后|前|后)天(?!性)", _relative_day),
    rule(r"(?P<day>[今昨明])(?:天|日|儿个?|(?=[早晚夜晨上下中凌](?!面|载|单|级)))", _relative_day),
    rule(
        rf"(?P<step>{_FAR_STEPS}|上一|下一|这一|上|下|这|本)个?(?:周|星期|礼拜)"
        rf"(?:的?{_WEEKDAY})?(?![年期岁边转围])",
        _relative_week,
    ),
    rule(
        r"(?<![一二两三四五六七八九十每几\d半个上下这本])(?:周|星期|礼拜)"
        rf"{_WEEKDAY}",
        _weekday,
    ),
    rule(
        rf"(?P<step>{_FAR_STEPS}|上一|下一|上|下|这|本|当)个?月(?:份)?的?"
        rf"(?:(?P<part>{_PART_OF_MONTH})|(?P<day>{_DAY_OF_MONTH})[日号])?(?!卡|票|费|饼)",
        _relative_month,
        is_whole=True,
    ),
    rule(
        rf"(?:(?P<yearword>大前|前|去|今|明|后)年|(?P<step>{_FAR_STEPS}|上一?|下一?|这)个?"
        r"(?:(?P<unit>月)|周|星期|礼拜))的?(?P<day>[昨今明])[天日]",
        _today_of_another,
    ),
    *(
        rule(
            rf"{before}(?P<leap>闰)?(?P<month>[正腊冬]|{_MONTH})月(?:份)?的?"
            rf"(?P<day>初[一二三四五六七八九十]|{_DAY_OF_MONTH})?[日号]?",
            _lunar_day,
            is_whole=True,
        )
        for before in (
            rf"(?:(?:{_YEAR})的?)?(?:农历|阴历|旧历)的?",
            rf"(?:农历|阴历|旧历)的?(?:{_YEAR})的?",
        )
    ),
    rule(
        rf"(?:(?:{_YEAR})的?)?(?P<leap>闰)?(?<![\d.{_C}十])(?P<month>{_MONTH})月(?P<day>{_LUNAR_DAY})",
        _lunar_day,
        is_whole=True,
    ),
    rule(
        rf"(?:(?:{_YEAR})的?)?(?P<leap>闰)?(?<![改纠修真校])(?P<month>[正腊冬])月"
        rf"(?P<day>{_LUNAR_DAY}|{_DAY_OF_MONTH})?",
        _lunar_day,
        is_whole=True,
    ),
    rule(
        rf"(?:(?:(?:{_YEAR})的?)?大|(?<![\d上下今去明前后这本半大]))(?P<month>年)(?P<leap>$^)?"
        rf"(?P<day>{_LUNAR_DAY})",
        _lunar_day,
        is_whole=True,
    ),
    rule(rf"(?<![个\d{_C}十每正腊冬])月(?P<part>初|中旬?|底|末)", _part_of_nearest_month),
    rule(r"(?<![月\d])(?P<part>上旬|中旬|下旬)", _part_of_nearest_month),
    rule(
        rf"(?:{_YEAR})?的?(?<![\d第.{_C}十个])(?P<month>{_MONTH})月(?!饼|卡|票|费)(?:份)?"
        rf"(?:的?(?P<part>{_PART_OF_MONTH})|(?:的|\ )?(?P<day>{_DAY_OF_MONTH})(?:[日号]|(?![\d个天:点元块.]))(?!楼|线|店|院))?"
        r"(?!(?:3[2-9]|[4-9]\d)[日号])",
        _month_and_day,
        is_whole=True,
    ),
    rule(
        rf"(?:(?:{_YEAR})?的?(?<![\d第.{_C}十个])(?P<month>{_MONTH})月)?(?<![\d.:])(?P<first>{_DAY_OF_MONTH})"
        rf"(?:[-~–—]|到|至)(?P<last>{_DAY_OF_MONTH})[日号](?!楼|线|门|店)",
        _days_of_month,
    ),
    rule(
        rf"(?:{_YEAR})(?P<part>上半年|下半年|第?[一二三四1-4]季度?|\ ?q[1-4](?!\d)|年?[初底末]|年中|中(?!国|旬))?(?!级|龄|报)",
        _whole_year,
    ),
    rule(
        r"(?<![\d上下今去明前后这本])(?P<part>上半年|下半年|第?[一二三四1-4]季度|年[初底末中](?!\d))",
        _part_of_nearest_year,
    ),
    rule(rf"(?P<step>{_FAR_STEPS}|上一|下一|这一|上|下|本|这)个?季度", _relative_quarter),
    rule(
        rf"(?<![\d./{_C}十第型编单色码路街巷弄大小])(?<![大小][了上出整])(?P<day>{_DAY_OF_MONTH})[日号](?![\d楼线门店馆院仓色机电码柜粉床库球房字脸]|公馆|地铁)",
        _day_of_month,
    ),
    rule(
        r"(?<!\d)(?P<y>20\d\d|19\d\d)(?P<sep>[-/.])(?P<m>1[0-2]|0?[1-9])(?P=sep)(?P<d>3[01]|[12]\d|0?[1-9])(?![\d])",
        _written,
    ),
    rule(
        r"(?<![\d./:-])(?P<m>1[0-2]|0?[1-9])(?P<sep>[./-])(?P<d>3[01]|[12]\d|0?[1-9])(?:[日号]|(?=那天|当天|[下买拍付][单的了]|下午|上午|晚上|早上))",
        _month_dot_day,
    ),
    rule(
        r"(?<![\d./:-])(?P<m>1[0-2]|0?[1-9])/(?P<d>3[01]|[12]\d|0?[1-9])(?![\d/.%])(?=\s?(?:[收发到的签寄]|之?前|之?后|以前))",
        _month_dot_day,
    ),
    rule(
        rf"(?:(?:{_YEAR})的?)?(?<![\d.])(?P<name>{_FESTIVAL_NAMES})(?![\d.%元块折寸]){_AFTER_FESTIVAL}",
        _festival,
    ),
    rule(
        rf"(?<!提)(?<!{'|'.join(sorted({'付款', '签收', '收到', '收货', '下单', '到货', '发货', '拍下', '购买', '入住', '激活'}))})后?{_COUNT}{_WHOLE_UNIT}多?(?P<side>[之以]?[前后])(?!面|台|来居上)(?:的今[天日])?",
        _away,
    ),
    rule(
        rf"(?<!{'|'.join(sorted({'付款', '签收', '收到', '收货', '下单', '到货', '发货', '拍下', '购买', '确认', '提交'}))}){_COUNT}{_WHOLE_UNIT}(?P<side>[之以]?内)(?!无理由|包|退|可退|免费|不满意)",
        _within,
    ),
    rule(
        rf"(?P<side>最近这|最近|过去|近|前|这|未来|接下来|今后|往后)的?(?P<count>{_NUMBER}|些){_WHOLE_UNIT}(?![前后内])",
        _lasting,
    ),
    rule(rf"(?:再过|过|再等){_COUNT}{_WHOLE_UNIT}(?![前后内])", _in_a_while),
)
