"""The real worker, killed, and the real broker, emptied: no long text is lost and none is doubled."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live_site import Site, site

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]
TEXTS = 12
TEXT = "我上周五买了一个保温杯，订单号是CS20261120%03d，到现在还卡在海关，太让人失望了。" * 14
READY_S = 600.0


@pytest.fixture
def shop() -> Iterator[Site]:
    with site(ANALYSIS_LEASE_S="4", WEBHOOK_ALLOWED_NETWORKS="127.0.0.1/32") as made:
        yield made


def post(shop: Site, path: str, body: dict[str, Any], token: str = "") -> Any:
    request = urllib.request.Request(
        f"{shop.url}{path}",
        json.dumps(body).encode(),
        {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def state(shop: Site) -> dict[str, int]:
    found: dict[str, int] = json.loads(
        shop.ask(
            "import json\n"
            "from django.db.models import Count\n"
            "from training.models import TextAnalysis\n"
            "from chat.models import WebhookEvent\n"
            "rows = TextAnalysis.objects.values_list('status').annotate(Count('pk'))\n"
            "told = WebhookEvent.objects.filter(kind='message.analysed').count()\n"
            "print(json.dumps({**dict(rows), 'told': told}))"
        ).splitlines()[-1]
    )
    return found


def await_state(shop: Site, is_enough: Any) -> dict[str, int]:
    deadline = time.monotonic() + READY_S
    while not is_enough(found := state(shop)):
        assert time.monotonic() < deadline, (found, shop.log("analyst").read_text()[-3000:])
    return found


def test_killed_twice_and_the_queue_lost_every_text_is_read_once(shop: Site):
    shop.ask(
        "from django.utils import timezone\n"
        "from chat import webhooks\n"
        "webhooks.create(name='erp', url='https://shop.example/', kinds=['message.analysed'],"
        " created_by_id=None, now=timezone.now())"
    )
    for number in range(TEXTS):
        token = post(shop, "/api/login", {})["token"]
        post(shop, "/api/chat", {"text": TEXT.replace("%03d", f"{number:03}")}, token)
    # Nobody was there, and the broker forgets what it was told.
    shop.valkey.stop()
    shop.valkey.start()

    with shop.running("worker", "beat", "analyst"):
        await_state(shop, lambda found: found.get("RUNNING") or found.get("DONE"))
        shop.kill("analyst")
        shop.start("analyst")
        await_state(shop, lambda found: found.get("DONE", 0) >= 2)
        shop.kill("analyst")
        shop.start("analyst")
        found = await_state(shop, lambda found: found.get("DONE", 0) == TEXTS)

    assert found == {"DONE": TEXTS, "told": TEXTS}
