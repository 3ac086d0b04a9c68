"""Contenders of tests: an opener with the stand-ins of `models_of_tests`, and drafts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from intents.guard import normalize
from intents.inference.watches import Sources
from intents.models import Draft, DraftEdit
from intents.trials import opening
from tests.intents.models_of_tests import SENTENCES, FixedClassifier, Shelf


@contextmanager
def trials_with(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[opening.Opener]:
    """Let the process's trials open what is on the shelf."""
    sources = Sources(shelf._encoder, lambda: shelf.active, shelf._model)
    opener = opening.Opener(sources)
    monkeypatch.setattr(opening, "_opener", opener)
    yield opener
    opener.close()


def put_trained(shelf: Shelf, version: str, *labels: str, sure: float = 0.9) -> FixedClassifier:
    """Add a model that answers its first label, and knows all sentences of content."""
    classifier = FixedClassifier(labels, sure=sure)
    seen = [text for texts in SENTENCES.values() for text in texts]
    shelf.put(version, classifier, seen)
    return classifier


def a_draft(**edits: Any) -> Draft:
    """A draft with the intent "gift", five utterances of it and a reply."""
    draft = Draft.objects.create(title="礼品包装")
    values = {
        "code": "gift",
        "name_zh": "礼品包装",
        "name_en": "Gift wrapping",
        "description_zh": "",
        "description_en": "",
        "is_active": True,
        "hands_over": False,
        "is_offered": True,
        "position": 1,
        **edits,
    }
    add_edit(draft, "intent", "intent:gift", values)
    for text in ("可以包装成礼物吗", "有礼品包装吗", "礼物包装要钱吗", "包成礼物", "礼品盒有吗"):
        sentence = {
            "intent": "gift",
            "text": text,
            "language": "zh",
            "family": "",
            "split": "train",
        }
        add_edit(draft, "utterance", f"utterance:+{normalize.key(text)}", sentence)
    reply = {"intent": "gift", "language": "zh", "channel": "", "text": "可以包", "is_active": True}
    add_edit(draft, "reply", "reply:+1", reply)
    return draft


def add_edit(draft: Draft, kind: str, key: str, values: dict[str, Any]) -> None:
    DraftEdit.objects.create(draft=draft, kind=kind, key=key, intent="gift", values=values)
