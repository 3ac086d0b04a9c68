"""The agents' lists: what is in them, in which order, cut where, and what they cost."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from chat import inbox, services
from chat.consumers import inbox_window
from chat.models import AgentProfile, Conversation, Handover, Label, Queue, Team
from csplatform import tokens
from csplatform.threads import in_thread
from tests.chat.conftest import write_content
from tests.chat.test_sockets import Connect, connect, rows, staff_token
from tests.factories import ConversationFactory, MessageFactory, StaffFactory

__all__ = ["connect"]

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def api(user: Any) -> APIClient:
    client = APIClient()
    issued = tokens.issue(subject=str(user.pk), kind=tokens.STAFF)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issued['token']}")
    return client


def waiting(since: datetime, **fields: Any) -> Conversation:
    fields = {"status": "WAITING", "waiting_since": since, "changed_at": since, **fields}
    return ConversationFactory(**fields)


def ids(entries: Any) -> list[uuid.UUID]:
    return [uuid.UUID(entry["conversation"]) for entry in entries]


@pytest.fixture
def me() -> Any:
    return StaffFactory()


@pytest.fixture
def mine(me: Any) -> inbox.Viewer:
    return inbox.viewer(me.pk, is_supervisor=False)


class TestLive:
    def test_mine_first_then_escalated_then_the_longest_waiting_then_colleagues(
        self, now: datetime, me: Any, mine: inbox.Viewer
    ):
        late = waiting(now - 9 * MINUTE)
        later = waiting(now - 5 * MINUTE)
        escalated = waiting(now - MINUTE, escalated_at=now)
        others = ConversationFactory(status="AGENT", agent=StaffFactory())
        own = ConversationFactory(status="AGENT", agent=me)
        ConversationFactory(status="BOT")
        ConversationFactory(status="CLOSED")

        found = inbox.whole(mine)

        assert ids(found) == [own.pk, escalated.pk, late.pk, later.pk, others.pk]
        assert [one["agent_is_me"] for one in found] == [True, False, False, False, False]
        assert [one["is_for_me"] for one in found] == [False, True, True, True, False]

    def test_the_queue_holds_what_an_agent_may_take_and_a_supervisors_everything(
        self, now: datetime, me: Any
    ):
        team, other = Team.objects.create(name="售后"), Team.objects.create(name="售前")
        profile = AgentProfile.objects.create(user=me, languages=["zh"])
        profile.teams.add(team)
        queues = {
            one: Queue.objects.create(name=one.name, team=one, position=1) for one in (team, other)
        }
        fits = waiting(now, queue=queues[team])
        waiting(now, queue=queues[other])
        waiting(now, language="en")

        agents = inbox.viewer(me.pk, is_supervisor=False)
        supervisors = inbox.viewer(me.pk, is_supervisor=True)

        assert ids(inbox.whole(agents)) == [fits.pk]
        assert inbox.counts(agents)["queue"] == 1
        assert len(inbox.whole(supervisors)) == 3
        assert inbox.counts(supervisors)["queue"] == 3

    def test_what_has_changed_is_told_alone_and_what_has_left_by_its_id(
        self, now: datetime, mine: inbox.Viewer
    ):
        stays, waiting_too = waiting(now), waiting(now)
        closed = ConversationFactory(status="CLOSED")
        gone = uuid.uuid4()
        some = [stays.pk, closed.pk, gone]

        listed, left = inbox.changed(mine, some, inbox.read(some))

        assert ids(listed) == [stays.pk]
        assert left == [str(closed.pk), str(gone)]
        assert waiting_too.pk not in ids(listed)

    def test_a_longer_list_is_cut_and_a_longer_count_too(
        self, now: datetime, mine: inbox.Viewer, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("chat.inbox.live.LISTED_MOST", 2)
        monkeypatch.setattr("chat.inbox.live.COUNTED_MOST", 2)
        for n in range(4):
            waiting(now - n * MINUTE)

        assert len(inbox.whole(mine)) == 2
        assert inbox.counts(mine) == {"mine": 0, "queue": 2, "all": 2, "closed": 0}

    def test_an_entry_says_why_where_and_what_the_customer_said_last(
        self, now: datetime, mine: inbox.Viewer
    ):
        queue = Queue.objects.get()
        one = waiting(now, queue=queue)
        Handover.objects.create(conversation=one, requested_at=now, because="MOOD", intent="refund")
        MessageFactory(conversation=one, text="我要退款")
        MessageFactory(conversation=one, sender="BOT", text="好的", awaits_answer=False)

        entry = inbox.entry_of(one.pk, mine)

        assert (entry["because"], entry["intent"], entry["queue_id"]) == (
            "MOOD",
            "refund",
            queue.pk,
        )
        assert (entry["last_text"], entry["last_customer_seq"], entry["last_seq"]) == (
            "我要退款",
            1,
            2,
        )


class TestPages:
    def everything(self, viewer: inbox.Viewer, view: inbox.View, now: datetime) -> list[Any]:
        found, after = [], ""
        while True:
            page = inbox.page(view, viewer, wanted=inbox.Wanted(), after=after, now=now)
            found += page.entries
            if not (after := page.after):
                return found

    def test_each_conversation_is_on_one_page_also_those_of_the_same_moment(
        self, now: datetime, mine: inbox.Viewer, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("chat.inbox.lists.PER_PAGE", 3)
        there = [ConversationFactory(status="CLOSED", changed_at=now).pk for _ in range(7)]
        there.append(ConversationFactory(status="CLOSED", changed_at=now + MINUTE).pk)

        found = ids(self.everything(mine, inbox.View.CLOSED, now))

        assert found[0] == there[-1]
        assert sorted(found) == sorted(there)

    def test_all_holds_what_is_open_newest_first_whoever_has_it(
        self, now: datetime, me: Any, mine: inbox.Viewer
    ):
        bot = ConversationFactory(changed_at=now - 3 * MINUTE)
        waits = waiting(now - MINUTE)
        own = ConversationFactory(status="AGENT", agent=me, changed_at=now - 2 * MINUTE)
        ConversationFactory(status="CLOSED", changed_at=now)

        assert ids(self.everything(mine, inbox.View.ALL, now)) == [waits.pk, own.pk, bot.pk]
        assert ids(self.everything(mine, inbox.View.MINE, now)) == [own.pk]

    def test_filters_narrow_it(self, now: datetime, me: Any, mine: inbox.Viewer):
        queue, label = Queue.objects.get(), Label.objects.create(name="退款")
        wanted = waiting(now - 10 * MINUTE, queue=queue, language="en")
        Handover.objects.create(
            conversation=wanted, requested_at=now, because="INTENT", intent="refund"
        )
        services.attach_label(conversation_id=wanted.pk, label_id=label.pk, agent_id=me.pk, now=now)
        waiting(now)

        for narrowed in (
            inbox.Wanted(queue_id=queue.pk),
            inbox.Wanted(language="en"),
            inbox.Wanted(label_id=label.pk),
            inbox.Wanted(intent="refund"),
            inbox.Wanted(waiting_s=300),
        ):
            page = inbox.page(inbox.View.ALL, mine, wanted=narrowed, now=now)
            assert ids(page.entries) == [wanted.pk], narrowed

    def test_a_place_that_is_none_of_ours_is_refused(self, now: datetime, mine: inbox.Viewer):
        for after in ("x", "2026-01-01_x", f"2026-01-01T00:00:00_{uuid.uuid4()}"):
            with pytest.raises(inbox.NoSuchView):
                inbox.page(inbox.View.ALL, mine, wanted=inbox.Wanted(), after=after, now=now)


@pytest.mark.parametrize("number", [10, 100])
def test_nothing_takes_more_queries_for_more_conversations(
    now: datetime, me: Any, mine: inbox.Viewer, django_assert_num_queries: Any, number: int
):
    label = Label.objects.create(name="退款")
    for n in range(number):
        one = waiting(now + n * MINUTE)
        services.attach_label(conversation_id=one.pk, label_id=label.pk, agent_id=me.pk, now=now)
    some = list(Conversation.objects.values_list("pk", flat=True)[:10])

    with django_assert_num_queries(6):  # four parts of the list, the entries, their labels
        assert len(inbox.whole(mine)) == number
    with django_assert_num_queries(6):  # four statuses, mine, the queue
        inbox.counts(mine)
    with django_assert_num_queries(2):  # the entries, their labels
        inbox.changed(mine, some, inbox.read(some))
    with django_assert_num_queries(5):  # three statuses, the entries, their labels
        inbox.page(inbox.View.ALL, mine, wanted=inbox.Wanted(), now=now)


class TestOverRest:
    def test_a_page_one_entry_and_the_filters(self, me: Any, now: datetime):
        one = waiting(now)
        label = Label.objects.create(name="退款", colour="#ffcc00")

        page = api(me).get("/api/workspace/conversations?view=all").json()
        entry = api(me).get(f"/api/workspace/conversations/{one.pk}").json()
        filters = api(me).get("/api/workspace/filters").json()

        assert (ids(page["conversations"]), page["after"]) == ([one.pk], "")
        assert entry == page["conversations"][0]
        assert filters["labels"] == [
            {"id": label.pk, "name": "退款", "colour": "#ffcc00", "ink": "#000000"}
        ]
        assert len(filters["queues"]) == 1

    def test_what_is_not_there_or_wrong_is_refused(self, me: Any):
        client = api(me)

        assert client.get(f"/api/workspace/conversations/{uuid.uuid4()}").status_code == 404
        for query in ("", "view=x", "view=all&queue=x", "view=all&after=x"):
            assert client.get(f"/api/workspace/conversations?{query}").status_code == 400, query

    def test_others_than_agents_are_refused(self):
        for role in ("business editor", "reviewer"):
            client = api(StaffFactory(role=role))
            for address in ("conversations?view=all", "filters", "search?q=退款"):
                assert client.get(f"/api/workspace/{address}").status_code == 403


@pytest.mark.django_db(transaction=True)
class TestOverTheSocket:
    async def test_only_what_has_changed_is_told_and_the_whole_after_a_ping(
        self, connect: Connect, now: datetime
    ):
        await rows(write_content)
        agent, bearer = await staff_token()
        first, second = await rows(lambda: (waiting(now - MINUTE), waiting(now)))
        label = await rows(lambda: Label.objects.create(name="退款"))
        desk = await connect("/ws/workspace/")
        await desk.send("hello", token=bearer)
        welcome = await desk.next("welcome")
        assert ids(welcome["inbox"]) == [first.pk, second.pk]
        assert welcome["counts"] == {"mine": 0, "queue": 2, "all": 2, "closed": 0}

        await rows(
            lambda: services.attach_label(
                conversation_id=second.pk, label_id=label.pk, agent_id=agent.pk, now=now
            )
        )
        frame = await desk.next("inbox_changed")
        assert (ids(frame["inbox"]), frame["gone"]) == ([second.pk], [])
        assert [one["name"] for one in frame["inbox"][0]["labels"]] == ["退款"]

        await rows(lambda: services.take_over(conversation_id=first.pk, agent_id=agent.pk, now=now))
        await rows(lambda: services.hand_back(conversation_id=first.pk, agent_id=agent.pk, now=now))
        while not (frame := await desk.next("inbox_changed"))["gone"]:
            pass
        assert frame["gone"] == [str(first.pk)]

        await desk.send("ping")
        whole = await desk.next("inbox")
        assert ids(whole["inbox"]) == [second.pk]
        assert whole["counts"]["queue"] == 1


@pytest.mark.django_db(transaction=True)
class TestOneLookForAllDesks:
    async def test_who_asks_in_the_same_moment_gets_the_same_answer(self, now: datetime):
        first, second = await in_thread(lambda: (waiting(now), waiting(now)))()

        looks = [inbox_window.look_at(one.pk) for one in (first, second, first)]
        seen = await looks[0]

        assert looks[0] is looks[1] is looks[2]
        assert seen is not None
        assert set(seen.ids) == set(seen.found) == {first.pk, second.pk}

    async def test_a_later_hint_is_looked_at_again(self, now: datetime):
        one = await in_thread(waiting)(now)
        earlier = await inbox_window.look_at(one.pk)
        await in_thread(Conversation.objects.filter(pk=one.pk).update)(last_seq=9)

        later = await inbox_window.look_at(one.pk)

        assert earlier is not None
        assert later is not None
        assert later.found[one.pk].conversation.last_seq == 9
        assert later.began_at > earlier.began_at
