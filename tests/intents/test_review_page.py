"""The review inbox's page and what its script asks for: who may, and what comes back."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents.models import Intent, ReviewCluster, ReviewDecision, ReviewItem, Utterance
from intents.review import clusters
from tests.factories import IntentFactory, StaffFactory
from tests.intents.test_review_inbox import item

pytestmark = pytest.mark.django_db


def signed_in(role: str) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(StaffFactory(role=role), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def editor() -> Client:
    return signed_in("business editor")


def post(client: Client, name: str, **body: Any) -> Any:
    return client.post(reverse(f"admin:{name}"), json.dumps(body), "application/json")


class TestThePage:
    def test_it_says_how_many_are_left_and_which_keys_decide(self, editor: Client, now: datetime):
        item("包裹呢", now), item("快递呢", now)
        page = editor.get(reverse("admin:review_inbox")).text
        assert "<strong data-left>2</strong>" in page
        assert "none of our topics: kept to measure" in page
        assert 'data-do="new"' in page

    def test_a_reviewer_decides_and_makes_no_intents(self, now: datetime):
        reviewer, only = signed_in("reviewer"), item("包裹呢", now)
        assert 'data-do="new"' not in reviewer.get(reverse("admin:review_inbox")).text
        assert post(reviewer, "review_next").json()["item"]["id"] == only.pk
        refused = post(
            reviewer, "review_new_intent", items=[only.pk], code="x", name_zh="一", name_en="x"
        )
        assert refused.status_code == 403
        assert not Intent.objects.exists()

    def test_a_supervisor_reads_and_decides_nothing(self, now: datetime):
        supervisor = signed_in("supervisor")
        item("包裹呢", now)
        page = supervisor.get(reverse("admin:review_inbox"))
        assert page.status_code == 200
        assert "data-item" not in page.text
        for name in ("next", "decide", "undo", "new_intent"):
            assert post(supervisor, f"review_{name}").status_code == 403
        assert not ReviewItem.objects.exclude(claimed_by=None).exists()

    def test_it_needs_the_csrf_token(self, now: datetime):
        client = Client(enforce_csrf_checks=True)
        client.force_login(
            StaffFactory(role="business editor"),
            backend="django.contrib.auth.backends.ModelBackend",
        )
        assert post(client, "review_next").status_code == 403


class TestWhatTheScriptAsks:
    def test_a_decision_brings_the_next_sentence(self, editor: Client, now: datetime):
        IntentFactory(code="logistics")
        first, second = item("包裹呢", now, priority=9000), item("快递呢", now)
        shown = post(editor, "review_next").json()
        assert (shown["item"]["id"], shown["left"]) == (first.pk, 2)
        answer = post(
            editor, "review_decide", action="label", intent="logistics", items=[first.pk]
        ).json()
        assert (answer["item"]["id"], answer["left"], answer["decided"]) == (second.pk, 1, 1)
        assert Utterance.objects.get().text == "包裹呢"

        undone = post(editor, "review_undo").json()
        assert (undone["item"]["id"], undone["left"]) == (first.pk, 2)
        assert not Utterance.objects.exists()

    @pytest.mark.parametrize("action", ["out_of_scope", "ignore", "skip"])
    def test_what_is_put_away_is_not_shown_again(self, action: str, editor: Client, now: datetime):
        only = item("今天天气", timezone.now())
        post(editor, "review_next")
        answer = post(editor, "review_decide", action=action, items=[only.pk]).json()
        assert answer["item"] is None
        assert answer["left"] == (1 if action == "skip" else 0)

    def test_of_a_cluster_what_colleagues_have_stays(self, editor: Client, now: datetime):
        IntentFactory(code="payment")
        colleague = signed_in("reviewer")
        theirs, mine = item("一", now, priority=9000), item("二", now)
        post(colleague, "review_next")
        answer = post(
            editor, "review_decide", action="label", intent="payment", items=[theirs.pk, mine.pk]
        ).json()
        assert (answer["decided"], answer["taken"]) == (1, 1)
        assert Utterance.objects.get().text == "二"
        refused = post(editor, "review_decide", action="ignore", items=[theirs.pk])
        assert (refused.status_code, refused.json()["code"]) == (409, "not_claimed")

    def test_a_new_intent_in_one_step_and_a_wrong_one_says_why(self, editor: Client, now: datetime):
        keys = [item(text, now).pk for text in ("能货到付款吗", "可以到付吗")]
        fields = {"name_zh": "货到付款", "name_en": "Cash on delivery"}
        wrong = post(editor, "review_new_intent", items=keys, code="Cash!", **fields)
        assert wrong.status_code == 400
        assert "Lower-case letters" in wrong.json()["detail"]
        right = post(editor, "review_new_intent", items=keys, code="cash", **fields).json()
        assert right["intent"] == {
            "code": "cash",
            "name": "Cash on delivery",
            "names": ["货到付款", "Cash on delivery"],
        }
        assert Intent.objects.get().utterances.count() == 2

    @pytest.mark.parametrize(
        "body",
        [b"[]", b"{", b'{"items": "no"}', b'{"items": ["1"]}', b'{"items": [true]}', b'"text"'],
    )
    def test_nonsense_is_refused(self, body: bytes, editor: Client):
        answer = editor.post(reverse("admin:review_decide"), body, "application/json")
        assert answer.status_code == 400

    def test_clusters_with_their_figures_in_few_queries(
        self, editor: Client, now: datetime, django_assert_max_num_queries: Any
    ):
        for number in range(3):
            one = ReviewCluster.objects.create(encoder="e", total=b"", members=2, changed_at=now)
            for place in range(2):
                item(f"{number}{place}", now, cluster=one, messages=4, handed_over=1)
            clusters.count_again([one.pk])
        with django_assert_max_num_queries(
            8
        ):  # session, user, permissions (2), clusters, 3 typical
            found = editor.get(reverse("admin:review_clusters")).json()["clusters"]
        assert [one["sentences"] for one in found] == [2, 2, 2]
        assert found[0]["handed_over"] == 0.25
        inside = editor.get(reverse("admin:review_cluster", args=[found[0]["id"]])).json()
        assert [one["messages"] for one in inside["items"]] == [4, 4]


def test_what_was_decided_is_listed(editor: Client, now: datetime):
    only = item("今天天气", now)
    post(editor, "review_next")
    post(editor, "review_decide", action="ignore", items=[only.pk])
    decision = ReviewDecision.objects.get()
    listed = editor.get(reverse("admin:intents_reviewdecision_changelist")).text
    assert "今天天气" in listed
    assert (
        editor.get(reverse("admin:intents_reviewdecision_change", args=[decision.pk])).status_code
        == 200
    )
