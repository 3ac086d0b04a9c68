"""Deliberately broken builds: each must fail the matrix, or the matrix proves nothing.

They are what somebody might write who has not met a network yet.
"""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db import connection, connections, models

from chat import services
from chat.models import Conversation, Message
from chat.services import numbering, posting


def drop_keys(*_unused: Any) -> None:
    """Take the unique keys of `client_id` and `answers` out of the database, without a migration."""
    with connection.schema_editor() as editor:
        # By what it keeps unique, not by name: this must go on finding it.
        for constraint in list(Message._meta.constraints):
            if "client_id" in getattr(constraint, "fields", ()):
                editor.remove_constraint(Message, constraint)
                # SQLite makes a table anew for each change, from what the model says.
                Message._meta.constraints.remove(constraint)
        before = Message._meta.get_field("answers")
        after = models.ForeignKey(Message, models.CASCADE, null=True, related_name="+")
        after.set_attributes_from_name("answers")
        after.model = Message
        editor.alter_field(Message, before, after)


def _no_keys() -> None:
    """Neither the keys nor the second look: what is sent twice is stored twice."""
    numbering._SENT_BEFORE = "(%s = '' AND %s IS NULL)"  # never: nothing was sent before
    posting._stored = lambda uid, client_id: None

    def post_answer(*, message_id: int, answer: Any, now: Any) -> Any:
        asked = Message.objects.select_related("conversation").get(pk=message_id)
        with posting.transaction.atomic():
            conversation = numbering.next_of_answer(message_id)
            if conversation is None:
                return None
            line = posting.insert_line(
                conversation,
                sender=Message.Sender.BOT,
                text=answer.text,
                now=now,
                answers_id=asked.pk,
                decision=answer.decision,
                intent=answer.intent,
            )
            owed = Message.objects.filter(conversation_id=asked.conversation_id, pk__lte=message_id)
            owed.update(awaits_answer=False)
        return posting.Posted(line, is_new=True)

    services.post_answer = posting.post_answer = post_answer


def _early_acknowledgement() -> None:
    """Acknowledge first and store a moment later: what is lost with the process was promised."""
    store = services.post_customer_message

    def post(*, uid: str, text: str, now: Any, client_id: Any = None, **more: Any) -> Any:
        known = Conversation.objects.filter(open_for=uid).first()
        if known is None or posting._stored(uid, client_id) is not None:
            return store(uid=uid, text=text, now=now, client_id=client_id, **more)

        def later() -> None:
            try:
                posted = store(uid=uid, text=text, now=now, client_id=client_id, **more)
                from chat import dialogue

                dialogue.answer_blocking(posted.message)
            finally:
                connections.close_all()

        threading.Timer(1.0, later).start()
        promised = Message(
            conversation=known,
            seq=known.last_seq + 1,
            sender=Message.Sender.CUSTOMER,
            text=text,
            sent_at=now,
            client_id=client_id or uuid4(),
            awaits_answer=False,
        )
        return posting.Posted(promised, is_new=False)

    services.post_customer_message = post


BREAK: dict[str, Callable[[], None]] = {
    "keys": _no_keys,
    "acknowledgement": _early_acknowledgement,
}
