"""What a person at a terminal reads while something takes long."""

import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO


def language(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language of whoever typed the command: Chinese in a Chinese locale, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name, ""):
            return "zh-hans" if value.lower().startswith("zh") else "en"
    return "en"


class Step:
    """One line for one step: what, how far, how long it took.

    On a terminal the line is redrawn; into a file, only its final form is written.
    """

    def __init__(self, out: TextIO, what: str) -> None:
        self._out, self._what = out, what
        self._is_live = out.isatty()
        self._shown = -1

    def __enter__(self) -> "Step":
        self._began = time.monotonic()
        if self._is_live:
            self._out.write(f"  {self._what} …")
            self._out.flush()
        return self

    def at(self, detail: str, fraction: float) -> None:
        """Show progress from 0 to 1."""
        percent = int(fraction * 100)
        if self._is_live and percent != self._shown:
            self._shown = percent
            self._out.write(f"\r\033[K  {self._what} … {percent} %  {detail}")
            self._out.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        again = "\r\033[K" if self._is_live else ""
        mark = "✓" if error is None else "✗"
        self._out.write(f"{again}{mark} {self._what} ({time.monotonic() - self._began:.1f} s)\n")
        self._out.flush()
