"""Does the promotion gate refuse bad models, name the cause, and let good ones pass?

    python -m benchmarks.gate --json OUT [--frozen dev|test] [--candidates 10] [--thorough]

Trains candidates on a real set (jddc: 51 intents, 3,105 sentences), ten with a seeded fault and
ten without, and has each judged against an active model on frozen texts. Faults: 40 % of the
labels of two intents swapped; all sentences of one intent deleted; 500 sentences polluted (given
to other intents, or foreign ones added); the sentences of one intent copied into another. Good
ones: more clean data, another seed. Exits 1 when fewer than 18 of 20 verdicts are right, or one
bad candidate passes; `--without-gate` shows that it does when nothing is judged.

The gate's margins were chosen with `--frozen dev` and the seeds from 1 on; what is reported is
`--frozen test` with other seeds. `--thorough` fine-tunes each candidate (minutes each).
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

from benchmarks import trained_model  # noqa: E402
from intents import encoder  # noqa: E402
from intents.encoder import EncoderDirectory  # noqa: E402
from intents.guard import normalize  # noqa: E402
from training import datasets  # noqa: E402
from training.datasets import Example  # noqa: E402
from training.fit import train_model, train_quick  # noqa: E402
from training.gate import out_of_scope  # noqa: E402
from training.gate.evidence import Evidence, Labelled  # noqa: E402
from training.gate.judging import judge  # noqa: E402
from training.gate.verdict import Cause, Outcome, Verdict  # noqa: E402
from training.kept import Kept  # noqa: E402

DATA = Path(__file__).parents[2] / "shared" / "data"
SWAPPED = 0.4
POLLUTED = 500
RIGHT_MIN = 0.9  # of the verdicts: 18 of 20
CAUSES_LOOKED_AT = 5
BAD = ("swapped", "deleted", "polluted", "copied")
GOOD = ("more data", "another seed")


@dataclass(frozen=True, slots=True)
class Seeded:
    """A candidate and what was done to it."""

    kind: str
    active: Sequence[Example]  # what the active model learned from
    candidate: Sequence[Example]
    intents: tuple[str, ...]  # that the fault concerns
    seed: int

    def is_named_by(self, cause: Cause) -> bool:
        match self.kind:
            case "swapped":
                return cause.kind == "relabelled" and {cause.intent, cause.other} == set(
                    self.intents
                )
            case "deleted":
                return cause.kind == "removed" and (cause.intent,) == self.intents
            case "polluted":
                return cause.kind == "scattered"
            case _:
                return cause.kind in ("copied", "added") and self.intents == (
                    cause.intent,
                    cause.other,
                )


def seeded(kind: str, seed: int, data: Sequence[Example], foreign: Sequence[str]) -> Seeded:
    """Return a candidate with this fault, or without one."""
    chance = random.Random(seed)  # noqa: S311  (repeatable, not secret)
    labels = sorted({example.label for example in data})
    by_label = {
        label: [place for place, example in enumerate(data) if example.label == label]
        for label in labels
    }
    active, moved, intents = list(data), dict[int, str](), tuple[str, ...]()
    candidate = list(data)
    match kind:
        case "swapped":
            intents = one, other = tuple(chance.sample(labels, 2))
            for source, target in ((one, other), (other, one)):
                places = by_label[source]
                moved |= dict.fromkeys(chance.sample(places, round(SWAPPED * len(places))), target)
        case "deleted":
            intents = (chance.choice(labels),)
            candidate = [example for example in data if example.label not in intents]
        case "polluted" if seed % 2 and foreign:
            added = chance.sample(list(foreign), POLLUTED)
            candidate += [Example(text, chance.choice(labels)) for text in added]
        case "polluted":
            for place in chance.sample(range(len(data)), POLLUTED):
                moved[place] = chance.choice([one for one in labels if one != data[place].label])
        case "copied":
            intents = source, target = tuple(chance.sample(labels, 2))
            candidate += [Example(data[place].text, target) for place in by_label[source]]
        case "more data":
            share = chance.uniform(0.6, 0.95)
            active = [
                data[place]
                for label in labels
                for place in chance.sample(by_label[label], round(share * len(by_label[label])))
            ]
    if moved:
        candidate = [
            Example(example.text, moved.get(place, example.label))
            for place, example in enumerate(data)
        ]
    return Seeded(kind, active, candidate, intents, seed)


class Trainer:
    """Makes model directories, each from one list of sentences."""

    def __init__(self, work: Path, directory: EncoderDirectory, *, is_thorough: bool) -> None:
        self._work, self._encoder, self._is_thorough = work, directory, is_thorough
        self.kept = Kept.of_encoder(directory)
        self._made: dict[tuple[int, int], Path] = {}

    def make(self, data: Sequence[Example], seed: int) -> Path:
        """Return the model of these sentences; trained once for each list and seed."""
        key = (hash(tuple(data)), seed)
        if key not in self._made:
            train, dev = datasets.split(data, seed)
            out = self._work / f"model-{len(self._made)}"
            if self._is_thorough:
                train_model(train, dev, encoder=self._encoder, out=out)
            else:
                train_quick(train, dev, encoder=self._encoder, out=out, network=self.kept)
            self._made[key] = out
        return self._made[key]


def examine(
    candidate: Seeded, trainer: Trainer, frozen: Sequence[Example]
) -> tuple[Verdict, float]:
    """Train and judge; returns the verdict and the seconds that judging took."""
    active = trainer.make(candidate.active, 0)
    new = trainer.make(candidate.candidate, candidate.seed)
    started = time.monotonic()
    verdict = judge(
        new,
        active,
        Evidence(
            frozen=[Labelled(each.text, each.label, "zh") for each in frozen],
            candidate_data=[Labelled(each.text, each.label, "zh") for each in candidate.candidate],
            active_data=[Labelled(each.text, each.label, "zh") for each in candidate.active],
            intents=frozenset(each.label for each in candidate.active),
            embed=lambda texts: trainer.kept.read(texts)[0],
            out_of_scope=out_of_scope.texts(),
        ),
    )
    return verdict, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--frozen", choices=("dev", "test"), default="test")
    parser.add_argument(
        "--candidates", type=int, default=10, help="bad ones, and as many good ones"
    )
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--thorough", action="store_true", help="fine-tune each (an hour)")
    parser.add_argument("--without-gate", action="store_true", help="let everything pass")
    parser.add_argument("--set", default="intent_zh_jddc")
    parser.add_argument("--foreign", default="intent_zh_massive", help="set that pollutes")
    options = parser.parse_args()
    folder = DATA / options.set
    if not folder.is_dir():
        print(f"skipped: {folder} is not beside this checkout")
        return
    rows = {name: trained_model.read(folder / f"{name}.csv") for name in ("train", options.frozen)}
    codes = trained_model.codes(label for _text, label in rows["train"])
    data, frozen = (
        [Example(text, codes[label]) for text, label in part if label in codes]
        for part in rows.values()
    )
    foreign = _foreign(DATA / options.foreign / "train.csv", data)
    results = []
    with tempfile.TemporaryDirectory() as work:
        trainer = Trainer(Path(work), encoder.ensure(), is_thorough=options.thorough)
        for number in range(options.candidates):
            for kinds in (BAD, GOOD):
                kind, seed = kinds[number % len(kinds)], options.first_seed + number // 2
                candidate = seeded(kind, seed, data, foreign)
                results.append(_one(candidate, trainer, frozen, without=options.without_gate))
                print(results[-1]["line"], flush=True)
    summary = summary_of(results)
    summary |= {"set": options.set, "frozen": options.frozen}
    summary["mode"] = "thorough" if options.thorough else "quick"
    print(json.dumps(summary, ensure_ascii=False, indent=1))
    if options.json:
        options.json.write_text(
            json.dumps(summary | {"candidates": results}, ensure_ascii=False, indent=1)
        )
    if not summary["passed"]:
        sys.exit(1)


def _one(
    candidate: Seeded, trainer: Trainer, frozen: Sequence[Example], *, without: bool
) -> dict[str, Any]:
    verdict, seconds = examine(candidate, trainer, frozen)
    outcome = Outcome.PASSED if without else verdict.outcome
    is_bad = candidate.kind in BAD
    named = any(candidate.is_named_by(cause) for cause in verdict.causes[:CAUSES_LOOKED_AT])
    is_right = outcome == (Outcome.REFUSED if is_bad else Outcome.PASSED)
    reasons = [each.kind for each in (*verdict.reasons, *verdict.doubts)]
    accuracy = verdict.accuracy
    line = (
        f"{'ok   ' if is_right else 'WRONG'} {candidate.kind:13} seed {candidate.seed}: {outcome}"
        f" {', '.join(reasons)}{' (cause named)' if is_bad and named else ''} {seconds:.1f} s"
    )
    return {
        "kind": candidate.kind,
        "seed": candidate.seed,
        "intents": candidate.intents,
        "is_bad": is_bad,
        "outcome": outcome,
        "is_right": is_right,
        "is_named": named,
        "reasons": reasons,
        "fallen": verdict.fallen,
        "accuracy": [accuracy.active, accuracy.candidate] if accuracy else None,
        "judging_s": round(seconds, 2),
        "line": line,
    }


def summary_of(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count; `passed` says whether the bar is met."""
    bad = [each for each in results if each["is_bad"]]
    good = [each for each in results if not each["is_bad"]]
    promoted = sum(each["outcome"] == Outcome.PASSED for each in bad)
    right = sum(each["is_right"] for each in results)
    return {
        "bad_refused": sum(each["outcome"] == Outcome.REFUSED for each in bad) / len(bad),
        "good_passed": sum(each["is_right"] for each in good) / len(good),
        "cause_among_first_five": sum(each["is_named"] for each in bad) / len(bad),
        "bad_promoted": promoted,
        "verdicts_right": right,
        "verdicts": len(results),
        "passed": promoted == 0 and right >= RIGHT_MIN * len(results),
    }


def _foreign(path: Path, data: Sequence[Example]) -> list[str]:
    """Return sentences of another field that the set has not; none where they are not there."""
    if not path.is_file():
        return []
    known = {normalize.key(example.text) for example in data}
    texts = dict.fromkeys(text for text, _label in trained_model.read(path))
    return [text for text in texts if normalize.key(text) not in known]


if __name__ == "__main__":
    main()
