"""Understanding customers: the process's one engine, and all that other apps call.

Nothing exists before the first call: a process that never classifies never loads a model, and
one that forks before it gives each child an engine of its own. A child that is forked later has
none and gets none: every call raises `EngineInherited`.
"""

import os
import threading
from collections.abc import Callable, Sequence

from intents.inference import artifacts, metrics
from intents.inference.base import FrozenEncoder, Prediction, Status
from intents.inference.batching import EngineInherited
from intents.inference.engine import Engine
from intents.inference.mood import Mood
from intents.inference.watches import Sources

__all__ = [
    "EngineInherited",
    "FrozenEncoder",
    "Mood",
    "Prediction",
    "Status",
    "aclassify",
    "aclassify_many",
    "classify",
    "classify_many",
    "encoder",
    "moods",
    "start",
    "status",
    "stop",
    "when_unfit",
]

_engine: Engine | None = None
_of_parent: Engine | None = None
_lock = threading.Lock()
_on_unfit: list[Callable[[], object]] = []


def classify(text: str, *, timeout_s: float | None = None) -> Prediction:
    """Say what a text means; for threads and tasks. Calls made at one time share a batch.

    Never raises for a text: without the trained model in time it is answered by prototypes,
    then by keywords, and by nothing (`source` "none", `ranked` empty) when nothing is known.
    Intents that are switched off are never in `ranked`.

    Args:
        text: As the customer wrote it, sensitive words starred; it is normalised here.
        timeout_s: After which keywords answer; None for settings.CHAT_ANSWER_TIMEOUT_S.

    Raises:
        EngineInherited: This process was forked from one whose engine ran.
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


def moods(texts: Sequence[str]) -> list[Mood | None]:
    """Say how each text sounds, in their order; for threads and tasks that can wait.

    Read with the encoder that this process has anyway, on the caller's thread. Never raises for
    a text: without encoder or head each is None.

    Args:
        texts: As customers wrote them, emoji too; they are normalised here.

    Raises:
        EngineInherited: This process was forked from one whose engine ran.
    """
    return _running().moods(texts)


def encoder() -> FrozenEncoder | None:
    """Return the frozen encoder that this process has loaded anyway; None while it loads.

    For threads that compare sentences. Its runtimes take calls of several threads.

    Raises:
        EngineInherited: This process was forked from one whose engine ran.
    """
    return _running().encoder()


def status() -> Status:
    """Say how the engine of this process is doing; starts nothing."""
    if (engine := _engine) is not None:
        return engine.status()
    if _of_parent is not None:
        return Status(state="broken", source="none", detail=str(_inherited()))
    return Status(state="stopped", source="none")


def start() -> None:
    """Begin loading in the background. Safe to call again.

    Raises:
        EngineInherited: This process was forked from one whose engine ran.
    """
    _running()


def stop() -> None:
    """End the engine of this process; the next call starts another. Safe to call again."""
    global _engine
    with _lock:
        engine, _engine = _engine, None
    if engine is not None:
        engine.stop()


def when_unfit(act: Callable[[], object]) -> None:
    """Have a function called, on a thread, when this process should be replaced; starts nothing.

    That is when the model hung a second time. Until then keywords answer.
    """
    _on_unfit.append(act)


def _running() -> Engine:
    global _engine
    if (engine := _engine) is not None:  # without the lock: also on an event loop
        return engine
    if _of_parent is not None:
        raise _inherited()
    with _lock:
        if _engine is None:
            _engine = Engine(_sources(), on_unfit=_tell_unfit)
        return _engine


def _sources() -> Sources:
    """Return where a process of the product gets encoder and models from."""
    from intents.inference import loading  # ONNX Runtime, only in processes that classify

    return Sources(
        encoder=loading.frozen_encoder,
        active_version=artifacts.active_version,
        model=loading.trained_model,
    )


def _tell_unfit() -> None:
    for act in _on_unfit:
        act()


def _inherited() -> EngineInherited:
    return EngineInherited(
        f"The engine of process {os.getppid()} was running when it forked this one ({os.getpid()}):"
        " start the engine after forking, not before."
    )


def _leave_engine_to_parent() -> None:
    """Have no engine in a forked child: the threads of the parent's are not here.

    It is kept, unused: taking its sessions down would wait for those threads.
    """
    global _engine, _lock, _of_parent
    _of_parent = _engine or _of_parent
    _engine, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_leave_engine_to_parent)
metrics.show(status)
