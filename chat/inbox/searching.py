"""Find conversations by what was said, or by who said it.

The newest lines are read as they are: words that are said often are found there at once. Only
what is rare there is looked up in the index of all lines (search_index.py), which then has few
hits. Chinese has no word boundaries, so both look for parts of text, not for words.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from chat.inbox import search_index
from chat.models import Conversation, Message
from csplatform.errors import Refusal
from knowledge.models import Customer
from training.analysis.findings import MOOD_EDGE
from training.models import TextAnalysis

FOUND_MOST = 50
PEOPLE_MOST = 10
SHORTEST = 2  # characters of the longest word
LONGEST = 100
# Lines that are read as they are.
RECENT = 20_000
# What it may take altogether; what has been found by then is told.
PATIENCE_S = 2.0
# Of the line, around what was found.
_BEFORE, _EXCERPT = 24, 100
# Of texts that were read as a whole, so many of the newest, some at a time.
_READ_MOST, _READ_TOGETHER = 5_000, 500


class TooShort(Refusal):
    code = "too_short"
    status = 400
    detail = _("Write at least two characters.")


@dataclass(frozen=True, slots=True)
class Hit:
    """One line in which all words are; without `seq` it is the customer who was meant."""

    conversation: UUID
    customer: str  # name, "" for visitors
    uid: str
    status: str
    seq: int | None
    sender: str  # Message.Sender, "" for a customer
    excerpt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the newest first."""

    words: Sequence[str]
    people: Sequence[Hit]
    lines: Sequence[Hit]
    has_more: bool  # FOUND_MOST are told
    is_cut_short: bool  # the time was up


