"""A real training of the starter content's first sentences, from the request to the engine's files."""

import csv
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from intents import encoder
from intents.guard import normalize
from intents.inference import artifacts
from intents.models import Intent, Utterance
from training import planning, registry, services, snapshots
from training.models import Evaluation, TrainingRun

CODES = (
    *("logistics", "return_exchange", "invoice", "payment"),
    *("cancel_order", "coupon", "greeting", "complaint"),
)
TRAIN, EVALUATION = 15, 5


@pytest.fixture
def starter_content(children_share_the_database: None) -> None:
    """Eight intents with 15 sentences each to learn from and 5 to measure with."""
    intents = {code: Intent.objects.create(code=code, name_zh=code, name_en=code) for code in CODES}
    wanted = {
        (code, split): n
        for code in CODES
        for split, n in ((Utterance.Split.TRAIN, TRAIN), (Utterance.Split.EVALUATION, EVALUATION))
    }
    for path in sorted((settings.BASE_DIR / "intents" / "starter").glob("utterances*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                place = (row["intent"], row["split"])
                if row["language"] == "zh" and wanted.get(place, 0) > 0:
                    wanted[place] -= 1
                    Utterance.objects.create(
                        intent=intents[row["intent"]],
                        text=row["text"],
                        key=normalize.key(row["text"]),
                        language=row["language"],
                        family=row["family"],
                        split=row["split"],
                    )
    assert not any(wanted.values())


@pytest.mark.model
def test_a_training_ends_with_a_model_that_answers(
    starter_content: None,
    model_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("TRAINING_ACCURACY_MIN", "0.3")  # two epochs on 15 sentences
    directory = encoder.ensure()
    started = time.monotonic()

    call_command("train", "--epochs", "2", "--batch-size", "16")

    assert time.monotonic() - started < 240
    run = TrainingRun.objects.get()
    assert (run.status, run.slot, run.failure) == (TrainingRun.Status.SUCCEEDED, None, "")
    assert run.progress == 1.0
    version = run.version
    assert sorted(version.labels) == sorted(CODES)
    assert version.name in capsys.readouterr().out
    assert set(version.evaluations.values_list("precision", "texts")) == {
        ("fp32", len(CODES) * EVALUATION),
        ("int8", len(CODES) * EVALUATION),
    }
    assert registry.active() == version
    assert artifacts.active_version() == version.name
    manifest = artifacts.verify(model_dir / version.name)
    assert (manifest.version, manifest.encoder) == (version.name, directory.id)
    assert {path.name for path in model_dir.iterdir()} == {
        *(version.name, "active.json", ".pointer.lock")
    }
    assert len(run.curve) == 2  # loss and accuracy of each epoch
    assert run.memory_mb is not None
    assert (version.mode, version.fingerprint) == ("thorough", manifest.data["fingerprint"])
    assert version.size > 10_000_000
    assert run.started_at <= datetime.fromisoformat(manifest.data["read_at"]) <= run.finished_at
    assert planning.changes_since_active() == snapshots.Changes(0, 0, 0)
    assert len(snapshots.rows_of(version)) == len(CODES) * (TRAIN + EVALUATION)

    # What staff add is learned in the quick mode, over the network that was just taught.
    intent = Intent.objects.create(code="gift", name_zh="gift", name_en="gift")
    for number in range(TRAIN):
        text = f"可以送礼品包装吗{number}"
        Utterance.objects.create(
            intent=intent, text=text, key=normalize.key(text), language="zh", split="train"
        )
    assert planning.changes_since_active() == snapshots.Changes(TRAIN, 0, 0)

    call_command("train", "--mode", "quick")

    second = TrainingRun.objects.get(mode="quick").version
    assert "gift" in second.labels
    quick = artifacts.verify(model_dir / second.name)
    assert (quick.mode, quick.parameters) == ("quick", {"network": version.name})
    assert quick.learned == manifest.learned


@pytest.mark.model
def test_a_model_that_is_not_good_enough_is_kept_but_answers_nobody(
    starter_content: None, model_dir: Path, monkeypatch: pytest.MonkeyPatch, now: datetime
):
    monkeypatch.setenv("TRAINING_ACCURACY_MIN", "1.0")
    run = services.request_run(now=now, queue=False, mode="quick")

    services.execute(run_id=run.pk)

    run.refresh_from_db()
    assert (run.status, run.slot) == (TrainingRun.Status.SUCCEEDED, None)
    assert "100.0%" in run.log
    assert Evaluation.objects.get(version=run.version, precision="int8").accuracy < 1
    assert registry.active() is None
    assert artifacts.active_version() is None
    artifacts.verify(model_dir / run.version.name)


def test_whoever_only_asks_for_trainings_loads_nothing_that_fits_models():
    """Web process and Celery worker stay small; only the training's own process grows."""
    program = (
        "import os, sys, django;"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'csplatform.settings'; django.setup();"
        "import csplatform.asgi, training.services, training.tasks, training.registry;"
        "sys.exit(bool({'torch', 'transformers', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    child: Any = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR, check=False, timeout=240
    )
    assert child.returncode == 0
