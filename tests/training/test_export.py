"""The graphs say what torch says: fp32 exactly, int8 nearly."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from intents.encoder import EncoderDirectory, onnx_export
from intents.encoder.embedding import Graph
from intents.inference.backends import open_backend
from tests.training.encoders import write_bert
from training.export import export
from training.network import Network, pad, tokenize

pytestmark = pytest.mark.model

TEXTS = ["退货", "我的快递到哪了，怎么还没有发货", "where is my order", "a" * 300, ""]


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Network:
    directory = write_bert(
        tmp_path_factory.mktemp("encoder") / "bert", layers=3, hidden=64, heads=4
    )
    torch.manual_seed(1)
    made = Network(directory, 5).eval()
    made.freeze(1)
    made.directory = directory
    with torch.no_grad():  # what training would do
        for layer in made.encoder.encoder.layer[1:]:
            for weight in layer.parameters():
                weight += 0.02 * torch.randn_like(weight)
    return made


def base_of(network: Network) -> EncoderDirectory:
    """What the network was before it was trained."""
    directory = network.directory
    return EncoderDirectory("id", directory, directory, directory / "tokenizer.json", "", 64)


@pytest.fixture(scope="module")
def graphs(network, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("graphs")
    export(network, base_of(network), fp32=folder / "fp32.onnx", int8=folder / "int8.onnx")
    return folder / "fp32.onnx", folder / "int8.onnx"


def torch_of(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits, and the vectors of the encoder as it was before training."""
    from tokenizers import Tokenizer

    tokens = tokenize(Tokenizer.from_file(f"{network.directory}/tokenizer.json"), TEXTS, 64)
    ids, mask = pad(tokens, np.arange(len(TEXTS)), torch.device("cpu"))
    with torch.inference_mode():
        logits = network(network.read(ids, mask), mask)
        return logits.numpy(), onnx_export.load_bert(network.directory)(ids, mask).numpy()


def graph_of(graph: Path, network: Network) -> list[np.ndarray]:
    return opened(graph, network).run(TEXTS, "logits", "embedding")


def opened(graph: Path, network: Network) -> Graph:
    return Graph(open_backend(graph, threads=1), network.directory / "tokenizer.json")


def test_fp32_graph_gives_the_logits_of_torch_and_the_vectors_of_before(network, graphs):
    for found, expected in zip(graph_of(graphs[0], network), torch_of(network), strict=True):
        assert found == pytest.approx(expected, abs=1e-4)


def test_int8_graph_is_near_and_a_quarter_of_the_size(network, graphs):
    fp32, int8 = (graph_of(graph, network) for graph in graphs)

    for exact, near in zip(fp32, int8, strict=True):
        assert np.corrcoef(exact.ravel(), near.ravel())[0, 1] > 0.99
    # Norms and positions stay fp32, which counts in a network this small.
    assert graphs[1].stat().st_size < 0.5 * graphs[0].stat().st_size


def test_graph_is_fused_and_has_what_training_left_alone_once(graphs):
    operators = [node.op_type for node in onnx.load(str(graphs[0])).graph.node]

    # Three layers of the frozen encoder and two of its own.
    assert operators.count("Attention") == 3 + 2
    assert operators.count("BiasGelu") == 3 + 2
    assert operators.count("LayerNormalization") == 1 + 2 * (3 + 2)
    assert "Transpose" not in operators


def test_without_frozen_layers_both_have_all_of_their_own(network, tmp_path):
    for weight in network.encoder.encoder.layer[0].parameters():
        weight.data += 0.02
    export(network, base_of(network), fp32=tmp_path / "fp32.onnx", int8=tmp_path / "int8.onnx")

    nodes = onnx.load(str(tmp_path / "fp32.onnx")).graph.node

    assert [node.op_type for node in nodes].count("Attention") == 3 + 3


def test_batch_and_length_are_free(network, graphs):
    graph = opened(graphs[1], network)

    for count in (1, 3, 70):
        logits, vectors = graph.run(["退货" * count] * count, "logits", "embedding")
        assert (logits.shape, vectors.shape) == ((count, 5), (count, 64))


def test_xlm_r_counts_its_positions_from_behind_the_padding(tmp_path):
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=90, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=80, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    theirs = XLMRobertaModel(config, add_pooling_layer=False).eval()
    ours = onnx_export.PlainBert(config, theirs.state_dict())
    ids = torch.randint(5, 90, (2, 7))
    mask = torch.ones_like(ids)

    with torch.inference_mode():
        expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state.mean(1)
        assert torch.allclose(ours(ids, mask), expected, atol=1e-5)


def test_other_activation_is_refused(tmp_path):
    config = BertConfig(
        vocab_size=90, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, hidden_act="relu",
    )  # fmt: skip

    with pytest.raises(onnx_export.NotBert, match="relu"):
        onnx_export.PlainBert(config, BertModel(config).state_dict())
