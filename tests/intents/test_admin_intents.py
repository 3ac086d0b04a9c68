"""The intents' pages: saving, refusing, two editors at once, history, and how quick they are."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents.admin.forms import RowChangedMeanwhile
from intents.models import (
    ContentVersion,
    Intent,
    Phrase,
    PredictionRecord,
    Reply,
    SuggestedQuestion,
    Utterance,
)
from intents.services import (
    save_intent,
    save_phrase,
    save_reply,
    save_suggested_question,
    save_utterance,
)
from tests.factories import IntentFactory, ReplyFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(
        StaffFactory(username="editor", role="business editor"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


@pytest.fixture
def logistics() -> Intent:
    return save_intent(
        IntentFactory.build(code="logistics", name_zh="物流查询", name_en="Delivery")
    )


def url_of(intent: Intent) -> str:
    return reverse("admin:intents_intent_change", args=[intent.pk])


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send back from the page, unchanged."""
    response = client.get(url)
    assert response.status_code == 200
    context = response.context
    forms = [context["adminform"].form]
    data: dict[str, Any] = {}
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = "on" if value is True else value
            if bound.field.show_hidden_initial:
                data[bound.html_initial_name] = data.get(bound.html_initial_name, str(value))
    return data


def errors_of(response: Any) -> str:
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += inline.formset.forms
    return " ".join(str(form.errors) for form in forms)


def test_a_saved_intent_moves_the_content_version_and_says_when_it_is_live(
    editor: Client, logistics: Intent
) -> None:
    before = ContentVersion.objects.get()
    data = form_of(editor, url_of(logistics))
    response = editor.post(url_of(logistics), {**data, "name_zh": "快递查询"})
    assert response.status_code == 302, errors_of(response)
    logistics.refresh_from_db()
    assert (logistics.name_zh, logistics.revision) == ("快递查询", 2)
    after = ContentVersion.objects.get()
    assert after.answers > before.answers
    assert after.understanding > before.understanding
    [message] = get_messages(response.wsgi_request)
    assert "within two seconds" in str(message) or "两秒" in str(message)


def test_a_new_intent_with_its_first_reply_is_made_on_one_page(editor: Client) -> None:
    url = reverse("admin:intents_intent_add")
    data = form_of(editor, url) | {
        "code": "gift_wrap",
        "name_zh": "礼品包装",
        "name_en": "Gift wrapping",
        "replies-TOTAL_FORMS": "1",
        "replies-0-language": "zh",
        "replies-0-text": "可以免费包装。",
        "replies-0-is_active": "on",
        "new_utterances": "能帮我包装成礼物吗\n\nCan you gift wrap it?\n",
    }
    response = editor.post(url, data)
    assert response.status_code == 302, errors_of(response)
    intent = Intent.objects.get(code="gift_wrap")
    assert intent.replies.get().text == "可以免费包装。"
    assert sorted(intent.utterances.values_list("language", flat=True)) == ["en", "zh"]


def test_a_code_never_changes(editor: Client, logistics: Intent) -> None:
    data = form_of(editor, url_of(logistics))
    editor.post(url_of(logistics), {**data, "code": "other"})
    logistics.refresh_from_db()
    assert logistics.code == "logistics"


def test_an_unknown_variable_is_refused_at_its_reply_with_the_known_ones(
    editor: Client, logistics: Intent
) -> None:
    reply = save_reply(ReplyFactory.build(intent=logistics, text="您的包裹在路上。"))
    data = form_of(editor, url_of(logistics))
    typed = {**data, "replies-0-text": "包裹 {parcel} 在路上。", "name_zh": "快递"}
    response = editor.post(url_of(logistics), typed)
    assert response.status_code == 200
    replies = response.context["inline_admin_formsets"][0].formset
    [message] = replies.forms[0].errors["text"]
    assert "{parcel}" in message
    assert "{order_number}" in message
    assert replies.forms[0]["text"].value() == "包裹 {parcel} 在路上。"
    # Nothing of that save is kept, the intent's own change included.
    reply.refresh_from_db()
    logistics.refresh_from_db()
    assert (reply.text, logistics.name_zh, logistics.revision) == (
        "您的包裹在路上。",
        "物流查询",
        1,
    )


