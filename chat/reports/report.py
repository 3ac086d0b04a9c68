"""The report of a period: the tables and charts of the page, and of its CSV files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chat.models import Queue
from chat.reports import cases as case_rows
from chat.reports import contacts as contact_rows
from chat.reports import satisfaction, understanding, workload
from chat.reports.cases import Case
from chat.reports.charts import Chart, bars
from chat.reports.contacts import Contact, Containment
from chat.reports.figures import Share, Summary, Times, grouped
from chat.reports.period import Asked
from chat.reports.satisfaction import Satisfaction, Score
from chat.reports.tables import Column, Table, duration, share
from chat.reports.workload import Workload
from chat.sockets import name_of
from intents.models import Intent


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure at the top, and what exactly it is."""

    name: str
    value: str
    more: str  # beside it: of how many, or the 90th percentile
    definition: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table, with a chart above it where one says more."""

    table: Table
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    tiles: Sequence[Tile]
    sections: Sequence[Section]
    is_empty: bool  # nothing happened

    def table(self, slug: str) -> Table | None:
        return next((one.table for one in self.sections if one.table.slug == slug), None)


@dataclass(slots=True)
class _Read:
    """What was read, and the names of what it is about."""

    asked: Asked
    now: datetime
    cases: list[Case]
    work: Mapping[int, Workload]
    scores: list[Score]
    contacts: list[Contact] = field(default_factory=list)
    answered: Mapping[str, int] = field(default_factory=dict)  # conversations by intent
    agents: Mapping[int, str] = field(default_factory=dict)
    queues: Mapping[int, str] = field(default_factory=dict)
    intents: Mapping[str, str] = field(default_factory=dict)


def of(asked: Asked, *, now: datetime, is_own: bool = False) -> Report:
    """Make the report of a period. At most fifteen queries, whatever is in it.

    Args:
        is_own: An agent's own: nothing of the bot's and of colleagues' work. `asked` names him.
    """
    found = _Read(
        asked=asked,
        now=now,
        cases=case_rows.read(asked, now),
        work=workload.read(asked, now),
        scores=satisfaction.read(asked),
        queues=dict(Queue.objects.values_list("pk", "name")),
        intents=intent_names(),
    )
    people = {*found.work, *(one.agent_id for one in found.scores if one.agent_id)}
    people |= {one.answered_by for one in found.cases if one.answered_by}
    found.agents = {one.pk: name_of(one) for one in get_user_model().objects.filter(pk__in=people)}
    sections = [_times(found), _days(found), _hours(found), _queues(found)]
    if is_own:
        sections.append(_agents(found))
        return Report(_tiles(found), sections, is_empty=not (found.cases or found.work))
    found.answered = understanding.answered(asked.period)
    sections += [_agents(found), _intents(found)]
    if asked.is_of_all:
        found.contacts = contact_rows.read(asked.period)
        sections.append(_containment(found))
    sections.append(_satisfaction(found))
    happened = found.cases or found.work or found.contacts or found.scores
    return Report(_tiles(found), sections, is_empty=not happened)


def intent_names() -> dict[str, str]:
    """Return the names of intents by code, in the reader's language. One query."""
    english = (get_language() or "").startswith("en")
    return dict(Intent.objects.values_list("code", "name_en" if english else "name_zh"))


# --- The top --------------------------------------------------------------------------------


def _tiles(found: _Read) -> list[Tile]:
    summary = Summary.of(found.cases, found.now)
    rated = Satisfaction.of(found.scores)

    def time(name: str, times: Times, definition: str) -> Tile:
        value = "–" if times.p50 is None else duration(times.p50)
        more = (
            "" if times.p90 is None else _("9 of 10 within {time}").format(time=duration(times.p90))
        )
        return Tile(name, value, more, definition)

    def part(name: str, value: Share, definition: str) -> Tile:
        shown, _bracket, count = share(value).partition(" (")
        return Tile(name, shown, count.rstrip(")"), definition)

    tiles = [
        Tile(
            _("Cases"),
            str(summary.cases),
            _("answered: {count}").format(count=summary.answered),
            _definitions()["cases"],
        ),
        time(_("First response, median"), summary.first_response, _definitions()["first_response"]),
        time(_("Resolution, median"), summary.resolution, _definitions()["resolution"]),
        part(
            _("First response in time"),
            summary.first_response_kept,
            _definitions()["first_response_kept"],
        ),
        part(_("Abandoned"), summary.abandonment, _definitions()["abandoned"]),
        part(_("Satisfied customers (CSAT)"), rated.csat, _definitions()["csat"]),
    ]
    if found.contacts:
        contained = Containment.of(found.contacts, found.now)
        tiles += [
            part(_("Served by the bot alone"), contained.contained, _definitions()["contained"]),
            part(_("Of these, came back"), contained.came_back, _definitions()["came_back"]),
        ]
    return tiles


