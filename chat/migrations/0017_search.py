"""Make the index for searching what was said (chat/inbox/search_index.py says why so)."""

from django.db import migrations

SQLITE = [
    # Without positions and without the texts themselves: those stand in chat_message.
    """
    CREATE VIRTUAL TABLE chat_message_search
    USING fts5(text, content='', detail='none', tokenize='trigram')
    """,
    "CREATE VIRTUAL TABLE chat_message_terms USING fts5vocab(chat_message_search, 'row')",
    "INSERT INTO chat_message_search(rowid, text) SELECT id, text || ' ' FROM chat_message",
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
]
SQLITE_BACK = [
    "DROP TRIGGER IF EXISTS chat_message_search_insert",
    "DROP TRIGGER IF EXISTS chat_message_search_delete",
    "DROP TRIGGER IF EXISTS chat_message_search_update",
    "DROP TABLE chat_message_terms",
    "DROP TABLE chat_message_search",
]
POSTGRESQL = [
    # By array, not by substr(): that counts characters from the beginning each time.
    """
    CREATE FUNCTION chat_pairs(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT coalesce(array_agg(DISTINCT pair), ARRAY[]::text[]) FROM (
            SELECT one || lead(one) OVER (ORDER BY place) AS pair
            FROM unnest(string_to_array(lower(words), NULL)) WITH ORDINALITY AS t(one, place)
        ) AS pairs WHERE pair IS NOT NULL
    $$
    """,
    "CREATE INDEX chat_message_search ON chat_message USING gin (chat_pairs(text))",
]
POSTGRESQL_BACK = ["DROP INDEX chat_message_search", "DROP FUNCTION chat_pairs(text)"]


def run(schema_editor, sqlite, postgresql):
    vendor = schema_editor.connection.vendor
    for statement in {"sqlite": sqlite, "postgresql": postgresql}.get(vendor, []):
        schema_editor.execute(statement)


def make(apps, schema_editor):
    run(schema_editor, SQLITE, POSTGRESQL)


def drop(apps, schema_editor):
    run(schema_editor, SQLITE_BACK, POSTGRESQL_BACK)


class Migration(migrations.Migration):
    dependencies = [("chat", "0016_attachments")]
    operations = [migrations.RunPython(make, drop)]
