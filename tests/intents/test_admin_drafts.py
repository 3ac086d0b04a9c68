"""The drafts' pages: saving into one, reading it, every button, four eyes, restoring."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents import drafts
from intents.models import Draft, Intent, PredictionRecord, Reply, Utterance
from intents.services import delete_reply, save_intent, save_reply, save_utterance
from tests.factories import IntentFactory, StaffFactory
from tests.intents.test_admin_intents import form_of, url_of
from tests.intents.test_drafts import NEW_INTENT, changed, new, new_reply, new_utterance

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
Status = Draft.Status


@pytest.fixture
def person() -> User:
    return StaffFactory(username="editor", role="business editor")


@pytest.fixture
def editor(client: Client, person: User) -> Client:
    client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def reviewer() -> Client:
    client = Client()
    client.force_login(StaffFactory(username="reviewer", role="reviewer"), backend=BACKEND)
    return client


@pytest.fixture
def logistics() -> Intent:
    return save_intent(IntentFactory.build(code="logistics", name_zh="物流", name_en="Delivery"))


@pytest.fixture
def reply(logistics: Intent) -> Reply:
    return save_reply(Reply(intent=logistics, language="zh", text="在路上"))


def page(draft: Draft) -> str:
    return reverse("admin:intents_draft_change", args=[draft.pk])


def _page(client: Client, draft: Draft) -> str:
    return client.get(page(draft)).content.decode()


def seen_on(shown: str) -> str:
    """What the forms of a page say of the state that it shows; "" if it has none that do."""
    found = set(re.findall(r'<input type="hidden" name="seen" value="([^"]*)"', shown))
    assert len(found) <= 1
    return "".join(found)


def step(client: Client, draft: Draft, name: str, **data: Any) -> str:
    """Press a button of the page as it is now, or as it was when it had `seen`."""
    data.setdefault("seen", seen_on(_page(client, draft)))
    address = reverse("admin:intents_draft_step", args=[draft.pk])
    response = client.post(address, {"step": name, **data}, follow=True)
    return response.content.decode()


def filled(draft: Draft, person: User, *proposals: Any) -> Draft:
    drafts.propose(draft.pk, proposals, by=person, now=timezone.now())
    return draft


@pytest.fixture
def draft(person: User) -> Draft:
    return drafts.begin("双十一", by=person, now=timezone.now())


class TestSavingIntoADraft:
    def test_the_whole_page_of_an_intent_goes_into_a_draft_and_nothing_is_live(
        self, editor: Client, reply: Reply
    ) -> None:
        gone = save_reply(Reply(intent=reply.intent, language="en", text="Old"))
        save_utterance(Utterance(intent=reply.intent, text="到哪了", language="zh"))
        data = form_of(editor, url_of(reply.intent))
        data["name_zh"] = "快递"
        data["new_utterances"] = "什么时候到\n到哪了"
        data["replies-0-text"] = "已发货"
        data["replies-1-DELETE"] = "on"
        data["replies-TOTAL_FORMS"] = "3"
        data |= {
            "replies-2-language": "zh",
            "replies-2-text": "新的",
            "replies-2-is_active": "on",
            "replies-2-intent": reply.intent_id,
        }
        before = Intent.objects.get().revision

        response = editor.post(url_of(reply.intent), {**data, "_draft": "1", "draft": ""})

        draft = Draft.objects.get()
        assert response["Location"] == page(draft)
        assert draft.author.username == "editor"
        edits = {
            (edit.kind, edit.action, str(edit.values.get("text"))) for edit in draft.edits.all()
        }
        assert edits == {
            ("intent", "save", "None"),
            ("reply", "save", "已发货"),
            ("reply", "save", "新的"),
            ("reply", "delete", "None"),
            ("utterance", "save", "什么时候到"),
        }
        assert Intent.objects.get().revision == before
        assert Intent.objects.get().name_zh == "物流"
        assert Reply.objects.filter(pk=gone.pk).exists()
        assert Utterance.objects.count() == 1
        shown = editor.get(page(draft)).content.decode()
        assert "已发货" in shown
        assert "什么时候到" in shown

    def test_a_new_intent_with_its_reply_and_sentences_goes_into_a_draft(
        self, editor: Client
    ) -> None:
        data = form_of(editor, reverse("admin:intents_intent_add"))
        data |= {"code": "invoice", "name_zh": "发票", "name_en": "Invoice"}
        data |= {"new_utterances": "要发票", "replies-TOTAL_FORMS": "1"}
        data |= {"replies-0-language": "zh", "replies-0-text": "好", "replies-0-is_active": "on"}
        editor.post(reverse("admin:intents_intent_add"), {**data, "_draft": "1"})
        draft = Draft.objects.get()
        assert {edit.intent for edit in draft.edits.all()} == {"invoice"}
        assert not Intent.objects.exists()
        assert "发票" in step(editor, draft, "publish")
        assert Intent.objects.get().replies.get().text == "好"
        assert Intent.objects.get().utterances.get().text == "要发票"

    def test_what_a_service_refuses_is_shown_at_its_field_and_no_draft_is_made(
        self, editor: Client, reply: Reply
    ) -> None:
        data = form_of(editor, url_of(reply.intent)) | {"replies-0-text": "{nothing}"}
        response = editor.post(url_of(reply.intent), {**data, "_draft": "1"})
        assert response.status_code == 200
        assert "{nothing}" in response.content.decode()
        assert not Draft.objects.exists()

    def test_a_save_that_changes_nothing_is_told_so(self, editor: Client, reply: Reply) -> None:
        data = form_of(editor, url_of(reply.intent))
        response = editor.post(url_of(reply.intent), {**data, "_draft": "1"})
        assert response.status_code == 200
        assert str(drafts.NothingProposed.detail) in response.content.decode()
        assert not Draft.objects.exists()

    def test_a_reply_goes_into_the_chosen_draft_and_its_page_names_it(
        self, editor: Client, reply: Reply, draft: Draft
    ) -> None:
        address = reverse("admin:intents_reply_change", args=[reply.pk])
        data = {"intent": reply.intent_id, "language": "zh", "channel": "", "is_active": "on"}
        editor.post(address, {**data, "text": "已发货", "_draft": "1", "draft": draft.pk})
        assert draft.edits.get().values == {"text": "已发货"}
        assert Reply.objects.get().text == "在路上"
        for url in (address, url_of(reply.intent)):
            assert f'href="{page(draft)}"' in editor.get(url).content.decode()


class TestFourEyes:
    @pytest.fixture(autouse=True)
    def _four_eyes(self, settings: Any) -> None:
        settings.CONTENT_FOUR_EYES = True

    def test_a_direct_save_becomes_a_draft_and_another_person_publishes_it(
        self, editor: Client, reviewer: Client, reply: Reply
    ) -> None:
        data = form_of(editor, url_of(reply.intent)) | {"replies-0-text": "已发货"}
        editor.post(url_of(reply.intent), {**data, "_save": "1"})
        draft = Draft.objects.get()
        assert Reply.objects.get().text == "在路上"
        step(editor, draft, "publish")
        assert Reply.objects.get().text == "在路上"
        step(editor, draft, "submit")
        step(editor, draft, "approve")
        assert Draft.objects.get().status == Status.IN_REVIEW
        step(reviewer, draft, "approve", comment="很好")
        assert "很好" in editor.get(page(draft)).content.decode()
        step(editor, draft, "publish")
        assert Reply.objects.get().text == "已发货"

    @pytest.mark.parametrize("verdict", ["approve", "reject"])
    def test_what_the_reviewer_has_not_read_is_not_approved(
        self,
        editor: Client,
        reviewer: Client,
        person: User,
        draft: Draft,
        reply: Reply,
        verdict: str,
    ) -> None:
        edit = filled(draft, person, changed(reply, text="已发货")).edits.get()
        step(editor, draft, "submit")
        seen = seen_on(_page(reviewer, draft))
        step(editor, draft, "reopen")
        drafts.revise(edit.pk, {"text": "没读过"}, by=person, now=timezone.now())
        step(editor, draft, "submit")

        for stale in (seen, "", "yesterday", "2026-11-22T10:00"):
            refused = step(reviewer, draft, verdict, seen=stale)
            assert str(drafts.ChangedMeanwhile.detail) in refused
            assert Draft.objects.get().status == Status.IN_REVIEW
        step(editor, draft, "publish")
        assert Reply.objects.get().text == "在路上"
        step(reviewer, draft, verdict)
        assert Draft.objects.get().reviewer.username == "reviewer"

    def test_deleting_and_switching_off_become_drafts(
        self, editor: Client, logistics: Intent
    ) -> None:
        other = IntentFactory(code="other")
        rows = reverse("admin:intents_intent_changelist")
        chosen = {"action": "switch_off", "_selected_action": [logistics.pk]}
        editor.post(rows, chosen)
        editor.post(reverse("admin:intents_intent_delete", args=[other.pk]), {"post": "yes"})
        assert Intent.objects.filter(is_active=True).count() == 2
        edits = Draft.objects.get().edits.order_by("pk")
        assert [(edit.action, edit.intent) for edit in edits] == [
            ("save", "logistics"),
            ("delete", "other"),
        ]

    def test_restoring_an_earlier_version_becomes_a_draft(
        self, editor: Client, reply: Reply
    ) -> None:
        reply.text = "已发货"
        save_reply(reply)
        oldest = reply.history.last()
        address = reverse("admin:intents_reply_simple_history", args=[reply.pk, oldest.pk])
        data = {"intent": reply.intent_id, "language": "zh", "channel": "", "is_active": "on"}
        editor.post(address, {**data, "text": "在路上", "_save": "1"})
        assert Reply.objects.get().text == "已发货"
        assert Draft.objects.get().edits.get().values == {"text": "在路上"}

    def test_a_deleted_reply_is_restored_in_a_draft(self, editor: Client, reply: Reply) -> None:
        pk = reply.pk
        delete_reply(reply)
        record = Reply.history.filter(id=pk).last()
        address = reverse("admin:intents_reply_simple_history", args=[pk, record.pk])
        assert 'name="_draft"' in editor.get(address).content.decode()
        data = {"intent": record.intent_id, "language": "zh", "channel": "", "is_active": "on"}
        editor.post(address, {**data, "text": "在路上", "_draft": "1"})
        edit = Draft.objects.get().edits.get()
        assert (edit.target, edit.base, edit.values["text"]) == (None, None, "在路上")

    def test_an_administrator_saves_at_once(self, reply: Reply) -> None:
        client = Client()
        client.force_login(StaffFactory(role="administrator"), backend=BACKEND)
        data = form_of(client, url_of(reply.intent)) | {"replies-0-text": "已发货"}
        client.post(url_of(reply.intent), {**data, "_save": "1"})
        assert Reply.objects.get().text == "已发货"


class TestThePageOfADraft:
    def test_a_conflict_is_shown_three_ways_with_who_made_it_and_settled(
        self, editor: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        filled(draft, person, changed(reply, text="已发货"))
        reply.text = "明天到"
        reply._history_user = StaffFactory(username="somebody")
        save_reply(reply)
        shown = editor.get(page(draft)).content.decode()
        for text in ("在路上", "明天到", "已发货", "somebody"):
            assert text in shown
        assert str(drafts.Conflicting.detail) in step(editor, draft, "publish")
        step(editor, draft, "keep_draft", edit=draft.edits.get().pk)
        step(editor, draft, "publish")
        assert Reply.objects.get().text == "已发货"

    def test_an_edit_is_changed_and_taken_out(
        self, editor: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        edit = filled(draft, person, changed(reply, text="已发货")).edits.get()
        address = reverse("admin:intents_draft_edit", args=[draft.pk, edit.pk])
        data = {"intent": "logistics", "language": "zh", "channel": "", "is_active": "on"}
        data["seen"] = seen_on(editor.get(address).content.decode())
        refused = editor.post(address, {**data, "text": "{nothing}"}).content.decode()
        assert "{nothing}" in refused
        assert seen_on(refused) == data["seen"]
        editor.post(address, {**data, "text": "发货了"})
        assert draft.edits.get().values == {"text": "发货了"}
        step(editor, draft, "remove", edit=edit.pk)
        assert not draft.edits.exists()

    def test_an_edit_is_not_saved_over_what_somebody_else_made_of_it(
        self, editor: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        edit = filled(draft, person, changed(reply, text="已发货")).edits.get()
        address = reverse("admin:intents_draft_edit", args=[draft.pk, edit.pk])
        data = {"intent": "logistics", "language": "zh", "channel": "", "is_active": "on"}
        seen = seen_on(editor.get(address).content.decode())
        admin = StaffFactory(role="administrator")
        drafts.revise(edit.pk, {"text": "管理员的"}, by=admin, now=timezone.now())
        for stale in (seen, ""):
            refused = editor.post(address, {**data, "text": "发货了", "seen": stale})
            shown = refused.content.decode()
            assert str(drafts.ChangedMeanwhile.detail) in shown
            assert "发货了" in shown
            assert draft.edits.get().values == {"text": "管理员的"}
            # Pressed once more, it is refused once more.
            assert seen_on(shown) == stale

    def test_a_new_intent_in_a_draft_gets_more_replies(
        self, editor: Client, person: User, draft: Draft
    ) -> None:
        filled(draft, person, new("intent", **{**NEW_INTENT, "is_offered": False}))
        [link] = re.findall(r'href="(/admin/intents/intent/add/[^"]+)"', _page(editor, draft))
        address = link.replace("&amp;", "&")
        data = form_of(editor, address) | {"replies-TOTAL_FORMS": "1"}
        data |= {"replies-0-language": "zh", "replies-0-text": "好", "replies-0-is_active": "on"}
        editor.post(address, {**data, "_draft": "1", "draft": draft.pk})
        assert {edit.kind for edit in draft.edits.all()} == {"intent", "reply"}
        assert draft.edits.get(kind="intent").values["is_offered"] is False

    def test_what_a_service_refuses_stands_at_its_edit(
        self, editor: Client, person: User, draft: Draft
    ) -> None:
        filled(draft, person, drafts.Proposal.to_delete(IntentFactory(code="other")))
        PredictionRecord.objects.create(
            text="到哪了", intent="other", decision="ANSWER", source="model", elapsed_ms=1
        )
        edit = draft.edits.get()
        shown = step(editor, draft, "publish")
        assert 'role="alert"' in shown.partition(f'id="edit-{edit.pk}"')[2]
        assert Draft.objects.get().status == Status.OPEN

    def test_it_can_be_tried_and_replayed(
        self, editor: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        filled(draft, person, changed(reply, text="已发货"))
        bench = f"{reverse('admin:bench')}?draft=draft%3A{draft.pk}"
        assert f'href="{bench}"' in _page(editor, draft)
        form = editor.get(bench).context["form"]
        assert form["draft"].value() == f"draft:{draft.pk}"
        assert f"{reverse('admin:training_comparison_add')}?after=draft%3A{draft.pk}" in _page(
            editor, draft
        )

    def test_it_is_scheduled_on_the_clock_of_the_shop(
        self, editor: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        filled(draft, person, changed(reply, text="已发货"))
        step(editor, draft, "schedule", publish_at="2099-11-11T00:00")
        scheduled = Draft.objects.get()
        assert scheduled.status == Status.SCHEDULED
        assert timezone.localtime(scheduled.publish_at) == datetime(
            2099, 11, 11, tzinfo=timezone.get_current_timezone()
        )
        refused = step(editor, draft, "schedule", publish_at="2001-01-01T00:00")
        assert 'role="alert"' in refused
        assert Draft.objects.get().publish_at == scheduled.publish_at

    @pytest.mark.parametrize("name", ["publish", "schedule"])
    def test_what_its_publisher_has_not_read_is_not_published(
        self, editor: Client, person: User, draft: Draft, reply: Reply, name: str
    ) -> None:
        edit = filled(draft, person, changed(reply, text="已发货")).edits.get()
        seen = seen_on(_page(editor, draft))
        drafts.revise(edit.pk, {"text": "没读过"}, by=person, now=timezone.now())
        # A wrong time is no way to have the new state taken for read.
        shown = step(editor, draft, name, seen=seen, publish_at="never", expires_at="never")
        assert seen_on(shown) == seen
        shown = step(editor, draft, name, seen=seen, publish_at="2099-11-11T00:00")
        assert str(drafts.ChangedMeanwhile.detail) in shown
        assert Draft.objects.get().status == Status.OPEN
        assert Reply.objects.get().text == "在路上"
        step(editor, draft, name, publish_at="2099-11-11T00:00")
        assert Draft.objects.get().status != Status.OPEN

    @pytest.mark.parametrize(
        ("name", "status"), [("publish", "PUBLISHED"), ("schedule", "SCHEDULED")]
    )
    def test_the_times_of_a_scheduled_draft_stand_in_its_form(
        self, editor: Client, person: User, draft: Draft, reply: Reply, name: str, status: str
    ) -> None:
        def times() -> dict[str, str]:
            shown = _page(editor, draft)
            return dict(re.findall(r'name="(\w+_at)" value="([^"]*)"', shown))

        filled(draft, person, changed(reply, text="已发货"))
        assert times() == {}
        chosen = {"publish_at": "2099-11-11T00:00", "expires_at": "2099-11-12T06:30"}
        step(editor, draft, "schedule", **chosen)
        expires_at = Draft.objects.get().expires_at
        assert times() == chosen
        step(editor, draft, name, **times())
        assert Draft.objects.get().status == status
        assert Draft.objects.get().expires_at == expires_at

    def test_an_expiry_that_is_emptied_is_cleared(
        self, editor: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        filled(draft, person, changed(reply, text="已发货"))
        day = "2099-11-11T00:00"
        step(editor, draft, "schedule", publish_at=day, expires_at="2099-11-12T06:30")
        step(editor, draft, "schedule", publish_at=day, expires_at="")
        assert Draft.objects.get().expires_at is None

    def test_buttons_are_there_for_whom_they_work(
        self, editor: Client, reviewer: Client, person: User, draft: Draft, reply: Reply
    ) -> None:
        def buttons(client: Client) -> set[str]:
            found = client.get(page(draft)).content.decode().split('name="step" value="')[1:]
            return {one.partition('"')[0] for one in found}

        filled(draft, person, changed(reply, text="已发货"))
        assert buttons(editor) == {"submit", "withdraw", "publish", "schedule", "remove"}
        assert buttons(reviewer) == {"publish", "schedule"}
        step(editor, draft, "submit")
        assert buttons(editor) == {"reopen", "withdraw"}
        assert buttons(reviewer) == {"approve", "reject"}
        step(reviewer, draft, "reject", comment="再想想")
        assert buttons(editor) == {"reopen", "withdraw"}
        step(editor, draft, "reopen")
        step(editor, draft, "publish")
        assert buttons(reviewer) == {"take_back"}
        step(reviewer, draft, "take_back")
        assert buttons(editor) == set()
        assert Reply.objects.get().text == "在路上"

    def test_somebody_elses_draft_is_not_changed(
        self, person: User, draft: Draft, reply: Reply
    ) -> None:
        filled(draft, person, changed(reply, text="已发货"))
        client = Client()
        client.force_login(StaffFactory(role="business editor"), backend=BACKEND)
        assert str(drafts.MayNot.detail) in step(client, draft, "withdraw")
        assert Draft.objects.get().status == Status.OPEN

    @pytest.mark.parametrize("number", [2, 40])
    def test_pages_cost_the_same_with_many_edits(
        self,
        editor: Client,
        person: User,
        draft: Draft,
        reply: Reply,
        number: int,
        django_assert_num_queries: Any,
    ) -> None:
        sentences = [new_utterance("invoice", f"第{n}句") for n in range(number)]
        replies = [new_reply("logistics", f"第{n}条") for n in range(number)]
        filled(
            draft,
            person,
            new("intent", **NEW_INTENT),
            changed(reply, text="已发货"),
            *sentences,
            *replies,
        )
        reply.text = "明天到"
        save_reply(reply)
        editor.get(page(draft))
        # session, user; draft with people, edits; intents, replies, utterances that are live; who
        # changed the reply; names of intents; permissions (2); session's problems
        with django_assert_num_queries(11):
            editor.get(page(draft))
        # session, user, permissions (2), authors for the filter; counts (2), rows
        with django_assert_num_queries(8):
            editor.get(reverse("admin:intents_draft_changelist"))


def test_the_history_of_an_intent_tells_of_its_replies_and_utterances(
    editor: Client, person: User, draft: Draft, reply: Reply, django_assert_max_num_queries: Any
) -> None:
    sentence = save_utterance(Utterance(intent=reply.intent, text="到哪了", language="zh"))
    filled(draft, person, changed(reply, text="在途中"), changed(sentence, text="到哪里了"))
    drafts.publish(draft.pk, by=person, now=timezone.now() + timedelta(seconds=1))
    address = reverse("admin:intents_intent_history", args=[reply.intent_id])
    editor.get(address)
    with django_assert_max_num_queries(14):
        shown = editor.get(address).content.decode()
    assert "<del>在路上</del><ins>在途中</ins>" in shown
    assert "到哪<ins>里</ins>了" in shown
    assert str(draft) in shown
    record = sentence.history.last()
    link = reverse("admin:intents_utterance_simple_history", args=[sentence.pk, record.pk])
    assert link in shown
    assert editor.get(link).status_code == 200


def test_a_reply_changed_since_its_page_was_opened_goes_into_a_draft_only_when_that_was_read(
    editor: Client, reply: Reply
) -> None:
    address = reverse("admin:intents_reply_change", args=[reply.pk])
    opened = form_of(editor, address)
    reply.text = "已发货"
    save_reply(reply)
    mine = {**opened, "channel": "api", "_draft": "1"}

    response = editor.post(address, mine)
    assert response.status_code == 200
    assert not Draft.objects.exists()

    state = response.context["saved_meanwhile"].state
    assert editor.post(address, {**mine, "seen_state": state}).status_code == 302
    edit = Draft.objects.get().edits.get()
    assert edit.base["text"] == "已发货"
    assert edit.values == {"channel": "api", "text": "在路上"}


def test_an_earlier_version_is_restored_whatever_is_live(editor: Client, reply: Reply) -> None:
    reply.text = "已发货"
    save_reply(reply)
    address = reverse(
        "admin:intents_reply_simple_history", args=[reply.pk, reply.history.last().pk]
    )
    data = {"intent": reply.intent_id, "language": "zh", "channel": "", "is_active": "on"}
    data |= {"text": "在路上", "initial-text": "在路上", "_save": "1"}
    assert editor.post(address, data).status_code == 302
    assert Reply.objects.get().text == "在路上"


@pytest.mark.parametrize("page_name", ["intents_draft_change", "training_comparison_change"])
@pytest.mark.parametrize("number", ["abc", "1x", "999"])
def test_an_address_of_nothing_is_not_found(editor: Client, page_name: str, number: str) -> None:
    assert editor.get(reverse(f"admin:{page_name}", args=[number])).status_code == 404


def test_nothing_is_published_or_renamed_at_an_address_of_nothing(editor: Client) -> None:
    address = reverse("admin:intents_draft_change", args=["abc"])
    assert editor.post(address, {"title": "双十二"}).status_code == 404
    address = reverse("admin:intents_draft_step", args=[999])
    data = {"seen": timezone.now().isoformat(), "publish_at": "2099-11-11T00:00"}
    for name in ("publish", "schedule"):
        assert editor.post(address, {**data, "step": name}).status_code == 404
