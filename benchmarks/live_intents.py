"""Saves new intents in the admin, and times until each web process answers them over a WebSocket.

    python -m benchmarks.live_intents [--model-dir var/models] [--json OUT]

A site of its own with two web processes on one database: the starter content, whose model serves
where one is named, and messages of real customers out of public sets, together 300 intents, none of which the model
has learnt. Then new intents are saved one after the other, each with eight utterances and a
reply, on the page that staff use. From the moment when the form is sent, customers with sockets on
both processes ask one of its utterances in other words (so that no stored sentence answers), until
the reply of the new intent comes, or the bot asks back and names it first (a sentence that an older
intent claims, too: "asked back"). Reported: seconds until both processes have answered so, and what was
said last to those who were not.
"""

import argparse
import csv
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import numpy as np
from websockets.sync.client import connect

from benchmarks import processes
from benchmarks.site import Site, Web

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = ("intent_zh_jddc", "intent_zh_massive", "intent_en_banking77", "intent_en_bitext")
INTENTS, UTTERANCES_MOST = 300, 40  # together, and of each
ADDED_UTTERANCES = 8
ASK_EVERY_S, GIVE_UP_S = 0.2, 20.0
COMPLETE_S = 600.0


def main() -> None:
    options = _options()
    if options.fill:
        _fill(json.loads(options.fill.read_text(encoding="utf-8")))
        return
    there, new = _intents(options.intents, options.saves)
    with tempfile.TemporaryDirectory(prefix="csplatform-live-") as folder:
        models = options.model_dir or Path(folder) / "models"
        site = _LiveSite(Path(folder), models, Path(folder))
        site.content = there
        try:
            site.prepare()
            result = _measure(site, new)
        finally:
            site.close()
    result |= {"intents": options.intents, "utterances": sum(map(len, there.values()))}
    for name, value in result.items():
        print(f"{name:>24}  {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _measure(site: "_LiveSite", new: dict[str, list[str]]) -> dict[str, Any]:
    session = site.token
    webs = [Web(site, 1), Web(site, 1)]
    try:
        for web in webs:
            _await_complete(web)
        seconds, saves, missed, asked_back = [], [], [], 0
        for number, (name, texts) in enumerate(new.items()):
            code, reply = f"added_{number}", f"这是“{name}”的回复。"
            asked = f"请问{texts[0]}谢谢"
            began = time.monotonic()
            askers = [
                _Asker(web, asked, name, reply, began)
                for web in webs  # they ask before it is there, too
            ]
            _save(webs[number % 2], session, code, name, texts, reply)
            saves.append(time.monotonic() - began)
            for asker in askers:
                asker.join()
            answered = [asker.answered_s for asker in askers]
            if None in answered:
                missed.append({"asked": asked, "said": [asker.said for asker in askers]})
            else:
                asked_back += any(asker.said != reply for asker in askers)
                seconds.append(max(second for second in answered if second is not None))
        memory = [processes.usage([web.pids[0]]).rss_mb for web in webs]
    finally:
        for web in webs:
            web.stop()
    return {
        "saves": len(new),
        "asked_back": asked_back,
        "never_answered": missed,
        "save_s_p50": round(float(np.percentile(saves, 50)), 2),
        "live_s_p50": round(float(np.percentile(seconds, 50)), 2) if seconds else None,
        "live_s_p95": round(float(np.percentile(seconds, 95)), 2) if seconds else None,
        "live_s_max": round(max(seconds), 2) if seconds else None,
        "web_rss_mb": [round(each) for each in memory],
    }


class _Asker(threading.Thread):
    """One visitor after the other asks the same of one web process until the reply is right."""

    def __init__(self, web: Web, text: str, name: str, reply: str, began: float) -> None:
        super().__init__(daemon=True)
        self._web, self._text, self._began = web, text, began
        self._name, self._reply = name, reply
        self.answered_s: float | None = None
        self.said = ""  # the latest answer: which intent has the text, if not the new one
        self.start()

    def run(self) -> None:
        while time.monotonic() < self._began + GIVE_UP_S:
            asked_at = time.monotonic()
            self.said, offered = self._ask()
            if self.said == self._reply or offered == self._name:
                self.answered_s = time.monotonic() - self._began
                return
            time.sleep(max(0.0, asked_at + ASK_EVERY_S - time.monotonic()))

    def _ask(self) -> tuple[str, str]:
        """Return the bot's answer to a new visitor, and what its first button says."""
        [token] = self._web.visitors(1)
        url = f"ws://127.0.0.1:{self._web.port}/ws/chat/"
        with connect(url, origin=self._web.url, open_timeout=10) as socket:  # type: ignore[arg-type]
            hello = {"type": "hello", "token": token, "conversation": None, "after": 0}
            socket.send(json.dumps({**hello, "language": "zh"}))
            socket.send(
                json.dumps({"type": "message", "client_id": str(uuid4()), "text": self._text})
            )
            while True:
                frame = json.loads(socket.recv(timeout=10))
                for message in frame.get("messages", ()):
                    if message["sender"] == "BOT":
                        buttons = message["buttons"]
                        return str(message["text"]), buttons[0]["label"] if buttons else ""


class _Form(HTMLParser):
    """The fields of a page's forms as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        kind = found.get("type")
        if tag == "input" and name and kind not in ("submit", "file", "radio"):
            if kind != "checkbox":
                self.fields.setdefault(name, value)
            elif "checked" in found:
                self.fields[name] = value or "on"
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in found:
            self.fields[self._select] = value


def _save(web: Web, session: str, code: str, name: str, texts: list[str], reply: str) -> None:
    """Fill in and send the admin's page of a new intent."""
    path = "/admin/intents/intent/add/"
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
    page = connection.getresponse()
    cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
    fields = _Form(page.read().decode()).fields | {
        "code": code,
        "name_zh": name,
        "name_en": code,
        "is_active": "on",
        "new_utterances": "\n".join(texts),
        "replies-TOTAL_FORMS": "1",
        "replies-0-language": "zh",
        "replies-0-text": reply,
        "replies-0-is_active": "on",
    }
    headers = {
        "Cookie": f"sessionid={session}; {cookie}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": web.url,
        "Referer": web.url + path,
    }
    connection.request("POST", path, urlencode(fields), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != 302:
        raise RuntimeError(f"the intent was not saved ({answer.status}): {body[:3000]}")


def _await_complete(web: Web) -> None:
    """Wait until every utterance is compared with, and the process has come to rest."""
    deadline = time.monotonic() + COMPLETE_S
    while True:
        model = json.loads(web.get("/readyz"))["checks"]["model"]
        if model["state"] in ("ready", "fallback"):
            break
        if model["state"] == "broken" or time.monotonic() > deadline:
            raise RuntimeError(f"nothing answers: {model}")
        time.sleep(0.5)
    idle_since, before = time.monotonic(), processes.usage([web.pids[0]]).cpu_s
    while time.monotonic() < idle_since + 5:
        time.sleep(0.5)
        now = processes.usage([web.pids[0]]).cpu_s
        if now - before > 0.15:
            idle_since = time.monotonic()
        before = now


class _LiveSite(Site):
    """A site with the intents of several public sets beside the starter's."""

    content: dict[str, list[str]]

    def prepare(self) -> None:
        self.valkey.start()
        self._run("manage.py", "migrate", "--verbosity", "0")
        path = self.directory / "intents.json"
        path.write_text(json.dumps(self.content), encoding="utf-8")
        self.token = self._run("-m", "benchmarks.live_intents", "--fill", str(path))


def _fill(content: dict[str, list[str]]) -> None:
    """Write the content in the site's own process; print the session key of an administrator."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import transaction

    from intents import services
    from intents.models import Intent

    with transaction.atomic():
        services.load_starter()
        rows = []
        for number, (name, texts) in enumerate(content.items()):
            code = f"public_{number}"
            services.save_intent(Intent(code=code, name_zh=name[:40], name_en=code))
            rows += [{"intent": code, "text": text} for text in texts]
        report = services.import_utterances(rows)
        # The same sentence in two sets: the table is refused as a whole.
        kept = [
            row
            for row, told in zip(rows, report, strict=True)
            if told.outcome != services.Outcome.WRONG
        ]
        if len(kept) < len(rows):
            services.import_utterances(kept)
    user = User.objects.create_superuser("benchmark", password=uuid4().hex)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    print(session.session_key)


def _intents(count: int, saves: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the intents that are there, beside the starter's, and those that are added."""
    starter = 18
    found: dict[str, list[str]] = defaultdict(list)
    seen: set[str] = set()
    for name in SETS:
        with (DATA / name / "train.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                text = row["text"].strip()
                if text not in seen and len(text) < 200:
                    seen.add(text)
                    found[f"{name[7:]} {row['label']}"].append(text)
    new = {
        name: found.pop(name)[:ADDED_UTTERANCES]
        for name in [name for name in found if name.startswith("zh_jddc")][:saves]
    }
    there: dict[str, list[str]] = {}
    turn = 0
    while len(there) < count - starter:  # what large intents have left over is one more
        for name, texts in found.items():
            part = texts[turn * UTTERANCES_MOST : (turn + 1) * UTTERANCES_MOST]
            if len(part) >= ADDED_UTTERANCES and len(there) < count - starter:
                there[f"{name} {turn + 1}"] = part
        turn += 1
    return there, new


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-dir", type=Path, help="with a model of the starter content")
    parser.add_argument("--intents", type=int, default=INTENTS)
    parser.add_argument("--saves", type=int, default=20, help="new intents, one after the other")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
