"""Trying and judging: the test bench, and a replay's answers by keyboard."""

from playwright.sync_api import Page, expect

from tests.live_site import Site

CHANGES = """
from django.utils import timezone
from training.models import ChangedAnswer, Comparison
comparison = Comparison.objects.create(
    kind="REPLAY", before="active", after="draft:1", before_name="线上", after_name="草稿",
    status="DONE", texts=9, read_texts=9, turns=20, changed_texts=2, changed_turns=8,
    since=timezone.now(), until=timezone.now())
for number, (text, times) in enumerate([("包裹到哪个站了", 7), ("发票能补吗", 1)]):
    ChangedAnswer.objects.create(
        comparison=comparison, number=number, text=text, times=times, language="zh",
        origin="CUSTOMER", intent_before="coupon", intent_after="logistics",
        decision_before="ANSWER", decision_after="ANSWER", replies_before=["旧"],
        replies_after=["新"], intent_differs=True, reply_differs=True)
print(comparison.pk)
"""


def sign_in(page: Page, username: str) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", f"demo-{username}")
    page.press("[name=password]", "Enter")
    expect(page).to_have_url("/admin/")


def test_a_sentence_is_tried_and_kept(any_page: Page) -> None:
    sign_in(any_page, "editor")
    any_page.goto("/admin/chat/conversation/bench/")
    any_page.fill("[name=text]", "开发票")
    # On a new site the utterances may still have to be embedded.
    any_page.locator("form.cs-panel button[type=submit]").click(no_wait_after=True)
    column = any_page.locator(".cs-columns > section")
    expect(column).to_have_count(1, timeout=60_000)
    expect(column.locator(".cs-bubble").first).not_to_be_empty()
    any_page.wait_for_load_state()  # else the button may be pressed before htmx has it
    column.locator("form button").click()
    expect(column.locator("[role=status]")).to_be_visible()
    width = any_page.evaluate("document.documentElement.scrollWidth")
    assert width <= any_page.viewport_size["width"]


def test_changed_answers_are_judged_by_keyboard(page: Page, live_site: Site) -> None:
    comparison = live_site.ask(CHANGES)
    sign_in(page, "reviewer")
    page.goto(f"/admin/training/comparison/{comparison}/change/")
    first, second = page.locator("li.cs-answer").first, page.locator("li.cs-answer").nth(1)
    page.keyboard.press("r")
    expect(first).to_have_attribute("data-verdict", "OPEN")  # no answer had the focus
    first.focus()
    page.keyboard.press("a")
    expect(first).to_have_attribute("data-verdict", "ACCEPTED")
    expect(second).to_be_focused()
    page.keyboard.press("r")
    expect(second).to_have_attribute("data-verdict", "REJECTED")
    expect(second).to_be_focused()
    page.keyboard.press("u")
    expect(second).to_have_attribute("data-verdict", "OPEN")
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
