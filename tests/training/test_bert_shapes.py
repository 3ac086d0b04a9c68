"""An encoder of bert-base-chinese's shape goes the whole way: train, export, int8, load, serve."""

import time
from pathlib import Path

import numpy as np
import pytest

from intents import encoder
from intents.inference import artifacts
from tests.training.encoders import write_bert
from training.datasets import Example
from training.fit import Parameters, train_model

pytestmark = pytest.mark.model

LAYERS, VOCABULARY = 12, 21_128  # of bert-base-chinese
TRAIN = [
    Example(f"{word}{end}", label)
    for label, word in (("logistics", "快递"), ("invoice", "发票"))
    for end in ("", "吗", "怎么", "请问")
]


@pytest.mark.timeout(900)  # 50 s on a quiet machine; it writes a gigabyte
def test_bert_of_the_usual_shape_is_trained_and_served(settings, tmp_path: Path, capsys):
    source = write_bert(
        tmp_path / "bert", layers=LAYERS, hidden=768, heads=12, vocabulary=VOCABULARY
    )
    settings.INTENT_ENCODER = str(source)
    settings.ENCODER_CACHE_DIR = tmp_path / "cache"
    base = encoder.ensure()

    report = train_model(
        TRAIN,
        TRAIN,
        encoder=base,
        out=tmp_path / "models" / "v1",
        parameters=Parameters(epochs=1, batch_size=8, device="cpu", threads=1),
    )

    started = time.perf_counter()
    served = artifacts.load_classifier(tmp_path / "models" / "v1")
    load_s = time.perf_counter() - started
    text = "快" * 62  # 64 tokens with [CLS] and [SEP]
    took = []
    for _ in range(10):
        started = time.perf_counter()
        probabilities = served.read([text]).probabilities
        took.append((time.perf_counter() - started) * 1000)
    graph_mb = (tmp_path / "models" / "v1" / artifacts.CLASSIFIER).stat().st_size / 1e6
    # All layers of this size are trained: the frozen ones are there a second time.
    parameters_m = (VOCABULARY + 512 + 2) * 768 / 1e6 + 2 * LAYERS * 7.09
    with capsys.disabled():
        print(
            f"\nBERT {LAYERS} x 768: {min(took):.1f} ms best, {np.median(took):.1f} ms median at"
            f" 64 tokens (with the light head: {bool(report.manifest.light_weight)}), loaded in"
            f" {load_s:.2f} s, int8 {graph_mb:.0f} MB of {parameters_m:.0f} M parameters"
        )
    assert served.labels == ("invoice", "logistics")
    assert probabilities.shape == (1, 2)
    assert np.isfinite(probabilities).all()
    assert graph_mb < parameters_m * 1.1  # a byte a weight: the quantization left nothing out
