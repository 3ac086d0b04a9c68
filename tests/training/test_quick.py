"""The quick training: new heads over a network that is kept."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from intents import encoder
from intents.encoder import EncoderDirectory
from intents.guard import normalize
from intents.inference import artifacts
from tests.training.encoders import write_bert
from tests.training.test_fit import DEV, QUICK, TRAIN, WORDS
from training import system
from training.datasets import BadDataset, Example
from training.fit import train_model
from training.kept import Kept
from training.quick import train_quick

pytestmark = pytest.mark.model

OLD = ("logistics", "invoice")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> EncoderDirectory:
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("encoder")
    source = write_bert(folder / "tiny-bert", layers=2, hidden=32, heads=2)
    with override_settings(INTENT_ENCODER=str(source), ENCODER_CACHE_DIR=folder / "cache"):
        return encoder.ensure()


@pytest.fixture(scope="module")
def base(tiny, tmp_path_factory) -> Path:
    """A fine-tuned model that has never heard of coupons."""
    out = tmp_path_factory.mktemp("models") / "v1"
    of_old = ([each for each in part if each.label in OLD] for part in (TRAIN, DEV))
    train_model(*of_old, encoder=tiny, out=out, parameters=QUICK)
    return out


def accuracy(directory: Path) -> float:
    classifier = artifacts.load_classifier(directory)
    read = classifier.read([normalize.for_model(each.text) for each in DEV])
    guesses = [classifier.labels[column] for column in read.probabilities.argmax(axis=1)]
    return float(np.mean([guess == each.label for guess, each in zip(guesses, DEV, strict=True)]))


def test_it_learns_a_new_intent_over_the_network_of_the_model_before(tiny, base, tmp_path):
    out = tmp_path / "v2"

    report = train_quick(TRAIN, DEV, encoder=tiny, out=out, network=Kept.of_model(base, tiny))

    manifest = artifacts.verify(out)
    assert manifest == report.manifest
    assert (manifest.mode, manifest.labels) == ("quick", tuple(sorted(WORDS)))
    assert manifest.parameters == {"network": "v1"}
    assert accuracy(out) == report.int8.accuracy > 0.6
    assert report.fp32 == report.int8
    assert report.history == []


def test_the_network_is_the_same_and_only_the_head_is_new(tiny, base, tmp_path):
    out = tmp_path / "v2"
    train_quick(TRAIN, DEV, encoder=tiny, out=out, network=Kept.of_model(base, tiny))

    before, after = (artifacts.load_classifier(each).read(["我的快递"]) for each in (base, out))

    assert np.allclose(before.vectors, after.vectors, atol=1e-5)
    assert np.allclose(before.features, after.features, atol=1e-5)
    assert before.probabilities.shape != after.probabilities.shape


def test_what_the_network_has_learned_stays_written_down_over_generations(tiny, base, tmp_path):
    learned = artifacts.load_manifest(base).learned
    assert learned == system.hashes(
        [normalize.for_model(each.text) for each in TRAIN if each.label in OLD]
    )
    second, third = tmp_path / "v2", tmp_path / "v3"
    train_quick(TRAIN, DEV, encoder=tiny, out=second, network=Kept.of_model(base, tiny))
    train_quick(TRAIN, DEV, encoder=tiny, out=third, network=Kept.of_model(second, tiny))

    assert artifacts.load_manifest(third).learned == learned
    assert artifacts.load_manifest(third).parameters == {"network": "v2"}


def test_it_is_calibrated_on_what_the_kept_network_has_not_learned(tiny, base, tmp_path):
    learned = [each for each in TRAIN if each.label in OLD][:5]

    report = train_quick(
        TRAIN,
        [*DEV, *learned],
        encoder=tiny,
        out=tmp_path / "v2",
        network=Kept.of_model(base, tiny),
    )

    assert report.manifest.data["dev_texts"] == len(DEV)
    assert report.int8.texts == len(DEV)


def test_a_network_that_has_learned_nearly_all_held_out_texts_is_not_kept(tiny, base, tmp_path):
    dev = [each for each in TRAIN if each.label in OLD]

    report = train_quick(
        TRAIN, dev, encoder=tiny, out=tmp_path / "v2", network=Kept.of_model(base, tiny)
    )

    assert report.manifest.parameters == {"network": ""}
    assert report.manifest.data["dev_texts"] == len(dev)


def test_without_a_network_the_encoder_alone_serves(tiny, tmp_path):
    out = tmp_path / "v1"

    report = train_quick(TRAIN, DEV, encoder=tiny, out=out)

    assert report.manifest.learned == frozenset()
    assert artifacts.DIRECTIONS not in report.manifest.files  # it has no features of its own
    assert Kept.of_model(out, tiny) is None
    assert accuracy(out) == report.int8.accuracy > 0.6


def test_two_intents_are_enough_and_one_is_refused(tiny, tmp_path):
    two = [each for each in TRAIN if each.label in OLD]
    train_quick(two, DEV, encoder=tiny, out=tmp_path / "v1")
    assert len(artifacts.load_classifier(tmp_path / "v1").labels) == 2

    with pytest.raises(BadDataset):
        train_quick([Example("退货", "a")], DEV, encoder=tiny, out=tmp_path / "v2")
    assert not (tmp_path / "v2").exists()


def test_vectors_that_are_known_are_not_computed_again(tiny, tmp_path):
    kept = Kept.of_encoder(tiny)
    texts = [normalize.for_model(each.text) for each in (*TRAIN, *DEV)]
    vectors, _ = Kept.of_encoder(tiny).read(texts)
    kept.remember(dict(zip(texts, vectors, strict=True)))
    read: list[float] = []

    kept.read(texts, read.append)

    assert read == [1.0]  # nothing was new


def test_a_model_over_another_encoder_has_nothing_to_keep(tiny, base):
    other = dataclasses.replace(tiny, id="another")

    assert Kept.of_model(base, other) is None


def test_what_progress_raises_ends_it_and_leaves_nothing(tiny, base, tmp_path):
    def stop(step: str, _share: float) -> None:
        if step == "export":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_quick(TRAIN, DEV, encoder=tiny, out=tmp_path / "v2", progress=stop)

    assert list(tmp_path.iterdir()) == []
