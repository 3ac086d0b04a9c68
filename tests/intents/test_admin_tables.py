"""Utterances and words by the table: import, export, move, and the boxes to try things in."""

import codecs
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from intents.admin.formats import AnyCSV, decoded
from intents.models import AllowedPhrase, ContentVersion, Intent, SensitiveWord, Utterance
from intents.services import save_intent, save_utterance
from tests.factories import IntentFactory, StaffFactory

CSV, XLSX = "0", "1"


@pytest.fixture
def editor(client: Client, db: None) -> Client:
    client.force_login(
        StaffFactory(role="business editor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.fixture
def logistics(db: None) -> Intent:
    return save_intent(
        IntentFactory.build(code="logistics", name_zh="物流查询", name_en="Delivery")
    )


def upload(client: Client, data: bytes, file_format: str = CSV, model: str = "utterance") -> Any:
    """Upload a file for the dry run; the report comes back."""
    file = SimpleUploadedFile("table", data)
    url = reverse(f"admin:intents_{model}_import")
    response = client.post(url, {"import_file": file, "format": file_format})
    assert response.status_code == 200
    return response.context


def confirm(client: Client, context: Any, model: str = "utterance") -> None:
    form = context["confirm_form"]
    data = {bound.html_name: bound.value() for bound in form}
    assert client.post(reverse(f"admin:intents_{model}_process_import"), data).status_code == 302


TABLE = (
    "intent,language,text,family,split\nlogistics,zh,快递到哪了,,train\nlogistics,,Where is it?,,\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_is_read_in_the_encodings_of_chinese_offices(
    editor: Client, logistics: Intent, encoding: str
) -> None:
    context = upload(editor, TABLE.encode(encoding))
    assert not Utterance.objects.exists(), "a dry run saves nothing"
    confirm(editor, context)
    texts = Utterance.objects.order_by("pk").values_list("text", "language", "intent__code")
    assert list(texts) == [
        ("快递到哪了", "zh", "logistics"),
        ("Where is it?", "en", "logistics"),
    ]


def test_an_excel_file_with_chinese_headings_and_names_is_read(
    editor: Client, logistics: Intent
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["意图", "句子"])
    book.active.append(["物流查询", "快递到哪了"])
    book.active.append(["物流查询", 12306])
    file = BytesIO()
    book.save(file)
    confirm(editor, upload(editor, file.getvalue(), XLSX))
    assert set(logistics.utterances.values_list("text", flat=True)) == {"快递到哪了", "12306"}


def test_every_wrong_row_is_reported_and_nothing_is_saved(
    editor: Client, logistics: Intent
) -> None:
    refund = save_intent(IntentFactory.build(code="refund", name_zh="退款"))
    save_utterance(Utterance(intent=refund, text="什么时候退钱？"))
    table = "intent,text\nlogistics,到哪了\nlogistics,什么时候退钱\nnowhere,你好\nlogistics,\n"
    context = upload(editor, table.encode())
    assert "confirm_form" not in context
    invalid = {row.number: str(row.error) for row in context["result"].invalid_rows}
    assert sorted(invalid) == [3, 4, 5], "rows as the file counts them: the heading is row 1"
    assert "退款" in invalid[3]
    assert "nowhere" in invalid[4]
    assert Utterance.objects.count() == 1


def test_the_same_file_again_changes_nothing(editor: Client, logistics: Intent) -> None:
    confirm(editor, upload(editor, TABLE.encode()))
    before = ContentVersion.objects.get()
    context = upload(editor, TABLE.encode())
    assert context["result"].totals["skip"] == 2
    confirm(editor, context)
    assert Utterance.objects.count() == 2
    assert ContentVersion.objects.get().understanding == before.understanding


def test_an_export_opens_in_excel_and_can_be_imported_again(
    editor: Client, logistics: Intent
) -> None:
    save_utterance(Utterance(intent=logistics, text="快递，到哪了"))
    url = reverse("admin:intents_utterance_export")
    data = editor.post(url, {"format": CSV, "resource": ""}).content
    assert data.startswith(codecs.BOM_UTF8)
    [row] = AnyCSV().create_dataset(data).dict
    assert (row["意图"], row["句子"]) == ("logistics", "快递，到哪了")
    assert upload(editor, data)["result"].totals["skip"] == 1


@given(st.text(alphabet="你好快递退款abc ,，。\n", min_size=1))
def test_what_excel_writes_in_gb18030_is_read_as_it_was(text: str) -> None:
    data = text.encode("gb18030")
    # A short text may be valid UTF-8 by accident; then nobody can tell.
    try:
        expected = data.decode()
    except UnicodeDecodeError:
        expected = text
    assert decoded(data) == expected


# Line ends to Unicode and to str.splitlines(), but not to CSV, whose writers leave them unquoted.
LINE_ENDS_OF_UNICODE = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@given(st.lists(st.text(alphabet=f'快递a,"\t\r\n{LINE_ENDS_OF_UNICODE}'), min_size=1, max_size=4))
def test_a_cell_comes_back_from_csv_whatever_it_holds(texts: list[str]) -> None:
    rows = [("logistics", text) for text in texts]
    data = AnyCSV().export_data(tablib.Dataset(*rows, headers=["意图", "句子"]))
    assert [tuple(row) for row in AnyCSV().create_dataset(data)] == rows


def test_a_file_without_the_columns_says_which_is_missing(
    editor: Client, logistics: Intent
) -> None:
    context = upload(editor, "意图,内容\nlogistics,你好\n".encode())
    assert "confirm_form" not in context
    [error] = context["form"].errors["import_file"]
    assert "“句子”" in error
    assert all(heading in error for heading in ("意图", "语言", "组", "用途"))


def test_utterances_are_moved_together(editor: Client, logistics: Intent) -> None:
    refund = save_intent(IntentFactory.build(code="refund"))
    chosen = [save_utterance(Utterance(intent=logistics, text=text)).pk for text in "甲乙"]
    stays = save_utterance(Utterance(intent=logistics, text="丙")).pk
    before = ContentVersion.objects.get()
    url = reverse("admin:intents_utterance_changelist")
    action = {"action": "move", "_selected_action": chosen}
    asked = editor.post(url, action)
    assert asked.status_code == 200
    assert "甲" in asked.content.decode()
    editor.post(url, {**action, "apply": "1", "intent": refund.pk})
    assert set(refund.utterances.values_list("pk", flat=True)) == set(chosen)
    assert logistics.utterances.get().pk == stays
    assert ContentVersion.objects.get().understanding > before.understanding


def test_a_reviewer_labels_but_cannot_delete_or_write_replies(logistics: Intent) -> None:
    client = Client()
    client.force_login(
        StaffFactory(role="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
    )
    utterance = save_utterance(Utterance(intent=logistics, text="到哪了"))
    refund = save_intent(IntentFactory.build(code="refund"))
    change = reverse("admin:intents_utterance_change", args=[utterance.pk])
    data = {"text": "到哪了", "intent": refund.pk, "language": "zh", "split": "train"}
    assert client.post(change, data).status_code == 302
    utterance.refresh_from_db()
    assert utterance.intent == refund
    delete = reverse("admin:intents_utterance_delete", args=[utterance.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:intents_reply_add")).status_code == 403


def test_a_word_is_saved_tried_and_allowed(editor: Client) -> None:
    add = reverse("admin:intents_sensitiveword_add")
    assert editor.post(add, {"word": "大麻", "is_active": "on"}).status_code == 302
    url = reverse("admin:try_sentence")
    masked = editor.post(url, {"text": "这可是大麻烦，谁卖大麻"}).context["masked"]
    assert masked.words == ("大麻",)
    allowed = reverse("admin:intents_allowedphrase_add")
    assert editor.post(allowed, {"text": "大麻烦"}).status_code == 302
    masked = editor.post(url, {"text": "这可是大麻烦，谁卖大麻"}).context["masked"]
    assert masked.text == "这可是大麻烦，谁卖**"


def test_the_same_word_in_another_spelling_is_refused_at_its_field(editor: Client) -> None:
    add = reverse("admin:intents_sensitiveword_add")
    editor.post(add, {"word": "加微信", "is_active": "on"})
    response = editor.post(add, {"word": "加微 信", "is_active": "on"})
    assert response.status_code == 200
    assert "word" in response.context["adminform"].form.errors
    assert SensitiveWord.objects.count() == 1


def test_words_come_in_by_the_table(editor: Client) -> None:
    table = "敏感词,类别,启用,备注\n加微信,引流,1,\n赌球,赌博,1,\n".encode("gb18030")
    confirm(editor, upload(editor, table, model="sensitiveword"), model="sensitiveword")
    assert set(SensitiveWord.objects.values_list("word", "is_active")) == {
        ("加微信", True),
        ("赌球", True),
    }
    assert not AllowedPhrase.objects.exists()
