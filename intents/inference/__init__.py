"""Understanding customers: the process's one engine, and all that other apps call.

Nothing exists before the first call: a worker that forks gets an engine of its own, and a
process that never classifies never loads a model.
"""

import os
import threading
from collections.abc import Sequence

from intents.inference import artifacts
from intents.inference.base import Prediction, Status
from intents.inference.engine import Engine
from intents.inference.follower import Sources

__all__ = [
    "Prediction",
    "Status",
    "aclassify",
    "aclassify_many",
    "classify",
    "classify_many",
    "start",
    "status",
    "stop",
]

_engine: Engine | None = None
_of_parent: Engine | None = None
_lock = threading.Lock()


def classify(text: str, *, timeout_s: float | None = None) -> Prediction:
    """Say what a text means; for threads and tasks. Calls made at one time share a batch.

    Never raises for a text: without the trained model in time it is answered by prototypes,
    then by keywords, and by nothing (`source` "none", `ranked` empty) when nothing is known.
    Intents that are switched off are never in `ranked`.

    Args:
        text: As the customer wrote it, sensitive words starred; it is normalised here.
        timeout_s: After which keywords answer; None for settings.CHAT_ANSWER_TIMEOUT_S.
    """
    return _running().classify(text, timeout_s=timeout_s)


async def aclassify(text: str, *, timeout_s: float | None = None) -> Prediction:
    """Say what a text means; for coroutines. The event loop goes on meanwhile."""
    return await _running().aclassify(text, timeout_s=timeout_s)


def classify_many(texts: Sequence[str], *, timeout_s: float | None = None) -> list[Prediction]:
    """Say what each text means, in their order. `timeout_s` is for every 64 texts."""
    return _running().classify_many(texts, timeout_s=timeout_s)


async def aclassify_many(
    texts: Sequence[str], *, timeout_s: float | None = None
) -> list[Prediction]:
    """Say what each text means, in their order, from a coroutine."""
    return await _running().aclassify_many(texts, timeout_s=timeout_s)


def status() -> Status:
    """Say how the engine of this process is doing; starts nothing."""
    engine = _engine
    return engine.status() if engine else Status(state="stopped", source="none")


def start() -> None:
    """Begin loading in the background. Safe to call again."""
    _running()


def stop() -> None:
    """End the engine of this process; the next call starts another. Safe to call again."""
    global _engine
    with _lock:
        engine, _engine = _engine, None
    if engine is not None:
        engine.stop()


def _running() -> Engine:
    global _engine
    if (engine := _engine) is not None:  # without the lock: also on an event loop
        return engine
    with _lock:
        if _engine is None:
            _engine = Engine(_sources())
        return _engine


def _sources() -> Sources:
    """Return where a process of the product gets encoder and models from."""
    from intents.inference import loading  # ONNX Runtime, only in processes that classify

    return Sources(
        encoder=loading.frozen_encoder,
        active_version=artifacts.active_version,
        model=loading.trained_model,
    )


def _leave_engine_to_parent() -> None:
    """Begin without an engine in a forked child: the threads of the parent's are not here.

    It is kept, unused: taking its ONNX Runtime sessions down would wait for those threads.
    """
    global _engine, _lock, _of_parent
    _of_parent = _engine
    _engine, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_leave_engine_to_parent)
