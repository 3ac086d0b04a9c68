"""A new installation has something to say, and staff's work outlives every restart."""

import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from intents import content, services, starter
from intents.guard import normalize
from intents.guard.sensitive import Masker
from intents.models import (
    AllowedPhrase,
    ContentVersion,
    Intent,
    Phrase,
    Reply,
    SensitiveWord,
    SuggestedQuestion,
    Utterance,
)
from tests.factories import IntentFactory

CODES = [row["code"] for row in starter.rows("intents")]


class TestFiles:
    def test_every_intent_has_utterances_enough_to_learn_from(self):
        counts = Counter((row["intent"], row["language"]) for row in starter.rows("utterances"))

        assert len(CODES) >= 18
        assert [code for code in CODES if counts[code, "zh"] < 60] == []
        assert [code for code in CODES if counts[code, "en"] < 25] == []

    def test_no_sentence_is_there_twice(self):
        keys = Counter(normalize.key(row["text"]) for row in starter.rows("utterances"))

        assert [key for key, number in keys.items() if number > 1] == []

    def test_a_family_stays_on_one_side_of_the_split(self):
        splits = defaultdict(set)
        for row in starter.rows("utterances"):
            splits[row["family"]].add(row["split"])

        assert [family for family, sides in splits.items() if len(sides) > 1] == []

    def test_utterances_are_in_the_order_of_intent_language_family(self):
        rows = starter.rows("utterances")
        order = [
            (CODES.index(row["intent"]), ["zh", "en"].index(row["language"]), row["family"])
            for row in rows
        ]

        assert order == sorted(order)

    @pytest.mark.parametrize("language", ["zh", "en"])
    @pytest.mark.parametrize("code", CODES)
    def test_every_intent_has_replies_also_for_visitors(self, code: str, language: str):
        texts = [
            row["text"]
            for row in starter.rows("replies")
            if (row["intent"], row["language"]) == (code, language)
        ]

        assert len(texts) >= 2
        assert [text for text in texts if "{" not in text]

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_every_purpose_has_a_phrase(self, language: str):
        written = {row["purpose"] for row in starter.rows("phrases") if row["language"] == language}

        assert written == set(Phrase.Purpose.values)

    def test_nothing_that_we_say_is_starred(self):
        words = [row["word"] for row in starter.rows("sensitive_words")]
        allowed = [row["text"] for row in starter.rows("allowed_phrases")]
        masker = Masker(words, allowed)
        said = [
            row["text"]
            for name in ("replies", "phrases", "suggested_questions")
            for row in starter.rows(name)
        ]

        assert [text for text in said if masker.mask(text).words] == []


