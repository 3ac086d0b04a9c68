"""Files of other programs: read without harm, brought in once, and written for them."""

import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from random import Random
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from intents import conflicts, inference
from intents.exchange import dialogflow, export, jobs, rasa, tables
from intents.exchange.naming import Codes, code_for
from intents.exchange.sentences import BadFile
from intents.models import ImportJob, ImportRow, Intent, Reply, Utterance
from intents.services import save_utterance
from intents.services.validation import validate_code
from tests.factories import IntentFactory, StaffFactory
from tests.intents.models_of_tests import Shelf, eventually, write_content

NLU = """
version: "3.1"
nlu:
- intent: refund
  examples: |
    - 我要退款
    - 退 [iPhone](product:手机) 的钱
    - refund [my order]{"entity": "what"} please
- intent: track/parcel
  examples:
  - text: |
      - where is it
    metadata: {split: evaluation, family: w}
- synonym: credit
  examples: |
    - 信用卡
- lookup: city
  examples: |
    - 北京
responses:
  utter_x: []
"""

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text and rasa.plain(text) == text and not text.startswith("-")
)


# Often the same but for what codes leave out, or but for their ends.
NAMES = (
    st.text("aA1_. 退😀", min_size=1, max_size=4)
    | st.builds(
        "{}{}".format,
        st.sampled_from(["longer" * 10, "longer" * 6 + "long", "退" * 40]),
        st.text("ab退", max_size=3),
    )
).filter(lambda name: name.strip() == name)


