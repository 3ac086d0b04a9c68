"""The customer's side of a visit: read marks, thumbs, its end, the rating and what he keeps."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_customer_page import BOT, OWN, ready, write
from tests.browser.test_workspace import action, calling, sign_in


def taken(customer: Page, desk: Page) -> Page:
    """Have an agent take the customer's conversation over."""
    sign_in(desk, "agent")
    which = customer.evaluate("document.querySelector('cs-chat').state.timeline.conversation")
    desk.goto(f"/workspace/#{which}")
    expect(action(desk, "availability")).to_be_enabled()  # connected
    action(desk, "take").click()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "AGENT")
    return desk


def menu(page: Page, name: str) -> None:
    page.locator("[data-part=menu] summary").click()
    page.locator(f"[data-part={name}]").click()


def test_two_ticks_say_that_an_agent_has_read_and_agents_see_that_too(
    page: Page, open_page: Callable[..., Page]
) -> None:
    calling(page, "我的耳机到哪了")
    desk = taken(page, open_page())

    write(page, "订单还没有发货")
    expect(page.locator(OWN).last).to_have_attribute("data-read", "")
    write(desk, "马上帮您看")

    expect(desk.locator(OWN).last).to_have_attribute("data-read", "")


def test_an_answer_gets_thumbs_and_a_conversation_its_stars_in_all_windows(page: Page) -> None:
    ready(page)
    write(page, "怎么开发票")
    expect(page.locator(BOT)).to_have_count(1)
    other = page.context.new_page()
    other.goto("/")
    expect(other.locator(BOT)).to_have_count(1)

    page.locator(BOT).locator("[data-part=DOWN]").click()
    page.locator("[data-reason=OUTDATED]").click()
    expect(other.locator(BOT).locator("[data-part=DOWN]")).to_have_attribute("aria-pressed", "true")
    menu(page, "end")
    for window in (page, other):
        expect(window.locator("cs-chat")).to_have_attribute("data-status", "CLOSED")
        expect(window.locator("[data-part=rating]")).to_be_visible()
    stars = page.get_by_role("radio")
    expect(stars).to_have_count(5)
    stars.first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    for window in (page, other):
        expect(window.locator("[data-part=rating-thanks]")).to_contain_text("4")
    expect(page.locator("[data-part=rating-change]")).to_be_focused()
    page.locator("[data-part=anew]").click()
    expect(page.locator(".suggestions")).to_be_visible()
    write(page, "还有一个问题？")
    expect(page.locator(BOT)).to_have_count(2)
    expect(other.locator(OWN)).to_have_count(2)


def test_who_was_away_when_it_ended_is_asked_once(page: Page) -> None:
    ready(page)
    write(page, "怎么开发票")
    expect(page.locator(BOT)).to_have_count(1)
    menu(page, "end")
    expect(page.locator("[data-part=rating]")).to_be_visible()

    page.reload()

    expect(page.locator("[data-part=rating]")).to_be_visible()
    expect(page.locator(OWN)).to_contain_text("怎么开发票")
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.locator("[data-part=rating-later]").click()
    expect(page.locator("[data-part=rating]")).to_be_hidden()
    page.reload()
    expect(page.locator(".suggestions")).to_be_visible()
    expect(page.locator("[data-part=rating]")).to_be_hidden()


def test_a_conversation_can_be_kept(page: Page) -> None:
    ready(page)
    write(page, "怎么开发票")
    expect(page.locator(BOT)).to_have_count(1)

    with page.expect_download() as saving:
        menu(page, "transcript-txt")

    text = saving.value.path().read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert "怎么开发票" in text.decode("utf-8-sig")
    assert saving.value.suggested_filename.endswith(".txt")


def test_with_an_agent_ending_is_asked_once_more_also_on_a_phone(
    open_page: Callable[..., Page],
) -> None:
    phone = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    calling(phone, "我的耳机到哪了")
    taken(phone, open_page())

    menu(phone, "end")
    phone.locator("[data-part=end-dialog] [value=no]").click()
    expect(phone.locator("cs-chat")).to_have_attribute("data-status", "AGENT")
    menu(phone, "end")
    phone.locator("[data-part=end-dialog] [value=yes]").click()

    expect(phone.locator("[data-part=rating]")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
