"""From sentences to a model directory, on an encoder small enough for a test."""

import dataclasses
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from intents import encoder
from intents.encoder import EncoderDirectory
from intents.guard import normalize
from intents.inference import artifacts
from tests.training.encoders import write_bert
from training.datasets import BadDataset, Example
from training.fit import Parameters, train_model

pytestmark = pytest.mark.model

QUICK = Parameters(epochs=3, learning_rate=1e-3, batch_size=8, threads=1, device="cpu")
WORDS = {
    "logistics": ["快递", "物流", "查询", "到哪", "快到"],
    "invoice": ["发票", "抬头", "开发", "开票", "发抬"],
    "coupon": ["优惠", "折扣", "用券", "惠券", "优券"],
}


def examples(start: int, stop: int) -> list[Example]:
    """Different sentences of each intent, told apart by single words."""
    frames = ["我的{}", "{}怎么", "请问{}", "{}吗", "能{}吗", "他的{}", "谢谢{}", "你好{}"]
    return [
        Example(frame.format(word), label)
        for label, words in WORDS.items()
        for frame, word in list(itertools.product(frames, words))[start:stop]
    ]


TRAIN, DEV = examples(0, 30), examples(30, 40)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> EncoderDirectory:
    """An encoder of two layers, through the product's own way for encoders from outside."""
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("encoder")
    source = write_bert(folder / "tiny-bert", layers=2, hidden=32, heads=2)
    with override_settings(INTENT_ENCODER=str(source), ENCODER_CACHE_DIR=folder / "cache"):
        return encoder.ensure()


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "v1"
    steps: list[tuple[str, float]] = []
    report = train_model(
        TRAIN,
        DEV,
        encoder=tiny,
        out=out,
        parameters=QUICK,
        progress=lambda step, fraction: steps.append((step, fraction)),
    )
    return out, report, steps


class TestWhatComesOut:
    def test_is_a_whole_directory_of_exactly_what_serving_needs(self, trained):
        out, report, _ = trained

        assert artifacts.verify(out) == report.manifest
        names = {path.name for path in out.iterdir()}
        assert names - {"light_head.npz"} == {
            *("manifest.json", "classifier.onnx", "tokenizer.json", "scope.npz"),
            "directions.npy",
        }
        assert [path.name for path in out.parent.iterdir()] == ["v1"]

    def test_serves_what_was_measured(self, trained, tiny):
        out, report, _ = trained
        served = artifacts.load_classifier(out)

        probabilities = served.read([each.text for each in DEV]).probabilities

        guesses = [served.labels[column] for column in probabilities.argmax(axis=1)]
        right = np.mean([guess == each.label for guess, each in zip(guesses, DEV, strict=True)])
        assert right == report.int8.accuracy
        assert right > 0.6
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(DEV)), abs=1e-5)

    def test_manifest_tells_how_it_was_made(self, trained, tiny):
        _, report, _ = trained
        manifest = report.manifest

        assert manifest.version == "v1"
        assert manifest.labels == ("coupon", "invoice", "logistics")
        assert manifest.encoder == tiny.id
        assert manifest.parameters == dataclasses.asdict(QUICK)
        assert manifest.measures["int8"]["accuracy"] == report.int8.accuracy
        assert manifest.data["train_texts"] == len(TRAIN)

    def test_manifest_knows_what_is_news_to_the_model(self, trained):
        seen = trained[1].manifest.seen

        assert artifacts.key_hash(normalize.key(TRAIN[0].text)) in seen
        assert artifacts.key_hash(normalize.key(DEV[0].text)) in seen  # it was there, held back
        assert artifacts.key_hash(normalize.key("怎么退货")) not in seen

    def test_progress_never_goes_back_within_a_step(self, trained):
        steps = trained[2]

        assert [name for name, _ in itertools.groupby(steps, key=lambda step: step[0])] == [
            "fit",
            "export",
            "evaluate",
        ]
        for _, group in itertools.groupby(steps, key=lambda step: step[0]):
            fractions = [fraction for _, fraction in group]
            assert fractions == sorted(fractions)
            assert fractions[-1] == 1.0

    def test_same_seed_gives_the_same_network_and_another_seed_another(
        self, trained, tiny, tmp_path
    ):
        out, _, _ = trained
        again, other = tmp_path / "again", tmp_path / "other"
        train_model(TRAIN, DEV, encoder=tiny, out=again, parameters=QUICK)
        parameters = dataclasses.replace(QUICK, seed=7)
        train_model(TRAIN, DEV, encoder=tiny, out=other, parameters=parameters)

        served, same, different = (
            artifacts.load_classifier(each).read(["快递"]).probabilities
            for each in (out, again, other)
        )
        assert np.allclose(served, same, atol=1e-4)
        assert not np.allclose(served, different, atol=1e-4)


