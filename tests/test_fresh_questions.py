"""The headline figure: questions of people who never saw the starter content.

tests/data/fresh_questions.csv was written after the starter utterances, by somebody who knew
only the names and descriptions of the intents. It is a yardstick: nothing is tuned to it.

    python -m pytest tests/test_fresh_questions.py -m long -s
"""

import csv
import json
import math
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from tests.live_site import Site, site

QUESTIONS = Path(__file__).parent / "data" / "fresh_questions.csv"
PROMISED = 0.85


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson, JASA 22, 1927)."""
    share, spread = right / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return middle - half, middle + half


def post(running: Site, path: str, body: dict, token: str = "") -> dict:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(running.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


@pytest.mark.long
@pytest.mark.model
@pytest.mark.timeout(1800)
def test_a_model_of_the_starter_content_understands_new_users():
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with site() as running:
        running.manage("train", timeout_s=1500)
        running.stop("web")
        running.start("web")  # a fresh process, ready with the new model before it is asked
        token = post(running, "/api/login", {"username": "admin", "password": "demo-admin"})
        results: list[dict] = []
        while not results or results[0]["source"] != "model":
            results = post(
                running, "/api/classify", {"texts": [row["text"] for row in rows]}, token["token"]
            )["results"]

    right = Counter(
        row["language"]
        for row, result in zip(rows, results, strict=True)
        if row["label"] == result["intent"]
    )
    low, high = wilson(right.total(), len(rows))
    for row, result in zip(rows, results, strict=True):
        if row["label"] != result["intent"]:
            print(f"{row['label']} taken for {result['intent']}: {row['text']}")
    print(
        f"{right.total()} of {len(rows)} right ({right.total() / len(rows):.1%}, "
        f"95 % interval {low:.1%} to {high:.1%}); zh {right['zh']}, en {right['en']}"
    )
    assert len(rows) == 200
    assert right.total() / len(rows) >= PROMISED
