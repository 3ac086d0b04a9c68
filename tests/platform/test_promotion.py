"""Promoting and rolling back while customers ask: nobody is refused, every process follows at once."""

import http.client
import json
import re
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from csplatform import embedded, parts
from tests.live_site import ROOT, Site, free_port, status_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Two quick models of the starter content, registered as a training does; neither answers yet.
MAKE = """
from django.conf import settings
from django.utils import timezone
from intents import encoder
from training import registry, utterances
from training.kept import Kept
from training.quick import train_quick
material = utterances.read(42)
kept = Kept.of_encoder(encoder.ensure())
for name in ("v1", "v2"):
    out = settings.MODEL_DIR / name
    report = train_quick(material.train, material.dev, encoder=encoder.ensure(), out=out, network=kept)
    registry.register(name=name, run_id=None, encoder="e", labels=material.labels, utterances=1,
        mode="quick", fingerprint="", size=1, fp32=report.fp32, int8=report.int8,
        scored=report.scored, now=timezone.now())
registry.activate(version_id=registry.ModelVersion.objects.get(name="v1").pk, now=timezone.now())
"""
TOKEN = """
from csplatform.models import ServiceToken, digest
secret = ServiceToken.new_secret()
ServiceToken.objects.create(name="load", digest=digest(secret))
print(secret)
"""
VISIBLE_S = 2.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, CHAT_ANSWER_TIMEOUT_S="2", CHAT_RATE="1000000/min")
    try:
        made.valkey.start()
        made.manage("prepare")
        made.ask(MAKE)
        made.start("web")
        yield made
    finally:
        made.close()


class Caller(threading.Thread):
    """Asks one process without a pause; keeps which version answered when, and what failed."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self._port, self._token = port, token
        self.seen: list[tuple[float, str]] = []
        self.failed: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        number = 0
        while not self.stopping.is_set():
            number += 1
            body = json.dumps({"texts": [f"我的快递 {number} 到哪了"]})
            try:
                connection.request("POST", "/api/classify", body, headers)
                answer = connection.getresponse()
                content = answer.read()
                (result,) = json.loads(content)["results"]
                if answer.status != 200 or result["source"] != "model":
                    self.failed.append(f"{answer.status} {content[:200]!r}")
                self.seen.append((time.monotonic(), result["model"]))
            except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
                self.failed.append(repr(error))
                connection.close()
            time.sleep(0.05)

    def answered_by(self, version: str, since: float) -> float | None:
        """Return how long after `since` the last answer of another version came."""
        others = [at for at, seen in self.seen if at > since and seen != version]
        if not any(at > since and seen == version for at, seen in self.seen):
            return None
        return max(others, default=since) - since


class Staff:
    """A member of staff in the admin of one process."""

    def __init__(self, url: str, username: str) -> None:
        self._url, self._jar = url, CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar)).open
        self.post("/admin/login/?next=/admin/", username=username, password=f"demo-{username}")

    def get(self, path: str) -> str:
        return str(self._open(f"{self._url}{path}", timeout=30).read().decode())

    def post(self, path: str, *, form_at: str = "", **fields: str) -> None:
        page = self.get(form_at or path)
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found, "no form"
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1], **fields}).encode()
        request = urllib.request.Request(f"{self._url}{path}", data, {"Referer": self._url})
        assert self._open(request, timeout=30).status == 200


def test_promote_and_roll_back_under_load(site: Site, tmp_path: Path) -> None:
    second = free_port()
    other = embedded.spawn(
        parts.web(host="127.0.0.1", port=second),
        log=tmp_path / "second.log",
        cwd=ROOT,
        env={**site.environment, "PORT": str(second)},
        die_with=signal.SIGKILL,
    )
    try:
        _promote_and_roll_back(site, second)
    finally:
        embedded.stop(other)


def _promote_and_roll_back(site: Site, second: int) -> None:
    token = site.ask(TOKEN)
    for port in (site.port, second):
        _await(lambda port=port: _model(port) == ("model", "v1"))
    primary_key = site.ask(
        "from training.models import ModelVersion;print(ModelVersion.objects.get(name='v2').pk)"
    )
    staff = Staff(site.url, "admin")
    callers = [Caller(port, token) for port in (site.port, second) for _ in range(2)]
    for caller in callers:
        caller.start()
    _await(lambda: all(caller.seen for caller in callers))

    base = "/admin/training/modelversion"
    staff.post(f"{base}/{primary_key}/activate/", form_at=f"{base}/{primary_key}/change/")
    promoted_at = time.monotonic()  # committed by now; what is visible earlier counts as at once
    _await(lambda: all(caller.seen[-1][1] == "v2" for caller in callers))
    all_promoted_at = time.monotonic()
    page = staff.get(f"{base}/roll-back/")
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    staff.post(f"{base}/roll-back/", version=found[1])
    rolled_back_at = time.monotonic()
    _await(lambda: all(caller.seen[-1][1] == "v1" for caller in callers))
    for caller in callers:
        caller.stopping.set()
        caller.join()

    assert [caller.failed for caller in callers] == [[]] * len(callers)
    for caller in callers:
        late = [
            at - promoted_at
            for at, version in caller.seen
            if promoted_at < at < all_promoted_at and version == "v1"
        ]
        assert max(late, default=0.0) < VISIBLE_S
        took_s = caller.answered_by("v1", rolled_back_at)
        assert took_s is not None
        assert took_s < VISIBLE_S
    log = site.ask(
        "from training.models import Activation;"
        "print([(a.version.name, a.by and a.by.username) for a in Activation.objects.order_by('pk')])"
    )
    assert log == "[('v1', None), ('v2', 'admin'), ('v1', 'admin')]"


def _model(port: int) -> tuple[str, str]:
    if not status_of(f"http://127.0.0.1:{port}/healthz"):
        return "", ""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
        model = json.loads(answer.read())["checks"]["model"]
    return model["source"], model["version"]


def _await(condition, within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            if condition():
                return
        except (OSError, urllib.error.HTTPError):
            pass  # not up yet
        assert time.monotonic() < deadline
        time.sleep(0.05)
