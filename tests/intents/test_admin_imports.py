"""What may stand in an imported file, in two languages, and what is said where it may not."""

from io import BytesIO
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intents.admin.columns import YesNo
from intents.admin.formats import AnyCSV
from intents.models import AllowedPhrase, Intent, SensitiveWord, Utterance
from intents.services import save_intent, save_utterance
from tests.factories import IntentFactory, StaffFactory

CSV, XLSX = "0", "1"
ENGLISH = {"accept-language": "en"}


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


def upload(client: Client, data: bytes | str, model: str, file_format: str = CSV) -> Any:
    """Upload a file for the dry run; the response comes back."""
    file = SimpleUploadedFile("table", data.encode() if isinstance(data, str) else data)
    response = client.post(
        reverse(f"admin:intents_{model}_import"), {"import_file": file, "format": file_format}
    )
    assert response.status_code == 200
    return response


def confirm(client: Client, response: Any, model: str) -> None:
    data = {bound.html_name: bound.value() for bound in response.context["confirm_form"]}
    assert client.post(reverse(f"admin:intents_{model}_process_import"), data).status_code == 302


def error_of(response: Any) -> str:
    assert "confirm_form" not in response.context
    [error] = response.context["form"].errors["import_file"]
    return str(error)


@pytest.mark.parametrize("cell", ["是", "启用", "开", "1", "true", "TRUE", "Yes", ""])
def test_a_word_that_is_on_comes_in_switched_on(editor: Client, cell: str) -> None:
    response = upload(editor, f"敏感词,启用\n加微信,{cell}\n", "sensitiveword")
    assert "是" in str(response.context["result"].rows[0].diff)
    confirm(editor, response, "sensitiveword")
    assert SensitiveWord.objects.get().is_active


@pytest.mark.parametrize("cell", ["否", "停用", "关", "0", "False", "no"])
def test_a_word_that_is_off_comes_in_switched_off(editor: Client, cell: str) -> None:
    confirm(
        editor, upload(editor, f"敏感词,启用\n加微信,{cell}\n", "sensitiveword"), "sensitiveword"
    )
    assert not SensitiveWord.objects.get().is_active


def test_a_switch_that_is_neither_is_refused_and_told_what_to_write(editor: Client) -> None:
    response = upload(editor, "敏感词,启用\n\n加微信,也许\n", "sensitiveword")
    assert "confirm_form" not in response.context
    [row] = response.context["result"].invalid_rows
    assert row.number == 3, "blank rows count, as they do in Excel"
    assert "也许" in str(row.error)
    assert "启用" in row.error_dict, "under the heading that the reader knows"
    assert not SensitiveWord.objects.exists()


def test_no_word_means_both_on_and_off() -> None:
    assert not YesNo.ON & YesNo.OFF


@pytest.mark.parametrize("model", ["utterance", "sensitiveword", "allowedphrase"])
@pytest.mark.parametrize("file_format", [CSV, XLSX])
def test_a_file_of_the_wrong_kind_is_refused_in_a_sentence(
    editor: Client, model: str, file_format: str
) -> None:
    book = BytesIO()
    openpyxl.Workbook().save(book)
    wrong = book.getvalue() if file_format == CSV else "敏感词\n加微信\n".encode()
    response = upload(editor, wrong, model, file_format)
    error = error_of(response)
    assert "xlsx" in error
    assert "Error" not in error
    assert "BadZipFile" not in response.content.decode()


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", "敏感词\n".encode(), "敏感词,敏感词\na,b\n".encode()]
)
def test_a_file_without_a_table_is_refused_at_the_form(editor: Client, data: bytes) -> None:
    assert error_of(upload(editor, data, "sensitiveword"))


@pytest.mark.parametrize(
    ("model", "headings"),
    [
        ("sensitiveword", ("敏感词", "类别", "启用", "备注")),
        ("allowedphrase", ("短语", "备注")),
        ("utterance", ("意图", "句子", "语言", "组", "用途")),
    ],
)
def test_a_wrong_heading_names_the_right_ones_and_no_server_path(
    editor: Client, model: str, headings: tuple[str, ...]
) -> None:
    response = upload(editor, "词语,说明\n加微信,x\n", model)
    error = error_of(response)
    assert all(heading in error for heading in headings)
    page = response.content.decode()
    assert "Traceback" not in page
    assert "site-packages" not in page


