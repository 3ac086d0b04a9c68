"""The report on the bot: its tables and charts, for the admin's page and for CSV files."""

from datetime import datetime

from django.utils.translation import gettext as _

from chat.reports import bot
from chat.reports.bot import Ended, Ends, Filters, Log
from chat.reports.charts import bars
from chat.reports.figures import Share
from chat.reports.period import Period
from chat.reports.report import Report, Section, Tile, intent_names
from chat.reports.tables import Column, Table, share
from intents.models import DriftCheck, ReviewCluster
from intents.review import clusters

_CLUSTERS_SHOWN = 10
_INTENTS_DRAWN = 12
_NAME_MOST = 12  # characters of a name below a bar


def of(period: Period, filters: Filters, *, now: datetime) -> Report:
    """Make the report on the bot. Ten queries and one for each cluster shown, ten at most."""
    names = intent_names()
    ended = bot.ended(period, filters, now)
    logged = bot.log(period, filters)
    sections = [
        _intents(ended, names),
        _confidence(logged),
        _unknown(),
        _drift(period),
        _moved(names),
    ]
    return Report(_tiles(ended, logged), sections, is_empty=not (ended or logged.messages))


def _definitions() -> dict[str, str]:
    return {
        "contact": _(
            "What a customer said in one conversation without a pause of a day, if the bot answered "
            "in it. It counts under the intent that the bot spoke of last."
        ),
        "handed_over": _("People were called, or an agent stepped in."),
        "solved": _(
            "The bot answered last, nobody was called, and the customer did not write again within "
            "72 hours. Of the contacts whose end is known."
        ),
        "gave_up": _(
            "The bot's last word was no answer, and the customer left: it asked back, or offered a "
            "human. Of the contacts whose end is known."
        ),
        "came_back": _(
            "Nobody was called, and the customer wrote again within 72 hours. Of the contacts whose "
            "end is known."
        ),
    }


def _tiles(ended: list[Ended], logged: Log) -> list[Tile]:
    words = _definitions()
    all_of_them = Ends.of(one.end for one in ended)

    def part(name: str, value: Share, definition: str) -> Tile:
        shown, _bracket, count = share(value).partition(" (")
        return Tile(name, shown, count.rstrip(")"), definition)

    times = logged.response
    seconds = _("{seconds} s")
    return [
        part(_("Solved by the bot alone"), all_of_them.solved, words["solved"]),
        part(_("Handed over"), all_of_them.handed_over, words["handed_over"]),
        part(_("Gave up"), all_of_them.gave_up, words["gave_up"]),
        part(_("Came back within 72 hours"), all_of_them.came_back, words["came_back"]),
        part(
            _("Answered at once"),
            logged.answered,
            _("Of the messages: neither asked back nor handed over."),
        ),
        part(
            _("None of our topics"),
            logged.unknown,
            _("Of the messages: more likely about none of the intents than about any."),
        ),
        part(
            _("From the cache"), logged.cached, _("Of the messages: understood without the model.")
        ),
        Tile(
            _("First response, median"),
            "–" if times.p50 is None else seconds.format(seconds=f"{times.p50:.2f}"),
            ""
            if times.p90 is None
            else _("9 of 10 within {time}").format(time=seconds.format(seconds=f"{times.p90:.2f}")),
            _("From the customer's message to the bot's decision; of the newest 20,000 messages."),
        ),
    ]


def _intents(ended: list[Ended], names: dict[str, str]) -> Section:
    words = _definitions()
    by_intent: dict[str, list[bot.End]] = {}
    for one in ended:
        by_intent.setdefault(one.intent, []).append(one.end)
    ordered = sorted(by_intent.items(), key=lambda item: (-len(item[1]), item[0]))
    columns = [
        Column(_("Intent"), "TEXT"),
        Column(_("Contacts"), "COUNT", words["contact"]),
        Column(_("Solved"), "SHARE", words["solved"]),
        Column(_("Handed over"), "SHARE", words["handed_over"]),
        Column(_("Gave up"), "SHARE", words["gave_up"]),
        Column(_("Came back"), "SHARE", words["came_back"]),
    ]
    rows = []
    for code, ends in ordered:
        sums = Ends.of(ends)
        rows.append(
            (
                names.get(code, code) or _("not known"),
                *(sums.contacts, sums.solved, sums.handed_over, sums.gave_up, sums.came_back),
            )
        )
    drawn = ordered[:_INTENTS_DRAWN]
    named: list[tuple[str, bot.End]] = [
        (_("Solved"), "solved"),
        (_("Handed over"), "handed over"),
        (_("Gave up"), "gave up"),
        (_("Came back"), "came back"),
    ]
    chart = bars(
        _("How contacts ended, by intent"),
        labels=[_short(names.get(code, code) or _("not known")) for code, _ends in drawn],
        series=[(name, [float(ends.count(end)) for _code, ends in drawn]) for name, end in named],
        is_stacked=True,
    )
    table = Table(
        "bot-intents",
        _("What became of it, by intent"),
        _("“Contained” alone would count those who gave up or came back as served."),
        columns,
        list(rows),
    )
    return Section(table, chart if ended else None)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_MOST else f"{name[: _NAME_MOST - 1]}…"


