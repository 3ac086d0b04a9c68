"""`make bench`: every benchmark that needs nothing but this machine, one after the other."""

import subprocess
import sys

MODULES = ("benchmarks.chat_latency", "benchmarks.engine")


def main() -> int:
    """Run them all; the exit status is 1 when one of them failed."""
    failed = [
        module for module in MODULES if subprocess.run([sys.executable, "-m", module]).returncode
    ]
    for module in failed:
        print(f"{module} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