@pytest.mark.django_db
class TestLoadStarter:
    def test_loads_everything_within_five_seconds(self):
        began = time.process_time()
        loaded = services.load_starter()

        assert time.process_time() - began < 5
        assert loaded.intents == Intent.objects.count() == len(CODES)
        assert loaded.utterances == Utterance.objects.count() == len(starter.rows("utterances"))
        assert loaded.replies == Reply.objects.count() == len(starter.rows("replies"))
        assert loaded.phrases == Phrase.objects.count() == 2 * len(Phrase.Purpose.values)
        assert loaded.suggested_questions == SuggestedQuestion.objects.count() == 12
        assert loaded.sensitive_words == SensitiveWord.objects.count() >= 100
        assert loaded.allowed_phrases == AllowedPhrase.objects.count()
        assert Intent.objects.get(code="human_agent").hands_over
        assert not Intent.objects.get(code="greeting").hands_over
        assert content.current().replies("logistics", "en", "web")

    def test_again_changes_nothing(self):
        services.load_starter()
        before = ContentVersion.objects.get()

        assert services.load_starter().total == 0
        assert ContentVersion.objects.get().answers == before.answers

    def test_leaves_what_staff_changed_and_deleted(self):
        services.load_starter()
        reply = Reply.objects.filter(intent__code="logistics").first()
        reply.text = "我们自己的话"
        services.save_reply(reply)
        services.delete_reply(Reply.objects.filter(intent__code="invoice").first())
        services.delete_utterance(Utterance.objects.filter(intent__code="coupon").first())
        services.delete_sensitive_word(SensitiveWord.objects.first())
        services.switch_off(Intent.objects.get(code="promotion"))
        services.delete_intent(Intent.objects.get(code="other"))
        counts = [model.objects.count() for model in (Intent, Utterance, Reply, SensitiveWord)]

        assert services.load_starter().total == 0

        assert counts == [m.objects.count() for m in (Intent, Utterance, Reply, SensitiveWord)]
        assert Reply.objects.filter(text="我们自己的话").exists()
        assert not Intent.objects.get(code="promotion").is_active

    def test_adds_what_is_missing_beside_what_staff_wrote(self):
        own = IntentFactory(code="logistics", name_zh="包裹")
        services.save_utterance(Utterance(intent=own, text="我们自己的句子"))

        services.load_starter()

        own.refresh_from_db()
        assert own.name_zh == "包裹"
        assert [u.text for u in own.utterances.all()] == ["我们自己的句子"]
        assert Intent.objects.count() == len(CODES)

    def test_a_sentence_that_staff_gave_to_another_intent_stays_there(self):
        taken = next(row for row in starter.rows("utterances") if row["intent"] == "logistics")
        own = IntentFactory(code="own")
        services.save_utterance(Utterance(intent=own, text=taken["text"]))

        services.load_starter()

        assert Utterance.objects.get(text=taken["text"]).intent == own

    def test_reset_brings_the_beginning_back(self):
        services.load_starter()
        Reply.objects.all().delete()
        intent = Intent.objects.get(code="logistics")
        intent.name_zh = "包裹"
        services.save_intent(intent)

        services.load_starter(reset=True)

        assert Intent.objects.get(code="logistics").name_zh == "物流查询"
        assert Reply.objects.count() == len(starter.rows("replies"))
        assert Utterance.objects.count() == len(starter.rows("utterances"))

    def test_the_command_says_what_it_did(self, capsys):
        call_command("load_starter")
        call_command("load_starter")

        first, second = capsys.readouterr().out.splitlines()
        assert first.startswith("Starter content: 18 intents, ")
        assert second == "Starter content: nothing is missing."


@pytest.mark.django_db
class TestImportUtterancesCommand:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_reads_what_excel_writes(self, tmp_path: Path, encoding: str):
        IntentFactory(code="logistics")
        file = tmp_path / "utterances.csv"
        file.write_text("intent,text\nlogistics,我的包裹到哪里了，请查一下\n", encoding=encoding)

        call_command("import_utterances", str(file))

        assert Utterance.objects.get().text == "我的包裹到哪里了，请查一下"

    def test_a_wrong_row_is_named_and_nothing_is_written(self, tmp_path: Path, capsys):
        IntentFactory(code="logistics")
        file = tmp_path / "utterances.csv"
        file.write_text("intent,text\nlogistics,到哪了\nnobody,在吗\n", encoding="utf-8")

        with pytest.raises(CommandError, match="Nothing was imported"):
            call_command("import_utterances", str(file))

        assert "line 3: wrong: 在吗" in capsys.readouterr().out
        assert not Utterance.objects.exists()

    def test_a_dry_run_reports_each_row(self, tmp_path: Path, capsys):
        IntentFactory(code="logistics")
        file = tmp_path / "utterances.csv"
        file.write_text("intent,text\nlogistics,到哪了\n", encoding="utf-8")

        call_command("import_utterances", str(file), "--dry-run")

        assert "line 2: added: 到哪了" in capsys.readouterr().out
        assert not Utterance.objects.exists()

    @pytest.mark.parametrize(
        ("written", "says"),
        [(b"text\nx\n", "no column intent"), (b"\xff\xfe\xff\xff", "neither UTF-8 nor GB18030")],
    )
    def test_a_file_that_is_something_else_is_refused(
        self, tmp_path: Path, written: bytes, says: str
    ):
        file = tmp_path / "utterances.csv"
        file.write_bytes(written)

        with pytest.raises(CommandError, match=says):
            call_command("import_utterances", str(file))

    def test_a_file_that_is_not_there_is_refused(self, tmp_path: Path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_utterances", str(tmp_path / "none.csv"))
