"""Intents that are renamed, merged or split keep their frozen utterances, and a record."""

from datetime import datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from intents import services
from intents.lineage import Lineage
from intents.models import ContentVersion, Intent, IntentMigration, Utterance
from tests.factories import IntentFactory, StaffFactory

pytestmark = pytest.mark.django_db


def with_utterances(code: str, frozen: int = 2, training: int = 3) -> Intent:
    intent = IntentFactory(code=code)
    splits = ["evaluation"] * frozen + ["train"] * training
    Utterance.objects.bulk_create(
        Utterance(intent=intent, text=f"{code}{n}", key=f"{code}{n}", language="zh", split=split)
        for n, split in enumerate(splits)
    )
    return intent


def steps() -> list[tuple[str, str, list[str]]]:
    return list(IntentMigration.objects.order_by("pk").values_list("kind", "source", "targets"))


def test_a_renamed_intent_keeps_everything_but_its_code(now: datetime) -> None:
    intent, by = with_utterances("refund"), StaffFactory()

    renamed = services.rename_intent(intent, code="money_back", now=now, by=by)

    assert (renamed.pk, renamed.code) == (intent.pk, "money_back")
    assert renamed.utterances.count() == 5
    assert steps() == [("RENAMED", "refund", ["money_back"])]
    step = IntentMigration.objects.get()
    assert (step.by, step.at) == (by, now)
    assert ContentVersion.objects.exists()


@pytest.mark.parametrize("code", ["refund", "invoice", "No Code", ""])
def test_a_code_that_is_none_or_taken_is_refused(now: datetime, code: str) -> None:
    intent = with_utterances("refund")
    with_utterances("invoice")
    with pytest.raises(ValidationError):
        services.rename_intent(intent, code=code, now=now)
    assert steps() == []


def test_a_merged_intent_gives_its_frozen_utterances_too_and_is_switched_off(
    now: datetime,
) -> None:
    one, other = with_utterances("refund"), with_utterances("money_back")

    assert services.merge_intent(one, into=other, now=now) == 5

    one.refresh_from_db()
    assert not one.is_active
    assert other.utterances.filter(split="evaluation").count() == 4
    assert steps() == [("MERGED", "refund", ["money_back"])]


def test_nothing_is_merged_into_itself_or_into_what_is_switched_off(now: datetime) -> None:
    one, off = with_utterances("refund"), IntentFactory(code="off", is_active=False)
    for into in (one, off):
        with pytest.raises(ValidationError):
            services.merge_intent(one, into=into, now=now)


def test_a_split_takes_the_chosen_utterances_to_a_new_intent(now: datetime) -> None:
    intent = with_utterances("refund")
    chosen = [intent.utterances.get(text="refund0").pk, intent.utterances.get(text="refund4").pk]
    part = Intent(code="refund_time", name_zh="退款时间", name_en="When refunds come")

    assert services.split_intent(intent, part=part, utterances=chosen, now=now) == 2

    assert set(part.utterances.values_list("pk", flat=True)) == set(chosen)
    assert intent.utterances.count() == 3
    assert steps() == [("SPLIT", "refund", ["refund", "refund_time"])]
    lineage = Lineage.of(IntentMigration.objects.values_list("source", "targets"))
    assert lineage.now("refund") == {"refund", "refund_time"}


def test_a_split_of_all_or_none_is_no_split(now: datetime) -> None:
    intent = with_utterances("refund")
    everything = list(intent.utterances.values_list("pk", flat=True))
    for chosen in ([], everything):
        with pytest.raises(ValidationError):
            services.split_intent(
                intent,
                part=Intent(code="part", name_zh="一", name_en="One"),
                utterances=chosen,
                now=now,
            )
    assert not Intent.objects.filter(code="part").exists()


def test_an_editor_splits_on_the_page(client: Client, now: datetime) -> None:
    intent = with_utterances("refund")
    client.force_login(
        StaffFactory(role="business editor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    url = reverse("admin:intents_intent_lineage", args=[intent.pk])
    moving = intent.utterances.get(text="refund0")

    wrong = client.post(url, {"kind": "rename", "rename-code": "Nicht So"})
    done = client.post(
        url,
        {
            "kind": "split",
            "split-code": "refund_time",
            "split-name_zh": "退款时间",
            "split-name_en": "When refunds come",
            "split-utterances": [moving.pk],
        },
    )

    assert wrong.context["forms"]["rename"].errors["code"]
    assert done.status_code == 302
    assert Intent.objects.get(code="refund_time").utterances.get() == moving
    assert "refund_time" in client.get(url).content.decode()


def test_a_reviewer_is_sent_away(client: Client) -> None:
    intent = with_utterances("refund")
    client.force_login(
        StaffFactory(role="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
    )
    url = reverse("admin:intents_intent_lineage", args=[intent.pk])
    assert client.get(url).status_code == 403
    assert client.post(url, {"kind": "rename", "rename-code": "other"}).status_code == 403


def test_whoever_must_write_drafts_is_sent_away(client: Client, settings) -> None:
    settings.CONTENT_FOUR_EYES = True
    intent = with_utterances("refund")
    client.force_login(
        StaffFactory(role="business editor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    url = reverse("admin:intents_intent_lineage", args=[intent.pk])
    assert client.get(url).status_code == 403
