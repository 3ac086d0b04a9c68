"""From a text to what is in it: sentences, intents and moods of each, entities, and the summary."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings

from intents import inference
from intents.guard import normalize, pii
from training.analysis import entities, sentences, sentiment
from training.analysis.entities.catalogue import Catalogue
from training.analysis.findings import Entity, Findings, Kind, Mood, Sentence, Summary

logger = logging.getLogger(__name__)

# Read by the model at once: what is asked by customers meanwhile waits for so many at most.
_AT_ONCE = 8
_RANKED = 3
# Less likely than that, an intent is not said to be asked for.
_ASKED_AT = 0.5
_TIMEOUT_S = 30.0
# A process that has just begun loads its model on the first text, and waits for it once.
_LOADING_S = 60.0
_LOOK_S = 0.2
# People ask at the end.
_TELLING_WITHIN = 4_000

_WISH = re.compile(
    r"希望|我想(?!问|知道|了解)|想要|我要(?!问)|要求|请(?!问)|麻烦|能不能|可不可以|可以.{0,12}吗|帮我|帮忙|给我(?:退|换|补|发|查|处理)|尽快"
    r"|\bplease\b|\b(?:i|we)(?:'d| would) (?:like|want)|\bi (?:want|need|hope|expect|demand)\b"
    r"|\b(?:can|could|would|will) you\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[？?]|吗|呢[。\s]*$|什么时候|为什么|怎么|哪里|多久|多少|是否|有没有"
    r"|^(?:what|when|where|why|who|how|which|is|are|do|does|did|can|could|will)\b",
    re.IGNORECASE,
)


def analyse(
    text: str,
    *,
    at: datetime,
    language: str,
    catalogue: Catalogue,
    zone: tzinfo | None = None,
    still_wanted: Callable[[], None] = lambda: None,
) -> Findings:
    """Say what is in a text. Takes seconds and never raises for a text; not for coroutines.

    Args:
        at: When it was said: "yesterday" is the day before. Aware.
        language: "zh", "en", "" for neither.
        catalogue: What the shop has names for.
        zone: In which days begin; None for the shop's (settings.TIME_ZONE).
        still_wanted: Called every few sentences; what it raises ends the reading.

    Raises:
        EngineInherited: As `inference.classify_many`.
    """
    _wait_for_engine()
    spans = sentences.split(text)
    found = entities.find(
        text, at=at, zone=zone or ZoneInfo(settings.TIME_ZONE), catalogue=catalogue
    )
    bare = [normalize.for_model(pii.redact(text[start:end])) for start, end in spans]
    read, version = _read(text, spans, bare, still_wanted)
    return Findings(
        entities=tuple(found),
        sentences=read,
        mood=whole_mood(read),
        summary=summary(text, found, read),
        language=language,
        model_version=version,
    )


def _wait_for_engine() -> None:
    """Have the model answer and not what stands in for it while it loads."""
    inference.start()
    until = time.monotonic() + _LOADING_S
    while inference.status().state == "loading" and time.monotonic() < until:
        time.sleep(_LOOK_S)
    if (encoder := inference.encoder()) is not None:
        _make_sure_of_moods(encoder)


def _make_sure_of_moods(encoder: inference.FrozenEncoder) -> None:
    """Have the head for moods built where this machine has none yet: seconds, once."""
    try:
        sentiment.ensure(encoder)
    except Exception:
        logger.exception("There is no head for moods, so none are told")


def _read(
    text: str,
    spans: Sequence[tuple[int, int]],
    bare: Sequence[str],
    still_wanted: Callable[[], None],
) -> tuple[tuple[Sentence, ...], str]:
    found: list[Sentence] = []
    version = ""
    for first in range(0, len(spans), _AT_ONCE):
        still_wanted()
        batch = list(bare[first : first + _AT_ONCE])
        predictions = inference.classify_many(batch, timeout_s=_TIMEOUT_S)
        moods = inference.moods([text[start:end] for start, end in spans[first : first + _AT_ONCE]])
        for (start, end), prediction, mood in zip(
            spans[first : first + _AT_ONCE], predictions, moods, strict=True
        ):
            version = prediction.model_version or version
            said = text[start:end]
            # What means none of the intents means none of them, however alike the likeliest is.
            within = 1.0 - prediction.out_of_scope
            found.append(
                Sentence(
                    start=start,
                    end=end,
                    ranked=tuple((code, p * within) for code, p in prediction.ranked[:_RANKED]),
                    mood=None if mood is None else Mood(mood.score, mood.negative, mood.positive),
                    is_wish=bool(_WISH.search(said)),
                    is_question=bool(_QUESTION.search(said)),
                )
            )
    return tuple(found), version


def whole_mood(read: Sequence[Sentence]) -> Mood | None:
    """Return the mood of a whole text: that of its sentences, the longer and the stronger counting more.

    A customer who tells calmly what he ordered and then says that he is furious, is furious.
    """
    felt = [(one.mood, one.end - one.start) for one in read if one.mood is not None]
    if not felt:
        return None
    weights = [length * (0.2 + abs(mood.score)) for mood, length in felt]
    total = sum(weights) or 1.0

    def mean(values: Sequence[float]) -> float:
        return sum(w * v for w, v in zip(weights, values, strict=True)) / total

    return Mood(
        score=mean([mood.score for mood, _length in felt]),
        negative=mean([mood.negative for mood, _length in felt]),
        positive=mean([mood.positive for mood, _length in felt]),
    )


def summary(text: str, found: Sequence[Entity], read: Sequence[Sentence]) -> Summary:
    """Return the text in a few lines."""
    best: dict[str, float] = {}
    for sentence in read:
        if sentence.ranked and sentence.ranked[0][1] >= _ASKED_AT:
            code, probability = sentence.ranked[0]
            best[code] = max(best.get(code, 0.0), probability)
    named: dict[str, list[Entity]] = {}
    for entity in found:
        named.setdefault(entity.kind, []).append(entity)

    def texts(kind: Kind) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entity.text for entity in named.get(kind, ())))

    times = {
        one.text: (one.text, str(one.value["start"]))
        for one in named.get(Kind.TIME, ())
        if "start" in one.value
    }
    amounts = {
        one.text: (
            one.text,
            f"{one.value.get('amount', '')} {one.value.get('currency', '')}".strip(),
        )
        for one in named.get(Kind.AMOUNT, ())
    }
    return Summary(
        asked=tuple(sorted(best.items(), key=lambda pair: -pair[1])),
        orders=texts(Kind.ORDER_NUMBER),
        parcels=texts(Kind.TRACKING_NUMBER),
        products=texts(Kind.PRODUCT),
        times=tuple(times.values()),
        amounts=tuple(amounts.values()),
        wishes=tuple((one.start, one.end) for one in read if one.is_wish),
    )


def telling_part(text: str) -> str:
    """Return the part of a long text that says what is wanted, for an answer at once.

    Its questions and wishes in their order, the last ones where there are many: people tell first
    and ask last. Where there is none, its beginning. No longer than models read.
    """
    tail = text[-_TELLING_WITHIN:]
    parts = [tail[start:end] for start, end in sentences.split(tail)]
    wanted = [part for part in parts if _QUESTION.search(part)]
    wanted = wanted or [part for part in parts if _WISH.search(part)]
    most = sentences.longest_of(tail)
    said: list[str] = []
    length = 0
    for one in reversed(wanted):
        if length + len(one) > most:
            break
        said.append(one)
        length += len(one)
    return " ".join(reversed(said)) or text[:most]
