"""What would make a training fail only when it is done."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def models_can_be_written(**kwargs: Any) -> Sequence[CheckMessage]:
    """MODEL_DIR, or the nearest parent that exists, is a directory that we may write."""
    directory = Path(settings.MODEL_DIR)
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"MODEL_DIR is {directory}, and {nearest} cannot be written.",
            hint="Set MODEL_DIR to a directory that the platform's user may write.",
            id="training.E001",
        )
    ]
