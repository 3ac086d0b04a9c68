"""Moves the product's clock by what a file says, and breaks what FAULTS_BROKEN names."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.utils import timezone


class Inside(AppConfig):
    name = "tests.faults.inside"
    label = "faults_inside"

    def ready(self) -> None:
        _move_clock(clock_file(settings.VAR_DIR))
        if broken := os.environ.get("FAULTS_BROKEN"):
            from tests.faults.inside import sabotage

            sabotage.BREAK[broken]()


def clock_file(var_dir: Path) -> Path:
    """Holds by how many seconds the product's clock is wrong."""
    return var_dir / "clock"


def _move_clock(file: Path) -> None:
    real = timezone.now

    def now() -> datetime:
        try:
            return real() + timedelta(seconds=float(file.read_text()))
        except (OSError, ValueError):  # none yet, or it is being written
            return real()

    timezone.now = now
