"""How the bot is doing: what became of contacts by intent, how sure it was, and how fast.

A contact (contacts.py) counts under the intent that the bot spoke of last in it. It ends one way:

    handed over   people were called, or an agent stepped in
    came back     the bot alone served it, and the customer wrote again within 72 hours
    gave up       the bot alone served it, and its last word was no answer: it asked back or offered a human
    solved        the bot answered last, and the customer did not come back in 72 hours
    open          the bot answered last, and the 72 hours are not over

"Contained" alone would count those who came back or gave up as served.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Count, F, IntegerField, Q, QuerySet
from django.db.models.functions import Cast, Floor

from chat.models import Message
from chat.reports import contacts as contact_rows
from chat.reports.contacts import Contact
from chat.reports.figures import Share, Times
from chat.reports.period import Period
from intents.decisions import Decision
from intents.models import PredictionRecord

End = Literal["handed over", "came back", "gave up", "solved", "open"]

BINS = 10  # of the confidence, each a tenth
# Of the newest answers: enough for a percentile, and read in a moment.
_TIMED_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Whose contacts and messages; "" for all."""

    language: str = ""  # intents.models.Language
    channel: str = ""  # intents.models.Channel


@dataclass(frozen=True, slots=True)
class _Word:
    """What the bot said once."""

    at: datetime
    intent: str
    decision: str
    language: str
    channel: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How one contact ended, and what it was about."""

    intent: str  # Intent.code, "" where nothing was understood
    end: End


@dataclass(frozen=True, slots=True)
class Ends:
    """How a group of contacts ended."""

    contacts: int
    handed_over: Share
    solved: Share  # of all whose end is known
    gave_up: Share
    came_back: Share

    @classmethod
    def of(cls, ends: Iterable[End]) -> "Ends":
        counts = Counter(ends)
        known = sum(counts.values()) - counts["open"]
        return cls(
            contacts=sum(counts.values()),
            handed_over=Share(counts["handed over"], sum(counts.values())),
            solved=Share(counts["solved"], known),
            gave_up=Share(counts["gave up"], known),
            came_back=Share(counts["came back"], known),
        )


def ended(period: Period, filters: Filters, now: datetime) -> list[Ended]:
    """Return how the contacts of a period ended, of those in which the bot spoke. Three queries."""
    contacts = contact_rows.read(period)
    words = _words(period, contacts)
    found = []
    for contact in contacts:
        until = contact.next_at or datetime.max.replace(tzinfo=now.tzinfo)
        its = [
            word
            for word in words.get(contact.conversation_id, ())
            if contact.began_at <= word.at < until
        ]
        if not its:
            continue
        last = its[-1]
        if filters.language and last.language != filters.language:
            continue
        if filters.channel and last.channel != filters.channel:
            continue
        intent = next((word.intent for word in reversed(its) if word.intent), "")
        found.append(Ended(intent, _end(contact, last, now)))
    return found


def _end(contact: Contact, last: _Word, now: datetime) -> End:
    if contact.is_handed_over:
        return "handed over"
    came_back = contact.came_back(now)
    if came_back:
        return "came back"
    if last.decision and last.decision != Decision.ANSWER:
        return "gave up"
    return "open" if came_back is None else "solved"


def _words(period: Period, contacts: Sequence[Contact]) -> dict[UUID, list[_Word]]:
    """Return what the bot said in answer to customers, by conversation and in order."""
    last = max((one.last_at for one in contacts), default=period.end)
    rows = (
        Message.objects.filter(
            sender=Message.Sender.BOT,
            answers__isnull=False,
            sent_at__gte=period.start,
            sent_at__lt=max(last, period.end) + contact_rows.CAME_BACK_WITHIN,
        )
        .order_by("sent_at", "pk")
        .values_list(
            *("conversation_id", "sent_at", "intent", "decision", "language"),
            "conversation__channel",
        )
    )
    words: dict[UUID, list[_Word]] = defaultdict(list)
    for conversation_id, *columns in rows.iterator():
        words[conversation_id].append(_Word(*columns))
    return words


@dataclass(frozen=True, slots=True)
class Log:
    """What the log of predictions says of a period."""

    messages: int
    bins: Sequence[int]  # how many messages in each tenth of the confidence
    unknown: Share  # more likely none of the intents than any
    cached: Share
    answered: Share  # answered at once: neither asked back nor handed over
    response: Times  # seconds from the stored message to the decision, of the newest


def log(period: Period, filters: Filters) -> Log:
    """Count the log of a period. Three queries."""
    records = _records(period, filters)
    bins = [0] * BINS
    place = Cast(Floor(F("probability") * BINS), IntegerField())
    confident = records.filter(probability__isnull=False).annotate(bin=place)
    for number, count in confident.values_list("bin").annotate(Count("pk")):
        bins[min(int(number), BINS - 1)] += count
    sums = records.aggregate(
        messages=Count("pk"),
        unknown=Count("pk", filter=Q(out_of_scope__gte=0.5)),
        cached=Count("pk", filter=Q(cached=True)),
        answered=Count("pk", filter=Q(decision=Decision.ANSWER)),
    )
    whole = sums["messages"]
    newest = records.order_by("-created_at").values_list("elapsed_ms", flat=True)[:_TIMED_MOST]
    return Log(
        messages=whole,
        bins=bins,
        unknown=Share(sums["unknown"], whole),
        cached=Share(sums["cached"], whole),
        answered=Share(sums["answered"], whole),
        response=Times.of(ms / 1000 for ms in newest),
    )


def _records(period: Period, filters: Filters) -> QuerySet[PredictionRecord]:
    records = PredictionRecord.objects.filter(
        origin=PredictionRecord.Origin.CHAT,
        created_at__gte=period.start,
        created_at__lt=period.end,
    ).order_by()
    if filters.language:
        records = records.filter(language=filters.language)
    if filters.channel:
        of_channel = Message.objects.filter(
            conversation__channel=filters.channel,
            sender=Message.Sender.CUSTOMER,
            sent_at__gte=period.start,
            sent_at__lt=period.end,
        )
        records = records.filter(message__in=of_channel.values("pk"))
    return records
