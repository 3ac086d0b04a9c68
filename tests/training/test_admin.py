"""The pages of models: start a training, watch it, choose which model answers."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents.inference import artifacts
from intents.models import Intent, Utterance
from tests.factories import StaffFactory
from training import registry, snapshots
from training.models import Evaluation, ModelVersion, RetrainingPlan, TrainingRun
from training.utterances import read_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(
        StaffFactory(username="boss", role="administrator"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


@pytest.fixture
def utterances() -> None:
    """As few as a training takes."""
    for code in ("logistics", "refund"):
        intent = Intent.objects.create(code=code, name_zh=code, name_en=code)
        Utterance.objects.bulk_create(
            Utterance(intent=intent, language="zh", text=f"{code}{n}", key=f"{code}{n}")
            for n in range(10)
        )


@pytest.fixture
def model_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "MODEL_DIR", tmp_path)
    return tmp_path


def version(directory: Path, name: str) -> ModelVersion:
    """A version whose directory passes verification; nobody loads it here."""
    folder = directory / name
    folder.mkdir()
    for file in ("classifier.onnx", "tokenizer.json"):
        (folder / file).write_text(name, encoding="utf-8")
    artifacts.write_manifest(
        folder,
        artifacts.Manifest(
            version=name,
            encoder="e",
            labels=("logistics",),
            max_tokens=64,
            created_at="2026-11-22T00:00:00Z",
            seconds=1.0,
            network_weight=1.0,
            light_weight=0.0,
        ),
    )
    return ModelVersion.objects.create(name=name, encoder="e", labels=["logistics"])


PARAMETERS = {
    "mode": "thorough",
    "batch_size": 32,
    "epochs": 4,
    "learning_rate": "",
    "max_tokens": 64,
    "patience": 2,
    "seed": 42,
    "device": "auto",
}


def test_a_training_is_queued_with_its_parameters_and_who_asked(
    administrator: Client, utterances: None
) -> None:
    url = reverse("admin:training_trainingrun_add")
    assert administrator.post(url, {**PARAMETERS, "epochs": 2}).status_code == 302
    run = TrainingRun.objects.get()
    assert (run.status, run.epochs, run.requested_by.username) == ("QUEUED", 2, "boss")


def test_a_second_training_is_refused_and_the_first_goes_on(
    administrator: Client, utterances: None
) -> None:
    url = reverse("admin:training_trainingrun_add")
    administrator.post(url, PARAMETERS)
    response = administrator.post(url, PARAMETERS, follow=True)
    [message] = [one for one in response.context["messages"] if one.level_tag == "error"]
    assert str(message)
    assert TrainingRun.objects.count() == 1


def test_too_few_utterances_are_named_instead_of_failing_later(administrator: Client) -> None:
    Intent.objects.create(code="logistics", name_zh="物流", name_en="Delivery")
    url = reverse("admin:training_trainingrun_add")
    response = administrator.post(url, PARAMETERS, follow=True)
    [message] = [one for one in response.context["messages"] if one.level_tag == "error"]
    assert "logistics" in str(message) or "物流" in str(message)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(("field", "value"), [("epochs", 0), ("learning_rate", 1), ("device", "x")])
def test_a_parameter_out_of_range_is_refused_at_its_field(
    administrator: Client, utterances: None, field: str, value: Any
) -> None:
    url = reverse("admin:training_trainingrun_add")
    response = administrator.post(url, {**PARAMETERS, field: value})
    assert field in response.context["adminform"].form.errors
    assert not TrainingRun.objects.exists()


def test_progress_refreshes_itself_until_the_end(administrator: Client) -> None:
    run = TrainingRun.objects.create(status="RUNNING", step="fit", progress=0.42)
    url = reverse("admin:training_trainingrun_progress", args=[run.pk])
    response = administrator.get(url)
    assert 'value="42"' in response.content.decode()
    assert f'hx-get="{url}"' in response.content.decode()
    assert "HX-Refresh" not in response
    TrainingRun.objects.update(status="FAILED", failure="磁盘已满")
    response = administrator.get(url)
    assert "hx-get" not in response.content.decode()
    assert "磁盘已满" in response.content.decode()
    assert response["HX-Refresh"] == "true"


@pytest.mark.django_db(transaction=True)
def test_a_version_is_activated_and_rolled_back_by_post_only(
    administrator: Client, model_directory: Path
) -> None:
    old, new = version(model_directory, "old"), version(model_directory, "new")
    registry.activate(version_id=old.pk, now=timezone.now())
    versions = reverse("admin:training_modelversion_changelist")
    page = administrator.get(versions).content.decode()
    assert reverse("admin:training_modelversion_roll_back") not in page, "nothing to go back to"
    activate = reverse("admin:training_modelversion_activate", args=[new.pk])
    administrator.get(activate)
    assert artifacts.active_version() == "old"
    administrator.post(activate)
    assert (registry.active(), artifacts.active_version()) == (new, "new")
    roll_back = reverse("admin:training_modelversion_roll_back")
    assert roll_back in administrator.get(versions).content.decode()
    assert "old" in administrator.get(roll_back).context["title"]
    administrator.post(roll_back)
    assert registry.active() == new, "what it goes back to was not confirmed"
    administrator.post(roll_back, {"version": old.pk})
    assert (registry.active(), artifacts.active_version()) == (old, "old")


@pytest.mark.django_db(transaction=True)
def test_a_damaged_version_is_refused_with_the_reason(
    administrator: Client, model_directory: Path
) -> None:
    good, bad = version(model_directory, "good"), version(model_directory, "bad")
    registry.activate(version_id=good.pk, now=timezone.now())
    (model_directory / "bad" / "classifier.onnx").write_text("?", encoding="utf-8")
    url = reverse("admin:training_modelversion_activate", args=[bad.pk])
    response = administrator.post(url, follow=True)
    [message] = [one for one in response.context["messages"] if one.level_tag == "error"]
    assert "bad" in str(message)
    assert registry.active() == good


def test_measures_show_the_weakest_intent_and_the_commonest_confusion_first(
    administrator: Client,
) -> None:
    Intent.objects.create(code="logistics", name_zh="物流查询", name_en="Delivery")
    Intent.objects.create(code="unseen", name_zh="没学过", name_en="Unseen")
    made = ModelVersion.objects.create(name="v1", labels=["logistics", "refund", "coupon"])

    def per_intent(weak: float) -> dict[str, Any]:
        return {
            "refund": {"precision": 0.9, "recall": 0.9, "f1": 0.9, "texts": 10},
            "logistics": {"precision": weak, "recall": weak, "f1": weak, "texts": 10},
        }

    for precision, weak in (("fp32", 0.62), ("int8", 0.6)):
        Evaluation.objects.create(
            version=made,
            precision=precision,
            texts=20,
            accuracy=0.75,
            macro_f1=0.75,
            calibration_error=0.02,
            per_intent=per_intent(weak),
            confusion=[["refund", "logistics", 1], ["logistics", "refund", 3]],
        )
    response = administrator.get(reverse("admin:training_modelversion_change", args=[made.pk]))
    context = response.context
    assert [row["name"] for row in context["per_intent"]] == ["物流查询", "refund"]
    assert context["per_intent"][0]["fp32_f1"] == 0.62
    assert [row["count"] for row in context["confusions"]] == [3, 1]
    assert context["unmeasured_intents"] == ["coupon"]
    assert context["unknown_intents"] == ["没学过"]
    assert "75.0 %" in response.content.decode()


def test_a_run_is_started_by_its_own_words_and_its_log_keeps_its_lines(
    administrator: Client,
) -> None:
    page = administrator.get(reverse("admin:training_trainingrun_add")).content.decode()
    assert page.count('name="_save"') == 1
    assert "Start training" in page or "开始训练" in page
    run = TrainingRun.objects.create(status="SUCCEEDED", log="first <line>\nsecond line")
    page = administrator.get(
        reverse("admin:training_trainingrun_change", args=[run.pk])
    ).content.decode()
    assert '<pre class="cs-log">first &lt;line&gt;\nsecond line</pre>' in page


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(StaffFactory(role=role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_plan_is_changed_by_whoever_teaches_and_read_by_supervisors() -> None:
    url = reverse("admin:training_plan")
    form = {"nightly_at": "03:00", "after_changes": "20", "mode": "quick"}

    assert signed_in("supervisor").get(url).status_code == 200
    assert signed_in("supervisor").post(url, form).status_code == 403
    assert not RetrainingPlan.objects.filter(nightly_at__isnull=False).exists()

    editor = signed_in("business editor")
    assert editor.post(url, {**form, "after_changes": "0"}).status_code == 200  # its field says why
    assert editor.post(url, form).status_code == 302
    plan = RetrainingPlan.objects.get()
    assert (f"{plan.nightly_at:%H:%M}", plan.after_changes, plan.mode) == ("03:00", 20, "quick")
    assert plan.changed_by is not None


def test_what_a_version_was_made_of_is_downloaded(
    model_directory: Path, utterances: None, now: Any
) -> None:
    made = version(model_directory, "v1")
    url = reverse("admin:training_modelversion_content", args=[made.pk])
    assert signed_in("reviewer").get(url).status_code == 404  # of an older release: none

    snapshots.write(model_directory / "v1", read_rows(), read_at=timezone.now())
    response = signed_in("reviewer").get(url)

    content = json.loads(gzip.decompress(b"".join(response.streaming_content)))
    assert [intent["code"] for intent in content["intents"]] == ["logistics", "refund"]
    assert len(content["utterances"]) == 20
    artifacts.verify(model_directory / "v1")  # it is sealed with the rest


def test_a_running_training_shows_what_is_left_and_its_curve(administrator: Client) -> None:
    run = TrainingRun.objects.create(
        status="RUNNING",
        slot=1,
        progress=0.25,
        started_at=timezone.now() - timedelta(minutes=2),
        curve=[[0.9, 0.7], [0.5, 0.8]],
    )

    page = administrator.get(
        reverse("admin:training_trainingrun_progress", args=[run.pk])
    ).content.decode()

    assert "6" in page.split("<progress")[0]  # minutes
    assert page.count("<svg") == 2
    assert "80.0 %" in page
