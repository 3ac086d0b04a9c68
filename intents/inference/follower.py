"""Keeps a process's understanding up to date with content, encoder and active model."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from intents.inference import catalogue
from intents.inference.base import FrozenEncoder, State, TrainedModel
from intents.inference.catalogue import Catalogue
from intents.inference.keywords import Keywords
from intents.inference.understanding import Examples, Understanding, examples_of
from intents.inference.vectors import Vectors

logger = logging.getLogger(__name__)

# Embedded in one step, about half a second; then content and model are looked at again.
_EMBED_AT_ONCE = 256
# What could not be loaded is tried again after this: files may have been copied late.
_RETRY_S = 10.0
_WARM_UP = ("你好", "Where is my parcel? " * 20)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a process gets its models from; tests put their own here."""

    encoder: Callable[[], FrozenEncoder]  # may build it first: a minute on a new machine
    active_version: Callable[[], str | None]
    model: Callable[[str, FrozenEncoder], TrainedModel]


class ModelWatch:
    """The trained model that serves, and what becomes of the one that should."""

    def __init__(self, sources: Sources, loaded: threading.Event) -> None:
        """Take where models come from; `loaded` is set at each success or failure."""
        self._sources = sources
        self._loaded = loaded
        self._pointed_to: str | None = None
        self._retry_at = float("inf")
        self._outcome: TrainedModel | Exception | None = None
        self._thread_runs = False
        self._waits_for_encoder = False
        self.model: TrainedModel | None = None
        self.problem = ""

    @property
    def loading(self) -> bool:
        return self._thread_runs or self._waits_for_encoder

    def follow(self, encoder: FrozenEncoder | None) -> bool:
        """Have what the pointer names loaded and warmed on a thread of its own, if that is news.

        Args:
            encoder: A model reads its vectors; None while it is not there.

        Returns:
            Whether another model, or none, serves from now on. One that cannot be loaded
            leaves the present one in service, and is tried again from time to time.
        """
        if self._outcome is not None:
            return self._take(self._outcome)
        version = self._sources.active_version()
        is_due = version != self._pointed_to or time.monotonic() >= self._retry_at
        if not is_due or self._thread_runs:
            return False
        self._waits_for_encoder = version is not None and encoder is None
        if self._waits_for_encoder:
            return False
        self._pointed_to, self._retry_at, self.problem = version, float("inf"), ""
        if version is None or encoder is None:
            moved, self.model = self.model is not None, None
            return moved
        if self.model is not None and self.model.version == version:
            return False  # pointed back from one that was broken
        self._thread_runs = True
        threading.Thread(
            target=self._load, args=(version, encoder), name="intents-model", daemon=True
        ).start()
        return False

    def _load(self, version: str, encoder: FrozenEncoder) -> None:
        try:
            model = self._sources.model(version, encoder)
            for text in _WARM_UP:
                model.classifier.predict_probabilities([text])
        except Exception as error:
            logger.exception("Model %s cannot be loaded; what answered before goes on", version)
            self._outcome = error
        else:
            self._outcome = model
        self._loaded.set()

    def _take(self, outcome: TrainedModel | Exception) -> bool:
        self._outcome, self._thread_runs = None, False
        if isinstance(outcome, Exception):
            self.problem = f"{self._pointed_to}: {outcome}"
            self._retry_at = time.monotonic() + _RETRY_S
            return False
        logger.info("Model %s answers from now on", outcome.version)
        self.model = outcome
        return True


class EncoderWatch:
    """The frozen encoder, loaded on a thread of its own: the first build takes a minute."""

    def __init__(self, sources: Sources, loaded: threading.Event) -> None:
        """Start loading; `loaded` is set at each success or failure."""
        self._sources = sources
        self._loaded = loaded
        self._stopping = threading.Event()
        self.encoder: FrozenEncoder | None = None
        self.problem = ""
        threading.Thread(target=self._load, name="intents-encoder", daemon=True).start()

    def stop(self) -> None:
        """Do not try again; a build that runs is left to finish."""
        self._stopping.set()

    def _load(self) -> None:
        while not self._stopping.is_set():
            try:
                encoder = self._sources.encoder()
                encoder.embedder.embed(_WARM_UP)
            except Exception as error:
                logger.exception("The encoder cannot be loaded; keywords stand in for prototypes")
                self.problem = str(error) or type(error).__name__
                self._loaded.set()
                self._stopping.wait(_RETRY_S)
            else:
                self.encoder, self.problem = encoder, ""
                self._loaded.set()
                return


