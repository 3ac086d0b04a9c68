"""How the bot is doing: each contact ends one way, told honestly, and the log's figures add up."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.models import Conversation, Handover, Message
from chat.reports import Period, bot, bot_report
from chat.reports.bot import Ends, Filters
from chat.reports.figures import Share
from intents.models import DriftCheck, PredictionRecord, ReviewCluster
from tests.factories import ConversationFactory, IntentFactory, MessageFactory, StaffFactory

pytestmark = pytest.mark.django_db
ALL = Filters()


def talk(
    uid: str,
    at: datetime,
    decision: str = "ANSWER",
    intent: str = "logistics",
    *,
    language: str = "zh",
    channel: str = "web",
) -> UUID:
    """A customer asks once in a conversation of his own, and the bot says something."""
    conversation = ConversationFactory(
        uid=uid, status=Conversation.Status.CLOSED, channel=channel, opened_at=at
    )
    asked = MessageFactory(conversation=conversation, sent_at=at, language=language)
    MessageFactory(
        conversation=conversation,
        seq=2,
        sender=Message.Sender.BOT,
        sent_at=at + timedelta(seconds=1),
        answers=asked,
        decision=decision,
        intent=intent,
        language=language,
    )
    return conversation.pk


def ends(now: datetime, at: datetime, filters: Filters = ALL) -> list[tuple[str, str]]:
    period = Period.up_to(at, 7)
    return sorted((one.intent, one.end) for one in bot.ended(period, filters, now))


class TestHowAContactEnds:
    def test_each_way(self, now: datetime):
        at, later = now - timedelta(days=5), now
        talk("solved", at)
        talk("gone", at, "CLARIFY", "refund")
        called = talk("called", at, "HAND_OVER", "")
        Handover.objects.create(
            conversation_id=called,
            requested_at=at + timedelta(seconds=30),
            because=Handover.Because.CUSTOMER,
        )
        talk("again", at, intent="coupon")
        talk("again", at + timedelta(hours=71), intent="coupon")
        assert ends(later, now) == [
            ("", "handed over"),
            ("coupon", "came back"),
            ("coupon", "open"),
            ("logistics", "solved"),
            ("refund", "gave up"),
        ]

    def test_who_comes_back_later_was_served(self, now: datetime):
        talk("again", now - timedelta(days=6))
        talk("again", now - timedelta(days=6) + timedelta(hours=73))
        assert ends(now, now) == [("logistics", "open"), ("logistics", "solved")]

    def test_what_is_open_counts_neither_way(self):
        found = Ends.of(["open", "solved", "gave up", "handed over"])
        assert found.contacts == 4
        assert found.solved == found.gave_up == Share(1, 3)
        assert found.handed_over == Share(1, 4)

    def test_filters(self, now: datetime):
        at = now - timedelta(days=5)
        talk("one", at, language="en")
        talk("two", at, channel="api", intent="refund")
        assert ends(now, now, Filters(language="en")) == [("logistics", "solved")]
        assert ends(now, now, Filters(channel="api")) == [("refund", "solved")]

    def test_the_queries_do_not_grow(self, now: datetime, django_assert_num_queries: Any):
        for number in range(8):
            talk(f"c{number}", now - timedelta(days=5))
        with django_assert_num_queries(3):  # what customers said, hand-overs, what the bot said
            bot.ended(Period.up_to(now, 7), ALL, now)


class TestTheLog:
    def log(self, now: datetime, probability: float | None, **columns: Any) -> None:
        usual = {"decision": "ANSWER", "source": "model", "elapsed_ms": 100.0, "language": "zh"}
        PredictionRecord.objects.create(
            text="t", probability=probability, created_at=now, **{**usual, **columns}
        )

    def test_confidence_cache_and_times(self, now: datetime):
        for probability in (0.0, 0.09, 0.1, 0.95, 1.0, None):
            self.log(now, probability)
        self.log(now, 0.5, cached=True, out_of_scope=0.7, decision="CLARIFY", elapsed_ms=300.0)
        self.log(now, 0.5, origin="API")
        found = bot.log(Period.up_to(now, 1), ALL)
        assert found.messages == 7
        assert found.bins == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]
        assert (found.cached, found.unknown) == (Share(1, 7), Share(1, 7))
        assert found.answered == Share(6, 7)
        assert found.response.p50 == 0.1

    def test_a_channel_is_that_of_the_conversation(self, now: datetime):
        for channel in ("web", "api"):
            conversation = talk(channel, now, channel=channel)
            asked = Message.objects.get(conversation=conversation, seq=1)
            self.log(now, 0.9, message=asked.pk)
        assert bot.log(Period.up_to(now, 1), Filters(channel="api")).messages == 1


class TestThePage:
    @pytest.fixture
    def editor(self, client: Client) -> Client:
        client.force_login(
            StaffFactory(role="business editor"),
            backend="django.contrib.auth.backends.ModelBackend",
        )
        return client

    def test_it_shows_all_and_gives_each_table_as_csv(self, editor: Client):
        now = timezone.now()
        IntentFactory(code="logistics", name_zh="物流", name_en="Delivery")
        talk("one", now)
        DriftCheck.objects.create(
            day=timezone.localdate(now),
            checked_at=now,
            messages=400,
            messages_before=1600,
            intents=0.31,
            is_alert=True,
            moved=[["logistics", 0.1, 0.4]],
        )
        english = {"Accept-Language": "en"}
        page = editor.get(reverse("admin:bot_report"), headers=english).text
        assert "Customers ask for something else than before" in page
        assert "Delivery" in page
        assert "40.0%" in page
        for slug in ("bot-intents", "bot-confidence", "bot-unknown", "bot-drift", "bot-moved"):
            answer = editor.get(reverse("admin:bot_report_csv"), {"table": slug})
            assert answer.status_code == 200
            assert answer["Content-Type"].startswith("text/csv")
        assert editor.get(reverse("admin:bot_report_csv"), {"table": "other"}).status_code == 404
        assert "is_drifting" in editor.get(reverse("admin:index")).context

    def test_nothing_and_nonsense(self, editor: Client):
        empty = editor.get(reverse("admin:bot_report"), headers={"Accept-Language": "en"})
        assert "Nothing happened in this period" in empty.text
        wrong = {"first": "2026-02-01", "last": "2026-01-01"}
        assert editor.get(reverse("admin:bot_report"), wrong).context["report"] is None

    def test_the_queries_are_bounded(self, now: datetime, django_assert_max_num_queries: Any):
        for number in range(12):
            ReviewCluster.objects.create(
                encoder="e", total=b"", members=1, changed_at=now, open_items=1, priority=number
            )
            talk(f"c{number}", now, intent=f"i{number}")
        with django_assert_max_num_queries(20):  # ten of the report, ten clusters
            bot_report.of(Period.up_to(now, 1), ALL, now=now)
