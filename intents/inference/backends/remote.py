"""A graph that a server runs: Open Inference Protocol over gRPC.

The server is a Triton, any other that speaks KServe's protocol v2, or our own
(`manage.py serve_inference`). Texts are tokenised here; only token ids travel.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from intents.encoder.backend import Floats, Ids
from intents.inference.backends import buckets, oip

# A server that lets a call run into its deadline is left alone for this long; whoever asks
# meanwhile hears no at once, and the cascade answers.
_REST_S = 1.0
# A server that follows the active pointer may need this long for a version that is news.
_LOADING_S = 8.0
_LOOK_S = 0.2

# Of several addresses of one name each gets its share, and a request that met a server which
# was just stopped goes to another, or to the same one again, once.
_SERVICE = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": "inference.GRPCInferenceService"}],
            "retryPolicy": {
                "maxAttempts": 2,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.05s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_OPTIONS = (
    ("grpc.service_config", json.dumps(_SERVICE)),
    ("grpc.max_receive_message_length", oip.MOST_BYTES),
    # Back within half a second of the server, however long that was away.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 500),
    # A new channel is a new connection, and not the old one that went dead.
    ("grpc.use_local_subchannel_pool", 1),
)


class RemoteUnavailable(Exception):
    """The server is away, lacks the model, or refused; the message says which."""


def remote_name(graph: Path) -> str:
    """Return what servers call a graph: <version>-classifier, <encoder id>-embedder.

    The version is part of the name and not Triton's number, so that a server which has
    another model under the same number can never answer for it.
    """
    return f"{graph.parent.name}-{graph.stem}"


class Remote:
    """A model on a server.

    Args:
        url: grpc://host:port, grpcs://host:port (TLS) or unix:///path/of.sock.
        model: Its name there (`remote_name`).
        timeout_s: Of one call; later answers are not waited for.
        wait_s: How long a model that the server lacks is waited for: it may be loading it.

    Raises:
        RemoteUnavailable: The server cannot be reached or lacks the model.
    """

    name = "remote"

    def __init__(
        self, url: str, model: str, *, timeout_s: float, wait_s: float = _LOADING_S
    ) -> None:
        self._url, self._model, self._timeout_s = url, model, timeout_s
        self._rests_until = 0.0
        self._connect()
        self.outputs: Mapping[str, int] = self._described(time.monotonic() + wait_s)

    def run(self, input_ids: Ids, attention_mask: Ids, names: Sequence[str]) -> list[Floats]:
        """Return the outputs `names`, in that order, each of shape (n, its width).

        Raises:
            RemoteUnavailable: There is no answer within the time, or none that can be used.
        """
        texts, tokens = input_ids.shape
        tokens = buckets.bucket(tokens, buckets.TOKENS)  # Triton merges requests of one length
        ids, mask = (
            buckets.padded(each, texts=texts, tokens=tokens) for each in (input_ids, attention_mask)
        )
        parts = [
            self._ask(
                ids[start : start + oip.MOST_TEXTS], mask[start : start + oip.MOST_TEXTS], names
            )
            for start in range(0, texts, oip.MOST_TEXTS)
        ]
        return [np.concatenate([part[name] for part in parts]) for name in names]

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _connect(self) -> None:
        parts = urlsplit(self._url)
        if parts.scheme == "grpcs":
            # Trusts the system's authorities, or those in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH.
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(parts.netloc, credentials, _OPTIONS)
        else:
            target = self._url if parts.scheme == "unix" else parts.netloc
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        self._stub = services.GRPCInferenceServiceStub(self._channel)

    def _described(self, until: float) -> Mapping[str, int]:
        """Return the width of each output, as the server tells it."""
        asked = messages.ModelMetadataRequest(name=self._model)
        while True:
            try:
                metadata = self._stub.ModelMetadata(asked, timeout=self._timeout_s)
                ready = self._stub.ModelReady(
                    messages.ModelReadyRequest(name=self._model), timeout=self._timeout_s
                )
            except grpc.RpcError as error:
                if time.monotonic() < until and error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                    time.sleep(_LOOK_S)
                    continue
                self._channel.close()
                raise RemoteUnavailable(self._said(error)) from error
            if ready.ready:
                return {output.name: int(output.shape[-1]) for output in metadata.outputs}
            if time.monotonic() >= until:
                self._channel.close()
                raise RemoteUnavailable(f"{self._url} has {self._model}, but it is not ready")
            time.sleep(_LOOK_S)

    def _ask(self, input_ids: Ids, mask: Ids, names: Sequence[str]) -> dict[str, Floats]:
        if time.monotonic() < self._rests_until:
            raise RemoteUnavailable(f"{self._url} does not answer in time; it is asked again soon")
        asked = oip.request(self._model, input_ids, mask, names)
        try:
            answer = self._stub.ModelInfer(asked, timeout=self._timeout_s)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                # The machine may be gone without a word, and its connection with it.
                self._rests_until = time.monotonic() + _REST_S
                self._connect()
            raise RemoteUnavailable(self._said(error)) from error
        try:
            found = oip.arrays(answer.outputs, answer.raw_output_contents)
            return {name: self._checked(found[name], len(input_ids), name) for name in names}
        except (KeyError, oip.BadTensor) as error:
            raise RemoteUnavailable(f"{self._url}, {self._model}: wrong answer, {error}") from error

    def _checked(self, rows: npt.NDArray[Any], texts: int, name: str) -> Floats:
        if rows.shape != (texts, self.outputs[name]):
            raise oip.BadTensor(f"{name} has shape {rows.shape}")
        return rows.astype(np.float32, copy=False)

    def _said(self, error: grpc.RpcError) -> str:
        return f"{self._url}, {self._model}: {error.code().name}, {error.details()}"
