"""Whether customers ask for something else than they used to: once a day, from the log.

The last week is compared with the four weeks before it, by intent and by how likely each message
means none of our topics. What moved makes an alert on the admin's first page and in /metrics.
"""

import logging
import math
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import partial

from django.conf import settings
from django.db.models import Count, F, IntegerField, QuerySet
from django.db.models.functions import Cast, Floor
from django.utils import timezone
from prometheus_client import Gauge

from intents.models import DriftCheck, PredictionRecord, Utterance

logger = logging.getLogger(__name__)

WINDOW_DAYS, BEFORE_DAYS = 7, 28
# Fewer messages say nothing: 50 intents would move by chance alone.
FEWEST = 200
# Of the probability to mean none of the intents.
_SCOPE_BINS = 10
_MOVED_KEPT = 8
# A day in a thousand is more by chance where nothing has changed.
_CHANCE_Z = 3.09
# Added to each count: an intent that was never asked for has no share to divide by.
_SMOOTHING = 0.5
_KEPT = timedelta(days=400)

_SHOWN = Gauge(
    "intents_drift", "Population stability index of the last week against the weeks before", ["of"]
)
_ALERT = Gauge("intents_drift_alert", "1 while what customers ask has moved above DRIFT_ALERT")

Counts = Mapping[str, int]


def population_stability(before: Counts, now: Counts) -> float:
    """Return the population stability index of two counts of the same categories, 0 or more.

    PSI = sum of (q - p) ln(q / p) over the categories, p and q their shares before and now: the
    symmetric Kullback-Leibler divergence (Jeffreys 1946). By custom 0.1 is a slight and 0.25 a
    great change (Siddiqi, "Credit Risk Scorecards", 2006). Counts are smoothed by 0.5.
    """
    kinds = sorted({*before, *now})
    whole_before = sum(before.values()) + _SMOOTHING * len(kinds)
    whole_now = sum(now.values()) + _SMOOTHING * len(kinds)
    total = 0.0
    for kind in kinds:
        p = (before.get(kind, 0) + _SMOOTHING) / whole_before
        q = (now.get(kind, 0) + _SMOOTHING) / whole_now
        total += (q - p) * math.log(q / p)
    return total


def by_chance(kinds: int, before: int, now: int) -> float:
    """Return what the index stays below 999 times in 1,000 where nothing has changed.

    Then PSI / (1/n + 1/m) is chi-squared with k - 1 degrees of freedom (Yurdakul and Naranjo,
    "Statistical properties of the population stability index", J. Risk Model Validation 2020);
    its quantile after Wilson and Hilferty, 1931.

    Args:
        kinds: Categories, k.
        before: Messages compared with, m, at least 1.
        now: Messages compared, n, at least 1.
    """
    free = max(1, kinds - 1)
    spread = 2 / (9 * free)
    quantile = free * (1 - spread + _CHANCE_Z * math.sqrt(spread)) ** 3
    return quantile * (1 / before + 1 / now)


def is_alert(index: float | None, kinds: int, before: int, now: int) -> bool:
    """Whether an index is both large (settings.DRIFT_ALERT) and more than chance."""
    if index is None:
        return False
    return index >= settings.DRIFT_ALERT and index > by_chance(kinds, before, now)


def check(*, now: datetime) -> DriftCheck:
    """Compare the week that ended yesterday with the four before it; again is the same row."""
    today = timezone.localdate(now)
    begins = today - timedelta(days=WINDOW_DAYS)
    began = begins - timedelta(days=BEFORE_DAYS)
    intents_before, intents_now = _intents(began, begins), _intents(begins, today)
    scope_before, scope_now = _scope(began, begins), _scope(begins, today)
    many_before, many_now = sum(intents_before.values()), sum(intents_now.values())
    is_enough = min(many_before, many_now) >= FEWEST
    of_intents = population_stability(intents_before, intents_now) if is_enough else None
    of_scope = population_stability(scope_before, scope_now) if is_enough else None
    trained = _trained()
    kinds = len({*intents_before, *intents_now})
    bins = len({*scope_before, *scope_now})
    alert = is_alert(of_intents, kinds, many_before, many_now) or is_alert(
        of_scope, bins, many_before, many_now
    )
    result, _is_new = DriftCheck.objects.update_or_create(
        day=today - timedelta(days=1),
        defaults={
            "checked_at": now,
            "messages": many_now,
            "messages_before": many_before,
            "intents": of_intents,
            "scope": of_scope,
            "training": population_stability(trained, intents_now)
            if trained and many_now >= FEWEST
            else None,
            "is_alert": alert,
            "moved": moved(intents_before, intents_now) if is_enough else [],
        },
    )
    DriftCheck.objects.filter(checked_at__lt=now - _KEPT).delete()
    return result


def moved(before: Counts, now: Counts) -> list[list[str | float]]:
    """Return [code, share before, share now] of what moved most, by points."""
    whole_before, whole_now = sum(before.values()) or 1, sum(now.values()) or 1
    shares = [
        (code, before.get(code, 0) / whole_before, now.get(code, 0) / whole_now)
        for code in {*before, *now}
    ]
    shares.sort(key=lambda one: (-abs(one[2] - one[1]), one[0]))
    return [[code, round(p, 4), round(q, 4)] for code, p, q in shares[:_MOVED_KEPT]]


def latest() -> DriftCheck | None:
    """Return the last comparison. One query."""
    return DriftCheck.objects.order_by("-day").first()


def _shown(name: str) -> float:
    """Return a column of the last comparison for /metrics, NaN where there is none."""
    try:
        result = latest()
    except Exception:  # whatever it is, the other metrics are shown
        logger.warning("The last comparison cannot be told", exc_info=True)
        return math.nan
    value = getattr(result, name, None)
    return math.nan if value is None else float(value)


# Asked when somebody reads the metrics: another process made the comparison.
_SHOWN.labels("intents").set_function(partial(_shown, "intents"))
_SHOWN.labels("scope").set_function(partial(_shown, "scope"))
_ALERT.set_function(partial(_shown, "is_alert"))


def _log(first: date, end: date) -> QuerySet[PredictionRecord]:
    return PredictionRecord.objects.filter(
        origin=PredictionRecord.Origin.CHAT,
        created_at__gte=_midnight(first),
        created_at__lt=_midnight(end),
    ).order_by()


def _intents(first: date, end: date) -> Counter[str]:
    rows = _log(first, end).values_list("intent").annotate(Count("pk"))
    return Counter(dict(rows))


def _scope(first: date, end: date) -> Counter[str]:
    place = Cast(Floor(F("out_of_scope") * _SCOPE_BINS), IntegerField())
    rows = _log(first, end).annotate(bin=place).values_list("bin").annotate(Count("pk"))
    counts: Counter[str] = Counter()
    for number, count in rows:
        counts[str(min(int(number), _SCOPE_BINS - 1))] += count
    return counts


def _trained() -> Counter[str]:
    rows = (
        Utterance.objects.filter(split=Utterance.Split.TRAIN, intent__is_active=True)
        .order_by()
        .values_list("intent__code")
        .annotate(Count("pk"))
    )
    return Counter(dict(rows))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
