"""What a trained model sees in utterances that it was not trained on."""

from collections.abc import Sequence

import numpy as np
import pytest

from intents.inference.base import Read, TrainedModel
from intents.inference.features import Features
from intents.inference.prototypes import Group

OLD, NEW = Group("old", fresh=False), Group("new", fresh=True)
TRAINED = np.array([[1.0, 0.0]], np.float32)


class Reader:
    """Sees a text's first letter: "a" in one direction, all else in the other."""

    labels = ("old",)

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_broken = False

    def read(self, texts: Sequence[str]) -> Read:
        if self.is_broken:
            raise RuntimeError("this model is broken")
        self.asked += texts
        features = np.array([[text[0] == "a", text[0] != "a"] for text in texts], np.float32)
        return Read(np.ones((len(texts), 1), np.float32), features, features=features)


@pytest.fixture
def reader() -> Reader:
    return Reader()


def features_by(reader: Reader) -> Features:
    return Features(TrainedModel("v1", reader, frozenset(), directions=TRAINED))


def test_a_fresh_group_lies_in_the_mean_direction_of_its_utterances(reader: Reader):
    found = features_by(reader).directions(["x", "a", "b", "c", "d"], [OLD, NEW, NEW, NEW, NEW])

    assert found is not None
    assert found[OLD] == pytest.approx([1, 0])  # as training measured it
    assert found[NEW] == pytest.approx(np.array([1, 3]) / np.sqrt(10))
    assert "x" not in reader.asked


def test_an_utterance_is_read_once(reader: Reader):
    features = features_by(reader)

    features.directions(["a", "b"], [NEW, NEW])
    features.directions(["a", "b", "c"], [NEW, NEW, NEW])

    assert reader.asked == ["a", "b", "c"]


def test_of_very_many_the_newest_are_read(reader: Reader):
    texts = [f"b{number}" for number in range(100)]

    features_by(reader).directions(texts, [NEW] * 100)

    assert reader.asked == texts[-30:]


@pytest.mark.parametrize("groups", [[OLD, OLD], []])
def test_without_fresh_utterances_there_is_nothing_to_compare(reader: Reader, groups: list[Group]):
    assert features_by(reader).directions(["a", "b"][: len(groups)], groups) is None


def test_a_model_that_fails_leaves_the_comparison_to_vectors(reader: Reader):
    reader.is_broken = True

    assert features_by(reader).directions(["a"], [NEW]) is None


def test_a_model_that_was_trained_before_its_features_were_kept_is_compared_by_vectors(
    reader: Reader,
):
    model = TrainedModel("v1", reader, frozenset())

    assert Features(model).directions(["a"], [NEW]) is None
