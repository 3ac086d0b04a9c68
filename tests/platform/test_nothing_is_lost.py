"""kill -9 of the web process between a customer's message and its answer."""

import contextlib
import json
import sqlite3
import threading
import time
import urllib.request
from uuid import uuid4

from websockets.sync.client import connect

from tests.live_site import Site, copy_of

VISITORS = 12
ROUNDS = 5
# What a customer is promised: so long after the restart his answer is there.
PROMISED_S = 10.0


def _token(running: Site) -> str:
    request = urllib.request.Request(
        f"{running.url}/api/login", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["token"]


def _post_until_killed(running: Site, token: str, accepted: list[str], first: threading.Event):
    """Send one message and note its client_id if it was acknowledged before the end."""
    client_id = str(uuid4())
    with (
        contextlib.suppress(Exception),
        connect(
            f"ws://127.0.0.1:{running.port}/ws/chat/", origin=running.url, open_timeout=10
        ) as socket,
    ):
        socket.send(json.dumps({"type": "hello", "token": token, "conversation": None, "after": 0}))
        socket.recv(timeout=10)
        socket.send(
            json.dumps({"type": "message", "client_id": client_id, "text": "我的包裹到哪里了"})
        )
        while True:
            frame = json.loads(socket.recv(timeout=10))
            if frame["type"] == "accepted":
                accepted.append(client_id)
                first.set()


def _rows(running: Site, query: str) -> list[tuple]:
    with contextlib.closing(
        sqlite3.connect(running.directory / "db.sqlite3", timeout=10)
    ) as database:
        return database.execute(query).fetchall()


def test_a_message_stored_before_kill_9_is_answered_once_after_the_restart(prepared_site: Site):
    with copy_of(prepared_site) as running, running.running("web", "worker", "beat"):
        caught_unanswered = False
        acknowledged: set[str] = set()
        for _ in range(ROUNDS):
            tokens = [_token(running) for _ in range(VISITORS)]
            accepted: list[str] = []
            first = threading.Event()
            customers = [
                threading.Thread(target=_post_until_killed, args=(running, token, accepted, first))
                for token in tokens
            ]
            for customer in customers:
                customer.start()
            assert first.wait(30)

            running.kill("web")

            waiting = _rows(running, "SELECT count(*) FROM chat_message WHERE awaits_answer")
            caught_unanswered = caught_unanswered or waiting[0][0] > 0
            running.start("web")
            deadline = time.monotonic() + PROMISED_S
            for customer in customers:
                customer.join()
            acknowledged |= set(accepted)
            while time.monotonic() < deadline and _rows(
                running, "SELECT id FROM chat_message WHERE awaits_answer"
            ):
                time.sleep(0.1)
            assert not _rows(running, "SELECT id FROM chat_message WHERE awaits_answer")
            if caught_unanswered:
                break
        assert caught_unanswered, "the process was never killed between message and answer"

        answered = dict(
            _rows(
                running,
                "SELECT asked.client_id, count(answer.id) FROM chat_message asked"
                " LEFT JOIN chat_message answer ON answer.answers_id = asked.id"
                " WHERE asked.sender = 'CUSTOMER' GROUP BY asked.id",
            )
        )
        stored = {client_id.replace("-", "") for client_id in acknowledged}
        assert stored <= {str(client_id).replace("-", "") for client_id in answered}
        assert set(answered.values()) == {1}


def test_what_is_logged_a_moment_later_is_written_before_a_process_ends(prepared_site: Site):
    with copy_of(prepared_site) as running:
        running.start("web")
        request = urllib.request.Request(
            f"{running.url}/api/chat",
            json.dumps({"text": "我的包裹到哪里了"}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {_token(running)}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200

        running.stop("web")

        logged = _rows(
            running,
            "SELECT record.outcome, message.text FROM intents_predictionrecord record"
            " JOIN chat_message message ON message.id = record.message",
        )
        assert len(logged) == 1
        assert logged[0][1] == "我的包裹到哪里了"
