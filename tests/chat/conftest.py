"""A scripted engine at the seam of intents.inference, and the content it talks about."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from intents import content, inference
from intents.models import Intent, Language, Phrase
from tests.factories import IntentFactory, PhraseFactory, ReplyFactory

Ranked = tuple[tuple[str, float], ...]


class ScriptedEngine:
    """Understands what a test tells it to, and can be held while it thinks."""

    def __init__(self) -> None:
        self.says: dict[str, Ranked] = {}
        self.otherwise: Ranked = (("logistics", 0.9), ("invoice", 0.05))
        self.asked: list[str] = []
        self.feels: dict[str, inference.Mood] = {}
        self.version, self.content_version, self.source = "v1", 1, "model"
        self.thinking, self.go = threading.Event(), threading.Event()
        self.go.set()

    def classify(self, text: str, *, timeout_s: float | None = None) -> inference.Prediction:
        self.asked.append(text)
        self.thinking.set()
        assert self.go.wait(20)
        ranked = self.says.get(text, self.otherwise)
        return inference.Prediction(ranked, source=self.source, model_version=self.version)

    async def aclassify(self, text: str, *, timeout_s: float | None = None) -> inference.Prediction:
        return await asyncio.to_thread(self.classify, text)

    def classify_many(
        self, texts: Sequence[str], *, timeout_s: float | None = None
    ) -> list[inference.Prediction]:
        return list(map(self.classify, texts))

    async def aclassify_many(
        self, texts: Sequence[str], *, timeout_s: float | None = None
    ) -> list[inference.Prediction]:
        return await asyncio.to_thread(self.classify_many, texts)

    def moods(self, texts: Sequence[str]) -> list[inference.Mood | None]:
        return [self.feels.get(text) for text in texts]

    def encoder(self) -> None:
        """There is none: what is read by it is read by none."""

    def status(self) -> inference.Status:
        return inference.Status(
            state="ready",
            source="model",
            model_version=self.version,
            content_version=self.content_version,
        )

    def stop(self) -> None:
        self.go.set()


@pytest.fixture(autouse=True)
def _forget_content() -> Iterator[None]:
    content.forget()
    yield
    content.forget()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEngine]:
    scripted = ScriptedEngine()
    monkeypatch.setattr(inference, "_engine", scripted)
    yield scripted
    scripted.stop()


def write_content() -> None:
    """Save four intents with replies, and the bot's phrases as "[purpose language]"."""
    for code in ("logistics", "invoice", "coupon"):
        intent = IntentFactory(code=code)
        for number in (1, 2):
            ReplyFactory(intent=intent, text=f"{code} 答复{number}")
    human = IntentFactory(code="human_agent", hands_over=True)
    ReplyFactory(intent=human, text="马上转人工")
    ReplyFactory(
        intent=Intent.objects.get(code="logistics"), language="en", text="It is on its way"
    )
    for purpose in Phrase.Purpose.values:
        for language in Language.values:
            name = " {agent_name}" if purpose == Phrase.Purpose.AGENT_JOINED else ""
            PhraseFactory(purpose=purpose, language=language, text=f"[{purpose} {language}{name}]")


@pytest.fixture
def talk(db: None) -> None:
    write_content()
