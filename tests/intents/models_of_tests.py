"""Stand-ins at the engine's seam: an encoder and trained models that tests can hold and break."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from intents.guard import normalize
from intents.inference import artifacts
from intents.inference.base import Floats, FrozenEncoder, Read, TrainedModel
from intents.inference.engine import Engine
from intents.inference.watches import Sources
from intents.models import Intent, Language, Utterance
from intents.services import content_changed

SENTENCES = {
    "logistics": [
        "我的快递到哪了",
        "包裹什么时候到",
        "物流怎么不更新",
        "快递几天能到",
        "包裹发货了吗",
    ],
    "invoice": [
        "怎么开发票",
        "发票抬头填错了",
        "电子发票在哪里下载",
        "可以开增值税发票吗",
        "补开发票",
    ],
    "coupon": ["优惠券怎么用", "优惠券不能叠加吗", "领不到优惠券", "优惠券过期了", "券用不了"],
}


POISON = "毒药"  # no model of the tests reads a text with it


class LetterEmbedder:
    """Texts that share letters get like vectors, as deterministic as the real encoder."""

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.slow_s = 0.0

    def embed(self, texts: Sequence[str]) -> Floats:
        time.sleep(self.slow_s)
        self.embedded += texts
        vectors = np.full((len(texts), 256), 0.01, np.float32)
        for row, text in enumerate(texts):
            for letter in text:
                vectors[row, ord(letter) * 7919 % 256] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class FixedClassifier:
    """Gives its first label `sure`, and the others the rest in equal parts."""

    def __init__(self, labels: Sequence[str], *, sure: float = 0.9) -> None:
        self.labels = labels
        self.sure = sure
        self.slow_s = 0.0
        self.broken = False
        self.go = threading.Event()
        self.go.set()
        self.seen: list[list[str]] = []

    def read(self, texts: Sequence[str]) -> Read:
        self.seen.append(list(texts))
        assert self.go.wait(20)
        time.sleep(self.slow_s)
        if self.broken or any(POISON in text for text in texts):
            raise RuntimeError("this model is broken")
        rest = (1 - self.sure) / (len(self.labels) - 1)
        row = [self.sure, *[rest] * (len(self.labels) - 1)]
        rows = np.array([row] * len(texts), np.float32).reshape(len(texts), len(self.labels))
        return Read(rows, LetterEmbedder().embed(texts))


class Shelf:
    """The models of a test and the pointer to the active one; makes engines."""

    def __init__(self) -> None:
        self.embedder = LetterEmbedder()
        self.models: dict[str, TrainedModel] = {}
        self.active: str | None = None
        self.encoder_error: Exception | None = None
        self.load_s = 0.0
        self.load_real: Callable[[str, FrozenEncoder], TrainedModel] | None = None
        self._engines: list[Engine] = []

    def put(self, version: str, classifier: FixedClassifier, seen: Sequence[str]) -> None:
        """Add a model that was trained on the texts `seen`."""
        keys = frozenset(artifacts.key_hash(normalize.key(text)) for text in seen)
        self.models[version] = TrainedModel(version, classifier, keys)

    def engine(self, **more: Any) -> Engine:
        engine = Engine(Sources(self._encoder, lambda: self.active, self._model), **more)
        self._engines.append(engine)
        return engine

    def stop(self) -> None:
        for engine in self._engines:
            engine.stop()

    def _encoder(self) -> FrozenEncoder:
        if self.encoder_error:
            raise self.encoder_error
        return FrozenEncoder("letters", self.embedder)

    def _model(self, version: str, encoder: FrozenEncoder) -> TrainedModel:
        time.sleep(self.load_s)
        if self.load_real is not None:
            return self.load_real(version, encoder)
        if version not in self.models:
            raise artifacts.BrokenArtifact(f"{version} has no manifest")
        return self.models[version]


def write_content(sentences: dict[str, list[str]] = SENTENCES, **intent: Any) -> None:
    """Save intents with their training utterances, and tell every process."""
    for code, texts in sentences.items():
        owner, _ = Intent.objects.update_or_create(
            code=code, defaults={"name_zh": code, "name_en": code, **intent}
        )
        for text in texts:
            Utterance.objects.create(
                intent=owner, text=text, key=normalize.key(text), language=Language.CHINESE
            )
    content_changed(understanding=True)


def eventually(check: Any, *, within_s: float = 10.0) -> Any:
    """Return what `check` returns as soon as that is true."""
    deadline = time.monotonic() + within_s
    while not (result := check()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)
    return result
