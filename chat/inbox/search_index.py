"""The index of what was said, for parts of text of any language: made by a migration, per database.

- SQLite: an FTS5 table of all triples of characters, kept by triggers. Of two characters, the
  triples that begin with them are looked up first; a blank behind each text makes it that none
  is without.
- PostgreSQL: a GIN index over all pairs of characters. pg_trgm would need an extension and a
  locale that knows Chinese, and cannot look up two characters.
- Elsewhere: none; the newest lines are read.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from chat.models import Message

# Where there is no index, or it would not help: so many of the newest lines are read.
READ_MOST = 200_000
# Two characters before so many different ones are said so often that reading finds them.
_TRIPLES_MOST = 400

_TRIGGERS = (
    """
    CREATE TRIGGER IF NOT EXISTS chat_message_search_insert AFTER INSERT ON chat_message BEGIN
        INSERT INTO chat_message_search(rowid, text) VALUES (new.id, new.text || ' ');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS chat_message_search_delete AFTER DELETE ON chat_message BEGIN
        INSERT INTO chat_message_search(chat_message_search, rowid, text)
        VALUES ('delete', old.id, old.text || ' ');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS chat_message_search_update
    AFTER UPDATE OF text ON chat_message BEGIN
        INSERT INTO chat_message_search(chat_message_search, rowid, text)
        VALUES ('delete', old.id, old.text || ' ');
        INSERT INTO chat_message_search(rowid, text) VALUES (new.id, new.text || ' ');
    END
    """,
)


def keep_triggers(database: BaseDatabaseWrapper) -> None:
    """Make the triggers again that SQLite drops with a table when a migration makes it anew."""
    if database.vendor != "sqlite":
        return
    tables = database.introspection.table_names()
    if "chat_message_search" in tables and "chat_message" in tables:
        with database.cursor() as cursor:
            for statement in _TRIGGERS:
                cursor.execute(statement)


def find(words: Sequence[str], *, upto: int, most: int) -> list[int]:
    """Return the primary keys of the newest lines that have all words in them.

    On SQLite also some that only have all their parts: the caller looks again.

    Args:
        words: At least one has two characters.
        upto: The newest line that is looked at.
        most: So many at most.
    """
    if connection.vendor == "sqlite":
        try:
            matching = _matching(words)
        except _Nowhere:
            return []
        if matching:
            like = _like("chat_message.text LIKE", words)
            return _ids(_SQLITE.format(like=like), [matching, upto, *_liked(words), most])
    elif connection.vendor == "postgresql":
        wanted = [word for word in words if len(word) > 1]
        has = " AND ".join("chat_pairs(text) @> chat_pairs(%s)" for _word in wanted)
        return _ids(
            _POSTGRESQL.format(has=has, like=_like("text ILIKE", words)),
            [*wanted, upto, *_liked(words), most],
        )
    lines = Message.objects.filter(pk__lte=upto, pk__gt=upto - READ_MOST)
    for word in words:
        lines = lines.filter(text__icontains=word)
    return list(lines.order_by("-pk").values_list("pk", flat=True)[:most])


_SQLITE = """
SELECT chat_message.id FROM chat_message_search JOIN chat_message ON chat_message.id = chat_message_search.rowid
WHERE chat_message_search MATCH %s AND chat_message_search.rowid <= %s AND {like}
ORDER BY chat_message_search.rowid DESC LIMIT %s
"""
# Materialised, so that it goes along the index of pairs, and not through all lines by number.
_POSTGRESQL = """
WITH found AS MATERIALIZED (SELECT id, text FROM chat_message WHERE {has} AND id <= %s)
SELECT id FROM found WHERE {like} ORDER BY id DESC LIMIT %s
"""


class _Nowhere(Exception):
    """Two characters of the words stand in no text."""


def _matching(words: Sequence[str]) -> str:
    """Return the FTS5 query for texts with all parts of the words; "": better read."""
    parts = []
    for word in words:
        if len(word) == 1:
            continue
        if len(word) > 2:
            parts += [_quoted(word[at : at + 3]) for at in range(len(word) - 2)]
            continue
        # The index is without case, as its terms are: the two characters are in small letters.
        begins = word.lower()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT term FROM chat_message_terms WHERE term >= %s AND term < %s LIMIT %s",
                [begins, begins + "\U0010ffff", _TRIPLES_MOST + 1],
            )
            triples = [row[0] for row in cursor.fetchall()]
        if len(triples) > _TRIPLES_MOST:
            return ""
        if not triples:
            raise _Nowhere
        parts.append(f"({' OR '.join(map(_quoted, triples))})")
    return " AND ".join(parts)


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _like(condition: str, words: Sequence[str]) -> str:
    return " AND ".join(f"{condition} %s ESCAPE '\\'" for _word in words)


def _liked(words: Sequence[str]) -> list[str]:
    return [
        "%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        for word in words
    ]


def _ids(statement: str, parameters: Sequence[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]
