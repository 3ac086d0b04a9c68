"""Trainings that nobody asks for: when they begin, and when they do not."""

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from intents import encoder
from intents.guard import normalize
from intents.inference import artifacts
from intents.models import ContentVersion, Intent, Utterance
from tests.factories import StaffFactory
from training import planning, readiness, registry, snapshots, utterances
from training.models import ModelVersion, RetrainingPlan, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model_dir")]

Make = Callable[[str], ModelVersion]


@pytest.fixture
def in_service(taught: Any, trained: Make, now: datetime, settings: Any) -> ModelVersion:
    """A model made of what is there, which answers."""
    taught(logistics=8, invoice=6)
    version = trained("v1")
    directory = settings.MODEL_DIR / version.name
    rewrite(directory, encoder=encoder.identity())
    snapshots.write(directory, utterances.read_rows(), read_at=timezone.now())
    registry.activate(version_id=version.pk, now=now)
    return version


def rewrite(directory: Path, **changed: Any) -> None:
    """Seal a model directory with other values in its manifest."""
    manifest = dataclasses.replace(artifacts.load_manifest(directory), **changed)
    artifacts.write_manifest(directory, manifest)


def add_utterances(code: str, count: int) -> None:
    """As staff would: the content version moves with it."""
    intent = Intent.objects.get(code=code)
    for number in range(count):
        text = f"{code} new {number}"
        Utterance.objects.create(intent=intent, text=text, key=text, language="en")
    row, _ = ContentVersion.objects.get_or_create(pk=1)
    row.understanding += 1
    row.save()


# Before any night of these tests: 22 November, 18:00 in Shanghai, is `now`.
EVENING = datetime.fromisoformat("2026-11-21T10:00:00+00:00")


def at(now: datetime, clock: time) -> datetime:
    """The day of `now` in the shop's time zone, at another time of it."""
    return timezone.localtime(now).replace(hour=clock.hour, minute=clock.minute)


def test_a_new_installation_begins_nothing_by_itself(in_service: ModelVersion, now: datetime):
    add_utterances("invoice", 30)

    assert planning.look(now=now) is None
    assert not TrainingRun.objects.exists()


class TestEveryNight:
    def test_it_begins_once_when_the_time_has_come(self, in_service: ModelVersion, now: datetime):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0), mode="quick")
        add_utterances("invoice", 1)

        assert planning.look(now=at(now, time(2, 59))) is None
        run = planning.look(now=at(now, time(3, 0)))

        assert run is not None
        assert (run.cause, run.mode, run.requested_by) == ("schedule", "quick", None)
        TrainingRun.objects.update(status="FAILED", slot=None)
        assert planning.look(now=at(now, time(3, 1))) is None
        assert planning.look(now=at(now, time(23, 59))) is None

    def test_a_night_that_was_missed_is_not_made_up_for_at_noon(
        self, in_service: ModelVersion, now: datetime
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(23, 30))
        add_utterances("invoice", 1)

        assert planning.look(now=at(now, time(12, 0))) is None
        assert planning.look(now=at(now, time(1, 0))) is not None  # a little late, past midnight

    def test_a_time_that_has_passed_today_is_for_tomorrow(
        self, in_service: ModelVersion, now: datetime
    ):
        two_later = at(now, time(5, 0))
        planning.change_plan(by=None, now=two_later, nightly_at=time(3, 0))
        add_utterances("invoice", 1)

        assert planning.look(now=two_later) is None
        assert planning.look(now=at(now, time(3, 0)) + timedelta(days=1)) is not None

    def test_it_is_the_shops_clock(self, in_service: ModelVersion, now: datetime, settings: Any):
        settings.TIME_ZONE = "America/New_York"
        timezone.activate("America/New_York")
        try:
            planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0))
            add_utterances("invoice", 1)
            three_there = datetime.fromisoformat("2026-11-23T08:00:00+00:00")

            assert planning.look(now=three_there - timedelta(minutes=1)) is None
            assert planning.look(now=three_there) is not None
        finally:
            timezone.deactivate()

    def test_without_a_change_it_is_left_out_and_says_so(
        self, in_service: ModelVersion, now: datetime
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0))

        assert planning.look(now=at(now, time(3, 0))) is None

        assert "v1" in planning.plan().outcome
        assert not TrainingRun.objects.exists()

    def test_what_was_refused_is_not_tried_again_every_night(
        self, in_service: ModelVersion, now: datetime
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0))
        add_utterances("invoice", 1)
        assert planning.look(now=at(now, time(3, 0))) is not None
        TrainingRun.objects.update(status="SUCCEEDED", slot=None)  # its model was refused

        assert planning.look(now=at(now, time(3, 0)) + timedelta(days=1)) is None
        add_utterances("logistics", 1)
        assert planning.look(now=at(now, time(3, 0)) + timedelta(days=2)) is not None

    def test_what_the_machine_lacked_it_may_have_the_next_night(
        self, in_service: ModelVersion, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0))
        add_utterances("invoice", 1)
        with monkeypatch.context() as full:
            full.setattr(readiness, "check", Mock(side_effect=readiness.NotEnoughMemory))
            assert planning.look(now=at(now, time(3, 0))) is None

        assert planning.look(now=at(now, time(3, 0)) + timedelta(days=1)) is not None