def _definitions() -> dict[str, str]:
    """What exactly is counted; the same words at each place."""
    return {
        "cases": _(
            "What agents had to do with a conversation, from its hand-over until it was ended or "
            "handed back to the bot. It counts on the day, hour and queue of its hand-over."
        ),
        "first_response": _(
            "From the hand-over to the first message of an agent, in business hours of the queue."
        ),
        "resolution": _(
            "From the hand-over until it was ended or handed back, in business hours of the queue."
        ),
        "wait": _("From the hand-over until an agent opened it, by the clock."),
        "handle": _("How long agents had it open, by the clock; of cases that have ended."),
        "first_response_kept": _(
            "Of the cases whose queue has a target and that were answered, or whose time has "
            "passed: those answered in time. By the targets as they are now."
        ),
        "resolution_kept": _(
            "Of the cases whose queue has a target and that have ended, or whose time has passed: "
            "those that ended in time. By the targets as they are now."
        ),
        "abandoned": _(
            "Of the cases that were answered or have ended: those that ended and no agent had "
            "said a word."
        ),
        "csat": _("Of the conversations that customers rated: those with 4 or 5 of 5."),
        "contacts": _(
            "What a customer said in one conversation without a pause of a day; after one it is a "
            "new contact."
        ),
        "contained": _(
            "Of the contacts: those in which nobody was called and no agent stepped in. It does "
            "not say that the customer was helped: look at who came back."
        ),
        "came_back": _(
            "Of the contacts that the bot served alone and that 72 hours have passed since: those "
            "whose customer wrote again within these 72 hours."
        ),
    }


# --- Tables of cases ------------------------------------------------------------------------


def _times(found: _Read) -> Section:
    summary, words = Summary.of(found.cases, found.now), _definitions()
    columns = [
        Column(_("What"), "TEXT"),
        Column(_("Cases"), "COUNT"),
        Column(_("Median"), "TIME", _("Half of them took no longer.")),
        Column(_("90th percentile"), "TIME", _("Nine of ten took no longer.")),
        Column(_("Mean"), "TIME"),
        Column(_("What is counted"), "TEXT"),
    ]
    rows = [
        (name, times.count, times.p50, times.p90, times.mean, words[key])
        for name, times, key in (
            (_("First response"), summary.first_response, "first_response"),
            (_("Wait"), summary.wait, "wait"),
            (_("Resolution"), summary.resolution, "resolution"),
            (_("Handle time"), summary.handle, "handle"),
        )
    ]
    return Section(Table("times", _("How long it took"), words["cases"], columns, list(rows)))


def _columns(of_what: str) -> list[Column]:
    words = _definitions()
    return [
        Column(of_what, "TEXT"),
        Column(_("Cases"), "COUNT", words["cases"]),
        Column(_("Answered"), "COUNT", _("An agent has said something.")),
        Column(_("Abandoned"), "SHARE", words["abandoned"]),
        Column(_("First response, median"), "TIME", words["first_response"]),
        Column(_("First response, 90%"), "TIME", words["first_response"]),
        Column(_("First response in time"), "SHARE", words["first_response_kept"]),
        Column(_("Wait, median"), "TIME", words["wait"]),
        Column(_("Resolution, median"), "TIME", words["resolution"]),
        Column(_("Resolution, 90%"), "TIME", words["resolution"]),
        Column(_("Resolved in time"), "SHARE", words["resolution_kept"]),
    ]


def _row(name: str, cases: Sequence[Case], now: datetime) -> tuple[Any, ...]:
    one = Summary.of(cases, now)
    return (
        name,
        one.cases,
        one.answered,
        one.abandonment,
        one.first_response.p50,
        one.first_response.p90,
        one.first_response_kept,
        one.wait.p50,
        one.resolution.p50,
        one.resolution.p90,
        one.resolution_kept,
    )