def _confidence(logged: Log) -> Section:
    whole = sum(logged.bins)
    labels = [f"{10 * number}–{10 * number + 10}%" for number in range(bot.BINS)]
    columns = [
        Column(_("Confidence"), "TEXT", _("Probability of the likeliest intent.")),
        Column(_("Messages"), "COUNT"),
        Column(_("Share"), "SHARE"),
    ]
    rows = [
        (label, count, Share(count, whole))
        for label, count in zip(labels, logged.bins, strict=True)
    ]
    definition = _("How sure the bot was of the likeliest intent, of all messages of customers.")
    title = _("How sure the bot was")
    chart = bars(title, labels=labels, series=[(_("Messages"), list(logged.bins))])
    return Section(
        Table("bot-confidence", title, definition, columns, list(rows)), chart if whole else None
    )


def _unknown() -> Section:
    found = list(
        ReviewCluster.objects.filter(open_items__gt=0).order_by("-priority", "pk")[:_CLUSTERS_SHOWN]
    )
    typical = clusters.typical([one.pk for one in found])
    columns = [
        Column(_("Typical sentences"), "TEXT"),
        Column(_("Sentences"), "COUNT"),
        Column(_("Messages"), "COUNT", _("As often as it was asked, while the log is kept.")),
        Column(_("Handed over"), "SHARE"),
    ]
    rows = [
        (
            " · ".join(typical[one.pk][:2]),
            one.open_items,
            one.messages,
            Share(one.handed_over, one.messages),
        )
        for one in found
    ]
    definition = _(
        "What waits in the review inbox, the weightiest clusters first; period and filters do not apply."
    )
    title = _("What the bot does not know")
    return Section(Table("bot-unknown", title, definition, columns, list(rows)))


def _drift(period: Period) -> Section:
    checks = list(
        DriftCheck.objects.filter(day__gte=period.first, day__lte=period.last).order_by("day")
    )
    columns = [
        Column(_("Day"), "TEXT", _("The last day of the week that is compared.")),
        Column(_("Messages"), "COUNT"),
        Column(_("Drift of the intents"), "TEXT", _("Population stability index.")),
        Column(_("Drift of what is none of our topics"), "TEXT", _("Population stability index.")),
        Column(
            _("Distance from the training"),
            "TEXT",
            _("The same index of the intents against the shares of the training utterances."),
        ),
        Column(_("Alert"), "TEXT", _("Above DRIFT_ALERT, and more than chance.")),
    ]
    rows = [
        (
            one.day.isoformat(),
            one.messages,
            *(_index(value) for value in (one.intents, one.scope, one.training)),
            _("yes") if one.is_alert else "–",
        )
        for one in checks
    ]
    title = _("Drift")
    chart = bars(
        title,
        labels=[f"{one.day:%m-%d}" for one in checks],
        series=[
            (_("intents"), [one.intents for one in checks]),
            (_("none of our topics"), [one.scope for one in checks]),
        ],
        worded=lambda value: f"{value:.2f}",
    )
    definition = _(
        "Each day's last week against the four weeks before it. 0.1 is a slight change, 0.25 a great one."
    )
    return Section(
        Table("bot-drift", title, definition, columns, list(rows)), chart if checks else None
    )


def _index(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _moved(names: dict[str, str]) -> Section:
    latest = DriftCheck.objects.order_by("-day").first()
    columns = [
        Column(_("Intent"), "TEXT"),
        Column(_("Before"), "TEXT", _("Share of the messages in the four weeks before.")),
        Column(_("Last week"), "TEXT", _("Share of the messages in the last week.")),
    ]
    rows = [
        (names.get(code, code) or _("not known"), f"{before:.1%}", f"{now:.1%}")
        for code, before, now in (latest.moved if latest else [])
    ]
    title = _("What moved most")
    definition = _("By the latest daily comparison, whatever the period.")
    return Section(Table("bot-moved", title, definition, columns, list(rows)))
