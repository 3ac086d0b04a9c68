"""Intents with utterances, and model directories."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from intents.inference import artifacts
from intents.models import Intent, Utterance
from training.models import ModelVersion


@pytest.fixture
def model_dir(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A MODEL_DIR of this test, for this process and those that it starts."""
    settings.MODEL_DIR = tmp_path / "models"
    monkeypatch.setenv("MODEL_DIR", str(settings.MODEL_DIR))
    return settings.MODEL_DIR


@pytest.fixture
def children_share_the_database(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    """Processes that this test starts use its SQLite database."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{settings.DATABASES['default']['NAME']}")


@pytest.fixture
def taught() -> Callable[..., None]:
    """A function that makes intents with so many training utterances each."""

    def teach(**counts: int) -> None:
        for code, count in counts.items():
            intent = Intent.objects.create(code=code, name_zh=code, name_en=code)
            Utterance.objects.bulk_create(
                Utterance(intent=intent, text=f"{code} {n}", key=f"{code}{n}", language="en")
                for n in range(count)
            )

    return teach


@pytest.fixture
def trained(model_dir: Path) -> Callable[[str], ModelVersion]:
    """A function that makes a version with a whole directory."""

    def make(name: str) -> ModelVersion:
        directory = model_dir / name
        directory.mkdir(parents=True)
        (directory / artifacts.CLASSIFIER).write_bytes(b"a network")
        (directory / artifacts.TOKENIZER).write_bytes(b"its tokenizer")
        manifest = artifacts.Manifest(
            version=name,
            encoder="none",
            labels=("logistics", "invoice"),
            max_tokens=64,
            created_at="2026-11-22T10:00:00+00:00",
            seconds=1.0,
            network_weight=1.0,
            light_weight=0.0,
        )
        artifacts.write_manifest(directory, manifest)
        return ModelVersion.objects.create(name=name, labels=list(manifest.labels))

    return make
