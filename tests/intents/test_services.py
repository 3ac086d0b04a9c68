"""The rules of content: what is accepted, what is refused and why, and who sees it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intents import services
from intents.models import (
    AllowedPhrase,
    ContentVersion,
    Intent,
    Phrase,
    PredictionRecord,
    Reply,
    SensitiveWord,
    SuggestedQuestion,
    Utterance,
)
from tests.databases import interleave
from tests.factories import IntentFactory, ReplyFactory

pytestmark = pytest.mark.django_db


def version() -> ContentVersion:
    return ContentVersion.objects.first() or ContentVersion()


def message_of(error: pytest.ExceptionInfo[ValidationError], field: str) -> str:
    return " ".join(error.value.message_dict[field])


class TestSaveIntent:
    def test_creates_and_moves_the_version(self):
        intent = services.save_intent(
            Intent(code="gift_card", name_zh="礼品卡", name_en="Gift cards")
        )

        assert intent.revision == 1
        assert version().answers > 1
        assert version().understanding > 1
        assert intent.history.count() == 1

    @pytest.mark.parametrize("code", ["Gift", "gift-card", "1gift", "礼品", ""])
    def test_refuses_a_code_that_programs_cannot_rely_on(self, code: str):
        with pytest.raises(ValidationError) as error:
            services.save_intent(Intent(code=code, name_zh="礼品卡", name_en="Gift cards"))

        assert "code" in error.value.message_dict
        assert not Intent.objects.exists()

    def test_never_changes_the_code(self):
        intent = IntentFactory(code="before")
        intent.code = "after"

        with pytest.raises(ValidationError) as error:
            services.save_intent(intent)

        assert "code" in error.value.message_dict
        assert Intent.objects.get().code == "before"

    def test_over_a_newer_revision_is_refused_with_the_difference(self):
        intent = IntentFactory(name_zh="旧名", position=5)
        mine, theirs = Intent.objects.get(), Intent.objects.get()
        theirs.name_zh = "他的名"
        services.save_intent(theirs, expected_revision=1)
        mine.name_zh = "我的名"

        with pytest.raises(services.ChangedMeanwhile) as refused:
            services.save_intent(mine, expected_revision=1)

        assert [(d.stored, d.yours) for d in refused.value.differences] == [("他的名", "我的名")]
        intent.refresh_from_db()
        assert (intent.name_zh, intent.revision) == ("他的名", 2)

    def test_of_two_at_once_one_is_saved(self, both_databases: str):
        IntentFactory(name_zh="旧名")
        one, two = Intent.objects.get(), Intent.objects.get()
        one.name_zh, two.name_zh = "甲", "乙"

        first, second = interleave(
            lambda: services.save_intent(one, expected_revision=1),
            lambda: services.save_intent(two, expected_revision=1),
            at='UPDATE "intents_intent"',
        )

        assert sorted([first.refusal, second.refusal]) == ["", "changed_meanwhile"]
        assert Intent.objects.get().revision == 2


class TestRaiseRevisions:
    def test_leaves_what_a_colleague_changes_meanwhile(self, both_databases: str):
        intent = IntentFactory()

        raised, switched = interleave(
            lambda: services.raise_revisions({intent.pk}),
            lambda: services.switch_off(intent),
            at='FROM "intents_intent"',
            after=True,
        )

        assert (raised.refusal, switched.refusal) == ("", "")
        intent.refresh_from_db()
        assert (intent.is_active, intent.revision) == (False, 3)


class TestSwitch:
    def test_off_and_on_keeps_everything(self):
        reply = ReplyFactory()

        services.switch_off(reply.intent)
        assert not Intent.objects.get().is_active
        services.switch_off(reply.intent)
        services.switch_on(reply.intent)

        assert Intent.objects.get().is_active
        assert Intent.objects.get().revision == 3  # the second switch_off changed nothing
        assert Reply.objects.count() == 1


class TestDeleteIntent:
    def test_takes_its_utterances_and_replies_along(self):
        intent = ReplyFactory().intent

        services.delete_intent(intent)

        assert not Intent.objects.exists()
        assert not Reply.objects.exists()

    def test_is_refused_while_a_log_knows_it(self):
        intent = IntentFactory()
        PredictionRecord.objects.create(
            text="x", intent=intent.code, decision="ANSWER", source="model", elapsed_ms=1
        )

        with pytest.raises(services.IntentIsKnown):
            services.delete_intent(intent)

        assert Intent.objects.exists()

    def test_is_refused_while_a_model_knows_it(self, monkeypatch):
        intent = IntentFactory(code="trained")
        monkeypatch.setattr("intents.services.intents.KNOWN_LABELS", [lambda: ["trained"]])

        with pytest.raises(services.IntentIsKnown):
            services.delete_intent(intent)

        assert Intent.objects.exists()


class TestSaveUtterance:
    def test_fills_in_key_and_language(self):
        utterance = services.save_utterance(
            Utterance(intent=IntentFactory(), text="  Where is my ORDER? ")
        )

        assert (utterance.text, utterance.key) == ("Where is my ORDER?", "whereismyorder")
        assert utterance.language == "en"
        assert version().understanding > 1

    def test_refuses_a_sentence_that_another_intent_has_and_names_it(self):
        other = IntentFactory(code="logistics", name_zh="物流查询")
        services.save_utterance(Utterance(intent=other, text="到哪了？"))
        before = version().answers

        with pytest.raises(ValidationError) as error:
            services.save_utterance(Utterance(intent=IntentFactory(), text="到哪了"))

        assert "物流查询 (logistics)" in message_of(error, "text")
        assert Utterance.objects.count() == 1
        assert version().answers == before

    @pytest.mark.parametrize("text", ["", "  ", "\u200b", "长" * 501])
    def test_refuses_a_text_that_is_empty_or_too_long(self, text: str):
        with pytest.raises(ValidationError) as error:
            services.save_utterance(Utterance(intent=IntentFactory(), text=text))

        assert "text" in error.value.message_dict

    def test_a_text_whose_key_is_longer_than_itself_fits(self):
        services.save_utterance(Utterance(intent=IntentFactory(), text="ﷺ" * 100))

        assert len(Utterance.objects.get().key) == 500

    def test_of_two_at_once_one_is_added(self, both_databases: str):
        one, two = IntentFactory(), IntentFactory()

        first, second = interleave(
            lambda: services.save_utterance(Utterance(intent=one, text="到哪了")),
            lambda: services.save_utterance(Utterance(intent=two, text="到哪了？")),
            at='INSERT INTO "intents_utterance"',
        )

        errors = [outcome.error for outcome in (first, second) if outcome.error]
        assert len(errors) == 1
        assert isinstance(errors[0], ValidationError)
        assert Utterance.objects.count() == 1


class TestReplyText:
    @pytest.mark.parametrize(
        "text", ["您好", "订单 {order_number} 由 {carrier} 承运", "{customer_name}您好"]
    )
    def test_is_accepted(self, text: str):
        services.validate_reply_text(text)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "empty"),
            (" \u200b", "empty"),
            ("订单 {order_no}", "unknown_variable"),
            ("{}", "unknown_variable"),
            ("{order_number.__class__}", "unknown_variable"),
            ("{order_total:.2f}", "unknown_variable"),
            ("{order_number", "brace"),
            ("order_number}", "brace"),
            ("{{order_number}}", "brace"),
        ],
    )
    def test_is_refused(self, text: str, code: str):
        with pytest.raises(ValidationError) as error:
            services.validate_reply_text(text)

        assert error.value.code == code

    def test_names_the_unknown_variable_and_lists_the_others(self):
        with pytest.raises(ValidationError) as error:
            services.validate_reply_text("{order_no}")

        assert "{order_no}" in error.value.messages[0]
        assert all(f"{{{name}}}" in error.value.messages[0] for name in services.VARIABLES)


class TestSaveReply:
    def test_keeps_who_changed_what(self, admin_user):
        reply = services.save_reply(Reply(intent=IntentFactory(), language="zh", text="一"))
        reply.text = "二"
        reply._history_user = admin_user
        services.save_reply(reply)

        latest, first = reply.history.all()
        assert (first.text, latest.text, latest.history_user) == ("一", "二", admin_user)

    def test_refuses_a_wrong_text_at_its_field_and_saves_nothing(self):
        with pytest.raises(ValidationError) as error:
            services.save_reply(Reply(intent=IntentFactory(), language="zh", text="{order_no}"))

        assert "text" in error.value.message_dict
        assert not Reply.objects.exists()

    def test_answers_move_but_prototypes_stay(self):
        services.save_reply(Reply(intent=IntentFactory(), language="zh", text="一"))

        assert version().answers > 1
        assert version().understanding == 1

    def test_deleting_moves_the_version(self):
        reply = ReplyFactory()

        services.delete_reply(reply)

        assert version().answers > 1


class TestSavePhrase:
    def test_the_agents_name_is_known_when_he_joins_only(self):
        services.save_phrase(Phrase(purpose="agent_joined", language="zh", text="{agent_name}来了"))

        with pytest.raises(ValidationError):
            services.save_phrase(Phrase(purpose="greeting", language="zh", text="{agent_name}好"))

        assert Phrase.objects.count() == 1

    def test_there_is_one_per_purpose_and_language(self):
        services.save_phrase(Phrase(purpose="greeting", language="zh", text="您好"))

        with pytest.raises(ValidationError):
            services.save_phrase(Phrase(purpose="greeting", language="zh", text="你好"))


class TestWords:
    @pytest.mark.parametrize("text", ["", " ", "***", "\u200b", ". ."])
    def test_something_must_be_visible(self, text: str):
        with pytest.raises(ValidationError):
            services.save_sensitive_word(SensitiveWord(word=text))
        with pytest.raises(ValidationError):
            services.save_allowed_phrase(AllowedPhrase(text=text))

    @pytest.mark.parametrize("other", ["賭博", "赌 博", "赌*博"])
    def test_the_same_word_in_another_spelling_is_refused(self, other: str):
        services.save_sensitive_word(SensitiveWord(word="赌博"))

        with pytest.raises(ValidationError) as error:
            services.save_sensitive_word(SensitiveWord(word=other))

        assert "赌博" in message_of(error, "word")

    def test_many_are_compared_without_reading_all_of_them_each_time(self):
        services.save_sensitive_word(SensitiveWord(word="赌博"))
        spellings = services.spellings_of_words()

        with CaptureQueriesContext(connection) as captured:
            for number in range(20):
                word = SensitiveWord(word=f"坏词{number}")
                services.save_sensitive_word(word, spellings=spellings)
                services.save_sensitive_word(word, spellings=spellings)

        everything = [
            query["sql"]
            for query in captured
            if 'FROM "intents_sensitiveword"' in query["sql"] and "WHERE" not in query["sql"]
        ]
        assert everything == []
        for taken in ("賭博", "坏 词 7"):
            with pytest.raises(ValidationError):
                services.save_sensitive_word(SensitiveWord(word=taken), spellings=spellings)

    def test_a_word_can_be_saved_again(self):
        word = services.save_sensitive_word(SensitiveWord(word="赌博"))
        word.is_active = False

        services.save_sensitive_word(word)

        assert not SensitiveWord.objects.get().is_active

    def test_deleting_moves_the_version(self):
        word = SensitiveWord.objects.create(word="赌博")
        phrase = AllowedPhrase.objects.create(text="大麻烦")

        services.delete_sensitive_word(word)
        first = version().answers
        services.delete_allowed_phrase(phrase)

        assert version().answers > first > 1

    @pytest.mark.parametrize(
        ("word", "warns"), [("s", True), ("靠", True), ("赌博", False), ("SM", False)]
    )
    def test_one_character_alone_is_warned_about(self, word: str, warns: bool):
        assert bool(services.warning_about(word)) is warns


class TestSuggestedQuestion:
    def test_saving_and_deleting_move_the_version(self):
        question = services.save_suggested_question(
            SuggestedQuestion(language="zh", text="到哪了？")
        )
        first = version().answers
        services.delete_suggested_question(question)

        assert version().answers > first > 1


class TestImportUtterances:
    def rows(self) -> list[dict[str, str]]:
        return [
            {"intent": "logistics", "text": "到哪了"},
            {"intent": "logistics", "text": "where is it", "split": "evaluation", "family": "f"},
        ]

    def test_adds_all_and_guesses_the_language(self):
        IntentFactory(code="logistics")

        report = services.import_utterances(self.rows())

        assert [row.outcome for row in report] == ["added", "added"]
        assert list(
            Utterance.objects.order_by("pk").values_list("text", "language", "split", "family")
        ) == [("到哪了", "zh", "train", ""), ("where is it", "en", "evaluation", "f")]

    def test_again_adds_nothing(self):
        IntentFactory(code="logistics")
        services.import_utterances(self.rows())
        before = version().understanding

        report = services.import_utterances(self.rows())

        assert [row.outcome for row in report] == ["already there", "already there"]
        assert version().understanding == before

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            ({"intent": "nobody", "text": "在吗"}, "nobody"),
            ({"intent": "logistics", "text": ""}, ""),
            ({"intent": "logistics", "text": "长" * 501}, "500"),
            ({"intent": "logistics", "text": "好", "split": "dev"}, "dev"),
            ({"intent": "logistics", "text": "好", "language": "fr"}, "fr"),
            ({"intent": "invoice", "text": "到 哪 了？"}, "logistics"),
        ],
    )
    def test_one_wrong_row_and_nothing_is_added(self, row: dict[str, str], says: str):
        IntentFactory(code="logistics")
        IntentFactory(code="invoice")

        report = services.import_utterances([*self.rows(), row])

        assert (report[2].line, report[2].outcome) == (4, "wrong")
        assert says in report[2].message
        assert not Utterance.objects.exists()

    def test_a_dry_run_writes_nothing(self):
        IntentFactory(code="logistics")

        report = services.import_utterances(self.rows(), dry_run=True)

        assert [row.outcome for row in report] == ["added", "added"]
        assert not Utterance.objects.exists()
