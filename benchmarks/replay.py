"""Replays customers' turns against a draft, and times it against answering them one by one.

    python -m benchmarks.replay [--model-dir var/models] [--turns 10000] [--baseline 500] [--json OUT]

A database of its own with the starter content, the model of --model-dir where one is named, the
turns as records of the past week (messages of real customers out of public sets, ../shared/data), and a
draft that adds an intent. What is timed is the process that does it in the product: from claiming the
comparison, opening both contenders included, to its end. The baseline answers a sample of the same
turns with `intents.inference.classify`, one after the other, twice (what is in service and the draft
are two readings), as a program would that knows nothing of replays; its engine is warm.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MESSAGES = DATA / "messages_zh" / "messages.txt"
GIFTS = ("可以包装成礼物吗", "有没有礼品包装", "送人的能包一下吗", "需要生日礼盒", "可以放贺卡吗")
GOAL_S = 120.0  # for 10,000 turns on two cores


def main() -> None:
    options = _options()
    if not MESSAGES.is_file():
        sys.exit(f"skipped: {MESSAGES} is not beside this checkout")
    with tempfile.TemporaryDirectory(prefix="csplatform-replay-") as folder:
        os.environ["VAR_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "csplatform.settings"
        if options.model_dir:
            os.environ["MODEL_DIR"] = str(options.model_dir.resolve())
        import django

        django.setup()
        result = _measure(options.turns, options.baseline)
    for name, value in result.items():
        print(f"{name:>26}  {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _measure(turns: int, sample: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.utils import timezone

    from intents import inference
    from training.comparisons import services, work

    call_command("migrate", verbosity=0)
    call_command("load_starter", verbosity=0)
    now = timezone.now()
    texts = _said(turns, now)
    draft = _draft()
    one_by_one, processor_of_one = _one_by_one(texts[:sample])
    inference.stop()
    services.request_replay(
        after=f"draft:{draft}", since=now - timedelta(days=8), until=now, now=now
    )
    comparison = services.claim(now=now)
    assert comparison is not None
    began, processor = time.perf_counter(), time.process_time()
    work.carry_out(comparison)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    comparison.refresh_from_db()
    assert comparison.status == "DONE", comparison.failure
    per_s = comparison.turns / seconds
    return {
        "turns": comparison.turns,
        "texts": comparison.texts,
        "model": inference.artifacts.active_version() or "prototypes",
        "seconds": round(seconds, 1),
        "cpu_seconds": round(processor, 1),
        "turns_per_s": round(per_s, 1),
        "seconds_per_10000": round(10_000 / per_s, 1),
        "goal_seconds_per_10000": GOAL_S,
        "one_by_one_turns_per_s": round(one_by_one, 1),
        "times_one_by_one": round(per_s / one_by_one, 2),
        "cpu_times_one_by_one": round(processor_of_one / (processor / comparison.turns), 2),
        "changed_turns": comparison.changed_turns,
    }


def _said(turns: int, now: Any) -> list[str]:
    """Store the turns as records of the past week. Returns their texts."""
    from intents.guard import pii
    from intents.language import detect
    from intents.models import PredictionRecord

    lines = MESSAGES.read_text(encoding="utf-8").splitlines()
    texts = [pii.redact(line)[:1000] for line in lines if detect(line)][:turns]
    PredictionRecord.objects.bulk_create(
        (
            PredictionRecord(
                text=text,
                language=detect(text),
                decision="HAND_OVER",
                source="model",
                elapsed_ms=1,
                created_at=now - timedelta(days=7) * (number + 1) / (len(texts) + 1),
            )
            for number, text in enumerate(texts)
        ),
        batch_size=40,
    )
    return texts


def _draft() -> int:
    from intents.models import Draft, DraftEdit

    draft = Draft.objects.create(title="replay")
    values: dict[str, Any] = {"code": "gift_wrap", "name_zh": "礼品包装", "name_en": "Gift wrap"}
    values |= {"description_zh": "", "description_en": "", "is_active": True, "position": 1}
    values |= {"hands_over": False, "is_offered": True}
    sentences = [
        {"intent": "gift_wrap", "text": text, "language": "zh", "family": "", "split": "train"}
        for text in GIFTS
    ]
    for number, (kind, edit) in enumerate(
        [("intent", values), *(("utterance", each) for each in sentences)]
    ):
        DraftEdit.objects.create(
            draft=draft, kind=kind, key=f"{kind}:+{number}", intent="gift_wrap", values=edit
        )
    return draft.pk


def _one_by_one(texts: list[str]) -> tuple[float, float]:
    """Return turns a second of a loop over `classify`, which reads each twice, and CPU s a turn."""
    from intents import inference

    inference.classify(texts[0], timeout_s=60)
    deadline = time.monotonic() + 300
    while inference.status().content_version <= 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    began, processor = time.perf_counter(), time.process_time()
    for _reading in range(2):
        for text in texts:
            inference.classify(text, timeout_s=60)
    processor = time.process_time() - processor
    return len(texts) / (time.perf_counter() - began), processor / len(texts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model-dir", type=Path, help="models with an active.json")
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--baseline", type=int, default=500, help="turns answered one by one")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
