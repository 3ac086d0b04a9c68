"""CPU time and memory of a process and all that descends from it, out of /proc (Linux)."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What some processes use together."""

    processes: int
    cpu_s: float  # since each of them began
    rss_mb: float  # MiB; pages that several share are counted in each
    pss_mb: float  # MiB; pages that several share are divided among them


def tree(pid: int) -> list[int]:
    """Return a process and its descendants, those that live now."""
    children: dict[int, list[int]] = {}
    for each in _processes():
        if (fields := _stat(each)) is not None:
            children.setdefault(int(fields[1]), []).append(each)
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def usage(pids: Iterable[int]) -> Usage:
    """Add up what these processes and their descendants use; one that has ended uses nothing."""
    ticks = rss = pss = number = 0
    for pid in {each for root in pids for each in tree(root)}:
        fields = _stat(pid)
        if fields is None:
            continue
        number += 1
        ticks += int(fields[11]) + int(fields[12])
        rss_kb, pss_kb = _memory(pid)
        rss += rss_kb
        pss += pss_kb
    return Usage(number, ticks / _TICKS, rss / 1024, pss / 1024)


def _processes() -> Iterator[int]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the state on (proc(5): field 3); None if gone."""
    try:
        line = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return line.rpartition(")")[2].split()


def _memory(pid: int) -> tuple[int, int]:
    """Return RSS and PSS in KiB."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0, 0
    sizes = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return int(sizes["Rss"].split()[0]), int(sizes["Pss"].split()[0])
