"""Opens contenders: loads their models, lays drafts over content, fits prototypes; keeps a few."""

import contextlib
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from csplatform import memory
from intents import content as contents
from intents import drafts
from intents.content import Content
from intents.encoder import EncoderUnavailable
from intents.guard import normalize
from intents.inference import artifacts, catalogue
from intents.inference.base import (
    Classifier,
    Embedder,
    Floats,
    FrozenEncoder,
    Prediction,
    Read,
    TrainedModel,
)
from intents.inference.catalogue import Catalogue, Sentence
from intents.inference.features import Features
from intents.inference.keywords import Keywords
from intents.inference.succession import succeeded
from intents.inference.understanding import Understanding, examples_of
from intents.inference.vectors import Vectors
from intents.inference.watches import Sources
from intents.models import IntentMigration, Utterance
from intents.trials.contender import ACTIVE, Contender, ContenderUnavailable
from intents.trials.opened import Opened

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

# 50 to 150 MB each: a candidate beside the active one. Their prototypes take a tenth of that.
_MODELS_KEPT = 2
_UNDERSTANDINGS_KEPT = 3
# Without a trial for so long everything is closed.
_IDLE_S = 300.0


class Opener:
    """Opens contenders with models from `sources`; safe to use from several threads.

    Model passes run one at a time on a thread of its own, with the priority of a training. The
    database is read on the caller's thread, and only read.
    """

    def __init__(self, sources: Sources, *, idle_s: float = _IDLE_S) -> None:
        self._sources = sources
        self._idle_s = idle_s
        self._lock = threading.RLock()
        self._used_at = 0.0
        self._timer: threading.Timer | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._encoder: FrozenEncoder | None = None
        self._models: OrderedDict[str, TrainedModel] = OrderedDict()
        self._understandings: OrderedDict[tuple[str, int | None], Understanding] = OrderedDict()

    def open(self, contender: Contender) -> Opened:
        """Open a contender as he would answer now; takes a second the first time.

        Raises:
            ContenderUnavailable: The model or the draft cannot be had.
        """
        with self._lock:
            self._note_use()
            now = _content_of(contender)
            version = contender.version or self._sources.active_version() or ""
            understanding = self._understanding(contender, version, now)
        return Opened(now, understanding, self._run)

    def close(self) -> None:
        """Let go of everything that is kept open."""
        with self._lock:
            self._encoder, worker, self._worker = None, self._worker, None
            self._models.clear()
            self._understandings.clear()
        if worker is not None:
            worker.shutdown(wait=False)
        memory.give_back()

    # --- What a contender goes by ----------------------------------------------------------

    def _understanding(self, contender: Contender, version: str, now: Content) -> Understanding:
        place = (version, contender.draft)
        kept = self._understandings.get(place)
        known = kept.catalogue if kept is not None else None
        sentences = _catalogue_of(contender, now, known)
        if kept is None or sentences is not known:
            kept = self._made(sentences, version, is_named=bool(contender.version))
            self._understandings[place] = kept
        _keep_newest(self._understandings, place, _UNDERSTANDINGS_KEPT)
        return kept

    def _made(self, sentences: Catalogue, version: str, *, is_named: bool) -> Understanding:
        encoder = self._ready_encoder()
        if encoder is None:
            if is_named:
                raise ContenderUnavailable
            taught = ((one.intent, one.text) for one in sentences.sentences)
            return Understanding(sentences, keywords=Keywords(taught, sentences.names))
        model = self._model(version, encoder, is_named=is_named) if version else None
        model = model and succeeded(model, sentences.steps)
        texts = [one.text for one in sentences.sentences]
        if not texts:
            return Understanding(sentences, model=model)
        vectors = Vectors(replace(encoder, embedder=_Elsewhere(encoder, self._run)), stores=False)
        missing = vectors.load(texts)
        vectors.embed(missing, most=len(missing))
        examples = self._run(
            lambda: examples_of(
                sentences,
                vectors.of(texts),
                encoder,
                model,
                features=Features(model) if model is not None else None,
            )
        )
        return Understanding(sentences, examples=examples, model=model)

    def _ready_encoder(self) -> FrozenEncoder | None:
        try:
            self._encoder = self._encoder or self._sources.encoder()
        except (EncoderUnavailable, OSError) as error:
            logger.warning("There is no encoder, keywords are on trial: %s", error)
        return self._encoder

    def _model(
        self, version: str, encoder: FrozenEncoder, *, is_named: bool
    ) -> TrainedModel | None:
        if version not in self._models:
            try:
                loaded = self._sources.model(version, encoder)
            except (artifacts.BrokenArtifact, OSError) as error:
                logger.warning("Model %s cannot be tried: %s", version, error)
                if is_named:
                    raise ContenderUnavailable from error
                return None  # as customers are answered then: by prototypes
            self._models[version] = replace(loaded, classifier=_LastRead(loaded.classifier))
        _keep_newest(self._models, version, _MODELS_KEPT)
        return self._models[version]

    # --- Its thread and its end ------------------------------------------------------------

    def _run(self, work: Callable[[], _T]) -> _T:
        with self._lock:
            self._note_use()
            if self._worker is None:
                self._worker = ThreadPoolExecutor(
                    1, thread_name_prefix="intents-trials", initializer=_yield_to_customers
                )
            future = self._worker.submit(work)
        return future.result()

    def _note_use(self) -> None:
        self._used_at = time.monotonic()
        if self._timer is None:
            self._timer = threading.Timer(self._idle_s, self._close_if_idle)
            self._timer.daemon = True
            self._timer.start()

    def _close_if_idle(self) -> None:
        with self._lock:
            self._timer = None
            is_idle = time.monotonic() - self._used_at >= self._idle_s
            if not is_idle:
                used_at = self._used_at
                self._note_use()
                self._used_at = used_at
        if is_idle:
            self.close()


