"""The graphs say what torch says: fp32 exactly, int8 nearly."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from intents.encoder import onnx_export
from intents.encoder.embedding import Graph
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
    made.directory = directory
    return made


@pytest.fixture(scope="module")
def graphs(network, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("graphs")
    export(network, fp32=folder / "fp32.onnx", int8=folder / "int8.onnx")
    return folder / "fp32.onnx", folder / "int8.onnx"


def logits_of_torch(network: Network) -> np.ndarray:
    from tokenizers import Tokenizer

    tokens = tokenize(Tokenizer.from_file(f"{network.directory}/tokenizer.json"), TEXTS, 64)
    with torch.inference_mode():
        return network(*pad(tokens, np.arange(len(TEXTS)), torch.device("cpu"))).numpy()


def logits_of(graph: Path, network: Network) -> np.ndarray:
    return Graph(graph, network.directory / "tokenizer.json", output="logits").run(TEXTS)


def test_fp32_graph_gives_the_logits_of_torch(network, graphs):
    assert logits_of(graphs[0], network) == pytest.approx(logits_of_torch(network), abs=1e-4)


def test_int8_graph_is_near_and_a_quarter_of_the_size(network, graphs):
    fp32, int8 = (logits_of(graph, network) for graph in graphs)

    assert np.corrcoef(fp32.ravel(), int8.ravel())[0, 1] > 0.99
    # Norms and positions stay fp32, which counts in a network this small.
    assert graphs[1].stat().st_size < 0.5 * graphs[0].stat().st_size


def test_graph_is_fused_layer_by_layer(graphs):
    operators = [node.op_type for node in onnx.load(str(graphs[0])).graph.node]

    assert operators.count("Attention") == 3
    assert operators.count("SkipLayerNormalization") == 6
    assert "Transpose" not in operators


def test_batch_and_length_are_free(network, graphs):
    graph = Graph(graphs[1], network.directory / "tokenizer.json", output="logits")

    for count in (1, 3, 70):
        assert graph.run(["退货" * count] * count).shape == (count, 5)


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
