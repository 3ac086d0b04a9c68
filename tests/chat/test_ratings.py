"""What customers think: asked at the end, changed as often as they like, stored once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Http
from django.utils import timezone

from chat import access, events, services, webhooks
from chat.models import Conversation, MessageFeedback, Rating
from intents import records
from intents.models import PredictionRecord
from tests.chat.test_sockets import Connect, connect, customer, rows, token
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

__all__ = ["connect"]  # a fixture


@pytest.fixture
def ended(talk: None, now: datetime) -> Conversation:
    """One that an agent had and ended."""
    agent = StaffFactory()
    conversation = ConversationFactory(uid="C1")
    services.take_over(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
    services.close(conversation_id=conversation.pk, agent_id=agent.pk, now=now)
    conversation.refresh_from_db()
    return conversation


def post(name: str, body: dict[str, Any], uid: str = "C1") -> Any:
    headers = {"Authorization": f"Bearer {token(uid)}"}
    address = f"/api/conversation/{name}"
    return Http().post(address, body, content_type="application/json", headers=headers)


class TestAConversation:
    def test_is_rated_once_and_may_be_changed(self, ended: Conversation, now: datetime):
        def rate(score: int, after: int) -> None:
            services.rate(
                uid="C1",
                conversation_id=ended.pk,
                score=score,
                comment=" 很快 ",
                now=now + timedelta(seconds=after),
            )

        rate(2, 0)
        rate(5, 60)

        rating = Rating.objects.get()
        assert (rating.score, rating.comment, rating.rated_at) == (5, "很快", now)
        assert rating.changed_at == now + timedelta(seconds=60)
        assert rating.agent is not None

    def test_handed_back_it_may_be_rated_and_with_an_agent_again_not(
        self, talk: None, now: datetime
    ):
        agent = StaffFactory()
        conversation = ConversationFactory(uid="C1")
        named = {"conversation_id": conversation.pk, "agent_id": agent.pk, "now": now}

        def may() -> bool:
            conversation.refresh_from_db()
            return services.asks_rating(conversation)

        assert not may()
        services.take_over(**named)
        services.hand_back(**named)
        assert may()
        services.take_over(**named)
        assert not may()
        with pytest.raises(services.NotRatable):
            services.rate(uid="C1", conversation_id=conversation.pk, score=5, now=now)
        assert not Rating.objects.exists()

    def test_closed_for_silence_is_not_asked_about(self, talk: None, now: datetime):
        conversation = ConversationFactory(uid="C1", changed_at=now - timedelta(days=2))
        services.close_idle(before=now - timedelta(days=1), now=now)

        conversation.refresh_from_db()
        assert conversation.status == "CLOSED"
        assert not services.asks_rating(conversation)

    def test_of_somebody_else_is_not_his_to_rate(self, ended: Conversation):
        body = {"conversation": str(ended.pk), "score": 1}

        assert post("rating", body, uid="C2").status_code == 404
        assert not Rating.objects.exists()

    @pytest.mark.parametrize("score", [0, 6, "bad", None])
    def test_has_one_to_five(self, ended: Conversation, score: Any):
        body = {"conversation": str(ended.pk), "score": score}

        assert post("rating", body).status_code == 400
        assert post("rating", body | {"score": 4}).json()["rating"] == {"score": 4, "comment": ""}

    def test_the_database_keeps_the_score_and_the_uniqueness(
        self, both_databases: str, now: datetime
    ):
        conversation = ConversationFactory(uid="C1", status="CLOSED")
        said = {"conversation": conversation, "rated_at": now, "changed_at": now}
        with pytest.raises(IntegrityError), transaction.atomic():
            Rating.objects.create(**said, score=6)
        Rating.objects.create(**said, score=1)
        with pytest.raises(IntegrityError), transaction.atomic():
            Rating.objects.create(**said, score=1)

    def test_is_told_to_endpoints_without_personal_data(self, ended: Conversation, now: datetime):
        services.rate(
            uid="C1", conversation_id=ended.pk, score=4, comment="打我 13800138000", now=now
        )

        (kind,) = webhooks.kinds.of(
            events.Rated(conversation_id=ended.pk, seq=ended.last_seq, status=ended.status)
        )
        said = kind.word(events.Rated(conversation_id=ended.pk, seq=0, status="CLOSED")).data

        assert kind.name == "conversation.rated"
        assert said["rating"]["score"] == 4
        assert "13800138000" not in said["rating"]["comment"]


@pytest.mark.usefixtures("talk")
class TestWhoComesBack:
    def welcome(self, uid: str = "C1") -> Any:
        headers = {"Authorization": f"Bearer {token(uid)}"}
        return Http().get("/api/conversation", headers=headers).json()

    def put_away(self, conversation: Conversation, uid: str = "C1") -> Any:
        headers = {"Authorization": f"Bearer {token(uid)}"}
        address = f"/api/conversation/rating?conversation={conversation.pk}"
        return Http().delete(address, headers=headers)

    @pytest.fixture
    def ended(self, talk: None) -> Conversation:
        conversation = ConversationFactory(uid="C1")
        services.close_by_customer(
            uid="C1", conversation_id=conversation.pk, now=timezone.now() - timedelta(days=1)
        )
        conversation.refresh_from_db()
        return conversation

    def test_finds_what_ended_and_is_asked_until_he_has_said_so(self, ended: Conversation):
        found = self.welcome()
        assert (found["conversation"], found["status"]) == (str(ended.pk), "CLOSED")
        assert found["rating"] == {"score": None, "comment": ""}

        post("rating", {"conversation": str(ended.pk), "score": 5})

        assert self.welcome()["conversation"] is None

    def test_is_not_asked_again_once_he_has_put_it_away(
        self, ended: Conversation, django_capture_on_commit_callbacks: Any
    ):
        with django_capture_on_commit_callbacks() as told:
            status = self.put_away(ended).json()
            self.put_away(ended)  # again: nothing happens

        assert "rating" not in status
        assert len(told) == 1
        assert self.welcome()["conversation"] is None
        assert post("rating", {"conversation": str(ended.pk), "score": 5}).status_code == 409

    def test_what_he_has_said_cannot_be_put_away(self, ended: Conversation):
        post("rating", {"conversation": str(ended.pk), "score": 2})

        assert self.put_away(ended).json()["rating"] == {"score": 2, "comment": ""}

    def test_nobody_puts_away_what_another_is_asked(self, ended: Conversation):
        assert self.put_away(ended, uid="C2").status_code == 404
        assert self.welcome("C2")["conversation"] is None
        assert self.welcome()["conversation"] == str(ended.pk)

    def test_only_the_latest_is_asked_about_and_not_for_ever(
        self, ended: Conversation, settings: Any
    ):
        opened = ended.opened_at + timedelta(minutes=1)
        rated = ConversationFactory(uid="C1", status="CLOSED", opened_at=opened, asks_rating=True)
        Rating.objects.create(conversation=rated, score=3, rated_at=opened, changed_at=opened)
        assert self.welcome()["conversation"] is None

        rated.delete()
        assert self.welcome()["conversation"] == str(ended.pk)
        settings.CHAT_ENDED_SHOWN_S = 3600
        assert self.welcome()["conversation"] is None

    def test_goes_on_with_what_is_open(self, ended: Conversation):
        current = ConversationFactory(uid="C1")

        assert self.welcome()["conversation"] == str(current.pk)

    def test_costs_two_queries_at_most(self, ended: Conversation, django_assert_num_queries: Any):
        with django_assert_num_queries(2):
            assert access.shown_to("C1", timezone.now()) == ended


@pytest.mark.usefixtures("talk")
class TestAnAnswer:
    @pytest.fixture
    def answer(self) -> Any:
        asked = MessageFactory(conversation=ConversationFactory(uid="C1"), awaits_answer=False)
        return MessageFactory(
            conversation=asked.conversation, sender="BOT", awaits_answer=False, answers=asked
        )

    def test_gets_thumbs_which_are_logged_and_may_be_turned(
        self, answer: Any, now: datetime, django_capture_on_commit_callbacks: Any
    ):
        PredictionRecord.objects.create(
            message=answer.answers_id, text="快递", created_at=now, content_version=1, elapsed_ms=1
        )
        body = {"conversation": str(answer.conversation_id), "seq": 2}
        with django_capture_on_commit_callbacks(execute=True):
            assert post("feedback", body | {"feedback": "UP"}).status_code == 200
            down = body | {"feedback": "DOWN", "reason": "OUTDATED"}
            assert post("feedback", down).status_code == 200
        records.flush()

        feedback = MessageFeedback.objects.get()
        assert (feedback.is_up, feedback.reason) == (False, "OUTDATED")
        assert PredictionRecord.objects.get().rating == -1

    def test_only_of_the_bot_and_only_in_ones_own_conversation(self, answer: Any):
        body = {"conversation": str(answer.conversation_id), "seq": 2, "feedback": "UP"}

        assert post("feedback", body, uid="C2").status_code == 404
        assert post("feedback", body | {"seq": 1}).json()["code"] == "no_such_answer"
        assert post("feedback", body | {"feedback": "SIDEWAYS"}).status_code == 400
        assert not MessageFeedback.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db", "talk", "engine")
class TestSeveralWindows:
    async def test_thumbs_are_in_all_of_them(self, connect: Connect, now: datetime):
        asked = await rows(
            lambda: MessageFactory(conversation=ConversationFactory(uid="C1"), awaits_answer=False)
        )
        await rows(
            lambda: MessageFactory(
                conversation=asked.conversation, sender="BOT", awaits_answer=False, answers=asked
            )
        )
        window, _ = await customer(connect, uid="C1")
        assert (await window.lines(2))[-1]["feedback"] == ""

        await rows(
            lambda: services.give_feedback(
                uid="C1", conversation_id=asked.conversation_id, seq=2, is_up=True, now=now
            )
        )

        (line,) = (await window.next("messages"))["messages"]
        assert (line["seq"], line["feedback"]) == (2, "UP")

    async def test_a_rating_is_in_all_of_them(self, connect: Connect, now: datetime):
        conversation = await rows(lambda: ConversationFactory(uid="C1"))
        window, _ = await customer(connect, uid="C1")
        await window.send("end")
        while "rating" not in (await window.next("status")):
            pass

        await rows(
            lambda: services.rate(uid="C1", conversation_id=conversation.pk, score=3, now=now)
        )

        assert (await window.next("status"))["rating"] == {"score": 3, "comment": ""}


def test_never_asked_costs_no_query(django_assert_num_queries: Any, db: None):
    conversation = ConversationFactory.build(uid="C1")

    with django_assert_num_queries(0):
        assert not services.asks_rating(conversation)


def test_nobody_reads_anothers_conversation_through_it(ended: Conversation, now: datetime):
    with pytest.raises(access.NoSuchConversation):
        services.give_feedback(uid="C2", conversation_id=ended.pk, seq=1, is_up=True, now=now)