def alike(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """What the parsers say; pages are in the language of who asks, and leave it behind."""
    with translation.override("en"):
        yield


def agent(files: dict[str, object]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return out.getvalue()


AGENT = {
    "agent.json": {"language": "en"},
    "intents/Refund.json": {"responses": [{"messages": [{"speech": "ok"}]}]},
    "intents/Refund_usersays_en.json": [
        {"data": [{"text": "refund "}, {"text": "order 5", "alias": "o", "meta": "@o"}]},
        {"data": [{"text": "@sys.date"}], "isTemplate": True},
    ],
    "intents/Refund_usersays_zh-cn.json": [{"data": [{"text": "我要退款"}]}],
    "intents/Refund_usersays_fr.json": [{"data": [{"text": "remboursement"}]}],
    "entities/o.json": {},
}


class TestRasa:
    def test_sentences_are_read_without_annotation_and_the_rest_is_told(self):
        found = rasa.read(NLU.encode())
        assert [(each.intent, each.text) for each in found.sentences] == [
            ("refund", "我要退款"),
            ("refund", "退 iPhone 的钱"),
            ("refund", "refund my order please"),
            ("track/parcel", "where is it"),
        ]
        assert (found.sentences[3].split, found.sentences[3].family) == ("evaluation", "w")
        assert set(found.passed_over) == {
            "annotated entities (the words are kept)",
            "synonyms",
            "lookup tables",
            "section “responses”",
        }

    @pytest.mark.parametrize(
        "data",
        [
            b"nlu: 5",
            b"- a",
            b"nlu: [",
            b"\xff\xfe\x00",
            b"a: &x [1]\nnlu: [*x, *x]",
            b"nlu: " + b"[" * 5000,
            b"nlu: !!python/object/apply:os.system ['true']",
        ],
    )
    def test_what_is_none_or_was_built_to_harm_is_refused(self, data: bytes):
        with pytest.raises(BadFile):
            rasa.read(data)

    @given(st.lists(st.tuples(TEXTS, st.sampled_from(["zh", "en"]), TEXTS), max_size=6))
    @settings(max_examples=60, deadline=None)
    def test_what_is_written_is_read_again(self, rows: list[tuple[str, str, str]]):
        written = rasa.write(
            ("a_b", text, spoken, family, "evaluation") for text, spoken, family in rows
        )
        found = rasa.read(written.encode()).sentences
        assert [(each.text, each.family) for each in found] == [(t, f) for t, _, f in rows]

    @given(st.binary(max_size=200))
    @settings(max_examples=80, deadline=None)
    def test_any_bytes_are_read_or_refused(self, data: bytes):
        for read in (rasa.read, dialogflow.read, tables.read):
            try:
                read(data)
            except BadFile:
                continue


class TestDialogflow:
    def test_sentences_are_put_together_and_the_rest_is_told(self):
        found = dialogflow.read(agent(AGENT))
        assert [(each.intent, each.text, each.language) for each in found.sentences] == [
            ("Refund", "refund order 5", "en"),
            ("Refund", "我要退款", "zh"),
        ]
        assert found.passed_over == {
            "files of entities": 1,
            "responses": 1,
            "annotated entities (the words are kept)": 1,
            "templates with @entities in place of words": 1,
            "sentences in other languages than Chinese and English": 1,
        }

    @pytest.mark.parametrize(
        "files",
        [
            {"readme.txt": b"x"},
            {"intents/A_usersays_en.json": b"{"},
            {"intents/A_usersays_en.json": {"no": "list"}},
            {"intents/A_usersays_en.json": b"[" * 100_000},
            {"intents/A_usersays_en.json": b" " * 30_000_000},
        ],
    )
    def test_what_is_none_or_unpacks_to_too_much_is_refused(self, files: dict[str, object]):
        with pytest.raises(BadFile):
            dialogflow.read(agent(files))


class TestTables:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_both_languages_of_headings_in_all_encodings(self, encoding: str):
        found = tables.read("意图,句子,颜色\nrefund,'=退钱,红\n\n".encode(encoding))
        assert [(s.intent, s.text, s.place) for s in found.sentences] == [
            ("refund", "=退钱", "row 2")
        ]
        assert found.passed_over == {"column “颜色”": 1}

    def test_a_missing_column_is_named(self):
        with pytest.raises(BadFile, match="“text”"):
            tables.read(b"intent,words\na,b\n")


class TestNames:
    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("Order.Status-2", "order_status_2"),
            ("track/parcel", "track_parcel"),
            ("2nd", "intent_2nd"),
        ],
    )
    def test_of_other_programs_become_codes(self, name: str, code: str):
        assert code_for(name) == code

    def test_without_latin_letters_get_codes_of_their_own(self):
        assert code_for("退款") == code_for("退款") != code_for("发票")
        assert code_for("退款").startswith("intent_")

    @pytest.mark.parametrize(
        ("one", "other", "beginning"),
        [
            ("查询VIP订单", "取消VIP订单", "vip_"),
            ("Refund 退货", "Refund 换货", "refund_"),
            ("投诉1", "咨询1", "intent_1_"),
            ("refund😀", "refund😡", "refund_"),
        ],
    )
    def test_with_chinese_and_latin_letters_are_told_apart(
        self, one: str, other: str, beginning: str
    ):
        assert code_for(one) != code_for(other)
        assert all(code_for(name).startswith(beginning) for name in (one, other))

    @given(st.lists(NAMES, unique_by=alike, max_size=8), st.randoms())
    @settings(max_examples=200, deadline=None)
    def test_of_a_file_never_share_a_code_and_keep_it_the_second_time(
        self, names: list[str], chance: Random
    ):
        codes = Codes.among([], names, makes=True)
        first = {name: codes.of(name) for name in names}
        assert len(set(first.values())) == len(names)
        for code in first.values():
            validate_code(code)
            assert len(code) <= 40
        chance.shuffle(names)
        made = [(code, name[:40], name[:60]) for name, code in first.items()]
        renamed = [(code, "重命名", "Renamed") for code in first.values()]
        for known, said in (([], names), (made, names), (renamed, names), (renamed, names[:2])):
            again = Codes.among(known, said, makes=True)
            assert all(again.of(name) == first[name] for name in said)

    def test_that_differ_by_case_and_spaces_only_are_one(self):
        names = ["Return Request", "return request", "RETURN_REQUEST"]
        codes = Codes.among([], names, makes=True)
        assert {codes.of(name) for name in names} == {"return_request"}

    def test_are_found_by_code_and_by_both_names(self):
        known = [("refund", "退款", "Money back"), ("order_status", "订单", "Orders")]
        names = ["退款", "refund", "Money back", "Order.Status"]
        codes = Codes.among(known, names, makes=False)
        assert [codes.of(name) for name in names] == ["refund"] * 3 + ["order_status"]

    def test_that_hold_an_intents_code_among_chinese_are_another_intents(self):
        names = ["查询VIP订单"]
        known = [("vip", "会员", "Members")]
        assert Codes.among(known, names, makes=True).of("查询VIP订单") != "vip"
        with pytest.raises(ValidationError):
            Codes.among(known, names, makes=False).of("查询VIP订单")

    @pytest.mark.parametrize(
        ("known", "of_old"),
        [
            ([("order_status", "订单", "Orders")], "order_status"),
            ([("order_status", "order-status", "order-status")], "order-status"),
            ([], "order_status"),
        ],
    )
    def test_written_alike_are_two_and_the_one_that_there_is_keeps_its_code(
        self, known: list[tuple[str, str, str]], of_old: str
    ):
        codes = Codes.among(known, ["Order.Status", of_old], makes=True)
        assert codes.of(of_old) == "order_status"
        assert codes.of("Order.Status").startswith("order_status_")


