"""The Open Inference Protocol over gRPC, as `manage.py serve_inference` answers it.

Coroutines (grpc.aio) and not grpc's threads: a request only waits for its batch, so one thread
holds any number of them, and a client that gives up cancels its coroutine, which takes its
texts out of the queue. A thread pool would need a thread for each request and would tell none.
"""

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc
import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from csplatform import replacement
from intents.encoder.backend import Floats
from intents.inference.backends import oip
from intents.inference.batching import DeadlinePassed, EngineClosed, EngineOverloaded
from intents.inference.served import MOST_TOKENS, Row, ServedGraph, ServedGraphs

logger = logging.getLogger(__name__)

_VERSION = "1"  # of every model: ours is part of its name
_GRACE_S = 5.0  # for open requests


@dataclass(frozen=True, slots=True)
class Identity:
    """A TLS certificate and its key, PEM files."""

    certificate: Path
    key: Path


async def serve(address: str, identity: Identity | None = None) -> bool:
    """Answer until SIGTERM or SIGINT; open requests have five seconds then.

    Args:
        address: host:port or unix:///path.
        identity: For TLS; None for plain text.

    Returns:
        Whether it ends in order. False: a batch hung, and has asked for another process.

    Raises:
        OSError: The address cannot be had.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    hung = threading.Event()

    def on_hang() -> None:
        if not hung.is_set():
            hung.set()
            replacement.ask_for_replacement()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    graphs = ServedGraphs(on_hang=on_hang)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", oip.MOST_BYTES)])
    services.add_GRPCInferenceServiceServicer_to_server(Servicer(graphs), server)
    _listen(server, address, identity)
    await server.start()
    logger.info("Answers the Open Inference Protocol on %s", address)
    await stop.wait()
    await server.stop(_GRACE_S)
    if hung.is_set():
        return False  # what hangs would be waited for
    await asyncio.to_thread(graphs.close)
    return True


def _listen(server: grpc.aio.Server, address: str, identity: Identity | None) -> None:
    if identity is None or address.startswith("unix:"):
        bound = server.add_insecure_port(address)
    else:
        pair = (identity.key.read_bytes(), identity.certificate.read_bytes())
        bound = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    if not bound:
        raise OSError(f"{address} cannot be listened on")


class Servicer(services.GRPCInferenceServiceServicer):
    """The calls of the protocol. What it has no method for answers UNIMPLEMENTED."""

    def __init__(self, graphs: ServedGraphs) -> None:
        self._graphs = graphs

    async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ServerReadyResponse(ready=self._graphs.is_ready)

    async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ServerMetadataResponse(name="csplatform", version=_VERSION)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ModelReadyResponse(ready=self._graphs.get(request.name) is not None)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        graph = await self._graph(request.name, context)
        answer = messages.ModelMetadataResponse(
            name=graph.name, versions=[_VERSION], platform=f"csplatform_{graph.platform}"
        )
        for name in oip.INPUTS:
            answer.inputs.add(name=name, datatype="INT64", shape=[-1, -1])
        for name, width in graph.outputs.items():
            answer.outputs.add(name=name, datatype="FP32", shape=[-1, width])
        return answer

    async def ModelStatistics(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Triton's extension: how many texts were answered, and in how many runs."""
        graph = await self._graph(request.name, context)
        answer = messages.ModelStatisticsResponse()
        answer.model_stats.add(
            name=graph.name,
            version=_VERSION,
            inference_count=graph.count.texts,
            execution_count=graph.count.batches,
        )
        return answer

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        graph = await self._graph(request.model_name, context)
        graph.asked_at = time.monotonic()
        try:
            rows = _rows(request, graph)
        except oip.BadTensor as error:
            await _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, error)
        left = context.time_remaining()
        deadline = float("inf") if left is None else time.monotonic() + left
        try:
            results = await _results(graph, rows, deadline)
        except EngineOverloaded as error:
            await _refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, error)
        except EngineClosed as error:
            await _refuse(context, grpc.StatusCode.UNAVAILABLE, error)
        except DeadlinePassed as error:
            await _refuse(context, grpc.StatusCode.DEADLINE_EXCEEDED, error)
        except Exception as error:  # whatever a runtime raises; the batcher has logged it
            await _refuse(context, grpc.StatusCode.INTERNAL, error)
        outputs: dict[str, Floats] = {
            name: np.stack([result[name] for result in results]) for name in rows[0].names
        }
        return oip.response(request, _VERSION, outputs)

    async def _graph(self, name: str, context: Any) -> ServedGraph:
        graph = self._graphs.get(name)
        if graph is None:
            problem = self._graphs.problem(name)
            code = grpc.StatusCode.FAILED_PRECONDITION if problem else grpc.StatusCode.NOT_FOUND
            await _refuse(context, code, problem or f"{name} is not served here")
        return graph


async def _refuse(context: Any, code: grpc.StatusCode, reason: object) -> NoReturn:
    await context.abort(code, str(reason) or type(reason).__name__)
    raise AssertionError("abort raises")


async def _results(
    graph: ServedGraph, rows: Sequence[Row], deadline: float
) -> list[Mapping[str, Floats]]:
    """Queue the texts of a request and wait for all; what need not be run is taken back."""
    futures: list[asyncio.Future[Mapping[str, Floats]]] = []
    try:
        for row in rows:
            # One by one: a refusal half-way leaves those before it in the queue.
            futures.append(graph.submit(row, deadline=deadline))  # noqa: PERF401
        return await asyncio.gather(*futures)
    finally:
        for future in futures:  # of a refused request, or of a client that has left
            if not future.cancel() and not future.cancelled():
                future.exception()  # asyncio complains of errors that nobody looked at


def _rows(request: Any, graph: ServedGraph) -> list[Row]:
    """Return the texts of a request without their padding.

    Raises:
        BadTensor: It holds other arrays, or asks for outputs that the graph lacks.
    """
    names = tuple(output.name for output in request.outputs) or tuple(graph.outputs)
    if unknown := set(names) - graph.outputs.keys():
        raise oip.BadTensor(f"{graph.name} has no output {', '.join(sorted(unknown))}")
    tensors = oip.arrays(request.inputs, request.raw_input_contents)
    with contextlib.suppress(KeyError):
        input_ids, mask = (tensors[name] for name in oip.INPUTS)
        return [Row(ids, names) for ids in _texts(input_ids, mask)]
    raise oip.BadTensor(f"the inputs are {' and '.join(oip.INPUTS)}")


def _texts(input_ids: npt.NDArray[Any], mask: npt.NDArray[Any]) -> list[npt.NDArray[np.int64]]:
    if input_ids.ndim != 2 or input_ids.shape != mask.shape or not input_ids.size:
        raise oip.BadTensor(f"shapes {input_ids.shape} and {mask.shape}")
    lengths = mask.astype(bool).sum(axis=1)
    if lengths.min() < 1 or lengths.max() > MOST_TOKENS:
        raise oip.BadTensor(f"a text has 1 to {MOST_TOKENS} tokens")
    if not (mask == (np.arange(mask.shape[1]) < lengths[:, None])).all():
        raise oip.BadTensor("the mask is 1 for tokens and 0 for padding on the right")
    rows = input_ids.astype(np.int64, copy=False)
    return [row[:length] for row, length in zip(rows, lengths, strict=True)]
