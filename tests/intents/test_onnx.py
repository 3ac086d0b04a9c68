"""The classifier as it serves: cut, padded, mixed, and safe to call from many threads."""

import threading
from pathlib import Path

import numpy as np
import pytest

from intents import encoder
from intents.inference import artifacts
from intents.inference.loading import embedder_of
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
    embedder = embedder_of(base)
    return artifacts.load_classifier(folder / "v1"), embedder


def test_knows_what_it_was_taught(served):
    classifier, _ = served

    probabilities = classifier.read([each.text for each in EXAMPLES]).probabilities

    guesses = [classifier.labels[column] for column in probabilities.argmax(axis=1)]
    assert guesses == [each.label for each in EXAMPLES]


@pytest.mark.parametrize("text", ["", " ", "😂", "\ud800", "快" * 5000, "a" * 5000, "\x00"])
def test_any_text_gets_probabilities(served, text):
    [row] = served[0].read([text.encode("utf-8", "replace").decode()]).probabilities

    assert row.sum() == pytest.approx(1.0, abs=1e-5)


def test_no_text_gives_no_row(served):
    assert served[0].read([]).probabilities.shape == (0, 2)


def test_one_call_gives_the_vectors_too(served):
    classifier, embedder = served
    texts = ["快递", "发票抬头怎么开", ""]

    vectors = classifier.read(texts).vectors

    assert (vectors * embedder.embed(texts)).sum(axis=1).min() > 0.999


def test_order_of_the_texts_is_kept_over_batches(served):
    classifier, _ = served
    texts = ["快递到哪了" * (1 + number % 9) for number in range(150)]
    texts[77] = "发票抬头"

    guesses = classifier.read(texts).probabilities.argmax(axis=1)

    invoice = classifier.labels.index("invoice")
    assert np.flatnonzero(guesses == invoice).tolist() == [77]


def test_threads_share_one_classifier(served):
    classifier, _ = served
    expected = classifier.read(["发票"]).probabilities
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(classifier.read(["发票"]).probabilities))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 8
    assert all(np.allclose(answer, expected, atol=1e-6) for answer in answers)