class _LastRead:
    """A classifier that remembers its latest batch: contenders with one model share a pass."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._texts: list[str] = []
        self._read: Read | None = None

    @property
    def labels(self) -> Sequence[str]:
        return self._classifier.labels

    def read(self, texts: Sequence[str]) -> Read:
        if self._read is None or self._texts != list(texts):
            self._read, self._texts = self._classifier.read(texts), list(texts)
        return self._read


class _Elsewhere:
    """An embedder that works on the thread of trials."""

    def __init__(
        self, encoder: FrozenEncoder, run: Callable[[Callable[[], Floats]], Floats]
    ) -> None:
        self._embedder: Embedder = encoder.embedder
        self._run = run

    def embed(self, texts: Sequence[str]) -> Floats:
        return self._run(lambda: self._embedder.embed(texts))


def _content_of(contender: Contender) -> Content:
    if contender.draft is None:
        return contents.current()
    try:
        return drafts.content_with(contender.draft)
    except ObjectDoesNotExist as gone:
        raise ContenderUnavailable from gone


def _catalogue_of(contender: Contender, now: Content, known: Catalogue | None) -> Catalogue:
    """Return the sentences that count; `known` itself where nothing has changed since."""
    if contender.draft is None:
        if known is not None and known.version == catalogue.current_version():
            return known
        return catalogue.read()
    try:
        rows = drafts.utterances_with(contender.draft, of_all=True)
    except ObjectDoesNotExist as gone:
        raise ContenderUnavailable from gone
    laid_over = Catalogue(
        version=0,
        active=frozenset(now.intents),
        names={each.code: (each.name_zh, each.name_en) for each in now.intents.values()},
        sentences=tuple(
            Sentence(row.code, normalize.for_model(row.text), normalize.key(row.text), row.family)
            for row in rows
            if row.split == Utterance.Split.TRAIN
        ),
        steps=IntentMigration.steps(),
    )
    return known if laid_over == known and known is not None else laid_over


def _keep_newest(kept: "OrderedDict[_T, Any]", newest: _T, most: int) -> None:
    kept.move_to_end(newest)
    while len(kept) > most:
        kept.popitem(last=False)


def _yield_to_customers() -> None:
    with contextlib.suppress(OSError, AttributeError):  # Linux: of this thread alone
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), settings.TRAINING_NICE)


def _sources() -> Sources:
    def encoder() -> FrozenEncoder:
        from intents.inference import loading  # ONNX Runtime, only where something is tried
        from intents.inference.backends import open_backend

        return loading.frozen_encoder(open_backend)

    def model(version: str, frozen: FrozenEncoder) -> TrainedModel:
        from intents.inference import loading
        from intents.inference.backends import open_backend

        # Here, never on the server: it has only what was activated. And all on one runtime, or
        # two contenders would differ by rounding.
        return loading.trained_model(version, frozen, open_backend)

    return Sources(encoder=encoder, active_version=artifacts.active_version, model=model)


_opener = Opener(_sources())


def open_contender(contender: Contender = ACTIVE) -> Opened:
    """Open a contender for a list of texts, with models from this process's small store.

    Raises:
        ContenderUnavailable: The model or the draft cannot be had.
    """
    return _opener.open(contender)


def read(contender: Contender, texts: Sequence[str]) -> list[Prediction]:
    """Say what each text would mean to a contender, in their order, without a trace.

    Args:
        texts: As customers wrote them; personal data is replaced here.

    Raises:
        ContenderUnavailable: The model or the draft cannot be had.
    """
    return open_contender(contender).read(texts)


def close() -> None:
    """Let go of the models that are kept open in this process."""
    _opener.close()


def _leave_to_parent() -> None:
    global _opener
    _opener = Opener(_sources())  # threads and sessions of the parent's are not here


os.register_at_fork(after_in_child=_leave_to_parent)
