"""The commands refuse clearly and do what the admin does."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from tests.training.test_registry import Make
from training import registry
from training.models import TrainingRun


class TestTrain:
    @pytest.mark.django_db
    def test_it_refuses_while_one_runs(self, taught: Any):
        taught(logistics=5, invoice=5)
        TrainingRun.objects.create(status=TrainingRun.Status.RUNNING, slot=1)

        with pytest.raises(CommandError):
            call_command("train")

        assert TrainingRun.objects.count() == 1

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("option", "value"), [("--epochs", "0"), ("--epochs", "many"), ("--learning-rate", "3")]
    )
    def test_a_wrong_parameter_is_named(self, option: str, value: str, taught: Any):
        taught(logistics=5, invoice=5)

        with pytest.raises(CommandError, match=f"^{option}: "):
            call_command("train", option, value)

        assert not TrainingRun.objects.exists()

    def test_it_prints_the_log_and_the_reason_of_a_failure(
        self,
        taught: Any,
        model_dir: Path,
        children_share_the_database: None,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ):
        taught(logistics=5, invoice=5)
        monkeypatch.setenv("INTENT_ENCODER", str(tmp_path / "no-such-encoder"))
        monkeypatch.setenv("ENCODER_CACHE_DIR", str(tmp_path / "cache"))

        with pytest.raises(CommandError, match="no-such-encoder"):
            call_command("train", "--epochs", "1")

        assert "EncoderUnavailable" in capsys.readouterr().out
        assert TrainingRun.objects.get().epochs == 1


@pytest.mark.django_db(transaction=True)
class TestActivate:
    def test_a_version_by_name_and_back(self, trained: Make, now: datetime, capsys: Any):
        for name in ("v1", "v2"):
            registry.activate(version_id=trained(name).pk, now=now)

        call_command("activate", "v1")
        assert registry.active().name == "v1"
        assert "v1 answers from now on." in capsys.readouterr().out

        call_command("activate", "v2")
        call_command("activate", "--previous")
        assert registry.active().name == "v1"

    def test_an_unknown_name_lists_the_known_ones(self, trained: Make):
        trained("v1")

        with pytest.raises(CommandError, match="There is no version v9"):
            call_command("activate", "v9")

    def test_a_broken_version_is_refused(self, trained: Make, model_dir: Path):
        trained("v1")
        (model_dir / "v1").rename(model_dir / "moved")

        with pytest.raises(CommandError, match="v1"):
            call_command("activate", "v1")

        assert registry.active() is None


def test_models_that_cannot_be_written_are_found_at_the_start(settings: Any, tmp_path: Path):
    (tmp_path / "file").touch()
    settings.MODEL_DIR = tmp_path / "file" / "models"
    assert "training.E001" in [message.id for message in run_checks()]

    settings.MODEL_DIR = tmp_path / "not" / "yet" / "there"
    assert "training.E001" not in [message.id for message in run_checks()]
