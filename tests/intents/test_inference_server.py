"""What our server refuses, and what it takes back, with a network that a test can hold."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from intents.encoder.backend import Floats, Ids
from intents.inference.backends import oip
from intents.inference.served import ServedGraph
from intents.inference.server import Servicer
from tests.intents.backend_contract import batch

NAME = "v1-classifier"


class Sums:
    """A backend whose one output is the sum of a text's ids; can be held, and fails on id 13."""

    name = "sums"
    outputs = {"logits": 1}

    def __init__(self) -> None:
        self.texts: list[int] = []
        self.go = threading.Event()
        self.go.set()
        self.busy = threading.Event()

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        self.busy.set()
        assert self.go.wait(20)
        if (input_ids == 13).any():
            raise RuntimeError("thirteen")
        self.texts.append(len(input_ids))
        return [input_ids.sum(axis=1, keepdims=True).astype(np.float32) for _ in names]

    def close(self) -> None:
        pass


class Shelf:
    """One graph that is ready, and one that is broken."""

    is_ready = True

    def __init__(self, graph: ServedGraph) -> None:
        self._graph = graph

    def get(self, name: str) -> ServedGraph | None:
        return self._graph if name == NAME else None

    def problem(self, name: str) -> str:
        return "the file is damaged" if name == "v2-classifier" else ""


@pytest.fixture
def sums() -> Sums:
    return Sums()


@pytest.fixture
async def server(sums: Sums, settings) -> AsyncIterator[grpc.aio.Server]:
    settings.INTENTS_QUEUE_MAX_TEXTS = 8
    graph = ServedGraph(NAME, sums, on_hang=lambda: None)
    sums.texts.clear()
    found = grpc.aio.server()
    services.add_GRPCInferenceServiceServicer_to_server(Servicer(Shelf(graph)), found)
    found.port = found.add_insecure_port("127.0.0.1:0")
    await found.start()
    yield found
    sums.go.set()
    await found.stop(1)
    await asyncio.to_thread(graph.close)


@pytest.fixture
async def ask(server) -> AsyncIterator[Callable]:
    """A function that sends a request of our own over a real connection."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = services.GRPCInferenceServiceStub(channel)

        def send(lengths: Sequence[int] = (3,), *, name: str = NAME, change=None, **options):
            request = oip.request(name, *batch(lengths), ["logits"])
            if change:
                change(request)
            return stub.ModelInfer(request, **options)

        yield send


async def code_of(call) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code()


async def test_each_text_gets_its_own_row_and_padding_is_not_run(ask, sums):
    answer = await ask([5, 2, 9])

    found = oip.arrays(answer.outputs, answer.raw_output_contents)["logits"]
    assert found.tolist() == batch([5, 2, 9])[0].sum(axis=1, keepdims=True).tolist()


async def test_a_full_queue_refuses_and_what_waits_is_answered(ask, sums):
    sums.go.clear()
    sums.busy.clear()
    first = ask([4])
    await asyncio.to_thread(sums.busy.wait, 20)
    waiting = asyncio.ensure_future(_result(ask([3] * 6)))
    await asyncio.sleep(0.1)

    assert await code_of(ask([3] * 6)) == grpc.StatusCode.RESOURCE_EXHAUSTED

    sums.go.set()
    await first
    assert len(await waiting) == 6
    # Those that were queued before the refusal were taken back.
    assert sum(sums.texts) == 1 + 6


async def test_a_client_that_gives_up_costs_the_model_nothing(ask, sums):
    sums.go.clear()
    sums.busy.clear()
    first = ask([4])
    await asyncio.to_thread(sums.busy.wait, 20)

    assert await code_of(ask([3] * 5, timeout=0.1)) == grpc.StatusCode.DEADLINE_EXCEEDED

    sums.go.set()
    await first
    await ask([2])
    assert sum(sums.texts) == 1 + 1


async def test_an_open_request_is_answered_by_a_server_that_stops(ask, server, sums):
    sums.go.clear()
    sums.busy.clear()
    held = asyncio.ensure_future(_result(ask([4, 5])))
    await asyncio.to_thread(sums.busy.wait, 20)

    stopping = asyncio.ensure_future(server.stop(5))
    await asyncio.sleep(0.1)
    sums.go.set()

    assert len(await held) == 2
    await stopping


async def test_a_request_that_the_network_cannot_run_fails_alone(ask, sums):
    def thirteen(request):
        ids = np.full((1, 3), 13, "<i8")
        request.raw_input_contents[0] = ids.tobytes()

    assert await code_of(ask([3], change=thirteen)) == grpc.StatusCode.INTERNAL
    assert len(await _result(ask([3]))) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("v9-classifier", grpc.StatusCode.NOT_FOUND),
        ("v2-classifier", grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
async def test_a_model_that_is_not_there(ask, name, code):
    assert await code_of(ask(name=name)) == code


def _wrong_type(request):
    request.inputs[0].datatype = "BYTES"


def _too_few_bytes(request):
    request.raw_input_contents[0] = request.raw_input_contents[0][:-8]


def _hole_in_the_mask(request):
    request.raw_input_contents[1] = np.array([[1, 0, 1]], "<i8").tobytes()


def _no_token(request):
    request.raw_input_contents[1] = np.zeros((1, 3), "<i8").tobytes()


def _other_shapes(request):
    request.inputs[1].shape[:] = [3, 1]


def _unknown_output(request):
    request.outputs.add(name="secrets")


def _one_input(request):
    del request.inputs[1], request.raw_input_contents[1]


def _negative_shape(request):
    request.inputs[0].shape[:] = [-1, 3]


@pytest.mark.parametrize(
    "change",
    [
        _wrong_type, _too_few_bytes, _hole_in_the_mask, _no_token, _other_shapes, _unknown_output,
        _one_input, _negative_shape,
    ],
)  # fmt: skip
async def test_what_is_no_batch_of_texts_is_refused_before_it_is_run(ask, sums, change):
    assert await code_of(ask([3], change=change)) == grpc.StatusCode.INVALID_ARGUMENT
    assert sums.texts == []


async def test_arrays_that_were_not_sent_as_raw_bytes_are_read(ask):
    def in_fields(request):
        del request.raw_input_contents[:]
        for tensor, rows in zip(request.inputs, batch([3]), strict=True):
            tensor.contents.int64_contents.extend(rows.ravel().tolist())

    answer = await ask([3], change=in_fields)

    assert isinstance(answer, messages.ModelInferResponse)
    assert (
        oip.arrays(answer.outputs, answer.raw_output_contents)["logits"][0, 0]
        == batch([3])[0].sum()
    )


async def _result(call) -> Floats:
    answer = await call
    return oip.arrays(answer.outputs, answer.raw_output_contents)["logits"]