class Mood(StrEnum):
    """Whether a text that was read as a whole is the one or the other."""

    NEGATIVE = "NEGATIVE"
    NEUTRAL = "NEUTRAL"
    POSITIVE = "POSITIVE"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What lines a search is about: all, or those of long texts in which something was found."""

    mood: Mood | None = None
    intent: str = ""  # Intent.code
    since: datetime | None = None

    @property
    def by_findings(self) -> bool:
        """Whether only texts count that were read as a whole (docs/analysis.md)."""
        return self.mood is not None or bool(self.intent)

    def lines(self) -> "QuerySet[Message]":
        return Message.objects.filter(**({"sent_at__gte": self.since} if self.since else {}))

    def read(self) -> "QuerySet[TextAnalysis]":
        found = TextAnalysis.objects.filter(status=TextAnalysis.Status.DONE)
        if self.since:
            found = found.filter(said_at__gte=self.since)
        if self.intent:
            found = found.filter(intents__intent=self.intent)
        if self.mood == Mood.NEGATIVE:
            return found.filter(mood__lte=-MOOD_EDGE)
        if self.mood == Mood.POSITIVE:
            return found.filter(mood__gte=MOOD_EDGE)
        if self.mood == Mood.NEUTRAL:
            return found.filter(mood__gt=-MOOD_EDGE, mood__lt=MOOD_EDGE)
        return found


EVERYTHING = Narrowed()


class _TimeIsUp(Exception):
    """The database was stopped in the middle of a query."""


def search(query: str, *, narrowed: Narrowed = EVERYTHING) -> Found:
    """Find the lines that have all words of a query in them, and customers of that name or uid.

    Raises:
        TooShort: There is no word of two characters, and nothing else to look for.
    """
    words = query[:LONGEST].split()
    if max(map(len, words), default=0) < SHORTEST and (words or not narrowed.by_findings):
        raise TooShort
    deadline = time.monotonic() + PATIENCE_S
    people: list[Hit] = []
    ids: list[int] = []
    is_cut_short = False
    try:
        with _until(deadline):
            if narrowed.by_findings:
                ids = _narrowed(narrowed, words)
            else:
                people, ids = _everywhere(words, narrowed)
    except _TimeIsUp:
        is_cut_short = True
    return Found(
        words=words,
        people=people,
        lines=_lines(ids[:FOUND_MOST], words),
        has_more=len(ids) > FOUND_MOST,
        is_cut_short=is_cut_short,
    )


def _everywhere(words: Sequence[str], narrowed: Narrowed) -> tuple[list[Hit], list[int]]:
    """Return the people and the lines that are meant, the newest first."""
    people = _people(" ".join(words))
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    ids = _first(narrowed.lines().filter(pk__gt=newest - RECENT), words)
    if len(ids) <= FOUND_MOST:
        older = search_index.find(words, upto=newest - RECENT, most=FOUND_MOST + 1)
        ids += _first(narrowed.lines().filter(pk__in=older), words)
    return people, ids


def _narrowed(narrowed: Narrowed, words: Sequence[str]) -> list[int]:
    """Return the lines whose text was read as a whole and is what is looked for, the newest first."""
    found: list[int] = []
    read = narrowed.read().order_by("-said_at").values_list("message", flat=True)
    for first in range(0, _READ_MOST, _READ_TOGETHER):
        messages = list(read[first : first + _READ_TOGETHER])
        found += _first(Message.objects.filter(pk__in=messages), words)
        if len(messages) < _READ_TOGETHER or len(found) > FOUND_MOST:
            break
    return found


def _first(lines: "QuerySet[Message]", words: Sequence[str]) -> list[int]:
    for word in words:
        lines = lines.filter(text__icontains=word)
    # What was taken back is nothing to be found.
    shown = lines.filter(recall__isnull=True).order_by("-pk")
    return list(shown.values_list("pk", flat=True)[: FOUND_MOST + 1])


def _people(name: str) -> list[Hit]:
    known = Customer.objects.filter(Q(name__icontains=name) | Q(uid__icontains=name))
    named = list(known.values_list("pk", flat=True)[:PEOPLE_MOST])
    found = (
        Conversation.objects.filter(Q(customer__in=named) | Q(uid__icontains=name))
        .select_related("customer")
        .order_by("-opened_at")[:PEOPLE_MOST]
    )
    return [
        Hit(
            conversation=one.pk,
            customer=one.customer.name if one.customer else "",
            uid=one.uid,
            status=one.status,
            seq=None,
            sender="",
            excerpt="",
            at=one.opened_at,
        )
        for one in found
    ]


def _lines(ids: Sequence[int], words: Sequence[str]) -> list[Hit]:
    found = Message.objects.filter(pk__in=ids).select_related("conversation__customer")
    return [
        Hit(
            conversation=one.conversation_id,
            customer=one.conversation.customer.name if one.conversation.customer else "",
            uid=one.conversation.uid,
            status=one.conversation.status,
            seq=one.seq,
            sender=one.sender,
            excerpt=excerpt(one.text, words),
            at=one.sent_at,
        )
        for one in found.order_by("-pk")
    ]


def excerpt(text: str, words: Sequence[str]) -> str:
    """Return the part of a text around the first of the words, on one line."""
    line = " ".join(text.split())
    places = [place for word in words if (place := line.lower().find(word.lower())) >= 0]
    begin = max(0, min(places, default=0) - _BEFORE)
    end = begin + _EXCERPT
    return f"{'…' if begin else ''}{line[begin:end]}{'…' if end < len(line) else ''}"


@contextmanager
def _until(deadline: float) -> Iterator[None]:
    """Stop whatever query runs at a moment of the monotonic clock.

    Raises:
        _TimeIsUp: One was stopped.
    """
    try:
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            # Asked every some thousand steps of SQLite's machine: some microseconds.
            connection.connection.set_progress_handler(lambda: time.monotonic() > deadline, 5000)
            try:
                yield
            finally:
                connection.connection.set_progress_handler(None, 0)
        elif connection.vendor == "postgresql":
            milliseconds = max(1, round((deadline - time.monotonic()) * 1000))
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                yield
        else:
            with _mysql_time_limit(max(0.001, deadline - time.monotonic())):
                yield
    except OperationalError:
        if time.monotonic() < deadline:
            raise
        raise _TimeIsUp from None


@contextmanager
def _mysql_time_limit(seconds: float) -> Iterator[None]:
    """Have MySQL or MariaDB give up any query that takes longer."""
    connection.ensure_connection()
    if connection.mysql_is_mariadb:  # type: ignore[attr-defined]  # of this vendor
        setting, limit = "max_statement_time", f"{seconds:.3f}"  # seconds
    else:
        setting, limit = "max_execution_time", f"{seconds * 1000:.0f}"  # milliseconds
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {setting} = {limit}")
        try:
            yield
        finally:
            cursor.execute(f"SET SESSION {setting} = DEFAULT")
