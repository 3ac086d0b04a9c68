"""How much memory a process takes, as Linux counts it."""

from pathlib import Path

_PROC = Path("/proc")


class Memory:
    """Watches one process that another one started.

    Only what is its own counts: a page of a file that is mapped can be dropped at any time. A
    limit on address space would not do, of which torch reserves much more than it uses.

    Args:
        most_mb: More is too much, in megabytes (10⁶ bytes); 0: nothing is.
    """

    def __init__(self, pid: int, *, most_mb: int) -> None:
        self._status = _PROC / str(pid) / "status"
        self._most_mb = most_mb
        self.peak_mb: int | None = None  # None where the system does not say
        self.is_too_much = False

    def look(self) -> None:
        """Read once; does nothing for a process that has gone."""
        try:
            lines = self._status.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return
        kilobytes = {
            name: int(rest.split()[0])
            for name, _, rest in (line.partition(":") for line in lines)
            if name in {"RssAnon", "RssShmem"}
        }
        if not kilobytes:  # a zombie
            return
        now_mb = sum(kilobytes.values()) * 1024 // 1_000_000
        self.peak_mb = max(self.peak_mb or 0, now_mb)
        self.is_too_much = bool(self._most_mb) and now_mb > self._most_mb
