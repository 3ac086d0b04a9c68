"""The quickest runtime of this machine for a graph: measured once, and then known."""

import fcntl
import hashlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from tokenizers import Tokenizer

from intents.encoder.backend import Backend, Floats, Ids
from intents.encoder.directory import sha256
from intents.encoder.embedding import batches, reference
from intents.inference import metrics

logger = logging.getLogger(__name__)

# Another runtime must gain this much: it costs memory, and each change of numbers a little trust.
_GAIN_MIN = 1.15
_BATCH = 16
# Least likeness of each row to the reference's: int8 and bfloat16 round differently.
_COSINE_MIN = 0.95
_SAME_TOP_MIN = 0.9  # of the likeliest class
_NICE = 10
_MEASURE_S = 3.0  # of all candidates in turn, loading and first runs left out
_MEASURE_MOST_S = 120.0  # with these, on a machine that has other work
OPENVINO = "openvino bf16"

Feed = tuple[Ids, Ids]
Open = Callable[[], Backend]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was measured of a graph on this machine."""

    chosen: str  # name of the backend
    texts_per_s: Mapping[str, float]  # by backend; of one call after the other, batches of 16
    disagree: Sequence[str]  # those whose numbers are not the reference's


class Quickest:
    """Answers by the first runtime at once, and by the quickest as soon as that is known.

    Args:
        first: Loaded; the reference that all others must agree with.
        rivals: How to load the others, by name.
        measure: Compares all of them; called where nothing is recorded.
        record: Where the choice is kept for the next start.
    """

    def __init__(
        self,
        first: Backend,
        rivals: Mapping[str, Open],
        measure: Callable[[], Choice],
        record: Path,
    ) -> None:
        self._backend = first
        self.outputs = first.outputs
        self._closed = False
        self._thread = threading.Thread(
            target=self._settle,
            args=(rivals, measure, record),
            name="intents-runtimes",
            daemon=True,
        )
        self._thread.start()

    @property
    def name(self) -> str:
        """That of the runtime which answers now."""
        return self._backend.name

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        """Return the outputs `names`, in that order, each of shape (n, its width)."""
        return self._backend.run(input_ids, attention_mask, names)

    def close(self) -> None:
        """Free what answers."""
        self._closed = True
        self._backend.close()

    def settled(self, timeout_s: float) -> bool:
        """Wait until the choice is made. Returns whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _settle(
        self, rivals: Mapping[str, Open], measure: Callable[[], Choice], record: Path
    ) -> None:
        try:
            record.parent.mkdir(parents=True, exist_ok=True)
            with record.with_suffix(".lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # two that measure at once measure each other
                known = _read(record)
                if known is None:
                    known = measure()
                    _write(record, known)
                    logger.info("Runtimes measured: %s", known)
            metrics.measured(known.texts_per_s, known.chosen)
            if known.chosen in rivals:
                best = rivals[known.chosen]()
                if not self._closed:
                    # One assignment, read once a call. Who is in a call holds the old one.
                    self._backend = best
        except Exception:
            logger.exception("Choosing a runtime failed; %s goes on", self.name)


def choose(candidates: Sequence[Backend], feeds: Sequence[Feed], *, measure_s: float) -> Choice:
    """Measure backends against the first of them.

    Args:
        candidates: The reference first.
        feeds: Batches of real texts.
    """
    reference_, *rivals = candidates
    expected = _answers(reference_, feeds)  # the first run of each shape: slow, not measured
    agreeing, disagree = [reference_], []
    for rival in rivals:
        if _agree(expected, _answers(rival, feeds)):
            agreeing.append(rival)
        else:
            disagree.append(rival.name)
    best = dict.fromkeys((backend.name for backend in agreeing), float("inf"))
    until = time.monotonic() + measure_s
    rounds = 0
    while rounds < 2 or time.monotonic() < until:  # in turn: a busy moment hits all of them
        rounds += 1
        for backend in agreeing:
            started = time.perf_counter()
            for feed in feeds:
                backend.run(*feed, list(backend.outputs))
            best[backend.name] = min(best[backend.name], time.perf_counter() - started)
    texts = sum(len(ids) for ids, _ in feeds)
    speeds = {name: texts / seconds for name, seconds in best.items()}
    quickest = max(speeds, key=lambda name: speeds[name])
    if speeds[quickest] < _GAIN_MIN * speeds[reference_.name]:
        quickest = reference_.name
    return Choice(quickest, {name: round(speed, 1) for name, speed in speeds.items()}, disagree)


def _answers(backend: Backend, feeds: Sequence[Feed]) -> dict[str, Floats]:
    names = list(backend.outputs)
    runs = [backend.run(*feed, names) for feed in feeds]
    return {
        name: np.concatenate(rows)
        for name, rows in zip(names, zip(*runs, strict=True), strict=True)
    }


def _agree(expected: Mapping[str, Floats], found: Mapping[str, Floats]) -> bool:
    if expected.keys() != found.keys():
        return False
    for name, rows in expected.items():
        others = found[name]
        if others.shape != rows.shape or not np.isfinite(others).all():
            return False
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
        if ((rows * others).sum(axis=1) < _COSINE_MIN * lengths).any():
            return False
        same_top = (rows.argmax(axis=1) == others.argmax(axis=1)).mean()
        if name == "logits" and same_top < _SAME_TOP_MIN:
            return False
    return True


def open_quickest(graph: Path, first: Backend, *, threads: int) -> Backend:
    """Return `first`, or what begins with it and goes over to a quicker runtime.

    Only OpenVINO may be quicker on a CPU, where it is installed and bfloat16 is native.
    """
    cpu = _cpu()
    if importlib.util.find_spec("openvino") is None or not cpu.has_bf16:
        return first
    parts = (cpu.identity, sha256(graph), str(threads), *_versions())
    mark = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    record = settings.ENCODER_CACHE_DIR / "runtimes" / f"{mark}.json"
    return Quickest(
        first,
        {OPENVINO: partial(_open_openvino, graph, threads)},
        partial(_measure_elsewhere, graph, threads),
        record,
    )


def _open_openvino(graph: Path, threads: int) -> Backend:
    from intents.inference.backends.openvino import OpenVino

    return OpenVino(graph, threads=threads)


def _measure_elsewhere(graph: Path, threads: int) -> Choice:
    """Measure in a process of its own: its memory, and its crashes, are not ours."""
    program = (
        "import django; django.setup();"
        "from intents.inference.backends import quickest; quickest.print_choice()"
    )
    finished = subprocess.run(  # noqa: S603  (our own interpreter and program)
        [sys.executable, "-c", program, str(graph), str(threads)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=_MEASURE_MOST_S,
        check=True,
    )
    return _choice(json.loads(finished.stdout.splitlines()[-1]))


def print_choice() -> None:
    """Compare the runtimes for a graph; the arguments are its path and the number of threads."""
    from intents.inference.backends.onnxruntime import OnnxRuntime

    os.nice(_NICE)
    graph, threads = Path(sys.argv[1]), int(sys.argv[2])
    candidates = [OnnxRuntime(graph, threads=threads), _open_openvino(graph, threads)]
    choice = choose(candidates, feeds_for(graph), measure_s=_MEASURE_S)
    print(json.dumps(asdict(choice)))  # noqa: T201  (to the process that asked)


def feeds_for(graph: Path) -> list[Feed]:
    """Return sentences as the tokenizer beside a graph reads them, in batches."""
    texts, _ = reference()
    tokenizer = Tokenizer.from_file(str(graph.with_name("tokenizer.json")))
    return [
        (ids, mask) for _, ids, mask in batches(tokenizer, texts, max_tokens=64, batch_size=_BATCH)
    ]


@dataclass(frozen=True, slots=True)
class _Cpu:
    identity: str
    has_bf16: bool


def _cpu() -> _Cpu:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # not Linux
        return _Cpu("", has_bf16=False)
    parts = (line.partition(":") for line in reversed(lines))
    facts = {name.strip(): value.strip() for name, _, value in parts}
    flags = facts.get("flags", "").split()
    return _Cpu(
        f"{facts.get('model name')} {facts.get('cpu family')} {facts.get('model')} {sorted(flags)}",
        has_bf16="amx_bf16" in flags or "avx512_bf16" in flags,
    )


def _versions() -> list[str]:
    from importlib.metadata import version

    return [version(package) for package in ("onnxruntime", "openvino")]


def _read(record: Path) -> Choice | None:
    try:
        return _choice(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _choice(content: Mapping[str, Any]) -> Choice:
    return Choice(content["chosen"], content["texts_per_s"], content["disagree"])


def _write(record: Path, choice: Choice) -> None:
    unfinished = record.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(choice), indent=1), encoding="utf-8")
    unfinished.replace(record)
