"""How strange a text is, as a prediction carries it: by the model, by examples, by labels."""

from collections.abc import Sequence

import numpy as np
import pytest

from intents.guard import normalize
from intents.inference import artifacts
from intents.inference.base import FrozenEncoder, Read, TrainedModel
from intents.inference.catalogue import Catalogue, Sentence
from intents.inference.understanding import Understanding, decided, examples_of
from tests.intents.models_of_tests import SENTENCES, LetterEmbedder

STRANGE = 0.8


class StrangerToEverything:
    """A model that is sure of its first label, and that all texts mean none of its labels."""

    labels = tuple(SENTENCES)

    def read(self, texts: Sequence[str]) -> Read:
        rows = np.tile(np.array([0.9, 0.05, 0.05], np.float32), (len(texts), 1))
        vectors = LetterEmbedder().embed(texts)
        return Read(rows, vectors, np.full(len(texts), STRANGE, np.float32))


def sentences(**more: list[str]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(intent, text, normalize.key(text), "")
        for intent, texts in {**SENTENCES, **more}.items()
        for text in texts
    )


def understanding(model: TrainedModel | None, **more: list[str]) -> Understanding:
    known = sentences(**more)
    codes = frozenset({each.intent for each in known})
    catalogue = Catalogue(1, codes, {code: (code,) for code in codes}, known)
    encoder = FrozenEncoder("letters", LetterEmbedder())
    vectors = encoder.embedder.embed([each.text for each in known])
    examples = examples_of(catalogue, vectors, encoder, model)
    return Understanding(catalogue, examples=examples, model=model)


@pytest.fixture
def model() -> TrainedModel:
    seen = frozenset(artifacts.key_hash(normalize.key(each.text)) for each in sentences())
    return TrainedModel("v1", StrangerToEverything(), seen)


def test_the_models_word_is_passed_on(model: TrainedModel):
    [prediction] = understanding(model).predict(["今天天气怎么样啊"])

    assert prediction.out_of_scope == pytest.approx(STRANGE)
    assert prediction.probability == pytest.approx(0.9)  # given that it is in scope


def test_what_staff_labelled_themselves_is_in_scope(model: TrainedModel):
    [prediction] = understanding(model).predict(["您好，怎么开发票？"])

    assert prediction.intent == "invoice"
    assert prediction.out_of_scope < 0.05


def test_what_is_near_to_fresh_utterances_is_in_scope(model: TrainedModel):
    wraps = ["礼物包装纸", "包装成礼物", "礼物要包装", "包装礼盒", "礼盒包装"]

    near, far = understanding(model, gift=wraps).predict(["礼物包装礼盒纸", "今天天气怎么样啊"])

    assert near.intent == "gift"
    assert near.out_of_scope < far.out_of_scope <= STRANGE + 1e-6


def test_examples_alone_tell_it_too():
    many = {
        intent: [f"{text}{end}" for text in texts for end in ("", "呢", "吧", "的")]
        for intent, texts in SENTENCES.items()
    }

    own, foreign = understanding(None, **many).predict(["我的快递几天到哪", "猫会不会做梦呀"])

    assert own.source == "prototypes"
    assert own.out_of_scope < foreign.out_of_scope


@pytest.mark.parametrize("has_model", [True, False])
def test_texts_may_be_decided_together_or_apart(model: TrainedModel, has_model: bool):
    wraps = ["礼物包装纸", "包装成礼物", "礼物要包装", "包装礼盒", "礼盒包装"]
    knows = understanding(model if has_model else None, gift=wraps)
    texts = ["礼物包装礼盒纸", "今天天气怎么样啊", "您好，怎么开发票？", "我的快递到哪了"]
    begun = knows.begin(texts)

    together, others = decided(begun), decided(knows.begin(["怎么开发票"]) + begun[::-1])
    apart = [answer for one in begun for answer in decided([one])]

    assert [each.intent for each in together] == [each.intent for each in apart]
    for one, alone, reversed_one in zip(together, apart, others[:0:-1], strict=True):
        assert dict(one.ranked) == pytest.approx(dict(alone.ranked), abs=1e-3)
        assert dict(one.ranked) == pytest.approx(dict(reversed_one.ranked), abs=1e-3)
        assert one.out_of_scope == pytest.approx(alone.out_of_scope, abs=1e-3)
