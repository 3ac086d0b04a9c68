"""A conversation with the bot that is silent for a day is closed, and goes on with a message."""

from datetime import datetime, timedelta

import pytest

from chat import services
from chat.models import Conversation
from tests.chat.test_handover import lines, state, write_content_once
from tests.databases import interleave
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("talk")]

DAY = timedelta(days=1)


def idle(now: datetime, uid: str = "C1") -> Conversation:
    """A conversation closed for idleness at `now`."""
    conversation = ConversationFactory(uid=uid, opened_at=now - 2 * DAY, changed_at=now - 2 * DAY)
    MessageFactory(conversation=conversation, sent_at=now - 2 * DAY, awaits_answer=False)
    assert services.close_idle(before=now - DAY, now=now) == 1
    conversation.refresh_from_db()
    return conversation


def test_it_is_closed_without_a_word(now: datetime):
    conversation = idle(now)

    assert state(conversation) == ("CLOSED", None)
    assert conversation.open_for is None
    assert [sender for sender, _ in lines(conversation)] == ["CUSTOMER"]
    assert services.close_idle(before=now - DAY, now=now) == 0


def test_the_next_message_goes_on_with_it(now: datetime):
    conversation = idle(now)

    posted = services.post_customer_message(uid="C1", text="还在吗", now=now + DAY)

    assert posted.message.conversation_id == conversation.pk
    assert posted.message.seq == 2
    assert posted.message.awaits_answer
    assert state(conversation) == ("BOT", None)
    assert Conversation.objects.open_of("C1").get() == conversation


@pytest.mark.parametrize("named", [True, False])
def test_so_does_asking_for_a_human(now: datetime, *, named: bool):
    conversation = idle(now)

    services.ask_for_human(
        uid="C1", conversation_id=conversation.pk if named else None, now=now + DAY
    )

    assert state(conversation) == ("WAITING", None)


def test_what_was_ended_stays_ended(now: datetime):
    conversation = idle(now)
    services.post_customer_message(uid="C1", text="还在吗", now=now)
    services.close(conversation_id=conversation.pk, agent_id=StaffFactory().pk, now=now)

    with pytest.raises(services.ConversationClosed):
        services.post_customer_message(
            uid="C1", text="还在吗", conversation_id=conversation.pk, now=now
        )


def test_who_spoke_today_or_waits_for_people_keeps_his(now: datetime):
    long_ago = now - 3 * DAY
    talking = ConversationFactory(changed_at=long_ago)
    MessageFactory(conversation=talking, sent_at=now - timedelta(hours=23))
    waiting = ConversationFactory(status="WAITING", changed_at=long_ago)

    assert services.close_idle(before=now - DAY, now=now) == 0
    assert [state(one)[0] for one in (talking, waiting)] == ["BOT", "WAITING"]


@pytest.mark.parametrize("has_one_too", [True, False])
def test_a_visitor_who_signs_in_goes_on_with_his(now: datetime, *, has_one_too: bool):
    if has_one_too:
        idle(now, "C1")
    conversation = idle(now, "anon-1")

    services.join_visitor(visitor_uid="anon-1", uid="C1", now=now)
    posted = services.post_customer_message(uid="C1", text="还在吗", now=now)

    assert posted.message.conversation_id == conversation.pk


def test_of_two_messages_at_once_both_go_on_with_it(both_databases: str, now: datetime):
    write_content_once()
    conversation = idle(now)

    outcomes = interleave(
        lambda: services.post_customer_message(uid="C1", text="一", now=now),
        lambda: services.post_customer_message(uid="C1", text="二", now=now),
        at='UPDATE "chat_conversation"',
        after=True,
    )

    assert {one.result.message.conversation_id for one in outcomes} == {conversation.pk}
    assert sorted(one.result.message.seq for one in outcomes) == [2, 3]


def test_a_message_while_it_is_being_closed_goes_on_with_it(both_databases: str, now: datetime):
    write_content_once()
    conversation = ConversationFactory(uid="C1", changed_at=now - 2 * DAY)

    closed, posted = interleave(
        lambda: services.close_idle(before=now - DAY, now=now),
        lambda: services.post_customer_message(uid="C1", text="还在吗", now=now),
        at='UPDATE "chat_conversation"',
        after=True,
    )

    assert closed.result == 1
    assert posted.result.message.conversation_id == conversation.pk
    assert state(conversation) == ("BOT", None)
