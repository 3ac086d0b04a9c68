"""Regression sentences: what every new model must still understand."""

from datetime import datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from tests.factories import IntentFactory, StaffFactory
from training.gate import cases
from training.models import RegressionCase

pytestmark = pytest.mark.django_db


def test_a_sentence_is_kept_with_what_is_expected(now: datetime) -> None:
    IntentFactory(code="refund")
    by = StaffFactory(role="reviewer")

    kept = cases.keep(text=" 怎么退款？ ", intent="refund", origin="REPLAY", by=by, now=now)

    stored = RegressionCase.objects.get()
    assert stored == kept.case
    assert (stored.text, stored.language, stored.intent) == ("怎么退款？", "zh", "refund")
    assert (stored.created_by, stored.created_at, stored.is_active) == (by, now, True)


def test_the_latest_word_on_one_sentence_counts_and_switches_it_on(now: datetime) -> None:
    IntentFactory(code="refund")
    cases.keep(text="怎么退款", intent="refund", now=now)
    RegressionCase.objects.update(is_active=False)

    cases.keep(text="怎么退款！", decision="HAND_OVER", now=now)

    case = RegressionCase.objects.get()
    assert (case.intent, case.decision, case.is_active) == ("", "HAND_OVER", True)


@pytest.mark.parametrize(
    "expected",
    [
        {"text": "怎么退款"},  # nothing is expected
        {"text": " \u200b ", "decision": "ANSWER"},
        {"text": "怎么退款", "intent": "unknown"},
        {"text": "怎么退款", "decision": "LAUGH"},
        {"text": "退" * 501, "decision": "ANSWER"},
    ],
)
def test_what_says_nothing_is_refused(expected: dict[str, str], now: datetime) -> None:
    with pytest.raises(ValidationError):
        cases.keep(**expected, now=now)
    assert not RegressionCase.objects.exists()


def test_the_admin_adds_a_sentence_and_refuses_the_same_again(client: Client) -> None:
    IntentFactory(code="refund")
    editor = StaffFactory(role="business editor")
    client.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:training_regressioncase_add")
    row = {"text": "Where is my refund?", "language": "", "intent": "refund", "is_active": "on"}

    assert client.post(url, row).status_code == 302
    again = client.post(url, row)

    case = RegressionCase.objects.get()
    assert (case.language, case.created_by, case.origin) == ("en", editor, "WRITTEN")
    assert "text" in again.context["adminform"].form.errors


def test_the_code_of_an_intent_that_is_expected_anew_is_of_that_time(
    client: Client, now: datetime
) -> None:
    for code in ("refund", "coupon"):
        IntentFactory(code=code)
    case = cases.keep(text="怎么退款", intent="refund", now=now).case
    editor = StaffFactory(role="business editor")
    client.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:training_regressioncase_change", args=[case.pk])
    row = {"text": "怎么退款？", "language": "zh", "intent": "refund", "is_active": "on"}

    client.post(url, row)
    case.refresh_from_db()
    assert (case.text, case.created_at) == ("怎么退款？", now)

    client.post(url, row | {"intent": "coupon"})
    case.refresh_from_db()
    assert case.intent == "coupon"
    assert case.created_at > now


def test_the_list_reads_as_much_for_many_as_for_few(
    client: Client, now: datetime, django_assert_max_num_queries
) -> None:
    client.force_login(
        StaffFactory(role="business editor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    for number in range(20):
        cases.keep(text=f"句子{number}号", decision="ANSWER", by=StaffFactory(), now=now)
    with django_assert_max_num_queries(12):
        assert client.get(reverse("admin:training_regressioncase_changelist")).status_code == 200
