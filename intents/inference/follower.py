"""Keeps a process's understanding up to date with content, encoder and active model."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from csplatform import memory
from intents.inference import catalogue
from intents.inference.base import FrozenEncoder, State, TrainedModel
from intents.inference.catalogue import Catalogue
from intents.inference.features import Features
from intents.inference.keywords import Keywords
from intents.inference.letters import Grams
from intents.inference.quality import Inspector
from intents.inference.succession import succeeded
from intents.inference.understanding import Examples, Understanding, examples_of
from intents.inference.vectors import Vectors
from intents.inference.watches import EncoderWatch, ModelWatch, Sources
from intents.lineage import Step

logger = logging.getLogger(__name__)

# Embedded in one step, about half a second; then content and model are looked at again.
_EMBED_AT_ONCE = 256
# Prototypes that could not be fitted are tried again after this.
_REFIT_S = 10.0
# Prototypes of thousands of utterances are not made while the first model loads: it takes half a
# second, they take as long or longer, and it answers better.
_HOLD_S = 0.8
# A model that fails on every text is loaded afresh so often.
_RELOAD_S = 10.0


@dataclass(frozen=True, slots=True)
class Condition:
    """A state and what belongs to it."""

    state: State = "loading"
    detail: str = ""  # what is wrong, "" when nothing is
    since: datetime = field(default_factory=lambda: datetime.now(UTC))  # of the state


class Follower:
    """One thread that watches the content version and the active model.

    It prepares the next `Understanding` beside the present one and hands it to `publish`
    when it is warm: whoever answers never waits for it. What fails is logged and tried
    again; what was published before stays.
    """

    def __init__(
        self,
        sources: Sources,
        publish: Callable[[Understanding], None],
        *,
        settled: threading.Event,
        poll_s: float,
        is_failing: Callable[[], bool],
    ) -> None:
        """Start following.

        Args:
            publish: Called on the follower's thread with each new understanding.
            settled: Is set when everything that exists has been loaded, or has failed, once.
            poll_s: Seconds between two looks.
            is_failing: Whether the model that serves answers nothing; it is then loaded afresh.
        """
        self._sources, self._publish, self._is_failing = sources, publish, is_failing
        self._poll_s = poll_s
        self._stopping = False
        self._woken = threading.Event()
        self._complaining = True
        self._catalogue: Catalogue | None = None
        self._keywords: Keywords | None = None
        self._grams = Grams()
        self._settled = settled
        self._renewal: threading.Event | None = None
        self._reload_at = 0.0
        self.condition = Condition()
        self._begin()
        self._thread = threading.Thread(target=self._follow, name="intents-follower", daemon=True)
        self._thread.start()

    def _begin(self) -> None:
        """Forget all that was loaded, and load it."""
        self._vectors: Vectors | None = None
        self._examples: Examples | None = None
        self._features: Features | None = None
        self._read_as: tuple[TrainedModel | None, tuple[Step, ...]] = None, ()
        self._model: TrainedModel | None = None  # as it is read by the codes of now
        self._examples_due = self._catalogue is not None
        self._refit_at = float("inf")
        self._inspector = Inspector()
        self._published_complete = False
        self._hold_until = time.monotonic() + _HOLD_S
        self._watch = ModelWatch(self._sources, loaded=self._woken)
        self._encoders = EncoderWatch(self._sources, loaded=self._woken)

    @property
    def count_tokens(self) -> Callable[[str], int] | None:
        """Of the encoder that is there."""
        encoder = self._encoders.encoder
        return encoder.count_tokens if encoder is not None else None

    @property
    def encoder(self) -> FrozenEncoder | None:
        """The frozen encoder; None while it is being loaded."""
        return self._encoders.encoder

    @property
    def warm_up_s(self) -> float:
        return self._watch.warm_up_s

    def renew(self) -> threading.Event:
        """Load encoder and model once more; from the next look on nothing uses the present ones.

        Returns:
            Is set when new ones serve, or cannot be had.
        """
        settled = threading.Event()
        self._renewal = settled
        self._woken.set()
        return settled

    def stop(self, timeout_s: float | None = None) -> None:
        self._stopping = True
        self._encoders.stop()
        self._settled.set()
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
            self._note_condition()
        self._complaining = True
        return more

    def _step(self) -> bool:
        """Look once at everything. Returns whether there is more to do at once."""
        if self._renewal is not None:
            self._settled, self._renewal = self._renewal, None
            self._encoders.stop()
            self._begin()
            self._publish_now()
        if self._is_failing() and time.monotonic() >= self._reload_at:
            self._reload_at = time.monotonic() + _RELOAD_S
            self._watch.reload()
        # Published at once, with the examples of before: a warm model need not wait for new
        # ones, and keywords and labelled sentences need no vectors. The model comes first, for
        # it needs no database.
        for follow in (self._follow_model, self._follow_content):
            if follow():
                self._examples_due = True
                self._publish_now()
        if time.monotonic() >= self._refit_at:
            self._examples_due, self._refit_at = True, float("inf")
            self._published_complete = False
        encoder = self._encoders.encoder
        if self._watch.loading and time.monotonic() < self._hold_until:
            return False  # the first model wakes us
        if self._examples_due and encoder is not None:
            self._examples_due = not self._renew_examples(encoder)
            memory.give_back()
        if self._nothing_to_come and not self._published_complete:
            self._publish_now()
        if self._examples_due:
            return encoder is not None
        return self._inspector.step()

    def _note_condition(self) -> None:
        state, detail = self._state(), self._watch.problem or self._encoders.problem
        if state != self.condition.state:
            self.condition = Condition(state, detail)
        elif detail != self.condition.detail:
            self.condition = replace(self.condition, detail=detail)
        if self._watch.model or (self._nothing_to_come and state != "loading"):
            self._settled.set()

    def _state(self) -> State:
        if self._watch.loading and not self._encoders.problem:
            return "swapping" if self._watch.model else "loading"
        if self._watch.loading or self._watch.problem:
            return "broken"
        if self._watch.model:
            return "ready"
        return "fallback" if self._examples or self._nothing_to_come else "loading"

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
        self._keywords = Keywords(sentences, read.names, self._grams)
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
        model = self._model_of_today()
        try:
            vectors = self._vectors.of(texts) if texts else None
            self._examples = (
                None
                if vectors is None
                else examples_of(
                    self._catalogue, vectors, encoder, model, self._grams, self._features_of(model)
                )
            )
        except Exception:
            logger.exception("Prototypes cannot be fitted; those of before go on")
            self._refit_at = time.monotonic() + _REFIT_S
            return True
        self._inspector.inspect(
            self._catalogue.version, self._examples.prototypes if self._examples else None, model
        )
        return True

    def _model_of_today(self) -> TrainedModel | None:
        """Return the model that serves, by the codes that intents have now."""
        loaded = self._watch.model
        steps = self._catalogue.steps if self._catalogue is not None else ()
        if self._read_as[0] is not loaded or self._read_as[1] != steps:
            self._read_as = loaded, steps
            self._model = succeeded(loaded, steps) if loaded is not None else None
        return self._model

    def _features_of(self, model: TrainedModel | None) -> Features | None:
        """Return those of the model, with what was read of it before."""
        if self._features is None or self._features.model is not model:
            self._features = Features(model) if model is not None else None
        return self._features

    def _publish_now(self) -> None:
        self._published_complete = self._nothing_to_come
        self._publish(
            Understanding(
                self._catalogue or catalogue.EMPTY,
                keywords=self._keywords,
                examples=self._examples,
                model=self._model_of_today(),
                is_complete=self._published_complete,
            )
        )
        self._note_condition()