@pytest.fixture
def shelf(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    shelf = Shelf()
    monkeypatch.setattr(inference, "_engine", shelf.engine())
    conflicts.forget()
    write_content({"refund": ["我要退款"], "invoice": ["怎么开发票"]})
    eventually(inference.encoder)
    yield shelf
    shelf.stop()
    conflicts.forget()


TABLE = """intent,text
refund,我要退款
refund,退钱给我
invoice,退钱给我
refund,补开发票啊
gone,什么都不是
refund,
"""


def brought(now: datetime, data: str = TABLE, **more: object) -> ImportJob:
    given = {"name": "a.csv", "file_format": "table", "makes_intents": False, "by": None, **more}
    return jobs.begin(data.encode(), now=now, **given)  # type: ignore[arg-type]


def outcomes(job: ImportJob) -> list[str]:
    return list(job.rows.order_by("number").values_list("outcome", flat=True))


class TestJobs:
    def test_a_dry_run_tells_of_each_row_and_writes_nothing(self, shelf: Shelf, now: datetime):
        job = brought(now)
        assert job.status == "CHECKED"
        assert outcomes(job) == ["there", "new", "wrong", "new", "wrong", "wrong"]
        assert Utterance.objects.count() == 2

    def test_what_is_right_is_written_and_a_second_time_nothing(self, shelf: Shelf, now: datetime):
        job = brought(now)
        jobs.confirm(job.pk, by=None)
        job.refresh_from_db()
        assert (job.status, outcomes(job)) == (
            "DONE",
            ["there", "added", "wrong", "added", "wrong", "wrong"],
        )
        assert Utterance.objects.count() == 4
        again = brought(now)
        assert "new" not in outcomes(again)
        with pytest.raises(jobs.NotNow):
            jobs.confirm(job.pk, by=None)

    def test_intents_are_made_where_that_was_asked_for(self, shelf: Shelf, now: datetime):
        job = brought(now, NLU, file_format="rasa", makes_intents=True)
        jobs.confirm(job.pk, by=None)
        assert Intent.objects.get(code="track_parcel").utterances.count() == 1
        assert outcomes(job)[0] == "there"

    def test_intents_wait_for_a_second_person_where_four_eyes_are_asked_for(
        self, shelf: Shelf, now: datetime, settings: Any
    ):
        editor = StaffFactory()
        job = brought(now, NLU, file_format="rasa", makes_intents=True, by=editor)
        settings.CONTENT_FOUR_EYES = True

        with pytest.raises(jobs.IntentsNeedDraft):
            jobs.confirm(job.pk, by=editor)
        with pytest.raises(jobs.IntentsNeedDraft):
            brought(now, NLU, file_format="rasa", makes_intents=True, by=editor)
        jobs.confirm(brought(now, by=editor).pk, by=editor)  # utterances alone need none

        assert not Intent.objects.filter(code="track_parcel").exists()
        assert ImportJob.objects.get(pk=job.pk).status == "CHECKED"

    def test_intents_that_are_written_alike_are_made_apart_and_found_again(
        self, shelf: Shelf, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        table = """intent,text
查询VIP订单,我的会员订单
取消VIP订单,不要会员订单了
Order.Status,到哪一步了
order-status,现在怎么样了
"""
        monkeypatch.setattr(jobs, "_ROWS_AT_ONCE", 1)
        job = brought(now, table, makes_intents=True)
        jobs.confirm(job.pk, by=None)
        assert outcomes(job) == ["added"] * 4
        assert Intent.objects.count() == 2 + 4
        assert outcomes(brought(now, table)) == ["there"] * 4

    def test_rows_that_stand_against_others_are_marked(self, shelf: Shelf, now: datetime):
        job = brought(now, "intent,text\nrefund,怎么开一下发票\n")
        row = job.rows.get()
        assert row.has_hints
        assert row.hints[0][1:] == ["怎么开发票", "invoice"]

    def test_one_that_was_left_lying_is_taken_up_where_it_stopped(
        self, shelf: Shelf, now: datetime, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(jobs, "HERE_MOST", 0)
        queued: list[int] = []
        monkeypatch.setattr(jobs, "_queue", queued.append)
        job = brought(now)
        ImportRow.objects.filter(job=job, number=2).update(outcome="new", code="refund")
        jobs.resume(now=now)
        assert queued == [job.pk]  # by the request; the sweep gives it time
        jobs.resume(now=now + jobs.SILENCE_MAX * 2)
        assert queued == [job.pk, job.pk]
        jobs.work_on(job.pk)
        assert outcomes(job)[:3] == ["there", "new", "wrong"]

    def test_a_cancelled_one_is_not_worked_on(self, shelf: Shelf, now: datetime):
        job = brought(now)
        jobs.cancel(job.pk, now=now)
        with pytest.raises(jobs.NotNow):
            jobs.confirm(job.pk, by=None)
        jobs.work_on(job.pk)
        assert Utterance.objects.count() == 2


class TestExport:
    def test_everything_comes_out_and_goes_in_again(self, shelf: Shelf, now: datetime):
        Reply.objects.create(intent=Intent.objects.get(code="refund"), language="zh", text="=好")
        for data, kind in (
            (export.workbook(), "table"),
            (ZipFile(BytesIO(export.tables_zip())).read("utterances.csv"), "table"),
            (
                ZipFile(BytesIO(export.tables_zip(encoding="gb18030"))).read("utterances.csv"),
                "table",
            ),
            (ZipFile(BytesIO(export.rasa_zip())).read("nlu.yml"), "rasa"),
        ):
            job = jobs.begin(
                data, name="x", file_format=kind, makes_intents=False, by=None, now=now
            )
            assert outcomes(job) == ["there", "there"]
        domain = ZipFile(BytesIO(export.rasa_zip())).read("domain.yml").decode()
        assert "utter_refund" in domain

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
    def test_line_ends_of_unicode_stay_in_their_cell(self, db: None, encoding: str):
        text = "快递\v到\f哪\x85了\u2028还\u2029有多久"
        save_utterance(Utterance(intent=IntentFactory(code="logistics"), text=text))
        data = ZipFile(BytesIO(export.tables_zip(encoding=encoding))).read("utterances.csv")
        [found] = tables.read(data).sentences
        assert (found.intent, found.text, found.language) == ("logistics", text, "zh")


class TestPages:
    @pytest.fixture
    def editor(self) -> Client:
        client = Client()
        client.force_login(StaffFactory(role="business editor"))
        return client

    def test_a_file_is_checked_shown_and_brought_in(self, shelf: Shelf, editor: Client):
        file = BytesIO(TABLE.encode())
        file.name = "a.csv"
        answer = editor.post(reverse("admin:imports"), {"format": "table", "file": file})
        job = ImportJob.objects.get()
        assert answer["Location"] == reverse("admin:import_job", args=[job.pk])
        page = editor.get(answer["Location"]).content.decode()
        assert "退钱给我" in page
        editor.post(answer["Location"], {"do": "confirm"})
        assert Utterance.objects.count() == 4

    def test_a_bad_file_is_told_and_stores_nothing(self, shelf: Shelf, editor: Client):
        file = BytesIO(b"nlu: 5")
        file.name = "nlu.yml"
        answer = editor.post(reverse("admin:imports"), {"format": "rasa", "file": file})
        assert "nlu.yml" in answer.content.decode()
        assert not ImportJob.objects.exists()

    @pytest.mark.parametrize("kind", ["xlsx", "csv", "csv-gb18030", "rasa"])
    def test_everything_is_exported(self, shelf: Shelf, editor: Client, kind: str):
        answer = editor.get(reverse("admin:export_everything", args=[kind]))
        assert answer.status_code == 200
        assert kind in answer["Content-Disposition"]

    def test_who_may_not_write_utterances_imports_nothing(self, shelf: Shelf):
        client = Client()
        client.force_login(StaffFactory(role="supervisor"))
        file = BytesIO(TABLE.encode())
        answer = client.post(reverse("admin:imports"), {"format": "table", "file": file})
        assert answer.status_code == 403
        assert not ImportJob.objects.exists()
