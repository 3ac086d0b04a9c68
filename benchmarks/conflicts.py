"""What is found while somebody types: planted repeats and paraphrases, and how soon it shows.

    python -m benchmarks.conflicts [--set intent_zh_jddc] [--json OUT] [--quick]

Utterances of a public set's train part are the content. Four sorts of sentences are typed into an
intent to which they do not belong: the same words in another spelling, the same with other numbers,
the same in other words (planting.py), and the set's own test sentences. What is typed where it
belongs, the test sentences, should raise nothing. Precision counts as many of those as were planted.
Translations are planted among the starter content.

Baseline: what `rasa data validate` reports, one text in two intents, letter by letter; and the same
by edit distance (difflib, ratio 0.8 and more). The limits of intents/conflicts/hints.py were chosen
on the sets' dev parts; test parts are only reported.

Time: from a key to the hint in a page, with 20,000 utterances: the pause of the page's script and
the request, over HTTP to a web process of the product.
"""

import argparse
import csv
import difflib
import http.client
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")

import django

django.setup()

import numpy as np  # noqa: E402

from benchmarks import planting  # noqa: E402
from benchmarks.live_intents import DATA, SETS, _LiveSite  # noqa: E402
from benchmarks.site import Web  # noqa: E402
from intents import encoder, language  # noqa: E402
from intents.conflicts.hints import Hint, Kind, Sentence, find  # noqa: E402
from intents.conflicts.index import Entry, Index, index_of  # noqa: E402
from intents.conflicts.masking import masked_key  # noqa: E402
from intents.guard import normalize  # noqa: E402
from intents.inference import loading  # noqa: E402

STARTER = Path(__file__).resolve().parents[1] / "intents" / "starter" / "utterances.csv"
SCRIPT = Path(__file__).resolve().parents[1] / "static" / "js" / "admin" / "utterance-hints.js"
UTTERANCES = 20_000
ALIKE = 0.8  # of difflib

Typed = tuple[str, str, str]  # text, intent that it is typed into, intent that it belongs to


class Embedded:
    """The encoder, and what it was asked before."""

    def __init__(self) -> None:
        self._embedder = loading.embedder_of(encoder.ensure())

    def __call__(self, texts: Sequence[str]) -> Any:
        return self._embedder.embed([normalize.for_model(text) for text in texts])


def main() -> None:
    options = _options()
    embed = Embedded()
    result: dict[str, Any] = {}
    for name in options.set or ("intent_zh_jddc", "intent_en_banking77"):
        folder = DATA / name
        if not folder.exists():
            print(f"skipped {name}: {folder} is not there")
            continue
        result[name] = _of_set(folder, embed, quick=options.quick)
    result["translations"] = _translations(embed)
    if not options.without_time:
        result["time"] = _times(500 if options.quick else UTTERANCES, 40 if options.quick else 200)
    _show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")


def _of_set(folder: Path, embed: Embedded, *, quick: bool) -> dict[str, Any]:
    train, test = _rows(folder / "train.csv"), _rows(folder / "test.csv")
    chance = random.Random(11)  # noqa: S311  (repeatable, not secret)
    index = _index(train, embed)
    cases = 60 if quick else 300
    sources = chance.sample(train, cases)
    numbered = [row for row in train if planting.has_number(row[0])]
    intents = sorted({label for _text, label in train})

    def elsewhere(label: str) -> str:
        return chance.choice([each for each in intents if each != label])

    def planted(rows: Sequence[tuple[str, str]], change: Callable[..., str]) -> list[Typed]:
        return [(change(text, chance), elsewhere(label), label) for text, label in rows]

    strange = chance.sample(test, min(cases, len(test)))
    sorts = {
        "repeated": planted(sources, planting.respelt),
        "renumbered": planted(numbered[:cases], planting.renumbered),
        "paraphrased": planted(sources, planting.paraphrased),
        "of the test part": planted(strange, lambda text, _chance: text),
    }
    right = [(text, label, label) for text, label in strange]
    finders = {
        "hints": lambda typed: _by_hints(index, embed, typed),
        "rasa: the same text": lambda typed: _by_text(train, typed),
        "edit distance": lambda typed: _by_edits(train, typed),
    }
    found: dict[str, Any] = {"utterances": len(train)}
    for finder, judge in finders.items():
        if finder == "edit distance":  # a second a sentence
            small = {sort: typed[: 10 if quick else 60] for sort, typed in sorts.items()}
            found[finder] = _measured(judge, small, right[: 10 if quick else 60])
        else:
            found[finder] = _measured(judge, sorts, right)
    return found


