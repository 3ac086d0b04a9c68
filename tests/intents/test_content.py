"""Every process reads the same snapshot, and a change reaches it within two seconds."""

import subprocess
import sys
import threading
import time

import pytest
from django.db import connection, transaction

from intents import content, guard, services, starter
from intents.models import (
    AllowedPhrase,
    Channel,
    ContentVersion,
    Phrase,
    SensitiveWord,
    SuggestedQuestion,
)
from tests.factories import IntentFactory, PhraseFactory, ReplyFactory


@pytest.mark.django_db
class TestContent:
    def test_knows_the_active_intents_in_the_order_of_staff(self):
        IntentFactory(code="second", position=20)
        IntentFactory(code="first", position=10, hands_over=True, name_en="The first")
        IntentFactory(code="off", is_active=False)

        intents = content.current().intents

        assert list(intents) == ["first", "second"]
        assert intents["first"].hands_over
        assert intents["first"].name("en") == "The first"

    def test_replies_of_the_channel_come_before_those_for_any(self):
        intent = IntentFactory(code="logistics")
        ReplyFactory(intent=intent, text="任何渠道")
        ReplyFactory(intent=intent, text="程序", channel=Channel.API)
        ReplyFactory(intent=intent, text="停用", is_active=False)

        now = content.current()

        assert now.replies("logistics", "zh", Channel.WEB) == ["任何渠道"]
        assert now.replies("logistics", "zh", Channel.API) == ["程序"]
        assert now.replies("logistics", "en", Channel.WEB) == []
        assert now.replies("no_such_intent", "zh", Channel.WEB) == []

    def test_an_intent_that_is_off_has_no_replies(self):
        ReplyFactory(intent=IntentFactory(code="off", is_active=False))

        assert content.current().replies("off", "zh", Channel.WEB) == []

    def test_a_missing_phrase_is_said_in_the_other_language_then_in_our_words(self):
        PhraseFactory(purpose=Phrase.Purpose.GREETING, language="zh", text="您好呀")
        built_in = {(r["purpose"], r["language"]): r["text"] for r in starter.rows("phrases")}

        now = content.current()

        assert now.phrase("greeting", "zh") == "您好呀"
        assert now.phrase("greeting", "en") == "您好呀"
        assert now.phrase("closed", "en") == built_in["closed", "en"]

    @pytest.mark.parametrize("purpose", Phrase.Purpose.values)
    @pytest.mark.parametrize("language", ["zh", "en", ""])
    def test_no_phrase_is_ever_empty(self, purpose: str, language: str):
        assert content.current().phrase(purpose, language)

    def test_questions_come_in_the_order_of_staff(self):
        for position, text in [(20, "b"), (10, "a"), (30, "off")]:
            SuggestedQuestion.objects.create(
                language="en", text=text, position=position, is_active=text != "off"
            )

        assert content.current().suggestions("en") == ["a", "b"]
        assert content.current().suggestions("zh") == []

    def test_words_are_starred_unless_allowed(self):
        SensitiveWord.objects.create(word="大麻")
        SensitiveWord.objects.create(word="赌博", is_active=False)
        AllowedPhrase.objects.create(text="大麻烦")

        assert guard.mask("大麻烦，大麻，赌博").text == "大麻烦，**，赌博"

    def test_without_any_word_nothing_is_starred(self):
        assert guard.mask("大麻") == guard.Masked("大麻", ())


@pytest.mark.django_db(transaction=True)
class TestChange:
    def test_is_seen_at_once_by_the_process_that_made_it(self, settings):
        settings.CONTENT_POLL_S = 60
        assert guard.mask("赌博").text == "赌博"

        services.save_sensitive_word(SensitiveWord(word="赌博"))

        assert guard.mask("赌博").text == "**"

    def test_is_seen_by_another_process_though_nobody_tells_it(self):
        assert guard.mask("赌博").text == "赌博"

        # What another process does to the database, without this one's knowledge.
        SensitiveWord.objects.create(word="赌博")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO intents_contentversion VALUES (1, 77, 77)")

        deadline = time.monotonic() + 10
        while guard.mask("赌博").text != "**":
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def test_that_is_rolled_back_is_never_seen_by_others(self):
        seen = []
        with transaction.atomic():
            services.save_sensitive_word(SensitiveWord(word="赌博"))
            assert guard.mask("赌博").text == "**"
            other = threading.Thread(target=lambda: seen.append(content.current().version))
            other.start()
            other.join(10)
            transaction.set_rollback(True)

        services.save_sensitive_word(SensitiveWord(word="大麻"))

        assert seen == [0]
        assert guard.mask("赌博大麻").text == "赌博**"

    def test_without_one_nothing_is_read_again(self, settings, django_assert_num_queries):
        settings.CONTENT_POLL_S = 0
        first = content.current()

        with django_assert_num_queries(1):  # the version
            assert content.current() is first

    def test_between_two_looks_the_database_is_left_alone(
        self, settings, django_assert_num_queries
    ):
        settings.CONTENT_POLL_S = 60
        content.current()

        with django_assert_num_queries(0):
            content.current()

    def test_threads_share_one_snapshot(self):
        ReplyFactory(intent=IntentFactory(code="logistics"))
        found: list[content.Content] = []
        content.current()

        threads = [
            threading.Thread(target=lambda: found.append(content.current())) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert len(found) == 8
        assert len({id(snapshot) for snapshot in found}) == 1


@pytest.mark.django_db
class TestVersion:
    def test_moves_with_each_change(self):
        services.content_changed(understanding=False)
        first = ContentVersion.objects.get()
        services.content_changed(understanding=True)
        second = ContentVersion.objects.get()

        assert second.answers > first.answers
        assert first.understanding == 1
        assert second.understanding > 1

    def test_is_never_given_twice_even_by_a_new_database(self):
        services.content_changed(understanding=True)
        before = ContentVersion.objects.get()
        ContentVersion.objects.all().delete()

        services.content_changed(understanding=True)

        assert ContentVersion.objects.get().answers > before.answers
        assert ContentVersion.objects.get().understanding > before.understanding

    def test_moves_forward_even_if_the_clock_goes_back(self):
        ahead = 4_000_000_000_000_000  # the year 2096
        ContentVersion.objects.create(pk=1, answers=ahead)

        services.content_changed(understanding=False)

        assert ContentVersion.objects.get().answers == ahead + 1


def test_the_pure_guards_need_no_django():
    code = "import intents.guard.normalize, intents.guard.pii, intents.guard.sensitive"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
