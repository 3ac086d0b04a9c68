"""manage.py analyse: one line a text, and a killed run goes on where it was."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from intents import inference
from tests.chat.conftest import ScriptedEngine
from training.management.commands import analyse

pytestmark = pytest.mark.django_db
ROWS = ["text,at", "我的订单昨天到了吗,2026-11-22T10:00:00+08:00", '"太慢了,我要退款",', "你好,"]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEngine]:
    scripted = ScriptedEngine()
    monkeypatch.setattr(inference, "_engine", scripted)
    monkeypatch.setattr(analyse, "make_room_for_others", lambda: None)
    yield scripted
    scripted.stop()


def test_goes_on_where_it_was_killed(tmp_path: Path, engine: ScriptedEngine):
    file, out = tmp_path / "texts.csv", tmp_path / "found.jsonl"
    file.write_text("\n".join(ROWS), encoding="utf-8")
    out.write_text('{"row": 1, "text": "kept"}\n{"row": 2, "te', encoding="utf-8")

    call_command("analyse", str(file), out=out)

    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines] == [1, 2, 3]
    assert lines[0]["text"] == "kept"
    assert lines[1]["text"] == "太慢了,我要退款"
    assert not any("昨天" in text for text in engine.asked)


def test_days_are_counted_from_when_it_was_said(tmp_path: Path):
    file, out = tmp_path / "texts.csv", tmp_path / "found.jsonl"
    file.write_text("\n".join(ROWS[:2]), encoding="utf-8")

    call_command("analyse", str(file), out=out)

    [line] = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    [time] = [one for one in line["entities"] if one["kind"] == "TIME"]
    assert time["value"]["start"].startswith("2026-11-21")


@pytest.mark.parametrize(
    "at", ["2026/11/22 10:00", "2026/11/22 9:05:01", "2026-11-22", "2026-11-22T02:00:00Z"]
)
def test_dates_may_look_as_spreadsheets_write_them(tmp_path: Path, at: str):
    file, out = tmp_path / "texts.csv", tmp_path / "found.jsonl"
    file.write_text(f"text,at\n我的订单昨天到了吗,{at}\n", encoding="utf-8")

    call_command("analyse", str(file), out=out)

    [time] = [one for one in json.loads(out.read_bytes())["entities"] if one["kind"] == "TIME"]
    assert time["value"]["start"].startswith("2026-11-21")


def test_rows_that_cannot_be_read_are_told_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file, out = tmp_path / "texts.csv", tmp_path / "found.jsonl"
    rows = ["at,text", "2026-02-30 10:00,昨天买的", "gestern,昨天买的", "2026-11-22", ",你好"]
    file.write_text("\n".join([*rows, f",{'长' * 140_000}"]), encoding="utf-8")

    call_command("analyse", str(file), out=out)

    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert ["error" in line for line in lines] == [True, True, False, False, False]
    assert "2026-02-30" in lines[0]["error"]
    assert "2 rows were not read" in capsys.readouterr().err


def test_a_file_without_that_column_is_refused(tmp_path: Path):
    file = tmp_path / "texts.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")

    with pytest.raises(CommandError, match="text"):
        call_command("analyse", str(file))