def _measured(
    judge: Callable[[Sequence[Typed]], list[set[str]]],
    sorts: dict[str, list[Typed]],
    right: Sequence[Typed],
) -> dict[str, Any]:
    """Return recall by sort, and precision.

    Args:
        judge: Names, for each sentence, the other intents that it is held against.
    """
    alarms = sum(bool(named) for named in judge(right)) / len(right)
    found: dict[str, Any] = {"false_alarms": round(alarms, 3)}
    for sort, typed in sorts.items():
        if not typed:
            continue
        recall = sum(
            belongs in named
            for (_text, _into, belongs), named in zip(typed, judge(typed), strict=True)
        ) / len(typed)
        precision = recall / (recall + alarms) if recall + alarms else 1.0
        found[sort] = {
            "cases": len(typed),
            "recall": round(recall, 3),
            "precision": round(precision, 3),
        }
    return found


def _by_hints(index: Index, embed: Embedded, typed: Sequence[Typed]) -> list[set[str]]:
    return [
        {hint.intent for hint in hints if hint.intent != into}
        for (_text, into, _belongs), hints in zip(typed, _hints(index, embed, typed), strict=True)
    ]


def _hints(index: Index, embed: Embedded, typed: Sequence[Typed]) -> list[list[Hint]]:
    sentences = [
        Sentence(text, into, language.detect(text) or "zh") for text, into, _belongs in typed
    ]
    return find(index, sentences, embed([text for text, _into, _belongs in typed]))


def _by_text(train: Sequence[tuple[str, str]], typed: Sequence[Typed]) -> list[set[str]]:
    intents: dict[str, set[str]] = {}
    for text, label in train:
        intents.setdefault(text, set()).add(label)
    return [intents.get(text, set()) - {into} for text, into, _belongs in typed]


def _by_edits(train: Sequence[tuple[str, str]], typed: Sequence[Typed]) -> list[set[str]]:
    found = []
    for text, into, _belongs in typed:
        matcher = difflib.SequenceMatcher(b=text.lower(), autojunk=False)
        named = set()
        for other, label in train:
            if label == into or label in named:
                continue
            matcher.set_seq1(other.lower())
            if (
                matcher.real_quick_ratio() >= ALIKE
                and matcher.quick_ratio() >= ALIKE
                and matcher.ratio() >= ALIKE
            ):
                named.add(label)
        found.append(named)
    return found


def _translations(embed: Embedded) -> dict[str, Any]:
    """Plant one language's half of each pair in one intent, type the other half into another."""
    with STARTER.open(encoding="utf-8-sig", newline="") as file:
        starter = [(row["text"], row["intent"]) for row in csv.DictReader(file)]
    chance = random.Random(5)  # noqa: S311
    intents = sorted({label for _text, label in starter})
    found: dict[str, Any] = {"pairs": len(planting.TRANSLATIONS)}
    for name, there in (("English typed", 0), ("Chinese typed", 1)):
        pairs = [(pair[there], pair[1 - there]) for pair in planting.TRANSLATIONS]
        index = _index([*starter, *((text, f"of {n}") for n, (text, _) in enumerate(pairs))], embed)
        typed = [(text, chance.choice(intents), f"of {n}") for n, (_, text) in enumerate(pairs)]
        recall = [
            any(hint.intent == belongs and hint.kind == Kind.TRANSLATION for hint in hints)
            for (_t, _i, belongs), hints in zip(typed, _hints(index, embed, typed), strict=True)
        ]
        right = [(text, label, label) for text, label in chance.sample(starter, 300)]
        own = _index(starter, embed)
        alarms = [
            any(hint.kind == Kind.TRANSLATION for hint in hints)
            for hints in _hints(own, embed, right)
        ]
        found[name] = {
            "recall": round(float(np.mean(recall)), 3),
            "false_alarms": round(float(np.mean(alarms)), 3),
        }
    return found


