"""Whether memory returns to its base: the engine, asked again and again.

    python -m benchmarks.soak [--classifications 200000] [--model-dir DIR] [--json OUT]

64 callers ask texts of all lengths, up to ones that are cut; one in a hundred gives up at once,
and every tenth of the run another version of the model takes over (the same files under another
name). Memory is this process's resident set, read ten times; the first look after the warm-up
(one twentieth of the run) is the base. `growth_share` is the last look against the base.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.engine import ready_engine, texts
from csplatform import memory

CALLERS = 64
LOOKS = 10


def resident_mib() -> float:
    """Return the resident set of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def ask(engine: Any, sentences: list[str], number: int, chance: random.Random) -> int:
    """Have callers ask so many texts; return how many were answered by something else."""
    left = number
    missed = 0

    async def call() -> None:
        nonlocal left, missed
        while left > 0:
            left -= 1
            text = chance.choice(sentences) * chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 20))
            if chance.random() < 0.01:
                gone = asyncio.create_task(engine.aclassify(text))
                await asyncio.sleep(0)
                gone.cancel()
                continue
            answer = await engine.aclassify(text, timeout_s=60)
            missed += answer.source not in ("model", "prototypes")

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return missed


def swap(models: Path, number: int) -> None:
    """Put a copy of the active model under a new name and let the pointer name it."""
    from intents.inference import artifacts

    active = artifacts.active_version()
    if active is None:
        return
    copy = models / f"soak-{number}"
    shutil.copytree(models / active, copy)
    manifest = copy / artifacts.MANIFEST
    content = json.loads(manifest.read_text(encoding="utf-8")) | {"version": copy.name}
    manifest.write_text(json.dumps(content), encoding="utf-8")
    artifacts.point_to(copy.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classifications", type=int, default=200_000)
    parser.add_argument("--model-dir", type=Path, help="MODEL_DIR with an active version")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csplatform-soak-") as directory:
        models = Path(directory) / "models"
        if options.model_dir:
            shutil.copytree(options.model_dir, models)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "csplatform.settings",
            "VAR_DIR": directory,
            "LOG_LEVEL": "WARNING",
            "OMP_NUM_THREADS": "1",
            "MODEL_DIR": str(models),
        }
        os.environ.pop("DATABASE_URL", None)
        memory.few_arenas()  # as web processes
        engine, bare = ready_engine(trains=options.model_dir is None)
        del bare  # it holds the first model
        sentences, chance = texts(), random.Random(0)  # noqa: S311  (repeatable, not secret)
        missed = 0
        looks: list[float] = []
        began = time.perf_counter()
        with asyncio.Runner() as runner:
            warm_up = options.classifications // (2 * LOOKS)
            missed += runner.run(ask(engine, sentences, warm_up, chance))
            looks.append(resident_mib())
            for look in range(1, LOOKS + 1):
                swap(models, look)
                number = options.classifications // LOOKS
                missed += runner.run(ask(engine, sentences, number, chance))
                looks.append(resident_mib())
                print(f"{look * number:>8} {looks[-1]:7.1f} MiB", flush=True)
        counters = dict(engine.status().counters)
        version = engine.status().model_version
        engine.stop()
    found = {
        "classifications": options.classifications,
        "resident_mib": [round(look, 1) for look in looks],
        "growth_share": looks[-1] / looks[0] - 1,
        "not_by_model": missed,
        "last_version": version,
        "counters": counters,
        "seconds": round(time.perf_counter() - began),
    }
    print(
        f"base {looks[0]:.1f} MiB, end {looks[-1]:.1f} MiB ({found['growth_share']:+.1%}),"
        f" {missed} not answered by the model, last version {version or 'none'}"
    )
    print("repeat: python -m benchmarks.soak " + " ".join(sys.argv[1:]))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
