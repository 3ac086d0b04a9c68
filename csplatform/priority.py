"""Work that nobody waits for makes room for those who chat."""

import contextlib
import os
from pathlib import Path

from django.conf import settings


def make_room_for_others() -> None:
    """Yield the processor from now on, and be the first to go when memory runs out."""
    os.nice(settings.TRAINING_NICE)
    with contextlib.suppress(OSError):  # not on every kernel
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
