"""The graphs that one process serves to others, each with a batcher of its own."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings

from intents import encoder
from intents.encoder.backend import Backend, Floats, Ids
from intents.inference import artifacts
from intents.inference.backends import buckets, open_here
from intents.inference.backends.buckets import GPU_CALL_TOKENS
from intents.inference.backends.remote import remote_name
from intents.inference.batching import CALL_TOKENS, Batcher, Meter

logger = logging.getLogger(__name__)

MOST_TOKENS = buckets.TOKENS[-1]  # of one text
# Clients move to a new version within seconds; the one before is kept as long as they ask for it.
_KEPT_S = 60.0
# What could not be loaded is tried again after this: files may have been copied late.
_RETRY_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One text of a request."""

    ids: Ids  # shape (tokens,), without padding
    names: tuple[str, ...]  # of the outputs that are asked for


class _Count(Meter):
    """How many texts were run, and in how many batches."""

    def __init__(self) -> None:
        self.texts = self.batches = 0

    def ran(self, *, texts: int, tokens: int, padded: int) -> None:
        self.texts += texts
        self.batches += 1


class ServedGraph:
    """A loaded and warm graph; its texts are batched whatever request they come from.

    Args:
        name: What clients call it.
        backend: Which runs it, and is closed with it.
        on_hang: Called when a batch hangs. The runtime may hold a device that only the end of
            the process frees, so that another session would hang as well.
    """

    def __init__(self, name: str, backend: Backend, *, on_hang: Callable[[], object]) -> None:
        self.name, self._backend = name, backend
        self.outputs: Mapping[str, int] = backend.outputs
        self.platform = backend.name
        self.asked_at = time.monotonic()
        self.count = _Count()
        self._warm_up()
        self._batcher = Batcher[Row, Mapping[str, Floats]](
            self._run,
            max_text_tokens=MOST_TOKENS,
            max_batch_tokens=settings.INTENTS_BATCH_MAX_TOKENS,
            max_queue=settings.INTENTS_QUEUE_MAX_TEXTS,
            call_tokens=GPU_CALL_TOKENS if "cuda" in backend.name else CALL_TOKENS,
            tokens_of=lambda row, most: min(most, len(row.ids)),
            hang_s=settings.INTENTS_HANG_S,
            renew=on_hang,
            meter=self.count,
        )
        self.submit = self._batcher.submit_here

    def close(self) -> None:
        """Answer what is queued, then free the graph."""
        self._batcher.close(5.0)
        self._backend.close()

    def _run(self, rows: Sequence[Row]) -> list[Mapping[str, Floats]]:
        ids = np.zeros((len(rows), max(len(row.ids) for row in rows)), np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row.ids)] = row.ids
            mask[number, : len(row.ids)] = 1
        names = sorted({name for row in rows for name in row.names})
        outputs = dict(zip(names, self._backend.run(ids, mask, names), strict=True))
        return [
            {name: outputs[name][number] for name in row.names} for number, row in enumerate(rows)
        ]

    def _warm_up(self) -> None:
        """Run each usual length once: runtimes choose kernels and allocate by shape."""
        names = tuple(self.outputs)
        for tokens in buckets.TOKENS:
            if tokens <= settings.INTENTS_MAX_TOKENS:
                self._run([Row(np.full(tokens, 5, np.int64), names)])


class ServedGraphs:
    """The frozen encoder and the active model, as the pointer says; by their names.

    A version that the pointer has left is served on while clients still ask for it. One that
    cannot be loaded leaves those that are there in service, and is tried again.

    Args:
        on_hang: Called when a graph hangs.
    """

    def __init__(self, *, on_hang: Callable[[], object]) -> None:
        self._on_hang = on_hang
        self._graphs: Mapping[str, ServedGraph] = {}  # replaced, never changed: read on any thread
        self._problems: Mapping[str, str] = {}
        self._wanted: Mapping[str, Path] = {}
        self._retry_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="served-graphs", daemon=True)
        self._thread.start()

    def get(self, name: str) -> ServedGraph | None:
        """Return a graph that is ready."""
        return self._graphs.get(name)

    def problem(self, name: str) -> str:
        """Say why a graph that should be there is not, "" when nothing is known of it."""
        return self._problems.get(name, "")

    @property
    def is_ready(self) -> bool:
        """Whether all that should be served is."""
        return bool(self._wanted) and set(self._wanted) <= set(self._graphs)

    def close(self) -> None:
        """Answer what is queued, and free everything."""
        self._stopping.set()
        self._thread.join()
        for graph in self._graphs.values():
            graph.close()

    def _follow(self) -> None:
        base: Path | None = None
        while not self._stopping.is_set():
            try:
                base = base or encoder.ensure().embedder
            except encoder.EncoderUnavailable:
                logger.exception("The encoder cannot be served; it is tried again")
                self._stopping.wait(_RETRY_S)
                continue
            version = artifacts.active_version()
            graphs = [base]
            if version is not None:
                graphs.append(settings.MODEL_DIR / version / artifacts.CLASSIFIER)
            wanted = {remote_name(graph): graph for graph in graphs}
            if wanted != self._wanted or time.monotonic() >= self._retry_at:
                self._wanted = wanted
                self._load(wanted)
            self._drop_unasked(wanted)
            self._stopping.wait(settings.CONTENT_POLL_S)

    def _load(self, wanted: Mapping[str, Path]) -> None:
        problems = {}
        for name, path in wanted.items():
            if name in self._graphs:
                continue
            try:
                if path.name == artifacts.CLASSIFIER:
                    artifacts.verify(path.parent)
                backend = open_here(path, threads=settings.INTENTS_THREADS)
                graph = ServedGraph(name, backend, on_hang=self._on_hang)
            except Exception as error:  # of several runtimes, without a common base
                logger.exception("%s cannot be served; it is tried again", name)
                problems[name] = f"{name} cannot be loaded: {error}"
            else:
                logger.info("%s is served from now on (%s)", name, graph.platform)
                self._graphs = {**self._graphs, name: graph}
        self._problems = problems
        self._retry_at = time.monotonic() + _RETRY_S if problems else float("inf")

    def _drop_unasked(self, wanted: Mapping[str, Path]) -> None:
        now = time.monotonic()
        left = [
            graph
            for name, graph in self._graphs.items()
            if name not in wanted and now - graph.asked_at > _KEPT_S
        ]
        self._graphs = {name: graph for name, graph in self._graphs.items() if graph not in left}
        for graph in left:
            logger.info("%s is no longer asked for", graph.name)
            graph.close()
