"""Closed-loop HTTP load on one address, and what it cost the server's processes.

The same client (benchmarks.load_client, a process of its own) asks every server that is
compared, so what it costs them and adds to their latencies is the same.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.load_client import Job, Outcome

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 120.0
ERRORS_MOST = 0.005  # share of the answers
SHARES = ("top1", "answered_right", "answered_wrong", "clarified", "handed_over")
# Figures of a run that a median over rounds means something for.
_MEASURED = (
    *("requests_per_s", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "cpu_ms_per_request"),
    *("client_cpu_ms_per_request", "rss_mb", "pss_mb"),
    *SHARES,
)


class BadAnswer(Exception):
    """A server did not answer as it should; the figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one answer says of one text."""

    intent: str  # the likeliest; "" for none
    decision: str = "ANSWER"  # or CLARIFY, HAND_OVER


# Reads the JSON of one answer; whatever it raises makes the answer a bad one.
Reader = Callable[[Any], Answer]


@dataclass(frozen=True, slots=True)
class Target:
    """A server to be asked."""

    url: str
    body: Callable[[str], Any]  # of a text, to be sent as JSON
    read: Reader
    pids: Sequence[int] = ()  # of its processes; their descendants count, too
    tokens: Sequence[str] = ()  # of bearers; see load_client.Job
    renew_on: str = ""
    statuses: Sequence[int] = (200,)


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run. Times in milliseconds of wall clock, memory in MiB at its end."""

    clients: int
    requests: int
    errors: int
    requests_per_s: float
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms_per_request: float  # of all processes of the server
    client_cpu_ms_per_request: float
    processes: int
    rss_mb: float
    pss_mb: float
    load_before: float  # load average of the machine in the minute before
    # Shares of the labelled texts, None where there are none. The last four add up to 1.
    top1: float | None  # the right intent was named first, whatever was decided
    answered_right: float | None
    answered_wrong: float | None
    clarified: float | None
    handed_over: float | None


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile of values in ascending order."""
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]


def measure(
    target: Target,
    texts: Sequence[str],
    *,
    clients: int,
    warm_up: int,
    labels: Mapping[str, str] | None = None,
) -> Run:
    """Have `clients` ask one text after the other; the first `warm_up` do not count.

    Args:
        labels: Text → intent, for the texts of which it is known.

    Raises:
        BadAnswer: More than `ERRORS_MOST` were not answered as they should be.
    """
    address = urlsplit(target.url)
    handle, name = tempfile.mkstemp(suffix=".json")
    os.close(handle)
    written = Path(name)
    job = Job(
        host=address.hostname or "127.0.0.1",
        port=address.port or 80,
        path=address.path or "/",
        bodies=[json.dumps(target.body(text), ensure_ascii=False) for text in texts],
        warm_up=warm_up,
        clients=clients,
        tokens=list(target.tokens),
        renew_on=target.renew_on,
        timeout_s=TIMEOUT_S,
        outcome=name,
    )
    load_before = os.getloadavg()[0]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_client"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(json.dumps(asdict(job)) + "\n")
        client.stdin.flush()
        if client.stdout.readline().strip() != "ready":
            raise BadAnswer(f"the load client ended during the warm-up ({target.url})")
        before = processes.usage(target.pids)
        client.stdin.write("go\n")
        client.stdin.flush()
        line = client.stdout.readline()
        after = processes.usage(target.pids)
    if line.strip() != "done":
        raise BadAnswer(f"the load client ended ({target.url})")
    outcome = Outcome(**json.loads(written.read_text(encoding="utf-8")))
    written.unlink()
    asked = texts[warm_up:]
    answers, errors = _read(target, outcome)
    if errors:
        print(f"{target.url}: {errors.most_common(3)}", file=sys.stderr)
    if sum(errors.values()) > max(1, len(asked) * ERRORS_MOST):
        raise BadAnswer(f"{target.url}: {errors.most_common(3)}")
    latencies = sorted(
        taken for taken, answer in zip(outcome.latencies_ms, answers, strict=True) if answer
    )
    labelled = [
        (answer, labels[text])
        for text, answer in zip(asked, answers, strict=True)
        if labels and answer and text in labels
    ]
    return Run(
        clients=clients,
        requests=len(asked),
        errors=sum(errors.values()),
        requests_per_s=len(latencies) / outcome.wall_s,
        mean_ms=statistics.fmean(latencies),
        p50_ms=quantile(latencies, 0.5),
        p95_ms=quantile(latencies, 0.95),
        p99_ms=quantile(latencies, 0.99),
        cpu_ms_per_request=(after.cpu_s - before.cpu_s) * 1000 / len(asked),
        client_cpu_ms_per_request=outcome.cpu_s * 1000 / len(asked),
        processes=after.processes,
        rss_mb=after.rss_mb,
        pss_mb=after.pss_mb,
        load_before=load_before,
        **shares(labelled),
    )


def shares(labelled: Sequence[tuple[Answer, str]]) -> dict[str, float | None]:
    """Return what became of texts whose intent is known; see Run."""
    if not labelled:
        return dict.fromkeys(SHARES)
    counts: Counter[str] = Counter()
    for answer, label in labelled:
        is_right = answer.intent == label
        counts["top1"] += is_right
        if answer.decision == "ANSWER":
            counts["answered_right" if is_right else "answered_wrong"] += 1
        else:
            counts["clarified" if answer.decision == "CLARIFY" else "handed_over"] += 1
    return {name: counts[name] / len(labelled) for name in SHARES}


def _read(target: Target, outcome: Outcome) -> tuple[list[Answer | None], Counter[str]]:
    """Check every answer. Returns those that are good, None for the others, and what was wrong."""
    answers: list[Answer | None] = []
    errors: Counter[str] = Counter()
    for status, text in zip(outcome.statuses, outcome.answers, strict=True):
        answer = None
        if status not in target.statuses:
            errors[f"{status} {text[:200]}"] += 1
        else:
            try:
                answer = target.read(json.loads(text))
            except (ValueError, LookupError, TypeError) as error:
                errors[f"{error!r} in {text[:200]}"] += 1
        answers.append(answer)
    return answers, errors


def median(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the medians of runs that differ in nothing but their round."""
    found: dict[str, Any] = {
        "clients": runs[0].clients,
        "rounds": len(runs),
        "requests": sum(run.requests for run in runs),
        "errors": sum(run.errors for run in runs),
        "processes": max(run.processes for run in runs),
    }
    for name in _MEASURED:
        values = [value for run in runs if (value := getattr(run, name)) is not None]
        found[name] = round(statistics.median(values), 4) if values else None
    found["load_before_most"] = max(run.load_before for run in runs)
    return found


def ratio(ours: Sequence[Run], theirs: Sequence[Run], name: str) -> float:
    """Return the median over rounds of ours by theirs: both met the same machine in a round."""
    pairs = zip(ours, theirs, strict=True)
    return round(statistics.median(getattr(a, name) / getattr(b, name) for a, b in pairs), 3)
