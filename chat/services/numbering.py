"""The next seq of a conversation: moved and read in one statement, which also locks the row."""

from uuid import UUID

from django.db import connection

from chat.models import Conversation

_TABLE = Conversation._meta.db_table
_OPEN = "status <> 'CLOSED'"
# Also in conversations that have ended: the one it was sent to first may have been closed
# before the browser sent it again.
_SENT_BEFORE = (
    "EXISTS (SELECT 1 FROM chat_message AS m JOIN chat_conversation AS c"
    " ON c.id = m.conversation_id"
    " WHERE c.uid = %s AND m.client_id = %s AND m.sender = 'CUSTOMER')"
)


def next_of_customer(
    uid: str, *, conversation_id: UUID | None, client_id: UUID | None, language: str
) -> Conversation | None:
    """Move the seq of a customer's conversation for a message of his, and lock it.

    A repeat that is on its way at this very moment is not seen here: the unique
    (conversation, client_id) refuses it.

    Args:
        conversation_id: None for the open one.
        language: The conversation's from now on; "" leaves it.

    Returns:
        None where there is no such conversation or it has ended, or the message was sent before.
    """
    which = "open_for = %s"
    params: list[object] = [uid]
    if conversation_id is not None:
        which, params = f"id = %s AND uid = %s AND {_OPEN}", [_uuid(conversation_id), uid]
    if client_id is not None:
        which, params = f"{which} AND NOT {_SENT_BEFORE}", [*params, uid, _uuid(client_id)]
    return _moved(which, params, language)


def next_of_answer(message_id: int) -> Conversation | None:
    """Move the seq of a message's conversation for the bot's answer, and lock it.

    Returns:
        None where an agent has the conversation, or it has ended.
    """
    which = (
        "id = (SELECT conversation_id FROM chat_message WHERE id = %s)"
        " AND status IN ('BOT', 'WAITING')"
    )
    return _moved(which, [message_id], "")


def _moved(which: str, params: list[object], language: str) -> Conversation | None:
    if connection.vendor == "mysql":  # which has no RETURNING
        return _moved_in_two(which, params, language)
    changes, values = "last_seq = last_seq + 1", []
    if language:
        changes, values = f"{changes}, language = %s", [language]
    moved = Conversation.objects.raw(
        f"UPDATE {_TABLE} SET {changes} WHERE {which} RETURNING *",  # noqa: S608  # ours alone
        [*values, *params],
    )
    return next(iter(moved), None)


def _moved_in_two(which: str, params: list[object], language: str) -> Conversation | None:
    found = Conversation.objects.raw(
        f"SELECT * FROM {_TABLE} WHERE {which} FOR UPDATE",  # noqa: S608
        params,
    )
    conversation = next(iter(found), None)
    if conversation is not None:
        conversation.last_seq += 1
        conversation.language = language or conversation.language
        conversation.save(update_fields=["last_seq", "language"])
    return conversation


def _uuid(value: UUID) -> object:
    return Conversation._meta.pk.get_db_prep_value(value, connection)
