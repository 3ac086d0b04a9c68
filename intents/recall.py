"""Understanding with a memory: what a sentence means is not computed twice in two minutes.

Kept are predictions, by what they depend on (spelling aside, the text; its language; model and
content versions), for all customers and all processes. Never what was said or decided: that
depends on the customer and the conversation, and is made anew from a prediction in under a
millisecond. So nothing about a customer is in the cache, and nothing stale can be found.

Of identical texts at one moment, one asks the model and the others wait for it: in this
process only, where a flight is a dictionary entry. A lock in the cache server would spare a
second process its own inference, and cost every text another round trip.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from django.conf import settings
from prometheus_client import Counter

from csplatform import cache_server
from intents import inference
from intents.guard import normalize
from intents.inference import Prediction

_LOOKED_UP = Counter(
    "intents_reply_cache_total",
    "Texts looked up: hit, miss, error (the cache server is away); and of the last two those "
    "that joined somebody who was asking the model the same",
    ["result"],
)
_PREFIX = "understood:"
# So many are named within two milliseconds; 256 long texts took a second.
_CHARACTERS_ON_THE_LOOP = 4000


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text means, and whether the model was spared."""

    prediction: Prediction
    cached: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be understood, and the name of its answer in the cache."""

    text: str
    key: str
    engine: str  # what would answer it


# Being understood now, by key. None: whoever asked the model was cancelled, or failed.
_Flight = Future[Prediction | None]
_flights: dict[str, _Flight] = {}
os.register_at_fork(after_in_child=_flights.clear)


def question(text: str, language: str) -> Question:
    """Name everything that the answer depends on, so that nothing stale is ever found.

    Args:
        text: Without personal data: sentences that differ only there share an answer.
        language: "zh" or "en".
    """
    engine = _engine()
    named = sha256(f"{engine}\n{language}\n{normalize.key(text)}".encode()).hexdigest()
    return Question(text, _PREFIX + named, engine)


def _engine() -> str:
    now = inference.status()
    return f"{now.content_version}\n{now.source}\n{now.model_version}"


# --- All in one: for programs --------------------------------------------------------------


def classify_many(
    texts: Sequence[str], languages: Iterable[str], *, timeout_s: float | None = None
) -> list[Understood]:
    """Say what each text means, in their order, for threads; see `inference.classify_many`."""
    asked = _questions(texts, languages)
    known = recalled(asked)
    news = iter(learned(_unknown(asked, known), timeout_s=timeout_s))
    return [Understood(found, cached=True) if found else next(news) for found in known]


async def aclassify_many(
    texts: Sequence[str], languages: Iterable[str], *, timeout_s: float | None = None
) -> list[Understood]:
    """Say what each text means, in their order, for coroutines.

    Args:
        languages: May find them out one by one: of long texts on a thread.
    """
    if sum(map(len, texts)) <= _CHARACTERS_ON_THE_LOOP:
        asked = _questions(texts, languages)
    else:
        asked = await asyncio.to_thread(_questions, texts, languages)
    known = await arecalled(asked)
    news = iter(await alearned(_unknown(asked, known), timeout_s=timeout_s))
    return [Understood(found, cached=True) if found else next(news) for found in known]


def _questions(texts: Sequence[str], languages: Iterable[str]) -> list[Question]:
    return list(map(question, texts, languages))


def _unknown(asked: Sequence[Question], known: Sequence[Prediction | None]) -> list[Question]:
    return [one for one, found in zip(asked, known, strict=True) if found is None]


# --- Looking it up -------------------------------------------------------------------------


def recalled(asked: Sequence[Question]) -> list[Prediction | None]:
    """Return what is remembered of each; None where nothing is, or the cache is away."""
    if not asked or not settings.REPLY_CACHE_S:
        return [None] * len(asked)
    try:
        found = cache_server.ask(lambda server: _get(server, asked))
    except cache_server.Away:
        return _away(asked)
    return list(map(_read, found))


async def arecalled(asked: Sequence[Question]) -> list[Prediction | None]:
    """Do the same for a coroutine."""
    if not asked or not settings.REPLY_CACHE_S:
        return [None] * len(asked)
    try:
        found = await cache_server.aask(lambda server: _get(server, asked))
    except cache_server.Away:
        return _away(asked)
    return list(map(_read, found))


def _get(server: Any, asked: Sequence[Question]) -> Any:
    """Read all of it in one round trip; awaitable where the server's client is."""
    return server.mget([one.key for one in asked])


def _away(asked: Sequence[Question]) -> list[Prediction | None]:
    _LOOKED_UP.labels("error").inc(len(asked))
    return [None] * len(asked)


