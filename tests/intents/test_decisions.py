"""The decision by expected cost: pure, so that every case can be stated."""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from intents import content, services
from intents.content import Content, IntentInfo
from intents.decisions import Costs, Decision, choices, decide, expected_costs, is_understood
from intents.guard.sensitive import Masker
from intents.inference import Prediction
from intents.models import ContentVersion, DecisionCosts, IntentCosts
from tests.factories import IntentFactory

CODES = ("refund", "size", "invoice", "repair", "hello", "human")


def shop(costs: Costs | None = None, **own: Costs) -> Content:
    intents = {
        code: IntentInfo(
            code, code, code, hands_over=code == "human", is_offered=code not in ("hello", "human")
        )
        for code in CODES
    }
    return Content(
        version=1,
        intents=intents,
        masker=Masker((), ()),
        _replies={},
        _phrases={},
        _suggestions={},
        costs=costs or Costs(2.0, 0.35, 1.0, 2.0),
        _costs=own,
    )


def says(*ranked: tuple[str, float], out_of_scope: float = 0.0) -> Prediction:
    return Prediction(ranked, "model", out_of_scope=out_of_scope)


class TestExpectedCosts:
    def test_are_those_of_the_formula(self):
        prediction = says(("refund", 0.6), ("size", 0.3), ("invoice", 0.05), out_of_scope=0.1)

        expected = expected_costs(prediction, shop())

        assert expected == pytest.approx(
            {
                Decision.ANSWER: 2.0 * 0.9 * 0.4 + 2.0 * 0.1,
                Decision.CLARIFY: 0.35 + 1.0 - 0.9 * (0.6 + 0.3),
                Decision.HAND_OVER: 1.0,
            }
        )

    def test_nothing_understood_can_only_be_handed_over(self):
        assert decide(says(), shop()) == Decision.HAND_OVER

    @given(
        sure=st.floats(0, 1),
        unknown=st.floats(0, 1),
        wrong=st.floats(0, 100),
        more=st.floats(0, 100),
    )
    def test_dearer_wrong_answers_never_make_the_bot_answer_more(self, sure, unknown, wrong, more):
        prediction = says(("refund", sure), ("size", 1 - sure), out_of_scope=unknown)
        cheap, dear = Costs(wrong, 0.3, 1.0, 1.0), Costs(wrong + more, 0.3, 1.0, 1.0)

        if is_understood(prediction, shop(dear)):
            assert is_understood(prediction, shop(cheap))

    @given(sure=st.floats(0.5, 1), unknown=st.floats(0, 0.9), more=st.floats(0, 0.1))
    def test_the_likelier_a_text_is_foreign_the_less_is_answered(self, sure, unknown, more):
        own, foreign = (
            says(("refund", sure), ("size", 1 - sure), out_of_scope=each)
            for each in (unknown, unknown + more)
        )

        if is_understood(foreign, shop()):
            assert is_understood(own, shop())

    @given(factor=st.floats(0.01, 50), sure=st.floats(0, 1), unknown=st.floats(0, 1))
    def test_only_ratios_count(self, factor, sure, unknown):
        prediction = says(("refund", sure), ("size", (1 - sure) / 2), out_of_scope=unknown)
        costs = Costs(2.0, 0.35, 1.0, 2.0)
        scaled = Costs(2.0 * factor, 0.35 * factor, 1.0 * factor, 2.0 * factor)
        expected = expected_costs(prediction, shop(costs))
        first, second = sorted(expected.values())[:2]

        if second - first > 1e-6:  # otherwise rounding decides
            assert decide(prediction, shop(costs)) == decide(prediction, shop(scaled))


class TestDecide:
    @pytest.mark.parametrize(
        ("prediction", "decision"),
        [
            (says(("refund", 0.95), ("size", 0.03)), "ANSWER"),
            (says(("refund", 0.5), ("size", 0.45)), "CLARIFY"),
            (says(("refund", 0.1), ("size", 0.05)), "HAND_OVER"),
            (says(("refund", 0.95), out_of_scope=0.8), "HAND_OVER"),
            (says(("human", 0.97)), "HAND_OVER"),
            (says(("hello", 0.97)), "ANSWER"),
        ],
    )
    def test_takes_what_costs_least(self, prediction: Prediction, decision: str):
        assert decide(prediction, shop()) == decision

    def test_asks_only_where_there_is_a_button(self):
        unsure = says(("hello", 0.45), ("human", 0.4))

        assert choices(unsure, shop()) == ()
        assert decide(unsure, shop()) == Decision.HAND_OVER

    def test_an_intent_may_have_costs_of_its_own(self):
        sure = says(("refund", 0.9), ("size", 0.08))
        dear = replace(Costs(), wrong_answer=20.0)

        assert decide(sure, shop()) == Decision.ANSWER
        assert decide(sure, shop(refund=dear)) == Decision.CLARIFY
        assert decide(says(("size", 0.9), ("refund", 0.08)), shop(refund=dear)) == Decision.ANSWER


class TestChoices:
    def test_are_three_at_most_and_plausible_and_offered(self):
        unsure = says(
            *(("refund", 0.3), ("hello", 0.2), ("size", 0.15), ("invoice", 0.1), ("repair", 0.09))
        )

        assert choices(unsure, shop()) == ("refund", "size", "invoice")
        assert choices(says(("refund", 0.8), ("size", 0.1)), shop()) == ("refund",)

    def test_never_name_what_is_switched_off(self):
        assert choices(says(("gone", 0.5), ("size", 0.4)), shop()) == ("size",)


@pytest.mark.django_db
class TestSavingCosts:
    @pytest.fixture(autouse=True)
    def _forget(self):
        content.forget()
        yield
        content.forget()

    def test_is_in_the_next_snapshot(self, django_capture_on_commit_callbacks):
        IntentFactory(code="refund")
        content.current()

        with django_capture_on_commit_callbacks(execute=True):
            services.save_costs(
                Costs(3.0, 0.4, 1.0, 5.0), {"refund": {"wrong_answer": 9.0, "hand_over": None}}
            )

        now = content.current()
        assert now.costs == now.costs_of("anything") == Costs(3.0, 0.4, 1.0, 5.0)
        assert now.costs_of("refund") == Costs(9.0, 0.4, 1.0, 5.0)

    @pytest.mark.parametrize("value", [-0.1, 100.5, float("nan"), float("inf")])
    def test_refuses_what_is_no_cost_and_changes_nothing(self, value: float):
        IntentFactory(code="refund")
        version = ContentVersion.objects.first()

        for costs, own, field in (
            (Costs(wrong_answer=value), {}, "wrong_answer"),
            (Costs(), {"refund": {"hand_over": value}}, "refund.hand_over"),
        ):
            with pytest.raises(ValidationError) as refused:
                services.save_costs(costs, own)
            assert list(refused.value.error_dict) == [field]

        assert not DecisionCosts.objects.exists()
        assert not IntentCosts.objects.exists()
        assert ContentVersion.objects.first() == version

    def test_an_intent_without_costs_of_its_own_has_no_row(self):
        IntentFactory(code="refund")
        services.save_costs(Costs(), {"refund": {"hand_over": 2.0}})

        services.save_costs(Costs(), {"refund": {"hand_over": None}})

        assert not IntentCosts.objects.exists()
        assert [each.history_type for each in IntentCosts.history.order_by("history_id")] == [
            "+",
            "-",
        ]

    def test_saving_the_same_again_leaves_no_version(self):
        services.save_costs(Costs(), {})
        services.save_costs(Costs(), {})

        assert DecisionCosts.history.count() == 1
