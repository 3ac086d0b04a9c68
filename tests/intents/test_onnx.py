"""The classifier as it serves: cut, padded, mixed, and safe to call from many threads."""

import threading
from pathlib import Path

import numpy as np
import pytest

from intents import encoder
from intents.encoder.embedding import Embedder
from intents.inference import artifacts
from tests.training.encoders import write_bert
from training.datasets import Example
from training.fit import Parameters, train_model

pytestmark = pytest.mark.model

SENTENCES = {
    "logistics": ["快递到哪了", "我的快递", "查询快递", "快递怎么了", "物流到哪", "物流查询"],
    "invoice": ["开发票", "发票抬头", "我的发票", "发票怎么开", "能开票吗", "票抬头改"],
}
EXAMPLES = [Example(text, label) for label, texts in SENTENCES.items() for text in texts]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from django.test import override_settings

    folder: Path = tmp_path_factory.mktemp("served")
    source = write_bert(folder / "bert", layers=2, hidden=32, heads=2)
    with override_settings(INTENT_ENCODER=str(source), ENCODER_CACHE_DIR=folder / "cache"):
        base = encoder.ensure()
    train_model(
        EXAMPLES,
        EXAMPLES,
        encoder=base,
        out=folder / "v1",
        parameters=Parameters(epochs=2, learning_rate=1e-3, batch_size=4, threads=1, device="cpu"),
    )
    embedder = Embedder(base.embedder, base.tokenizer, prefix=base.prefix)
    return artifacts.load_classifier(folder / "v1", embedder), embedder


def test_knows_what_it_was_taught(served):
    classifier, _ = served

    probabilities = classifier.predict_probabilities([each.text for each in EXAMPLES])

    guesses = [classifier.labels[column] for column in probabilities.argmax(axis=1)]
    assert guesses == [each.label for each in EXAMPLES]


@pytest.mark.parametrize("text", ["", " ", "😂", "\ud800", "快" * 5000, "a" * 5000, "\x00"])
def test_any_text_gets_probabilities(served, text):
    [row] = served[0].predict_probabilities([text.encode("utf-8", "replace").decode()])

    assert row.sum() == pytest.approx(1.0, abs=1e-5)


def test_no_text_gives_no_row(served):
    assert served[0].predict_probabilities([]).shape == (0, 2)


def test_vectors_that_the_caller_has_are_used_instead_of_computed(served):
    classifier, embedder = served
    texts = ["快递", "发票"]

    given = classifier.predict_probabilities(texts, embedder.embed(texts))

    assert np.allclose(given, classifier.predict_probabilities(texts), atol=1e-6)


def test_order_of_the_texts_is_kept_over_batches(served):
    classifier, _ = served
    texts = ["快递到哪了" * (1 + number % 9) for number in range(150)]
    texts[77] = "发票抬头"

    guesses = classifier.predict_probabilities(texts).argmax(axis=1)

    invoice = classifier.labels.index("invoice")
    assert np.flatnonzero(guesses == invoice).tolist() == [77]


def test_threads_share_one_classifier(served):
    classifier, _ = served
    expected = classifier.predict_probabilities(["发票"])
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(classifier.predict_probabilities(["发票"])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 8
    assert all(np.allclose(answer, expected, atol=1e-6) for answer in answers)
