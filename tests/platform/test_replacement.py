"""A process whose model hangs twice, with a real web process under a real supervisor."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live_site import Site, copy_of, status_of
from tests.platform.processes import Marked, eventually

SUPERVISE = """
import sys
from pathlib import Path
import django
django.setup()
from csplatform.supervisor import Part, Supervisor
web = (
    "from csplatform import web; web.APPLICATION = 'tests.platform.hanging:application'; web.main()"
)
command = [sys.executable, "-c", web, "--port", sys.argv[2]]
show = lambda line: print(line, flush=True)
supervisor = Supervisor([Part("web", command, stops=0)], log_dir=Path(sys.argv[1]), show=show)
sys.exit(supervisor.run(lambda: show("READY")))
"""
HANG_S = 0.3
HANG = "卡住"


class Customer:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._token = self._post("/api/login", {})["token"]

    def says(self, text: str) -> dict[str, Any]:
        """Return the reply."""
        return self._post("/api/chat", {"text": text})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if path != "/api/login":
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(
            self._site.url + path, json.dumps(body).encode(), headers=headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))


def model_of(site: Site) -> dict[str, Any]:
    with urllib.request.urlopen(f"{site.url}/readyz", timeout=5) as answer:
        return dict(json.load(answer)["checks"]["model"])


def is_ready(site: Site) -> bool:
    return status_of(f"{site.url}/healthz") == 200 and model_of(site)["state"] == "ready"


@pytest.fixture
def site(prepared_site: Site) -> Iterator[Site]:
    settings = {"INTENTS_HANG_S": str(HANG_S), "CHAT_ANSWER_TIMEOUT_S": "1", "HANG_ON": HANG}
    with copy_of(prepared_site, **settings) as made:
        yield made


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Iterator[Marked]:
    command = [sys.executable, "-c", SUPERVISE, str(tmp_path / "log"), str(site.port)]
    supervised = Marked(command, directory=tmp_path, output=tmp_path / "output", **site.environment)
    yield supervised
    supervised.end()


def test_a_model_that_hangs_twice_has_its_process_replaced_and_everybody_is_answered(
    site: Site, run: Marked
):
    assert eventually(lambda: is_ready(site), 60), run.text
    (first,) = run.living()
    customer = Customer(site)
    assert customer.says("第一个问题")["reply"]

    # Once: whoever asked is answered without the model, and a fresh one takes over.
    assert customer.says(f"{HANG} 一次")["reply"]
    assert eventually(lambda: model_of(site)["source"] == "model")
    assert customer.says("第二个问题")["reply"]
    assert set(run.living()) == {first}

    # Twice: it says that it is unfit, answers by keywords, and makes room.
    assert customer.says(f"{HANG} 又一次")["reply"]
    assert eventually(lambda: status_of(f"{site.url}/healthz") in (503, 0))
    assert run.says("web 已让位并重新启动。")
    assert eventually(lambda: is_ready(site), 60)

    (second,) = run.living()
    assert second != first
    assert customer.says("第三个问题")["reply"]
    assert "crashed" not in run.text
    waiting = (
        "from chat.models import Message;print(Message.objects.filter(awaits_answer=True).count())"
    )
    assert site.ask(waiting) == "0"