class Follower:
    """One thread that watches the content version and the active model.

    It prepares the next `Understanding` beside the present one and hands it to `publish`
    when it is warm: whoever answers never waits for it. What fails is logged and tried
    again; what was published before stays.
    """

    def __init__(
        self, sources: Sources, publish: Callable[[Understanding], None], *, poll_s: float
    ) -> None:
        """Start following.

        Args:
            publish: Called on the follower's thread with each new understanding.
            poll_s: Seconds between two looks.
        """
        self._publish = publish
        self._poll_s = poll_s
        self._stopping = False
        self._woken = threading.Event()
        self._complaining = True
        self._catalogue: Catalogue | None = None
        self._keywords: Keywords | None = None
        self._vectors: Vectors | None = None
        self._examples: Examples | None = None
        self._examples_due = False
        self._published_complete = False
        # Set when everything that exists has been loaded, or has failed, once.
        self.settled = threading.Event()
        self._watch = ModelWatch(sources, loaded=self._woken)
        self._encoders = EncoderWatch(sources, loaded=self._woken)
        self._thread = threading.Thread(target=self._follow, name="intents-follower", daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        if self._watch.loading and not self._encoders.problem:
            return "swapping" if self._watch.model else "loading"
        if self._watch.loading or self._watch.problem:
            return "broken"
        if self._watch.model:
            return "ready"
        return "fallback" if self._examples or self._nothing_to_come else "loading"

    @property
    def detail(self) -> str:
        """What is wrong, "" when nothing is."""
        return self._watch.problem or self._encoders.problem

    def stop(self, timeout_s: float | None = None) -> None:
        self._stopping = True
        self._encoders.stop()
        self.settled.set()
        self._woken.set()
        self._thread.join(timeout_s)

    def _follow(self) -> None:
        try:
            while not self._stopping:
                self._woken.clear()
                if not self._step_safely():
                    self._woken.wait(self._poll_s)
        finally:
            connection.close()

    def _step_safely(self) -> bool:
        close_old_connections()
        try:
            more = self._step()
        except (DatabaseError, InterfaceError) as error:
            if self._complaining:  # once, not twice a second for as long as it is away
                logger.warning("Content cannot be read; what was read before stays: %s", error)
            self._complaining = False
            connection.close()
            return False
        except Exception:
            logger.exception("Following content and model failed; it is tried again")
            return False
        finally:
            close_old_connections()
        self._complaining = True
        return more

    def _step(self) -> bool:
        """Look once at everything. Returns whether there is more to do at once."""
        # Published at once, with the examples of before: a warm model need not wait for new
        # ones, and keywords and labelled sentences need no vectors. The model comes first, for
        # it needs no database.
        for follow in (self._follow_model, self._follow_content):
            if follow():
                self._examples_due = True
                self._publish_now()
        encoder = self._encoders.encoder
        if self._examples_due and encoder is not None:
            self._examples_due = not self._renew_examples(encoder)
        if self._nothing_to_come and not self._published_complete:
            self._publish_now()
        if self._watch.model or (self._nothing_to_come and self.state != "loading"):
            self.settled.set()
        return self._examples_due and encoder is not None

    @property
    def _nothing_to_come(self) -> bool:
        """Whether prototypes are up to date with content and model, or cannot be made."""
        if self._catalogue is None:
            return False
        if self._encoders.encoder is None:
            return bool(self._encoders.problem)
        return not self._examples_due

    def _follow_model(self) -> bool:
        return self._watch.follow(self._encoders.encoder)

    def _follow_content(self) -> bool:
        """Read the content if its version moved. Returns whether it did."""
        if self._catalogue and catalogue.current_version() == self._catalogue.version:
            return False
        read = catalogue.read()
        sentences = ((sentence.intent, sentence.text) for sentence in read.sentences)
        self._keywords = Keywords(sentences, read.names)
        self._catalogue = read
        return True

    def _renew_examples(self, encoder: FrozenEncoder) -> bool:
        """Embed what is new, fit prototypes. Returns False while vectors are missing."""
        if self._catalogue is None:
            return False
        self._vectors = self._vectors or Vectors(encoder)
        texts = [sentence.text for sentence in self._catalogue.sentences]
        missing = self._vectors.load(texts)
        self._vectors.embed(missing, most=_EMBED_AT_ONCE)
        if len(missing) > _EMBED_AT_ONCE:
            return False
        self._examples = None
        if texts:
            self._examples = examples_of(
                self._catalogue, self._vectors.of(texts), encoder, self._watch.model
            )
        return True

    def _publish_now(self) -> None:
        self._published_complete = self._nothing_to_come
        self._publish(
            Understanding(
                self._catalogue or catalogue.EMPTY,
                keywords=self._keywords,
                examples=self._examples,
                model=self._watch.model,
                is_complete=self._published_complete,
            )
        )
