"""What the bot does with real messages, a fifth of which mean none of its intents.

    python -m benchmarks.decisions [--draws 3] [--models DIR] --json OUT

JDDC: three quarters of the intents are trained (benchmarks.open_set); the test has their texts,
and of the other intents' texts as many as make a fifth. At the default costs, then the whole
curve: wrong answers against hand-overs as a wrong answer costs more. Beside it a bot of keywords
and regular expressions, made from the same training texts (benchmarks.regex_bot), as its rules
are stricter and stricter; it cannot ask back.
"""

import argparse
import json
import random
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import open_set  # sets Django up

# isort: split
import numpy as np

from benchmarks import regex_bot
from intents.content import Content, IntentInfo
from intents.guard.sensitive import Masker
from intents.inference import Prediction
from training import weighing
from training.weighing import Labelled

SET = "jddc"
OUT_OF_SCOPE_SHARE = 0.2
HANDED_OVER_MOST = 0.12  # of what is in scope
RANKED = 10


def content_of(labels: list[str]) -> Content:
    """Return content with these intents and the default costs."""
    return Content(
        version=1,
        intents={
            label: IntentInfo(label, label, label, hands_over=False, is_offered=True)
            for label in labels
        },
        masker=Masker((), ()),
        _replies={},
        _phrases={},
        _suggestions={},
    )


def mixed(labels: list[str], known: set[str], seed: int = 0) -> list[int]:
    """Return the positions of all texts in scope, and of others so that these are a fifth."""
    inside = [number for number, label in enumerate(labels) if label in known]
    outside = [number for number, label in enumerate(labels) if label not in known]
    wanted = round(len(inside) * OUT_OF_SCOPE_SHARE / (1 - OUT_OF_SCOPE_SHARE))
    if wanted > len(outside):
        raise ValueError(f"{len(outside)} texts out of scope, and {wanted} make a fifth")
    return sorted([*inside, *random.Random(seed).sample(outside, wanted)])  # noqa: S311


def measure(draw: int, folder: Path) -> dict[str, Any]:
    """Return shares at the default costs, the curve, and the regex bot's, on the test split."""
    model, splits = open_set.trained(SET, draw, folder)
    known = set(model.manifest.labels)
    read = model.read(splits["test"])
    unknown = model.scope.out_of_scope(read.seen)
    chosen = mixed(read.labels, known)
    texts = []
    for number in chosen:
        row = read.probabilities[number]
        ranked = tuple(
            (model.manifest.labels[column], float(row[column]))
            for column in np.argsort(-row)[:RANKED]
        )
        prediction = Prediction(ranked, "model", out_of_scope=float(unknown[number]))
        truth = read.labels[number]
        texts.append(Labelled(prediction, truth if truth in known else ""))
    content = content_of(list(model.manifest.labels))
    rules = {
        part: [(each.text, each.label) for each in splits[part] if each.label in known]
        for part in ("train", "dev")
    }
    bot, tried = regex_bot.choose(rules["train"], rules["dev"])
    asked = [(splits["test"][n].text, splits["test"][n].label) for n in chosen]
    return {
        "draw": draw,
        "product": _both(texts, content, 1.0),
        "without_scope": _both(
            [Labelled(Prediction(each.prediction.ranked, "model"), each.truth) for each in texts],
            content,
            1.0,
        ),
        "curve": [
            {"factor": point.factor, **_both(texts, content, point.factor)}
            for point in weighing.curve([], content)
        ],
        "regex_bot": _regex(bot, asked, known),
        "regex_bot_curve": [_regex(each, asked, known) for each, _shares in tried],
    }


def _both(texts: list[Labelled], content: Content, factor: float) -> dict[str, Any]:
    """Return shares of the texts in scope, and of the others."""
    inside = [text for text in texts if text.truth]
    outside = [text for text in texts if not text.truth]
    return {
        name: {**asdict(shares), "asked": shares.asked}
        for name, shares in (
            ("in_scope", weighing.weigh(inside, content, factor=factor)),
            ("out_of_scope", weighing.weigh(outside, content, factor=factor)),
            ("all", weighing.weigh(texts, content, factor=factor)),
        )
    }


def _regex(
    bot: regex_bot.Bot, asked: list[tuple[str, str]], known: set[str]
) -> dict[str, dict[str, float]]:
    return {
        name: asdict(regex_bot.shares(bot, part))
        for name, part in (
            ("in_scope", [pair for pair in asked if pair[1] in known]),
            ("out_of_scope", [pair for pair in asked if pair[1] not in known]),
            ("all", asked),
        )
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--models", type=Path, help="keep trained models here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.models or Path(temporary)
        draws = [measure(draw, folder) for draw in range(options.draws)]
    mean = _mean(draws)
    _print(mean)
    if options.json:
        text = json.dumps({"mean": mean, "draws": draws}, indent=1, ensure_ascii=False)
        options.json.write_text(text, "utf-8")


def _mean(values: list[Any]) -> Any:
    """Average numbers at the same place of like structures."""
    first = values[0]
    if isinstance(first, dict):
        return {name: _mean([value[name] for value in values]) for name in first}
    if isinstance(first, list):
        return [_mean(list(group)) for group in zip(*values, strict=True)]
    return float(np.mean(values))


def _print(mean: dict[str, Any]) -> None:
    print("shares of messages; “found”: asked back, and what was meant was among the buttons")
    print(f"{'':28}{'right':>7}{'wrong':>7}{'asked':>7}{'found':>7}{'handed':>7}")

    def line(name: str, row: dict[str, float]) -> None:
        figures = (row.get(key, 0.0) for key in ("right", "wrong", "asked", "found", "handed_over"))
        print(f"{name:28}" + "".join(f"{100 * figure:6.1f}%" for figure in figures))

    for who in ("product", "without_scope", "regex_bot"):
        for part in ("in_scope", "out_of_scope", "all"):
            line(f"{who}, {part}", mean[who][part])
    handed = mean["product"]["in_scope"]["handed_over"]
    print(f"in scope handed over: {handed:.1%}, at most {HANDED_OVER_MOST:.0%} is the bar")
    print("\nthe curve, all messages: wrong answers against hand-overs")
    for point in mean["curve"]:
        line(f"wrong answers × {point['factor']:.2f}", point["all"])
    for point in mean["regex_bot_curve"]:
        line("regex bot", point["all"])


if __name__ == "__main__":
    main()
