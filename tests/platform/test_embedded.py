"""The embedded servers come up, answer, and go."""

from pathlib import Path

import psycopg
import redis

from csplatform import embedded


def test_valkey_answers_and_leaves_no_socket(tmp_path: Path):
    server = embedded.Valkey(socket=tmp_path / "v.sock", directory=tmp_path / "data")
    server.start()
    client = redis.Redis(unix_socket_path=str(server.socket))

    assert client.set("问", "答")
    policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    server.stop()

    assert policy == "noeviction"
    assert server.process.returncode == 0
    assert not server.socket.exists()


def test_postgres_stores_chinese(tmp_path: Path):
    server = embedded.Postgres(tmp_path / "pg")
    server.start()
    try:
        with psycopg.connect(
            host=str(server.directory), user=server.USER, dbname="postgres"
        ) as connection:
            assert connection.execute("select '价格保护'::text").fetchone() == ("价格保护",)
    finally:
        server.stop()
