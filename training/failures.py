"""Why a training failed, in words that a business person understands."""

import errno
import signal

from django.conf import settings
from django.utils.translation import gettext as _

from csplatform.errors import Refusal
from intents.encoder import EncoderUnavailable
from training.datasets import BadDataset


class Interrupted(BaseException):
    """The process was told to end while it trained. No `except Exception` may swallow it."""


class RunLost(Exception):
    """The run was given up elsewhere; whatever this process still makes counts no more."""


def explain(error: BaseException) -> str:
    """Return the reason for people; the technical detail belongs in the log."""
    if isinstance(error, Refusal | EncoderUnavailable | BadDataset):
        return str(error)
    if isinstance(error, Interrupted):
        return _interrupted()
    if _is_out_of_space(error):
        return _disk_full()
    if _is_out_of_memory(error):
        return _out_of_memory()
    return _("The training stopped because of an unexpected error; the log has the details.")


def explain_exit(status: int) -> str:
    """Return the reason why the training's process ended without a word.

    Args:
        status: Its exit status; negative for the signal that ended it.
    """
    if status == -signal.SIGTERM:
        return _interrupted()
    if status == -signal.SIGKILL:  # the kernel's out-of-memory killer
        return _out_of_memory()
    return _("The training's process ended unexpectedly ({status}).").format(status=status)


def too_much_memory(limit_mb: int) -> str:
    """Return the reason of a training that was ended because it took more than it may."""
    return _(
        "It needed more than {limit} MB of memory (TRAINING_MEMORY_MB) and was ended. Train again "
        "with a smaller batch size, in the quick mode, or with a higher limit."
    ).format(limit=limit_mb)


def died() -> str:
    """Return the reason of a run whose heartbeat stopped."""
    return _("Its process died: the computer or the platform was stopped. Start it again.")


def _is_out_of_space(error: BaseException | None) -> bool:
    """Whether it, or what it came from, is a full disk or quota."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(error):  # torch and ONNX Runtime raise their own
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "not enough memory" in text  # CUDA's words, torch's on the CPU
    )


def _interrupted() -> str:
    return _("The training was interrupted because the platform stopped. Start it again.")


def _disk_full() -> str:
    text = _("The disk is full. Free some space for {directory} and train again.")
    return text.format(directory=settings.MODEL_DIR)


def _out_of_memory() -> str:
    return _(
        "There was not enough memory. Train again with a smaller batch size, "
        "or when less else is running."
    )