def test_every_wrong_reply_is_named_not_only_the_first(editor: Client, logistics: Intent) -> None:
    for number in range(2):
        save_reply(ReplyFactory.build(intent=logistics, text=f"第{number}条"))
    data = form_of(editor, url_of(logistics))
    typed = {**data, "replies-0-text": "{one}", "replies-1-text": "{two}"}
    response = editor.post(url_of(logistics), typed)
    replies = response.context["inline_admin_formsets"][0].formset
    assert ["text" in form.errors for form in replies.forms] == [True, True]


def test_an_utterance_of_another_intent_is_refused_and_names_it(
    editor: Client, logistics: Intent
) -> None:
    refund = save_intent(IntentFactory.build(code="refund", name_zh="退款"))
    save_utterance(Utterance(intent=refund, text="什么时候退钱？"))
    data = form_of(editor, url_of(logistics))
    response = editor.post(url_of(logistics), {**data, "new_utterances": "什么时候退钱\n到哪里了"})
    assert response.status_code == 200
    [message] = response.context["adminform"].form.errors["new_utterances"]
    assert "退款" in message
    assert logistics.utterances.count() == 0


def test_the_second_of_two_editors_is_refused_and_sees_the_difference(
    editor: Client, logistics: Intent
) -> None:
    save_reply(ReplyFactory.build(intent=logistics, text="原来的回复"))
    opened = form_of(editor, url_of(logistics))
    other = Client()
    other.force_login(
        StaffFactory(username="reviewer2", role="business editor"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    first = {**opened, "name_zh": "包裹查询", "replies-0-text": "别人的回复"}
    assert other.post(url_of(logistics), first).status_code == 302

    second = {**opened, "name_zh": "快递查询", "replies-0-text": "我的回复"}
    response = editor.post(url_of(logistics), second)

    assert response.status_code == 200
    conflict = response.context["conflict"]
    assert conflict.changed_by == "reviewer2"
    shown = {(one.stored, one.yours) for one in conflict.differences}
    assert ("包裹查询", "快递查询") in shown
    assert ("别人的回复", "我的回复") in shown
    page = response.content.decode()
    assert 'value="快递查询"' in page, "the second editor's input is kept"
    assert "我的回复" in page
    logistics.refresh_from_db()
    assert (logistics.name_zh, logistics.replies.get().text) == ("包裹查询", "别人的回复")

    # Again without having read it: refused again. Having read it: saved.
    assert editor.post(url_of(logistics), second).status_code == 200
    read = {**second, "seen_revision": str(conflict.revision)}
    assert editor.post(url_of(logistics), read).status_code == 302
    logistics.refresh_from_db()
    assert (logistics.name_zh, logistics.replies.get().text) == ("快递查询", "我的回复")


def test_a_reply_changed_on_its_own_page_is_not_saved_over_either(
    editor: Client, logistics: Intent
) -> None:
    reply = save_reply(ReplyFactory.build(intent=logistics, text="原来的回复"))
    opened = form_of(editor, url_of(logistics))
    page = reverse("admin:intents_reply_change", args=[reply.pk])
    assert editor.post(page, {**form_of(editor, page), "text": "改过的回复"}).status_code == 302
    response = editor.post(url_of(logistics), opened)
    assert response.status_code == 200
    assert response.context["conflict"] is not None
    reply.refresh_from_db()
    assert reply.text == "改过的回复"


def test_a_reply_moved_on_its_own_page_is_not_saved_back_by_whoever_has_the_old_intent_open(
    editor: Client, logistics: Intent
) -> None:
    other = save_intent(IntentFactory.build(code="returns", name_zh="退货", name_en="Returns"))
    reply = save_reply(ReplyFactory.build(intent=logistics, text="原来的回复"))
    opened = form_of(editor, url_of(logistics))
    page = reverse("admin:intents_reply_change", args=[reply.pk])
    assert editor.post(page, {**form_of(editor, page), "intent": other.pk}).status_code == 302
    before = {intent.pk: intent.revision for intent in (logistics, other)}
    response = editor.post(url_of(logistics), opened)
    assert response.status_code == 200
    reply.refresh_from_db()
    assert reply.intent == other
    for intent in (logistics, other):
        intent.refresh_from_db()
        assert intent.revision == before[intent.pk] + 1


def test_an_intent_that_the_log_knows_is_not_deleted_and_says_why(
    client: Client, logistics: Intent
) -> None:
    client.force_login(
        StaffFactory(role="administrator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    PredictionRecord.objects.create(
        text="到哪了", intent="logistics", decision="ANSWER", source="model", elapsed_ms=1
    )
    url = reverse("admin:intents_intent_delete", args=[logistics.pk])
    page = client.get(url).content.decode()
    assert "物流查询 (logistics)" in page
    assert not re.search(r'<input type="hidden" name="post" value="yes"', page)
    client.post(url, {"post": "yes"})
    assert Intent.objects.filter(pk=logistics.pk).exists()

    chosen = {"action": "delete_selected", "_selected_action": [logistics.pk], "post": "yes"}
    client.post(reverse("admin:intents_intent_changelist"), chosen)
    assert Intent.objects.filter(pk=logistics.pk).exists()


def test_an_earlier_version_is_seen_and_restored(editor: Client, logistics: Intent) -> None:
    data = form_of(editor, url_of(logistics))
    editor.post(url_of(logistics), {**data, "name_zh": "改坏了"})
    history = editor.get(reverse("admin:intents_intent_history", args=[logistics.pk]))
    page = history.content.decode()
    assert "改坏了" in page
    assert "物流查询" in page
    assert "editor" in page
    first = logistics.history.earliest()
    url = reverse("admin:intents_intent_simple_history", args=[logistics.pk, first.pk])
    old = {
        bound.html_name: "on" if bound.value() is True else bound.value()
        for bound in editor.get(url).context["adminform"].form
        if bound.value() is not None and bound.value() is not False
    }
    assert editor.post(url, old).status_code == 302
    logistics.refresh_from_db()
    assert logistics.name_zh == "物流查询"
    assert logistics.revision == 3


def test_a_deleted_reply_can_be_restored(editor: Client, logistics: Intent) -> None:
    reply = save_reply(ReplyFactory.build(intent=logistics, text="删掉又后悔"))
    data = form_of(editor, url_of(logistics))
    assert editor.post(url_of(logistics), {**data, "replies-0-DELETE": "on"}).status_code == 302
    assert not Reply.objects.exists()
    page = editor.get(reverse("admin:intents_intent_history", args=[logistics.pk]))
    assert "删掉又后悔" in page.content.decode()
    record = Reply.history.filter(id=reply.pk).latest()
    url = reverse("admin:intents_reply_simple_history", args=[reply.pk, record.pk])
    assert editor.get(url).status_code == 200
    restored = {"intent": logistics.pk, "language": "zh", "text": "删掉又后悔", "is_active": "on"}
    assert editor.post(url, restored).status_code == 302
    assert Reply.objects.get().text == "删掉又后悔"


def test_search_finds_utterances_and_replies_once(editor: Client, logistics: Intent) -> None:
    save_intent(IntentFactory.build(code="refund", name_zh="退款"))
    for text in ("快递到哪了", "我的快递呢"):
        save_utterance(Utterance(intent=logistics, text=text))
    save_reply(ReplyFactory.build(intent=logistics, text="快递在路上"))
    url = reverse("admin:intents_intent_changelist")
    found = editor.get(url, {"q": "快递"}).context["cl"].result_list
    assert [intent.code for intent in found] == ["logistics"]


def test_intents_that_lack_a_language_are_found(editor: Client, logistics: Intent) -> None:
    save_reply(ReplyFactory.build(intent=logistics, text="在路上"))
    url = reverse("admin:intents_intent_changelist")
    for lacks, codes in (("en", ["logistics"]), ("zh", []), ("any", ["logistics"])):
        found = editor.get(url, {"lacks": lacks}).context["cl"].result_list
        assert [intent.code for intent in found] == codes
    page = editor.get(reverse("admin:missing_translations")).context["gaps"]
    assert ("物流查询 (logistics)", "intents_reply") in [
        (gap.name, "intents_reply" if "/reply/" in gap.url else "") for gap in page
    ]


@pytest.mark.parametrize("utterances", [5, 150])
def test_pages_cost_the_same_with_many_utterances(
    editor: Client,
    logistics: Intent,
    utterances: int,
    django_assert_max_num_queries: Any,
) -> None:
    Utterance.objects.bulk_create(
        Utterance(intent=logistics, text=f"第{n}句", key=f"第{n}句", language="zh")
        for n in range(utterances)
    )
    for number in range(5):
        IntentFactory(code=f"more_{number}")
    editor.get(url_of(logistics))  # fills caches of content types
    # session, user, permissions; intent, revision; replies, utterances: count, page, each twice;
    # his drafts, those that would change it
    with django_assert_max_num_queries(15):
        response = editor.get(url_of(logistics))
    shown = response.context["inline_admin_formsets"][1].formset.forms
    assert len(shown) <= 20
    # session, user, permissions (2); two counts, the page itself
    with django_assert_max_num_queries(9):
        editor.get(reverse("admin:intents_intent_changelist"))


@pytest.fixture
def other(db: None) -> Client:
    """A second editor, at the same time."""
    client = Client()
    client.force_login(
        StaffFactory(username="other", role="business editor"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def shown_by(response: Any) -> list[tuple[str, str, str]]:
    conflict = response.context["conflict"]
    return [(one.field, one.stored, one.yours) for one in conflict.differences]


def test_a_reply_switched_off_by_the_other_editor_stays_so_where_this_one_did_not_touch_it(
    editor: Client, other: Client, logistics: Intent
) -> None:
    touched = save_reply(ReplyFactory.build(intent=logistics, text="第一条"))
    untouched = save_reply(ReplyFactory.build(intent=logistics, text="第二条\n有两行"))
    opened = form_of(editor, url_of(logistics))
    assert 'name="initial-replies-0-text"' in editor.get(url_of(logistics)).content.decode()
    theirs = {**opened, "replies-0-channel": "api", "replies-1-text": "别人写的\n有两行"}
    del theirs["replies-1-is_active"]
    assert other.post(url_of(logistics), theirs).status_code == 302

    mine = {**opened, "replies-0-text": "我写的"}
    response = editor.post(url_of(logistics), mine)
    fields = {
        field.split(" · ")[-1]: (stored, yours) for field, stored, yours in shown_by(response)
    }
    assert len(fields) == 3, "text of the one; channel of the one; the other's own text and switch"
    assert len(shown_by(response)) == 4
    page = form_of_page(response)
    assert page["replies-0-text"] == "我写的"
    assert page["replies-1-text"] == "别人写的\n有两行"
    assert "replies-1-is_active" not in page

    read = {**page, "seen_revision": str(response.context["conflict"].revision)}
    assert editor.post(url_of(logistics), read).status_code == 302
    touched.refresh_from_db()
    untouched.refresh_from_db()
    assert (touched.text, touched.channel) == ("我写的", "")
    assert (untouched.text, untouched.is_active) == ("别人写的\n有两行", False)


def form_of_page(response: Any) -> dict[str, Any]:
    """What a browser would send back from a page that was refused, unchanged."""
    context = response.context
    data = {"opened_revision": response.wsgi_request.POST.get("opened_revision")}
    for bound in context["adminform"].form:
        if bound.value() not in (None, False):
            data[bound.html_name] = "on" if bound.value() is True else bound.value()
    for inline in context["inline_admin_formsets"]:
        for form in (inline.formset.management_form, *inline.formset.forms):
            for bound in form:
                if bound.value() not in (None, False):
                    data[bound.html_name] = "on" if bound.value() is True else bound.value()
                if bound.field.show_hidden_initial:
                    data[bound.html_initial_name] = inline.formset.data[bound.html_initial_name]
    return data


def test_rows_that_the_other_editor_deleted_are_shown_and_the_page_can_be_saved(
    editor: Client, other: Client, logistics: Intent
) -> None:
    gone = save_reply(ReplyFactory.build(intent=logistics, text="要被删的"))
    kept = save_reply(ReplyFactory.build(intent=logistics, text="留下的"))
    opened = form_of(editor, url_of(logistics))
    theirs = {**opened, "replies-0-DELETE": "on"}
    assert other.post(url_of(logistics), theirs).status_code == 302

    mine = {**opened, "replies-0-text": "我正在改它", "replies-1-text": "也改了"}
    response = editor.post(url_of(logistics), mine)
    assert response.status_code == 200
    assert "我正在改它" in [yours for _field, _stored, yours in shown_by(response)]
    again = form_of_page(response)
    assert again["replies-INITIAL_FORMS"] == "1"
    read = {**again, "seen_revision": str(response.context["conflict"].revision)}
    response = editor.post(url_of(logistics), read)
    assert response.status_code == 302, errors_of(response)
    kept.refresh_from_db()
    assert kept.text == "也改了"
    assert not Reply.objects.filter(pk=gone.pk).exists()


def test_an_utterance_moved_meanwhile_does_not_lock_the_page_and_raises_both_revisions(
    editor: Client, other: Client, logistics: Intent
) -> None:
    refund = save_intent(IntentFactory.build(code="refund", name_zh="退款"))
    sentences = [save_utterance(Utterance(intent=logistics, text=f"第{n}句话")) for n in range(25)]
    opened = form_of(editor, url_of(logistics))
    moved = {"action": "move", "_selected_action": [sentences[0].pk], "apply": "1"}
    url = reverse("admin:intents_utterance_changelist")
    assert other.post(url, {**moved, "intent": refund.pk}).status_code == 302
    assert list(Intent.objects.order_by("code").values_list("revision", flat=True)) == [2, 2]
    response = editor.post(url_of(logistics), {**opened, "utterances-1-text": "我改的句子"})
    assert "第0句话" in [yours for _field, _stored, yours in shown_by(response)]
    read = {
        **form_of_page(response),
        "seen_revision": str(response.context["conflict"].revision),
    }
    assert editor.post(url_of(logistics), read).status_code == 302
    sentences[1].refresh_from_db()
    assert sentences[1].text == "我改的句子"


def test_what_the_other_editor_added_is_listed(
    editor: Client, other: Client, logistics: Intent
) -> None:
    opened = form_of(editor, url_of(logistics))
    added = {
        "replies-TOTAL_FORMS": "1",
        "replies-0-language": "zh",
        "replies-0-text": "新加的回复",
        "replies-0-is_active": "on",
        "new_utterances": "新加的句子",
    }
    assert other.post(url_of(logistics), {**opened, **added}).status_code == 302
    stored = [one[1] for one in shown_by(editor.post(url_of(logistics), opened))]
    assert stored == ["新加的回复", "新加的句子"]


@pytest.mark.parametrize("text", ["订单｛order_number｝到了", "订单{order_number｝到了"])
def test_full_width_braces_are_refused_with_the_way_out(
    editor: Client, logistics: Intent, text: str
) -> None:
    save_reply(ReplyFactory.build(intent=logistics))
    data = form_of(editor, url_of(logistics))
    response = editor.post(url_of(logistics), {**data, "replies-0-text": text})
    [message] = response.context["inline_admin_formsets"][0].formset.forms[0].errors["text"]
    assert "{ }" in message


def test_all_unknown_variables_are_named_and_the_tab_that_has_them_is_opened(
    editor: Client, logistics: Intent
) -> None:
    save_reply(ReplyFactory.build(intent=logistics))
    data = form_of(editor, url_of(logistics))
    response = editor.post(url_of(logistics), {**data, "replies-0-text": "{one} {two} {one}"})
    [message] = response.context["inline_admin_formsets"][0].formset.forms[0].errors["text"]
    assert "{one}, {two}" in message
    assert [key for key, _name in response.context["tabs_with_errors"]] == ["replies"]
    assert "activeTab = 'replies'" in response.content.decode()
    response = editor.post(url_of(logistics), {**data, "name_zh": "", "replies-0-text": "{one}"})
    assert "activeTab = 'general'" in response.content.decode(), "the first of several"


def test_a_code_is_refused_with_one_message(editor: Client) -> None:
    url = reverse("admin:intents_intent_add")
    data = form_of(editor, url) | {"name_zh": "名", "name_en": "Name"}
    for code in ("Gift", "礼品", "1gift", "gift-wrap"):
        response = editor.post(url, {**data, "code": code})
        assert len(response.context["adminform"].form.errors["code"]) == 1


def test_replies_that_need_an_order_are_missing_for_guests_and_warned_of(
    editor: Client, logistics: Intent
) -> None:
    save_reply(ReplyFactory.build(intent=logistics, text="订单 {order_number} 在路上"))
    response = editor.post(url_of(logistics), form_of(editor, url_of(logistics)))
    levels = [one.level_tag for one in get_messages(response.wsgi_request)]
    assert levels.count("warning") == 1
    url = reverse("admin:intents_intent_changelist")
    assert list(editor.get(url, {"lacks": "zh"}).context["cl"].result_list) == [logistics]
    gaps = editor.get(reverse("admin:missing_translations")).context["gaps"]
    assert sum(gap.name == str(logistics) for gap in gaps) == 2

    reply = reverse("admin:intents_reply_add")
    general = {"intent": logistics.pk, "language": "zh", "text": "客服时间 {agent_hours}"}
    response = editor.post(reply, {**general, "is_active": "on"})
    assert response.status_code == 302
    latest = [one.level_tag for one in get_messages(response.wsgi_request)]
    assert latest == ["success"]
    assert not editor.get(url, {"lacks": "zh"}).context["cl"].result_list


def test_an_intent_in_use_is_switched_off_from_the_page_that_refuses_to_delete_it(
    client: Client, logistics: Intent
) -> None:
    client.force_login(
        StaffFactory(role="administrator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    PredictionRecord.objects.create(
        text="到哪了", intent="logistics", decision="ANSWER", source="model", elapsed_ms=1
    )
    page = client.get(reverse("admin:intents_intent_delete", args=[logistics.pk]))
    assert f'name="_selected_action" value="{logistics.pk}"' in page.content.decode()
    chosen = {"action": "delete_selected", "_selected_action": [logistics.pk]}
    url = reverse("admin:intents_intent_changelist")
    page = client.post(url, chosen).content.decode()
    assert 'name="action" value="switch_off"' in page
    for action, is_active in (("switch_off", False), ("switch_on", True)):
        client.post(url, {"action": action, "_selected_action": [logistics.pk]})
        logistics.refresh_from_db()
        assert logistics.is_active is is_active


def test_a_reviewer_sees_no_empty_boxes_to_write_in(client: Client, logistics: Intent) -> None:
    client.force_login(
        StaffFactory(role="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = client.get(url_of(logistics))
    assert page.status_code == 200
    for field in ("new_utterances", "opened_revision", "newest_utterance"):
        assert field not in page.content.decode()


def test_the_log_is_filtered_and_costs_no_query_for_a_row(
    editor: Client, logistics: Intent, django_assert_max_num_queries: Any
) -> None:
    outcomes = ["ANSWERED", "CLARIFIED", "HANDED_OVER", "ANSWERED"]
    for number, outcome in enumerate(outcomes * 10):
        PredictionRecord.objects.create(
            message=number,
            text="到哪了",
            language="zh" if number % 2 else "en",
            intent="logistics",
            decision="ANSWER",
            source="model",
            outcome=outcome,
            meant="logistics" if outcome == "CLARIFIED" else "",
            rating=-1 if number < 3 else None,
            elapsed_ms=1,
        )
    url = reverse("admin:intents_predictionrecord_changelist")
    editor.get(url)
    for chosen, count in (
        ({}, 40),
        ({"outcome__exact": "CLARIFIED"}, 10),
        ({"decision": "CLARIFY"}, 0),
        ({"language": "zh"}, 20),
        ({"source": "model"}, 40),
        ({"rating": "-1"}, 3),
        ({"origin__exact": "API"}, 0),
    ):
        with django_assert_max_num_queries(8):  # session, person, rights, count, rows, filters
            page = editor.get(url, chosen)
        assert len(page.context["cl"].result_list) == count
    assert "物流查询 (logistics)" in editor.get(url).content.decode()


def test_the_log_names_intents_beside_their_codes_and_the_time_of_the_place(
    editor: Client, logistics: Intent
) -> None:
    record = PredictionRecord.objects.create(
        created_at=datetime(2026, 1, 1, 20, 30, tzinfo=UTC),
        text="到哪了",
        intent="logistics",
        ranked=[["logistics", 0.9]],
        decision="ANSWER",
        source="model",
        elapsed_ms=1,
    )
    url = reverse("admin:intents_predictionrecord_changelist")
    assert "(logistics)" in editor.get(url).content.decode()
    url = reverse("admin:intents_predictionrecord_change", args=[record.pk])
    assert "(logistics) 90.0 %" in editor.get(url).content.decode()
    with timezone.override("Asia/Shanghai"):
        assert str(record).startswith("2026-01-02 04:30")


def opened_rows(logistics: Intent) -> list[tuple[Any, str]]:
    """One row of each kind that has a page of its own and no revision, with that page."""
    rows = [
        save_reply(ReplyFactory.build(intent=logistics, language="zh", text="第一行\n第二行")),
        save_phrase(Phrase(purpose="greeting", language="en", text="Hello")),
        save_suggested_question(SuggestedQuestion(language="zh", text="到哪了")),
    ]
    return [
        (row, reverse(f"admin:intents_{row._meta.model_name}_change", args=[row.pk]))
        for row in rows
    ]


def as_browsers_send(data: dict[str, Any]) -> dict[str, Any]:
    return {name: "\r\n".join(str(value).splitlines()) for name, value in data.items()}


def test_a_row_saved_by_somebody_else_is_not_saved_over_unread(
    editor: Client, other: Client, logistics: Intent
) -> None:
    for row, url in opened_rows(logistics):
        opened = as_browsers_send(form_of(editor, url))
        assert other.post(url, {**opened, "text": "别人写的"}).status_code == 302

        mine = {**opened, "language": "zh" if row.language == "en" else "en"}
        response = editor.post(url, mine)
        assert response.status_code == 200, url
        row.refresh_from_db()
        assert row.text == "别人写的"
        told = response.content.decode()
        assert str(RowChangedMeanwhile.detail) in told
        assert f'name="seen_state" value="{response.context["saved_meanwhile"].state}"' in told
        shown = {one.stored for one in response.context["saved_meanwhile"].differences}
        assert "别人写的" in shown
        assert len(shown) == 2, "his text, and the language of mine"
        # What the page carried it carries still, and the same again is refused again.
        [carried] = re.findall(r'name="initial-text"[^>]*? value="([^"]*)"', told)
        assert carried.splitlines() == opened["text"].splitlines()
        assert editor.post(url, mine).status_code == 200

        read = {"seen_state": response.context["saved_meanwhile"].state}
        theirs = {**form_of(other, url), "text": "又改了"}
        assert other.post(url, theirs).status_code == 302
        response = editor.post(url, {**mine, **read})
        assert response.status_code == 200, "what was read is not what is there now"
        read = {**mine, "seen_state": response.context["saved_meanwhile"].state}
        assert editor.post(url, read).status_code == 302, errors_of(response)
        row.refresh_from_db()
        assert (row.language, row.text.splitlines()) == (
            mine["language"],
            opened["text"].splitlines(),
        )


def test_a_row_is_saved_as_ever_where_nobody_else_did_and_twice_by_two_clicks(
    editor: Client, logistics: Intent
) -> None:
    for row, url in opened_rows(logistics):
        opened = as_browsers_send(form_of(editor, url))
        assert 'name="initial-text"' in editor.get(url).content.decode()
        for _click in range(2):
            response = editor.post(url, {**opened, "text": "新的\r\n文字"})
            assert response.status_code == 302, errors_of(response)
        row.refresh_from_db()
        assert row.text.splitlines() == ["新的", "文字"]
        response = editor.post(url, as_browsers_send(form_of(editor, url)))
        assert response.status_code == 302, errors_of(response)


def test_a_switch_alone_is_told_from_what_was_opened(
    editor: Client, other: Client, logistics: Intent
) -> None:
    [(reply, url), _phrase, _question] = opened_rows(logistics)
    opened = as_browsers_send(form_of(editor, url))
    off = {name: value for name, value in opened.items() if name != "is_active"}
    assert other.post(url, off).status_code == 302
    assert editor.post(url, {**opened, "text": "我写的"}).status_code == 200
    reply.refresh_from_db()
    assert (reply.is_active, reply.text.splitlines()) == (False, ["第一行", "第二行"])
