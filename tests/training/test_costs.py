"""What costs lead to on labelled data, and the page where staff set them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents import content, services
from intents.decisions import Costs
from intents.inference import Prediction
from intents.models import DecisionCosts, Intent, PredictionRecord
from tests.factories import IntentFactory, StaffFactory
from training import weighing
from training.models import ActiveModel, EvaluationScores, ModelVersion
from training.weighing import Labelled

pytestmark = pytest.mark.django_db

ROWS = [
    ["refund", [["refund", 0.97], ["size", 0.02]], 0.02],  # right
    ["refund", [["size", 0.96], ["refund", 0.03]], 0.02],  # wrong
    ["size", [["refund", 0.5], ["size", 0.48]], 0.02],  # asked, and found
    ["size", [["refund", 0.3], ["size", 0.02]], 0.9],  # handed over
]


@pytest.fixture(autouse=True)
def _forget():
    content.forget()
    yield
    content.forget()


@pytest.fixture
def own_data() -> None:
    """Two intents, and an active model that has scored four evaluation texts."""
    for code in ("refund", "size"):
        IntentFactory(code=code)
    version = ModelVersion.objects.create(name="v1", encoder="e", labels=["refund", "size"])
    ActiveModel.objects.create(pk=1, version=version)
    EvaluationScores.objects.create(version=version, rows=ROWS)


@pytest.fixture
def page(client: Client) -> Any:
    client.force_login(StaffFactory(role="business editor"))
    return client


URL = reverse("admin:decision_costs")


def post(client: Client, press: str, **fields: Any) -> Any:
    values = {"wrong_answer": 2, "clarification": 0.35, "hand_over": 1, "missed": 2, press: "1"}
    return client.post(URL, {**values, **fields})


class TestWeigh:
    def test_counts_each_outcome_once_and_what_it_really_cost(self, own_data: None):
        shares = weighing.weigh(weighing.own_data(), content.current())

        assert (shares.right, shares.wrong, shares.found, shares.not_found, shares.handed_over) == (
            *(0.25, 0.25, 0.25, 0.0, 0.25),
        )
        assert shares.cost == pytest.approx((0 + 2.0 + 0.35 + 1.0) / 4)

    def test_a_text_that_means_nothing_is_wrong_when_it_is_answered(self, own_data: None):
        foreign = Labelled(Prediction((("refund", 0.99),), "model"), "")

        shares = weighing.weigh([foreign], content.current())

        assert (shares.wrong, shares.cost) == (1.0, 2.0)

    def test_the_curve_trades_wrong_answers_for_hand_overs(self, own_data: None):
        points = weighing.curve(weighing.own_data(), content.current())

        wrong = [point.shares.wrong for point in points]
        assert wrong == sorted(wrong, reverse=True)
        assert wrong[0] > wrong[-1]

    def test_no_data_is_no_error(self, db: None):
        assert weighing.own_data() == []
        assert weighing.weigh([], content.current()).texts == 0

    def test_messages_whose_meaning_became_known_count_too(self, own_data: None):
        for meant in ("size", ""):
            PredictionRecord.objects.create(
                text="多大", ranked=[["size", 0.9]], decision="ANSWER", meant=meant, elapsed_ms=1
            )

        texts = weighing.own_data()

        assert len(texts) == len(ROWS) + 1
        assert (texts[-1].truth, texts[-1].prediction.ranked) == ("size", (("size", 0.9),))

    def test_what_a_renamed_intent_was_meant_by_is_read_by_its_code_of_now(self, own_data: None):
        before = weighing.weigh(weighing.own_data(), content.current())
        for code, now in (("refund", "money_back"), ("size", "fit")):
            intent = Intent.objects.get(code=code)
            services.rename_intent(intent, code=now, now=timezone.now())

        texts = weighing.own_data()
        assert weighing.weigh(texts, content.current()) == before
        by_intent = weighing.weigh_by_intent(texts, content.current())
        assert {code: shares.texts for code, shares in by_intent.items()} == {
            "money_back": 2,
            "fit": 2,
        }
        assert by_intent["money_back"].right == 0.5
        assert by_intent["fit"].found == 0.5

    def test_of_merged_intents_either_one_is_right(self, own_data: None):
        size, refund = (Intent.objects.get(code=code) for code in ("size", "refund"))
        services.merge_intent(size, into=refund, now=timezone.now())

        texts = weighing.own_data()
        shares = weighing.weigh(texts, content.current())
        assert (shares.right, shares.wrong, shares.handed_over) == (0.75, 0.0, 0.25)
        by_intent = weighing.weigh_by_intent(texts, content.current())
        assert {code: shares.texts for code, shares in by_intent.items()} == {"refund": 4}


class TestThePage:
    def test_draws_what_the_saved_costs_lead_to(self, page: Client, own_data: None):
        response = page.get(URL)

        assert response.context["shares"] == response.context["shares_now"]
        assert response.context["shares"].wrong == 0.25
        assert response.context["texts"] == 4
        assert b"<svg" in response.content

    def test_a_preview_saves_nothing(self, page: Client, own_data: None):
        response = post(page, "preview", wrong_answer=50)

        assert (response.context["shares"].wrong, response.context["shares_now"].wrong) == (0, 0.25)
        assert response.context["form"]["wrong_answer"].value() == "50"
        assert not DecisionCosts.objects.exists()

    def test_a_fragment_is_the_outcome_alone(self, page: Client, own_data: None):
        response = post(page, "preview", fragment=1, **{"size-wrong_answer": 50})

        assert b"<form" not in response.content
        assert response.context["shares"].wrong == 0.0

    def test_saving_decides_from_now_on(
        self, page: Client, own_data: None, django_capture_on_commit_callbacks: Any
    ):
        with django_capture_on_commit_callbacks(execute=True):
            response = post(page, "save", wrong_answer=4, **{"refund-hand_over": 0.5})

        assert response.status_code == 302
        now = content.current()
        assert now.costs == Costs(4.0, 0.35, 1.0, 2.0)
        assert now.costs_of("refund") == Costs(4.0, 0.35, 0.5, 2.0)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("wrong_answer", "-1"), ("hand_over", ""), ("missed", "nan"), ("size-missed", "101")],
    )
    def test_what_is_no_cost_is_refused_at_its_field(
        self, page: Client, own_data: None, field: str, value: str
    ):
        response = post(page, "save", **{field: value})

        assert response.status_code == 200
        forms = [response.context["form"], *(row.form for row in response.context["rows"])]
        wrong = [form.add_prefix(name) for form in forms for name in form.errors]
        assert wrong == [field]
        assert not DecisionCosts.objects.exists()

    def test_who_may_only_read_sees_what_would_follow_and_cannot_save(
        self, client: Client, own_data: None
    ):
        client.force_login(StaffFactory(role="reviewer"))

        assert post(client, "preview").status_code == 200
        assert b'name="save"' not in client.get(URL).content
        assert post(client, "save").status_code == 403
        assert not DecisionCosts.objects.exists()

    def test_free_hand_overs_are_explained_and_divide_nothing(self, page: Client, own_data: None):
        services.save_costs(Costs(hand_over=0.0, wrong_answer=0.0), {})

        assert page.get(URL).status_code == 200

    def test_the_page_costs_as_many_queries_with_many_intents(
        self, page: Client, own_data: None, django_assert_max_num_queries: Any
    ):
        for number in range(30):
            IntentFactory(code=f"more_{number}")

        # session, user, permissions, costs (2), intents, own costs, data (2), content (9), theme
        with django_assert_max_num_queries(25):
            page.get(URL)
