"""One version answers; row and pointer agree; a broken version changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from intents.inference import artifacts
from tests.databases import interleave
from training import registry
from training.models import Activation, ActiveModel, Comparison, ModelVersion

Make = Callable[[str], ModelVersion]


class TestActivate:
    @pytest.mark.django_db(transaction=True)
    def test_row_pointer_and_log_move_together(self, trained: Make, now: datetime):
        first, second = trained("v1"), trained("v2")

        registry.activate(version_id=first.pk, now=now)
        registry.activate(version_id=second.pk, now=now)

        assert registry.active() == second
        assert artifacts.active_version() == "v2"
        assert list(Activation.objects.values_list("version__name", flat=True)) == ["v1", "v2"]

    @pytest.mark.django_db(transaction=True)
    def test_again_changes_nothing_but_a_lost_pointer(self, trained: Make, now: datetime):
        version = trained("v1")
        registry.activate(version_id=version.pk, now=now)
        artifacts.point_to(None)

        registry.activate(version_id=version.pk, now=now + timedelta(hours=1))

        assert ActiveModel.objects.get().since == now
        assert Activation.objects.count() == 1
        assert artifacts.active_version() == "v1"

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("damage", ["missing", "flipped"])
    def test_a_broken_version_is_refused(
        self, damage: str, trained: Make, now: datetime, model_dir: Path
    ):
        good, broken = trained("v1"), trained("v2")
        registry.activate(version_id=good.pk, now=now)
        weights = model_dir / "v2" / "classifier.onnx"
        if damage == "missing":
            (model_dir / "v2").rename(model_dir / "moved")
        else:
            content = bytearray(weights.read_bytes())
            content[0] ^= 1
            weights.write_bytes(content)

        with pytest.raises(registry.ModelBroken, match="v2"):
            registry.activate(version_id=broken.pk, now=now)

        assert registry.active() == good
        assert artifacts.active_version() == "v1"
        assert Activation.objects.count() == 1

    def test_of_two_at_once_row_and_pointer_agree(
        self, both_databases: str, trained: Make, now: datetime
    ):
        first, second = trained("v1"), trained("v2")
        registry.activate(version_id=trained("v0").pk, now=now)

        outcomes = interleave(
            lambda: registry.activate(version_id=first.pk, now=now),
            lambda: registry.activate(version_id=second.pk, now=now),
            at='INSERT INTO "training_activation"',
        )

        assert [outcome.refusal for outcome in outcomes] == ["", ""]
        assert artifacts.active_version() == registry.active().name
        assert Activation.objects.order_by("pk").last().version == registry.active()

    def test_of_two_first_ones_row_and_pointer_agree(
        self, both_databases: str, trained: Make, now: datetime
    ):
        first, second = trained("v1"), trained("v2")

        outcomes = interleave(
            lambda: registry.activate(version_id=first.pk, now=now),
            lambda: registry.activate(version_id=second.pk, now=now),
            at='INSERT INTO "training_activemodel"',
        )

        assert [outcome.refusal for outcome in outcomes] == ["", ""]
        assert ActiveModel.objects.count() == 1
        assert artifacts.active_version() == registry.active().name


@pytest.mark.django_db(transaction=True)
class TestRollBack:
    def test_it_goes_back_step_by_step(self, trained: Make, now: datetime):
        for name in ("v1", "v2", "v3"):
            registry.activate(version_id=trained(name).pk, now=now)

        assert registry.roll_back(now=now).name == "v2"
        assert registry.roll_back(now=now).name == "v1"
        assert artifacts.active_version() == "v1"
        with pytest.raises(registry.NothingToRollBackTo):
            registry.roll_back(now=now)

    def test_a_version_that_never_answered_is_skipped(self, trained: Make, now: datetime):
        registry.activate(version_id=trained("v1").pk, now=now)
        trained("v2-refused")
        registry.activate(version_id=trained("v3").pk, now=now)

        assert registry.roll_back(now=now).name == "v1"

    def test_without_a_model_there_is_nothing(self, now: datetime):
        with pytest.raises(registry.NothingToRollBackTo):
            registry.roll_back(now=now)


@pytest.mark.django_db(transaction=True)
class TestSyncPointer:
    def test_a_crash_between_row_and_pointer_is_healed(self, trained: Make, now: datetime):
        registry.activate(version_id=trained("v1").pk, now=now)
        ActiveModel.objects.update(version=trained("v2"))  # and the process died here

        registry.sync_pointer()

        assert artifacts.active_version() == "v2"

    def test_what_answers_goes_on_when_the_row_names_a_broken_one(
        self, trained: Make, now: datetime, model_dir: Path
    ):
        registry.activate(version_id=trained("v1").pk, now=now)
        ActiveModel.objects.update(version=trained("v2"))
        (model_dir / "v2").rename(model_dir / "moved")

        registry.sync_pointer()

        assert artifacts.active_version() == "v1"


@pytest.mark.django_db
class TestArchiveOld:
    def test_the_newest_and_what_rolling_back_needs_keep_their_files(
        self, trained: Make, now: datetime, settings: Any, model_dir: Path
    ):
        settings.MODELS_KEPT = 2
        versions = [trained(f"v{number}") for number in range(1, 9)]
        for number in (1, 2, 3, 4):  # v4 answers now; v5 to v8 were refused
            registry.activate(version_id=versions[number - 1].pk, now=now)

        archived = registry.archive_old(now=now)

        assert [version.name for version in archived] == ["v1", "v5", "v6"]
        there = {path.name for path in model_dir.iterdir() if path.is_dir()}
        assert there == {"v2", "v3", "v4", "v7", "v8"}
        assert ModelVersion.objects.get(name="v5").archived_at == now
        assert ModelVersion.objects.count() == 8
        assert registry.roll_back(now=now).name == "v3"
        assert registry.roll_back(now=now).name == "v2"
        with pytest.raises(registry.NothingToRollBackTo):
            registry.roll_back(now=now)

    def test_what_a_comparison_has_yet_to_read_keeps_its_files(
        self, trained: Make, now: datetime, settings: Any
    ):
        settings.MODELS_KEPT = 2
        versions = [trained(f"v{number}") for number in range(1, 5)]
        Comparison.objects.create(
            kind=Comparison.Kind.SIDE_BY_SIDE, before="active", after=f"version:{versions[0].name}"
        )

        assert [version.name for version in registry.archive_old(now=now)] == ["v2"]

    def test_an_archived_version_does_not_answer_again(
        self, trained: Make, now: datetime, settings: Any
    ):
        settings.MODELS_KEPT = 2
        versions = [trained(f"v{number}") for number in range(1, 4)]
        registry.archive_old(now=now)

        with pytest.raises(registry.Archived):
            registry.activate(version_id=versions[0].pk, now=now)
        assert registry.active() is None

    def test_nothing_is_removed_while_there_are_few(
        self, trained: Make, now: datetime, django_assert_num_queries: Any
    ):
        trained("v1")

        with django_assert_num_queries(1):
            assert registry.archive_old(now=now) == []


@pytest.mark.django_db
def test_what_any_version_knows_is_known():
    ModelVersion.objects.create(name="v1", labels=["logistics", "invoice"])
    ModelVersion.objects.create(name="v2", labels=["invoice", "coupon"])

    assert registry.known_labels() == {"logistics", "invoice", "coupon"}