def _days(found: _Read) -> Section:
    days = grouped(found.cases, lambda case: timezone.localdate(case.began_at))
    sums = {day: Summary.of(days.get(day, []), found.now) for day in found.asked.period.days}
    rows = [_row(day.isoformat(), days.get(day, []), found.now) for day in sums]
    table = Table(
        "days", _("By day"), _("The day of the hand-over."), _columns(_("Day")), list(rows)
    )
    chart = bars(
        _("Cases a day"),
        labels=[f"{day:%m-%d}" for day in sums],
        series=[
            (_("Answered"), [one.answered for one in sums.values()]),
            (_("Abandoned"), [one.abandoned for one in sums.values()]),
            (_("Not answered yet"), [one.going_on for one in sums.values()]),
        ],
        is_stacked=True,
    )
    return Section(table, chart if found.cases else None)


def _hours(found: _Read) -> Section:
    hours = grouped(found.cases, lambda case: timezone.localtime(case.began_at).hour)
    sums = {hour: Summary.of(hours.get(hour, []), found.now) for hour in range(24)}
    rows = [_row(f"{hour:02}:00", hours[hour], found.now) for hour in range(24) if hour in hours]
    title = _("By hour of the day")
    table = Table("hours", title, _("The hour of the hand-over."), _columns(_("Hour")), list(rows))
    chart = bars(
        _("First response by hour"),
        labels=[f"{hour:02}" for hour in sums],
        series=[
            (_("Median"), [one.first_response.p50 for one in sums.values()]),
            (_("90th percentile"), [one.first_response.p90 for one in sums.values()]),
        ],
        worded=duration,
    )
    return Section(table, chart if found.cases else None)


def _queues(found: _Read) -> Section:
    by_queue = grouped(found.cases, lambda case: case.queue_id)
    rows = [
        _row(found.queues.get(queue_id or 0, "–"), cases, found.now)
        for queue_id, cases in sorted(by_queue.items(), key=_most_first)
    ]
    title, definition = _("By queue"), _("The queue of the hand-over, also after a transfer.")
    return Section(Table("queues", title, definition, _columns(_("Queue")), list(rows)))


def _most_first(item: tuple[Any, list[Case]]) -> int:
    return -len(item[1])


def _intents(found: _Read) -> Section:
    by_intent = grouped(found.cases, lambda case: case.intent)
    asked = found.asked
    codes = [code for code in {*by_intent, *found.answered} if code or by_intent.get(code)]
    if asked.intent:
        codes = [code for code in codes if code == asked.intent]
    columns = _columns(_("Intent"))
    columns[1:1] = [
        Column(
            _("Conversations with the bot"),
            "COUNT",
            _("Conversations in which the bot spoke of this intent in the period."),
        ),
        Column(
            _("Handed over"),
            "SHARE",
            _(
                "Of these conversations: those handed over in the period while this was the last "
                "thing that the bot had understood."
            ),
        ),
    ]
    rows = []
    for code in sorted(codes, key=lambda code: (-len(by_intent.get(code, [])), code)):
        its = by_intent.get(code, [])
        spoken = found.answered.get(code, 0)
        handed = len({case.conversation_id for case in its})
        # A queue or an agent is asked for: of the bot's conversations nobody knows that.
        is_known = spoken and code and asked.queue_id is None and asked.agent_id is None
        rate = Share(min(handed, spoken), spoken) if is_known else Share(0, 0)
        name = found.intents.get(code, code) or _("not known")
        rows.append((name, spoken, rate, *_row(name, its, found.now)[1:]))
    definition = _("What the customer wanted, as the bot understood it last before the hand-over.")
    return Section(Table("intents", _("By intent"), definition, columns, list(rows)))


# --- Other tables ---------------------------------------------------------------------------


