"""The review inbox in a browser: decided by keyboard, undone, and a new intent made of a cluster."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_admin import sign_in
from tests.live_site import Site

INBOX = "/admin/intents/reviewcandidate/inbox/"
FILL = """
from django.utils import timezone
from intents.models import ReviewCluster, ReviewItem
from intents.review import clusters
now = timezone.now()
one = ReviewCluster.objects.create(encoder="e", total=b"", members=3, changed_at=now)
for place, text in enumerate({texts!r}):
    ReviewItem.objects.create(key=text, text=text, language="zh", messages=9 - place,
        handed_over=3, priority=10**9 - place, reasons={{"asked_back": 2}}, first_at=now,
        last_at=now, ranked=[["invoice", 0.41], ["coupon", 0.3]], cluster=one, typicality=1)
clusters.count_again([one.pk])
"""


@pytest.fixture
def mark() -> str:
    return uuid4().hex[:6]


@pytest.fixture
def sentences(live_site: Site, mark: str) -> list[str]:
    texts = [f"能用花呗分期吗{mark}", f"花呗可以分期付款吗{mark}", f"支持分期吗{mark}"]
    live_site.manage("shell", "-c", FILL.format(texts=texts))
    return texts


def test_a_reviewer_decides_with_the_keyboard_and_a_cluster_becomes_an_intent(
    open_page: Callable[..., Page], sentences: list[str], mark: str
) -> None:
    page = sign_in(open_page(), "editor")
    page.goto(INBOX)
    sentence, status = page.locator("[data-text]"), page.locator("[data-status]")
    expect(sentence).to_have_text(sentences[0])

    # What other intents have that says much the same stands beside it.
    expect(page.locator("[data-hint-list] > *").first).to_be_visible()

    page.keyboard.press("a")
    expect(sentence).to_have_text(sentences[1])
    page.keyboard.press("z")
    expect(sentence).to_have_text(sentences[0])

    # Found by the first letters of the pinyin: 发票.
    page.keyboard.press("m")
    page.keyboard.type("fp")
    page.keyboard.press("Enter")
    expect(sentence).to_have_text(sentences[1])
    page.keyboard.press("z")
    expect(sentence).to_have_text(sentences[0])

    page.locator(".ri-cluster", has_text=mark).locator("summary").click()
    cluster = page.locator(".ri-cluster[open]")
    expect(cluster.locator("[data-members] input")).to_have_count(3)
    cluster.locator("[data-cluster-do=new]").click()
    page.fill("#ri-name-zh", f"分期{mark}")
    page.fill("#ri-name-en", f"Instalments {mark}")
    expect(page.locator("#ri-code")).to_have_value(f"instalments_{mark}")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(status).to_contain_text(f"分期{mark}")
    expect(page.locator(".ri-cluster", has_text=mark)).to_have_count(0)

    page.locator("[data-do=undo]").click()
    expect(sentence).to_have_text(sentences[0])


def test_it_fits_a_phone(open_page: Callable[..., Page], phone: Page, sentences: list[str]) -> None:
    sign_in(phone, "reviewer").goto(INBOX)
    expect(phone.locator("[data-text]")).not_to_be_empty()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
