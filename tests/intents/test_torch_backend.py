"""The torch backend says what the network says; on a GPU in half precision, nearly."""

import numpy as np
import pytest
import torch

from intents import encoder
from intents.inference.backends.bert import NotBert, weights_of
from intents.inference.backends.torch import NoWeights, open_torch
from tests.intents.backend_contract import batch, keeps_the_contract, write_network
from tests.training.encoders import write_bert

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("torch") / "v1")


def test_on_the_cpu_it_keeps_the_contract(network):
    backend = open_torch(network.fp32, threads=1, device="cpu")

    assert backend.name == "torch cpu fp32"
    keeps_the_contract(backend, network, within=2e-2)  # the file is in half precision
    backend.close()


@pytest.mark.gpu
def test_on_a_gpu_it_keeps_the_contract(network):
    backend = open_torch(network.fp32, threads=1, device="cuda")

    assert backend.name == "torch cuda fp16"
    keeps_the_contract(backend, network, within=5e-2)
    backend.close()


def test_an_id_beyond_the_vocabulary_is_refused_and_harms_nobody(network):
    backend = open_torch(network.fp32, threads=1, device="cpu")
    ids, mask = batch([4])

    for wrong in (ids + 10_000, ids - 10_000):
        with pytest.raises(ValueError, match="ids below 200"):
            backend.run(wrong, mask, ["logits"])
    with pytest.raises(ValueError, match="512 tokens at most"):
        backend.run(*batch([513]), ["logits"])

    assert np.isfinite(backend.run(ids, mask, ["logits"])[0]).all()


def test_the_frozen_encoder_is_read_from_its_own_directory(tmp_path, settings):
    source = write_bert(tmp_path / "bert", layers=2, hidden=32, heads=2)
    settings.INTENT_ENCODER, settings.ENCODER_CACHE_DIR = str(source), tmp_path / "cache"
    from intents.inference.loading import embedder_of

    base = encoder.ensure()
    texts = ["退货", "我的快递到哪了", "order"]

    by_torch = embedder_of(base, lambda graph, threads: open_torch(graph, threads=threads))
    by_default = embedder_of(base)

    cosines = (by_torch.embed(texts) * by_default.embed(texts)).sum(axis=1)
    assert cosines.min() > 0.99  # int8 against single precision


def test_without_weights_it_says_what_to_do(network):
    with pytest.raises(NoWeights, match="INFERENCE_BACKEND=torch"):
        open_torch(network.int8, threads=1)


def test_an_encoder_of_another_family_is_refused(network):
    from transformers import BertConfig

    with pytest.raises(NotBert, match="relu"):
        weights_of(BertConfig(hidden_act="relu"), frozen={"any": torch.zeros(1)})


def test_training_stores_the_weights_where_a_gpu_may_serve_them(tmp_path, settings):
    from training.export import export
    from training.network import Network

    source = write_bert(tmp_path / "bert", layers=2, hidden=32, heads=2)
    settings.INTENT_ENCODER, settings.ENCODER_CACHE_DIR = str(source), tmp_path / "cache"
    trained = Network(source, 5).eval()
    with torch.no_grad():
        trained.encoder.encoder.layer[1].output.dense.weight += 0.1
    graphs = {}
    for kind in ("onnxruntime", "torch"):
        settings.INFERENCE_BACKEND = kind
        folder = tmp_path / kind
        folder.mkdir()
        graphs[kind] = folder / "classifier.onnx"
        export(trained, encoder.ensure(), fp32=tmp_path / "fp32.onnx", int8=graphs[kind])

    with pytest.raises(NoWeights):
        open_torch(graphs["onnxruntime"], threads=1)
    backend = open_torch(graphs["torch"], threads=1, device="cpu")
    assert backend.outputs == {"embedding": 32, "feature": 32, "logits": 5}
    ids, mask = batch([7, 3])
    with torch.inference_mode():
        tokens = torch.from_numpy(ids), torch.from_numpy(mask)
        expected = trained(trained.read(*tokens), tokens[1]).numpy()
    assert np.abs(backend.run(ids, mask, ["logits"])[0] - expected).max() < 1e-2