def test_a_column_that_is_not_ours_is_passed_over_and_said_so(editor: Client) -> None:
    response = upload(editor, "敏感词,启用了吗\n加微信,否\n", "sensitiveword")
    assert "confirm_form" in response.context
    [warning] = get_messages(response.wsgi_request)
    assert "启用了吗" in str(warning)


def test_chinese_values_are_read(editor: Client, logistics: Intent) -> None:
    table = "意图,语言,句子,组,用途\n物流查询,中文,到哪了,a,训练\n物流查询,英文,Where,b,评测\n"
    confirm(editor, upload(editor, table, "utterance"), "utterance")
    assert set(Utterance.objects.values_list("language", "family", "split")) == {
        ("zh", "a", "train"),
        ("en", "b", "evaluation"),
    }


@pytest.mark.parametrize(
    ("row", "valid"),
    [("法文,到哪了,训练", ("中文", "en")), ("中文,到哪了,其他", ("训练", "evaluation"))],
)
def test_a_wrong_value_is_told_the_right_ones(
    editor: Client, logistics: Intent, row: str, valid: tuple[str, str]
) -> None:
    response = upload(editor, f"意图,语言,句子,用途\nlogistics,{row}\n", "utterance")
    [invalid] = response.context["result"].invalid_rows
    assert all(word in str(invalid.error) for word in valid)


@pytest.mark.parametrize("exports", [{}, ENGLISH])
@pytest.mark.parametrize("imports", [{}, ENGLISH])
def test_what_one_language_exports_the_other_imports(
    editor: Client, logistics: Intent, exports: dict[str, str], imports: dict[str, str]
) -> None:
    save_utterance(Utterance(intent=logistics, text="到哪了", split="evaluation"))
    SensitiveWord.objects.create(word="加微信", is_active=False, note="x")
    AllowedPhrase.objects.create(text="大麻烦")
    for model in ("utterance", "sensitiveword", "allowedphrase"):
        url = reverse(f"admin:intents_{model}_export")
        data = editor.post(url, {"format": XLSX, "resource": ""}, headers=exports).content
        response = editor.post(
            reverse(f"admin:intents_{model}_import"),
            {"import_file": SimpleUploadedFile("table", data), "format": XLSX},
            headers=imports,
        )
        assert response.context["result"].totals["skip"] == 1, model


@pytest.mark.parametrize(
    ("headers", "headings", "values"),
    [
        ({}, ["敏感词", "类别", "启用", "备注"], ["加微信", "", "否", ""]),
        (ENGLISH, ["word", "category", "active", "note"], ["加微信", "", "no", ""]),
    ],
)
def test_an_export_speaks_the_language_of_its_reader(
    editor: Client, headers: dict[str, str], headings: list[str], values: list[str]
) -> None:
    SensitiveWord.objects.create(word="加微信", is_active=False)
    url = reverse("admin:intents_sensitiveword_export")
    response = editor.post(url, {"format": CSV, "resource": ""}, headers=headers)
    table = AnyCSV().create_dataset(response.content)
    assert table.headers == headings
    assert list(table[0]) == values
    name = unquote(response["Content-Disposition"])
    assert f"{timezone.localdate():%Y-%m-%d}.csv" in name
    assert ("敏感词" in name) is (headers == {})


def test_the_empty_table_to_fill_in_has_the_readers_headings(
    editor: Client, logistics: Intent
) -> None:
    url = reverse("admin:intents_utterance_import_template")
    assert url in editor.get(reverse("admin:intents_utterance_import")).content.decode()
    sheet = openpyxl.load_workbook(BytesIO(editor.get(url).content)).active
    assert [cell.value for cell in sheet[1]] == ["意图", "语言", "句子", "组", "用途"]
    assert sheet.max_row == 1


def test_a_new_row_is_marked_as_new_and_not_as_a_message(editor: Client) -> None:
    page = upload(editor, "敏感词\n加微信\n", "sensitiveword").content.decode()
    assert "新增" in page
    assert "新消息" not in page
