"""python -m tests.faults: run the fault matrix and say what it did to whom."""

import argparse
import sys

from tests.faults.inside import BROKEN
from tests.faults.matrix import Options, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=3_000, help="of protocol clients")
    parser.add_argument("--clients", type=int, default=60)
    parser.add_argument("--every", type=float, default=1.5, help="seconds between a client's")
    parser.add_argument("--faults-every", type=float, default=2.5, help="seconds between two")
    parser.add_argument("--browsers", type=int, default=3, help="Chromium, 15 messages each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--web-processes", type=int, default=2)
    parser.add_argument(
        "--broken", choices=BROKEN, default="", help="a broken build: succeeds if it is found out"
    )
    parser.add_argument("--keep", action="store_true", help="keep the product's directory")
    return run(Options(**vars(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
