"""Rows for tests. Rules are tested through the services; these make what they start from."""

from typing import Any

import factory
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from factory.django import DjangoModelFactory

from chat.models import Conversation, Message
from intents.models import Intent, Language, Phrase, Reply


class StaffFactory(DjangoModelFactory):
    """A person of the staff; `role` is the name of his group. The password is "secret"."""

    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"agent{n}")
    first_name = factory.Sequence(lambda n: f"小林{n}")
    is_staff = True
    password = factory.django.Password("secret")

    @factory.post_generation
    def role(self, create: bool, extracted: str | None, **kwargs: Any) -> None:
        self.groups.add(Group.objects.get_or_create(name=extracted or "agent")[0])


class IntentFactory(DjangoModelFactory):
    class Meta:
        model = Intent

    code = factory.Sequence(lambda n: f"intent_{n}")
    name_zh = factory.LazyAttribute(lambda intent: f"{intent.code}的事")
    name_en = factory.LazyAttribute(lambda intent: f"About {intent.code}")


class ReplyFactory(DjangoModelFactory):
    class Meta:
        model = Reply

    intent = factory.SubFactory(IntentFactory)
    language = Language.CHINESE
    text = factory.Sequence(lambda n: f"答复{n}")


class PhraseFactory(DjangoModelFactory):
    class Meta:
        model = Phrase

    purpose = Phrase.Purpose.FALLBACK
    language = Language.CHINESE
    text = factory.LazyAttribute(lambda phrase: f"[{phrase.purpose} {phrase.language}]")


class ConversationFactory(DjangoModelFactory):
    """An open conversation with the bot."""

    class Meta:
        model = Conversation

    uid = factory.Sequence(lambda n: f"C{n}")
    status = Conversation.Status.BOT
    open_for = factory.LazyAttribute(lambda one: None if one.status == "CLOSED" else one.uid)


class MessageFactory(DjangoModelFactory):
    """A customer's message that the bot owes an answer; keeps `last_seq` true."""

    class Meta:
        model = Message
        skip_postgeneration_save = True

    conversation = factory.SubFactory(ConversationFactory)
    seq = factory.LazyAttribute(lambda message: message.conversation.last_seq + 1)
    sender = Message.Sender.CUSTOMER
    text = "我的快递到哪了"
    language = Language.CHINESE
    awaits_answer = True

    @factory.post_generation
    def _count(self, create: bool, extracted: None, **kwargs: Any) -> None:
        self.conversation.last_seq = self.seq
        self.conversation.save(update_fields=["last_seq"])