def _agents(found: _Read) -> Section:
    responses = grouped(found.cases, lambda case: case.answered_by)
    scores: dict[int, list[Score]] = {}
    for score in found.scores:
        if score.agent_id is not None:
            scores.setdefault(score.agent_id, []).append(score)
    columns = [
        Column(_("Agent"), "TEXT"),
        Column(_("Chats"), "COUNT", _("Conversations that the agent got in the period.")),
        Column(_("Answered"), "COUNT", _("The agent has said something in them.")),
        Column(
            _("First response, median"),
            "TIME",
            _(
                "Of the cases that this agent answered first: from the hand-over, in business hours."
            ),
        ),
        Column(
            _("Answer time, median"),
            "TIME",
            _("From getting the chat to the agent's first message, by the clock."),
        ),
        Column(_("Answer time, 90%"), "TIME"),
        Column(
            _("Handle time, median"),
            "TIME",
            _("From opening the chat until it left the agent, by the clock."),
        ),
        Column(_("Handed back to the bot"), "SHARE", _("Of the agent's chats.")),
        Column(_("Passed on"), "SHARE", _("To a colleague or a queue; of the agent's chats.")),
        Column(
            _("Lapsed"),
            "SHARE",
            _("Not opened or answered in time, or the agent was gone; of the agent's chats."),
        ),
        Column(
            _("At once, mean"),
            "NUMBER",
            _("Chats open at the same time, over the time in which there was one."),
        ),
        Column(_("At once, most"), "COUNT"),
        Column(_("CSAT"), "SHARE", _definitions()["csat"]),
    ]
    rows = []
    by_chats = sorted(found.work.items(), key=lambda item: (-item[1].chats, item[0]))
    for agent_id, work in by_chats:
        first = Summary.of(responses.get(agent_id, []), found.now).first_response
        rows.append(
            (
                found.agents.get(agent_id, "–"),
                work.chats,
                work.answered,
                first.p50,
                work.answer.p50,
                work.answer.p90,
                work.handle.p50,
                Share(work.handed_back, work.chats),
                Share(work.transferred, work.chats),
                Share(work.lapsed, work.chats),
                work.at_once_mean,
                work.at_once_most,
                Satisfaction.of(scores.get(agent_id, [])).csat,
            )
        )
    definition = _("What each agent had, by the chats that were assigned or taken.")
    return Section(Table("agents", _("By agent"), definition, columns, list(rows)))


def _containment(found: _Read) -> Section:
    words = _definitions()
    columns = [
        Column(_("Day"), "TEXT"),
        Column(_("Contacts"), "COUNT", words["contacts"]),
        Column(_("Handed over"), "SHARE", _("People were called, or an agent stepped in.")),
        Column(_("Served by the bot alone"), "SHARE", words["contained"]),
        Column(_("Of these, came back"), "SHARE", words["came_back"]),
    ]
    days = contact_rows.by_day(found.contacts)
    sums = {day: Containment.of(days.get(day, []), found.now) for day in found.asked.period.days}
    rows = [
        (day.isoformat(), one.contacts, one.handed_over, one.contained, one.came_back)
        for day, one in sums.items()
    ]
    chart = bars(
        _("Contacts a day"),
        labels=[f"{day:%m-%d}" for day in sums],
        series=[
            (_("Served by the bot alone"), [one.contained.part for one in sums.values()]),
            (_("Handed over"), [one.handed_over.part for one in sums.values()]),
        ],
        is_stacked=True,
    )
    title = _("What the bot did alone")
    table = Table("containment", title, words["contained"], columns, list(rows))
    return Section(table, chart if found.contacts else None)


def _satisfaction(found: _Read) -> Section:
    def day_of(score: Score) -> str:
        return timezone.localdate(score.rated_at).isoformat()

    def whose(score: Score) -> str:
        if score.agent_id is None:
            return _("The bot alone")
        return found.agents.get(score.agent_id, "–")

    groups: dict[str, list[Score]] = {}
    for score in found.scores:
        groups.setdefault(day_of(score), []).append(score)
    for score in found.scores:
        groups.setdefault(whose(score), []).append(score)
    columns = [
        Column(_("Day, or who answered"), "TEXT"),
        Column(
            _("Ratings"), "COUNT", _("Conversations that customers rated, by the day they did.")
        ),
        Column(_("CSAT"), "SHARE", _definitions()["csat"]),
        Column(_("Mean score"), "NUMBER", _("1 is worst, 5 is best.")),
    ]
    rows = []
    for name, scores in groups.items():
        one = Satisfaction.of(scores)
        rows.append((name, len(scores), one.csat, one.mean))
    title = _("Satisfaction")
    return Section(Table("satisfaction", title, _definitions()["csat"], columns, list(rows)))