_vectors: dict[str, Any] = {}


def _index(rows: Sequence[tuple[str, str]], embed: Embedded) -> Index:
    in_order = sorted(rows, key=lambda row: row[1])
    missing = list(dict.fromkeys(text for text, _label in rows if text not in _vectors))
    if missing:
        _vectors.update(zip(missing, embed(missing), strict=True))
    entries = [
        Entry(
            number,
            label,
            text,
            normalize.key(text),
            language.detect(text) or "zh",
            normalize.for_model(text),
            masked_key(text),
        )
        for number, (text, label) in enumerate(in_order, start=1)
    ]
    return index_of(1, "e5", entries, np.stack([_vectors[text] for text, _label in in_order]))


# --- Time ------------------------------------------------------------------------------------


def _times(utterances: int, keys: int) -> dict[str, Any]:
    pause_ms = int(re.search(r"PAUSE_MS = (\d+)", SCRIPT.read_text(encoding="utf-8"))[1])  # type: ignore[index]
    content: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name in SETS:
        if not (DATA / name).exists():
            continue
        for text, label in _rows(DATA / name / "train.csv"):
            key = normalize.key(text)
            if key not in seen and len(text) < 200 and len(seen) < utterances:
                seen.add(key)
                content.setdefault(f"{name[7:]} {label}", []).append(text)
    with tempfile.TemporaryDirectory(prefix="csplatform-conflicts-") as folder:
        site = _LiveSite(Path(folder), Path(folder) / "models", Path(folder))
        site.content = content
        try:
            site.prepare()
            web = Web(site, 1)
            try:
                return {
                    "utterances": len(seen),
                    "pause_ms": pause_ms,
                    **_type(web, site.token, keys, pause_ms, list(seen)),
                }
            finally:
                web.stop()
        finally:
            site.close()


def _type(web: Web, session: str, keys: int, pause_ms: int, texts: list[str]) -> dict[str, float]:
    deadline = time.monotonic() + 900
    while True:  # until every utterance has its vector
        model = json.loads(web.get("/readyz"))["checks"]["model"]
        if model["state"] in ("ready", "fallback") and model.get("content_version", 0) >= 0:
            break
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing answers: {model}")
        time.sleep(1)
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=300)
    connection.request(
        "GET", "/admin/intents/intent/add/", headers={"Cookie": f"sessionid={session}"}
    )
    page = connection.getresponse()
    cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert csrf is not None
    headers = {
        "Cookie": f"sessionid={session}; {cookie}",
        "Content-Type": "application/json",
        "X-CSRFToken": csrf[1],
        "Origin": web.url,
        "Referer": web.url + "/admin/intents/intent/add/",
    }

    def ask(text: str) -> float:
        began = time.monotonic()
        body = json.dumps({"intent": "logistics", "texts": [[text, None]]})
        connection.request("POST", "/admin/intents/utterance/hints/", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"hints: {answer.status}")
        return 1000 * (time.monotonic() - began)

    first = ask("第一句话")
    settle = time.monotonic() + 600
    while time.monotonic() < settle:  # the index that has every vector
        time.sleep(1)
        if max(ask(f"安静一下{n}") for n in range(5)) < 60:
            break
    chance = random.Random(2)  # noqa: S311
    taken = []
    for number in range(keys):
        text = chance.choice(texts)
        taken.append(pause_ms + ask(f"{text}{number}"))
        time.sleep(0.03)
    return {
        "first_ms": round(first, 1),
        "p50_ms": round(float(np.percentile(taken, 50)), 1),
        "p95_ms": round(float(np.percentile(taken, 95)), 1),
        "max_ms": round(max(taken), 1),
    }


def _rows(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row["text"].strip(), row["label"]) for row in csv.DictReader(file)]


def _show(result: dict[str, Any], indent: int = 0) -> None:
    for name, value in result.items():
        if isinstance(value, dict) and any(isinstance(each, dict) for each in value.values()):
            print(" " * indent + name)
            _show(value, indent + 2)
        else:
            print(" " * indent + f"{name:>22}  {value}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", help="folder of shared/data; more than once")
    parser.add_argument("--quick", action="store_true", help="few cases: does it run at all")
    parser.add_argument("--without-time", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
