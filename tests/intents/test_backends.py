"""Runtimes on the CPU: one contract for all, and the choice among those that agree."""

import json
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from intents.inference.backends.onnxruntime import OnnxRuntime
from intents.inference.backends.openvino import OpenVino, dequantized
from intents.inference.backends.quickest import Choice, Quickest, choose
from tests.intents.backend_contract import batch, keeps_the_contract, write_network

# Of int8 and bfloat16 to the fp32 network, whose numbers lie within 3.
_NEAR = 0.5


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "v1")


class TestOnnxRuntime:
    @pytest.mark.model
    def test_keeps_the_contract_exactly_with_the_fp32_graph(self, network):
        keeps_the_contract(OnnxRuntime(network.fp32, threads=1), network, within=1e-3)

    @pytest.mark.model
    def test_keeps_the_contract_nearly_with_the_int8_graph(self, network):
        keeps_the_contract(OnnxRuntime(network.int8, threads=1), network, within=_NEAR)


class TestOpenVino:
    @pytest.mark.model
    def test_keeps_the_contract_with_the_int8_graph(self, network):
        pytest.importorskip("openvino")

        keeps_the_contract(OpenVino(network.int8, threads=1), network, within=_NEAR)

    @pytest.mark.model
    def test_takes_its_weights_back_from_the_int8_graph(self, network, tmp_path):
        plain = dequantized(onnx.load(str(network.int8)))
        onnx.save(plain, str(tmp_path / "plain.onnx"))
        operators = {node.op_type for node in plain.graph.node}
        feed = batch([9, 3, 64])

        found = OnnxRuntime(tmp_path / "plain.onnx", threads=1).run(*feed, ["logits", "embedding"])

        assert not operators & {"QAttention", "MatMulInteger", "DynamicQuantizeLinear"}
        for name, rows in zip(("logits", "embedding"), found, strict=True):
            assert np.abs(rows - network.expected(*feed)[name]).max() < _NEAR / 2

    @pytest.mark.model
    def test_leaves_a_graph_that_is_not_quantized_as_it_is(self, network):
        model = onnx.load(str(network.fp32))

        kept = [node.op_type for node in dequantized(model).graph.node]

        assert kept == [node.op_type for node in model.graph.node]


class Made:
    """A backend that answers as it is told, after a while."""

    outputs = {"logits": 3}

    def __init__(self, name: str, *, slow_s: float = 0.0, turned: bool = False) -> None:
        self.name = name
        self.slow_s = slow_s
        self.turned = turned
        self.runs = 0

    def run(self, input_ids, attention_mask, names):
        self.runs += 1
        time.sleep(self.slow_s)
        rows = np.stack([input_ids[:, 0], input_ids[:, 0] % 7, attention_mask.sum(1)], axis=1)
        return [(rows[:, ::-1] if self.turned else rows).astype(np.float32) for _ in names]

    def close(self) -> None:
        pass


FEEDS = [batch([7, 5]), batch([3])]


MEASURE_S = 0.05


class TestChoose:
    def test_takes_the_quicker_of_those_that_agree(self):
        choice = choose([Made("first", slow_s=0.02), Made("second")], FEEDS, measure_s=MEASURE_S)

        assert choice.chosen == "second"
        assert choice.texts_per_s["second"] > choice.texts_per_s["first"]

    def test_never_takes_one_that_says_something_else_however_quick(self):
        choice = choose(
            [Made("first", slow_s=0.02), Made("second", turned=True)], FEEDS, measure_s=MEASURE_S
        )

        assert choice.chosen == "first"
        assert list(choice.disagree) == ["second"]

    def test_stays_with_the_first_when_little_is_gained(self):
        choice = choose(
            [Made("first", slow_s=0.02), Made("second", slow_s=0.0195)], FEEDS, measure_s=MEASURE_S
        )

        assert choice.chosen == "first"


class TestQuickest:
    def record(self, tmp_path: Path) -> Path:
        return tmp_path / "runtimes" / "this.json"

    def test_answers_by_the_first_until_another_is_known_to_be_quicker(self, tmp_path):
        first, second, go = Made("first"), Made("second"), threading.Event()

        def measure() -> Choice:
            assert go.wait(20)
            return Choice("second", {"first": 1.0, "second": 2.0}, [])

        quickest = Quickest(first, {"second": lambda: second}, measure, self.record(tmp_path))
        [rows] = quickest.run(*FEEDS[0], ["logits"])
        assert (rows.shape, quickest.name, first.runs) == ((2, 3), "first", 1)
        go.set()

        assert quickest.settled(20)
        assert quickest.name == "second"
        assert json.loads(self.record(tmp_path).read_text())["chosen"] == "second"

    def test_measures_once_and_knows_it_at_the_next_start(self, tmp_path):
        measured = []

        def measure() -> Choice:
            measured.append(1)
            return Choice("second", {"first": 1.0, "second": 2.0}, [])

        for _ in range(2):
            second = {"second": lambda: Made("second")}
            quickest = Quickest(Made("first"), second, measure, self.record(tmp_path))
            assert quickest.settled(20)
            assert quickest.name == "second"
        assert measured == [1]

    def test_loads_nothing_else_when_the_first_is_best(self, tmp_path):
        loaded = []
        quickest = Quickest(
            Made("first"),
            {"second": lambda: loaded.append(1)},
            lambda: Choice("first", {"first": 2.0, "second": 1.0}, []),
            self.record(tmp_path),
        )

        assert quickest.settled(20)
        assert (quickest.name, loaded) == ("first", [])

    def test_measuring_or_loading_that_fails_changes_nothing(self, tmp_path):
        def fail() -> Made:
            raise OSError("no such library")

        def to_second() -> Choice:
            return Choice("second", {}, [])

        for number, measure in enumerate((fail, to_second)):
            record = tmp_path / f"{number}.json"
            quickest = Quickest(Made("first"), {"second": fail}, measure, record)

            assert quickest.settled(20)
            assert quickest.name == "first"
            assert quickest.run(*FEEDS[0], ["logits"])[0].shape == (2, 3)