class TestEnoughChanges:
    def test_it_begins_when_enough_has_changed(self, in_service: ModelVersion, now: datetime):
        planning.change_plan(by=None, now=EVENING, after_changes=3)
        add_utterances("invoice", 2)
        assert planning.look(now=now) is None
        assert " 2 " in planning.plan().outcome  # so many of three

        moved, gone = Utterance.objects.filter(intent__code="logistics")[:2]
        moved.intent = Intent.objects.get(code="invoice")
        moved.save()
        gone.delete()
        Utterance.objects.filter(text="invoice new 0").delete()
        ContentVersion.objects.update(understanding=99)
        run = planning.look(now=now)

        assert planning.changes_since_active() == snapshots.Changes(added=1, removed=1, moved=1)
        assert run is not None
        assert run.cause == "changes"

    def test_it_counts_only_when_content_has_moved(
        self, in_service: ModelVersion, now: datetime, django_assert_num_queries: Any
    ):
        planning.change_plan(by=None, now=EVENING, after_changes=3)
        add_utterances("invoice", 2)
        planning.look(now=now)

        with django_assert_num_queries(4):  # plan, slot, content version, claim
            planning.look(now=now)

    def test_nothing_begins_while_another_one_runs(self, in_service: ModelVersion, now: datetime):
        planning.change_plan(by=None, now=EVENING, after_changes=1)
        add_utterances("invoice", 2)
        TrainingRun.objects.create(status="RUNNING", slot=1)
        assert planning.look(now=now) is None

        TrainingRun.objects.update(status="SUCCEEDED", slot=None)
        assert planning.look(now=now) is not None  # it was not forgotten

    def test_what_cannot_be_trained_on_is_said(self, in_service: ModelVersion, now: datetime):
        planning.change_plan(by=None, now=EVENING, after_changes=1)
        Utterance.objects.filter(intent__code="invoice").delete()
        ContentVersion.objects.create(understanding=7)

        assert planning.look(now=now) is None

        assert "invoice (0)" in planning.plan().outcome


def of_an_older_release(directory: Path) -> None:
    path = directory / artifacts.MANIFEST
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "format": artifacts.FORMAT - 1}), encoding="utf-8")


def of_another_encoder(directory: Path) -> None:
    rewrite(directory, encoder="another")


def damaged(directory: Path) -> None:
    (directory / artifacts.CLASSIFIER).write_bytes(b"half a netw")


class TestAModelThatCannotBeServed:
    @pytest.mark.parametrize("spoil", [of_an_older_release, of_another_encoder, damaged])
    def test_it_is_replaced_though_nothing_has_changed(
        self, in_service: ModelVersion, now: datetime, settings: Any, spoil: Callable[[Path], None]
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0))
        spoil(settings.MODEL_DIR / in_service.name)

        assert planning.look(now=at(now, time(3, 0))) is not None

    def test_what_failed_is_tried_again_the_next_night_and_not_before(
        self, in_service: ModelVersion, now: datetime, settings: Any
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0), after_changes=1)
        of_an_older_release(settings.MODEL_DIR / in_service.name)
        ContentVersion.objects.create(understanding=1)
        assert planning.look(now=at(now, time(3, 0))) is not None
        TrainingRun.objects.update(status="FAILED", slot=None)

        for minute in (1, 2):
            assert planning.look(now=at(now, time(3, minute))) is None
        ContentVersion.objects.update(understanding=2)  # and the same utterances
        assert planning.look(now=at(now, time(3, 3))) is None
        assert planning.look(now=at(now, time(3, 0)) + timedelta(days=1)) is not None

    def test_it_waits_for_the_first_change_and_not_for_enough(
        self, in_service: ModelVersion, now: datetime, settings: Any
    ):
        planning.change_plan(by=None, now=EVENING, after_changes=50)
        of_an_older_release(settings.MODEL_DIR / in_service.name)
        # The run that made it was noted like any other.
        pairs = snapshots.training_pairs(utterances.read_rows())
        RetrainingPlan.objects.update(tried=snapshots.fingerprint(pairs))
        ContentVersion.objects.create(understanding=1)

        assert planning.look(now=now) is not None

    def test_an_encoder_that_cannot_be_had_is_not_the_models_fault(
        self, in_service: ModelVersion, now: datetime, settings: Any, tmp_path: Path
    ):
        planning.change_plan(by=None, now=EVENING, nightly_at=time(3, 0))
        (tmp_path / "empty").mkdir()
        settings.INTENT_ENCODER = str(tmp_path / "empty")

        assert planning.look(now=at(now, time(3, 0))) is None


def test_of_a_version_without_a_snapshot_the_sentences_it_has_seen_count(
    taught: Any, trained: Make, now: datetime, settings: Any
):
    taught(logistics=6)
    version = trained("v1")
    directory = settings.MODEL_DIR / version.name
    seen = frozenset(artifacts.key_hash(normalize.key(f"logistics {n}")) for n in range(4))
    rewrite(directory, seen=seen)
    registry.activate(version_id=version.pk, now=now)

    assert planning.changes_since_active() == snapshots.Changes(added=2, removed=0, moved=0)


def test_a_plan_keeps_its_ranges_and_who_changed_it():
    editor = StaffFactory(role="business editor")
    planning.change_plan(by=editor, now=EVENING, nightly_at=time(4, 30))

    with pytest.raises(ValidationError):
        planning.change_plan(by=None, now=EVENING, after_changes=0)

    stored = RetrainingPlan.objects.get()
    assert (stored.nightly_at, stored.after_changes, stored.changed_by) == (
        time(4, 30),
        None,
        editor,
    )