def _read(stored: bytes | None) -> Prediction | None:
    if stored is not None:
        try:
            columns = json.loads(stored)
            columns["ranked"] = tuple((code, float(p)) for code, p in columns["ranked"])
            prediction = Prediction(**columns)
        except (ValueError, TypeError, KeyError):
            pass  # of another release
        else:
            _LOOKED_UP.labels("hit").inc()
            return prediction
    _LOOKED_UP.labels("miss").inc()
    return None


def _written(prediction: Prediction) -> bytes:
    # Its times were those of one inference, which the next to read it is spared.
    return json.dumps(asdict(replace(prediction, queue_ms=0.0, infer_ms=0.0))).encode()


# --- Asking the model, once for each text ----------------------------------------------------


class _Flights:
    """The questions of one call: some to be asked, some that somebody is asking already."""

    def __init__(self, asked: Sequence[Question]) -> None:
        self.asked = asked
        self.futures: list[_Flight] = []
        self.led: list[tuple[Question, _Flight]] = []
        for one in asked:
            mine: _Flight = Future()
            mine.set_running_or_notify_cancel()  # a follower that goes cannot cancel it
            future = _flights.setdefault(one.key, mine)
            self.futures.append(future)
            if future is mine:
                self.led.append((one, mine))
            else:
                _LOOKED_UP.labels("joined").inc()

    def land(self, predictions: Sequence[Prediction]) -> dict[str, bytes]:
        """Give the followers their answers; return what is worth keeping, by key."""
        for (_one, future), prediction in zip(self.led, predictions, strict=True):
            future.set_result(prediction)
        if not settings.REPLY_CACHE_S:
            return {}
        # Unless the engine was not itself: overloaded, late, or just swapped.
        engine, source = _engine(), inference.status().source
        return {
            one.key: _written(prediction)
            for (one, _future), prediction in zip(self.led, predictions, strict=True)
            if prediction.source == source and one.engine == engine
        }

    def end(self) -> None:
        for one, future in self.led:
            _flights.pop(one.key, None)
            if not future.done():
                future.set_result(None)

    def understood(self, predictions: Sequence[Prediction]) -> list[Understood]:
        own = {id(future) for _one, future in self.led}
        found = []
        for future, prediction in zip(self.futures, predictions, strict=True):
            found.append(Understood(prediction, cached=id(future) not in own))
            own.discard(id(future))  # the same text again in one call was asked once
        return found


def learned(asked: Sequence[Question], *, timeout_s: float | None = None) -> list[Understood]:
    """Ask the model, and remember what it says; never fails for a text.

    Args:
        timeout_s: As of `inference.classify_many`.
    """
    flights = _Flights(asked)
    try:
        texts = [one.text for one, _future in flights.led]
        kept = flights.land(inference.classify_many(texts, timeout_s=timeout_s) if texts else [])
        if kept:
            _keep(kept)
    finally:
        flights.end()
    wait(flights.futures, timeout=_longest_s(timeout_s))
    return flights.understood(
        [
            _landed(future) or inference.classify(one.text, timeout_s=timeout_s)
            for one, future in zip(asked, flights.futures, strict=True)
        ]
    )


async def alearned(
    asked: Sequence[Question], *, timeout_s: float | None = None
) -> list[Understood]:
    """Do the same in a coroutine."""
    flights = _Flights(asked)
    try:
        texts = [one.text for one, _future in flights.led]
        predictions = await inference.aclassify_many(texts, timeout_s=timeout_s) if texts else []
        if kept := flights.land(predictions):
            await _akeep(kept)
    finally:
        flights.end()
    if flying := [asyncio.wrap_future(one) for one in flights.futures if not one.done()]:
        await asyncio.wait(flying, timeout=_longest_s(timeout_s))
    return flights.understood(
        [
            _landed(future) or await inference.aclassify(one.text, timeout_s=timeout_s)
            for one, future in zip(asked, flights.futures, strict=True)
        ]
    )


def _landed(flight: _Flight) -> Prediction | None:
    return flight.result() if flight.done() else None


def _longest_s(timeout_s: float | None) -> float:
    return settings.CHAT_ANSWER_TIMEOUT_S if timeout_s is None else timeout_s


def _keep(kept: Mapping[str, bytes]) -> None:
    with contextlib.suppress(cache_server.Away):
        cache_server.ask(lambda server: _put(server, kept))


async def _akeep(kept: Mapping[str, bytes]) -> None:
    with contextlib.suppress(cache_server.Away):
        await cache_server.aask(lambda server: _put(server, kept))


def _put(server: Any, kept: Mapping[str, bytes]) -> Any:
    """Store all of it in one round trip; awaitable where the server's client is."""
    pipeline = server.pipeline(transaction=False)
    for key, value in kept.items():
        pipeline.set(key, value, ex=settings.REPLY_CACHE_S)
    return pipeline.execute()