class TestRefusals:
    @pytest.mark.parametrize(
        ("train", "dev"),
        [
            ([], DEV),
            ([Example("退货", "a"), Example("退款", "a")], DEV),
            (TRAIN, []),
            (TRAIN, [Example("退货", "unknown")]),
        ],
    )
    def test_data_that_cannot_be_learned_from_leaves_nothing(self, tiny, tmp_path, train, dev):
        with pytest.raises(BadDataset):
            train_model(train, dev, encoder=tiny, out=tmp_path / "v1", parameters=QUICK)

        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("step", ["fit", "export", "evaluate"])
    def test_failure_in_any_step_leaves_nothing(self, tiny, tmp_path, step):
        def fail(name: str, fraction: float) -> None:
            if name == step and fraction == 1.0:
                raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            train_model(
                TRAIN, DEV, encoder=tiny, out=tmp_path / "v1", parameters=QUICK, progress=fail
            )

        assert list(tmp_path.iterdir()) == []

    def test_existing_directory_is_never_overwritten(self, tiny, tmp_path):
        (tmp_path / "v1").mkdir()

        with pytest.raises(FileExistsError):
            train_model(TRAIN, DEV, encoder=tiny, out=tmp_path / "v1", parameters=QUICK)


class TestEarlyStop:
    def test_stops_when_dev_gains_nothing_and_keeps_the_best_epoch(self, tiny, tmp_path):
        # Labels of dev that contradict training: nothing that is learned helps.
        labels = sorted(WORDS)
        turned = [Example(each.text, labels[(labels.index(each.label) + 1) % 3]) for each in DEV]
        parameters = dataclasses.replace(QUICK, epochs=50, patience=1)

        report = train_model(
            TRAIN, turned, encoder=tiny, out=tmp_path / "v1", parameters=parameters
        )

        assert len(report.history) < 50


class TestEvaluation:
    def test_given_texts_are_measured_instead_of_dev(self, tiny, tmp_path):
        strangers = [Example("快递", "of no model")]

        report = train_model(
            TRAIN,
            DEV,
            encoder=tiny,
            out=tmp_path / "v1",
            parameters=QUICK,
            evaluation=strangers,
        )

        assert (report.int8.texts, report.int8.accuracy, report.fp32.accuracy) == (1, 0.0, 0.0)


def test_damaged_graph_is_refused_when_it_is_loaded(trained, tiny, tmp_path):
    copy = tmp_path / "v1"
    copy.mkdir()
    for path in trained[0].iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    os.truncate(copy / "classifier.onnx", 1000)

    with pytest.raises(artifacts.BrokenArtifact):
        artifacts.load_classifier(copy)


def test_labels_that_do_not_fit_the_graph_are_refused(trained, tiny, tmp_path):
    copy: Path = tmp_path / "v1"
    copy.mkdir()
    for path in trained[0].iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    content = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps(content | {"labels": ["only one"]}))

    with pytest.raises(artifacts.BrokenArtifact, match="1 labels"):
        artifacts.load_classifier(copy)
