"""The widget in a page of another origin, whose own policy is as strict as one can be."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import PHONE, Complaints
from tests.browser.shop import Shop, open_shop
from tests.browser.test_outbox import KEPT, NO_NETWORK
from tests.browser.test_workspace import action, sign_in
from tests.live_site import Site

OWN = ".row[data-own]"
BOT = ".log .row[data-sender=BOT]"
SIGNED = ("uid", "signature", "expires", "name")


@pytest.fixture(scope="module")
def shop(live_site: Site) -> Iterator[Shop]:
    with open_shop(live_site.url, live_site.shop_port) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _shop_is_no_stranger(complaints: Complaints, shop: Shop) -> None:
    complaints.allow(f"calls out: http://127.0.0.1:{shop.port}")
    complaints.allow(f"calls out: http://localhost:{shop.port}")


def opened(page: Page) -> FrameLocator:
    page.locator("#customer-service .launcher").click()
    return chat_of(page)


def chat_of(page: Page) -> FrameLocator:
    frame = page.frame_locator("#customer-service iframe")
    expect(frame.locator("cs-chat")).to_have_attribute("data-connection", "open")
    return frame


def write(frame: FrameLocator, text: str) -> None:
    frame.get_by_role("textbox").fill(text)
    frame.get_by_role("textbox").press("Enter")


def demo_customer(page: Page, number: int = 0) -> tuple[dict[str, str], str]:
    """Return the attributes that the demo shop's server signs a customer with, and his order."""
    page.goto("/demo-shop/")
    page.locator(".person").nth(number).click()
    tag = page.locator("script[data-uid]")
    signed = {name: tag.get_attribute(f"data-{name}") or "" for name in SIGNED}
    return signed, page.locator(".order-top strong").first.inner_text()


def test_with_the_keyboard_it_opens_answers_closes_and_survives_a_reload(
    page: Page, shop: Shop
) -> None:
    page.goto(shop.page())
    button = page.get_by_role("button", name="咨询客服")
    expect(button).to_have_css("position", "fixed")  # the page's policy lets its style pass
    page.get_by_role("button", name="Buy").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    frame = chat_of(page)
    expect(frame.get_by_role("textbox")).to_be_focused()

    page.keyboard.type("我的包裹到哪了")
    page.keyboard.press("Enter")
    expect(frame.locator(BOT)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#customer-service .panel")).to_be_hidden()
    assert page.evaluate("document.querySelector('#customer-service').shadowRoot.activeElement")
    page.reload()

    expect(page.locator("#customer-service .panel")).to_be_hidden()
    expect(opened(page).locator(OWN)).to_contain_text("我的包裹到哪了")
    page.reload()  # while it is open: it still is
    expect(chat_of(page).locator(BOT)).to_have_count(1)


def test_a_signed_customer_is_known_on_another_site_where_storage_is_forbidden(
    page: Page, shop: Shop, complaints: Complaints
) -> None:
    signed, order = demo_customer(page)

    page.goto(shop.page("localhost", **signed))
    frame = opened(page)
    with pytest.raises(Exception, match="denied"):
        page.frames[1].evaluate("localStorage.length")
    write(frame, "我的快递到哪了")

    expect(frame.locator("[data-part=signed-in]")).to_contain_text(signed["name"])
    expect(frame.locator(BOT).last).to_contain_text(order)
    page.reload()
    expect(chat_of(page).locator(OWN).last).to_contain_text("我的快递到哪了")


def test_a_page_of_an_origin_that_is_not_allowed_gets_no_chat(
    page: Page, live_site: Site, complaints: Complaints
) -> None:
    for expected in ("frame-ancestors", "postMessage", "CustomerService: no answer", "calls out"):
        complaints.allow(expected)
    with open_shop(live_site.url) as stranger:
        page.clock.install()
        page.goto(stranger.page())
        page.locator("#customer-service .launcher").click()
        page.wait_for_timeout(500)
        page.clock.run_for(16_000)

        expect(page.locator("#customer-service .cover a")).to_have_attribute("href", live_site.url)
        assert page.locator("#customer-service iframe").is_visible()
        assert page.frames[1].locator("cs-chat").count() == 0
        page.keyboard.press("Escape")
        expect(page.locator("#customer-service .panel")).to_be_hidden()


def test_a_single_page_shop_signs_in_and_out_and_changes_its_route(page: Page, shop: Shop) -> None:
    signed, _order = demo_customer(page, 1)
    page.context.clear_cookies()
    page.goto("/")
    page.evaluate("localStorage.clear()")
    page.goto(shop.page())
    frame = opened(page)
    write(frame, "我是访客的时候问的")
    expect(frame.locator(BOT)).to_have_count(1)

    page.evaluate("signed => CustomerService.identify(signed)", signed)
    expect(frame.locator("[data-part=signed-in]")).to_contain_text(signed["name"])
    expect(frame.locator(OWN).last).to_contain_text("我是访客的时候问的")
    page.evaluate(
        """() => {
            document.body.replaceWith(document.createElement("body"));
            history.pushState({}, "", "/products/7");
        }"""
    )
    expect(frame.locator("[data-part=signed-in]")).to_contain_text(signed["name"])
    # What somebody else says is none of the frame's.
    page.evaluate("window.postMessage({ type: 'close' }, location.origin)")
    page.evaluate("CustomerService.signOut()")

    expect(frame.locator(".suggestions")).to_be_visible()
    expect(frame.locator("[data-part=signed-in]")).to_be_hidden()
    expect(frame.locator(OWN)).to_have_count(0)
    expect(page.locator("#customer-service .panel")).to_be_visible()


def test_on_a_phone_it_covers_the_page_and_counts_what_comes_while_it_is_closed(
    open_page: Callable[..., Page], shop: Shop
) -> None:
    phone = open_page(viewport=PHONE, has_touch=True, is_mobile=True, locale="en-US")
    phone.goto(shop.page(language="en", theme="dark"))
    frame = opened(phone)
    box = phone.locator("#customer-service .panel").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (PHONE["width"], PHONE["height"])
    assert phone.evaluate("document.body.inert")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    expect(frame.locator("html")).to_have_attribute("lang", "en")

    # He asks and goes back to the shop at once; the answer comes there.
    frame.get_by_role("textbox").fill("Where is my parcel?")
    frame.locator("form.composer").evaluate(
        """form => {
            form.requestSubmit();
            document.querySelector("[data-widget-close]").click();
        }"""
    )

    badge = phone.locator("#customer-service .badge")
    expect(badge).to_have_text(re.compile(r"[12]"))
    expect(phone.get_by_role("button", name="New messages")).to_be_visible()
    assert not phone.evaluate("document.body.inert")
    opened(phone)
    expect(badge).to_be_hidden()


def test_the_demo_shop_has_it_too(page: Page) -> None:
    page.goto("/demo-shop/")
    page.locator(".person").nth(2).click()
    page.locator("[data-chat-open]").click()
    frame = chat_of(page)
    expect(frame.locator("[data-part=signed-in]")).to_be_visible()
    expect(frame.get_by_role("textbox")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.locator("[data-chat-open]")).to_be_focused()


def test_what_came_while_he_was_away_is_on_the_closed_button_without_a_socket(
    page: Page, open_page: Callable[..., Page], shop: Shop
) -> None:
    page.goto(shop.page())
    frame = opened(page)
    write(frame, "我的耳机到哪了")
    expect(frame.locator(BOT)).to_have_count(1)
    frame.locator("[data-part=human]").click()
    expect(frame.locator("cs-chat")).to_have_attribute("data-status", "WAITING")
    page.keyboard.press("Escape")
    expect(page.locator("#customer-service .panel")).to_be_hidden()
    which = page.frames[1].evaluate("document.querySelector('cs-chat').state.timeline.conversation")
    page.goto("about:blank")
    desk = open_page()
    sign_in(desk, "agent")
    desk.goto(f"/workspace/#{which}")
    expect(action(desk, "availability")).to_be_enabled()
    action(desk, "take").click()
    desk.locator("[data-part=composer] textarea").fill("您好，马上为您处理")
    desk.keyboard.press("Enter")
    expect(desk.locator(OWN)).to_have_count(1)
    action(desk, "close").click()
    action(desk, "close-form").locator("[value=yes]").click()
    expect(action(desk, "close-form")).to_be_hidden()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))

    page.goto(shop.page())

    badge = page.locator("#customer-service .badge")
    expect(badge).to_have_text(re.compile(r"[123]"))
    assert sockets == []
    page.reload()  # within a minute: known, and not even the frame is loaded
    expect(badge).to_be_visible()
    expect(page.locator("#customer-service iframe")).to_have_count(0)
    frame = opened(page)
    expect(frame.locator(".log")).to_contain_text("马上为您处理")
    expect(badge).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#customer-service .panel")).to_be_hidden()
    page.reload()
    expect(page.locator("#customer-service .launcher")).to_be_visible()
    expect(badge).to_be_hidden()


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_what_a_page_could_not_send_the_next_one_sends_with_the_chat_closed(
    page: Page, shop: Shop, complaints: Complaints, is_first: bool
) -> None:
    complaints.allow(NO_NETWORK)
    page.goto(shop.page())
    frame = opened(page)
    if not is_first:
        write(frame, "我的包裹到哪了")
        expect(frame.locator(BOT)).to_have_count(1)
    else:
        page.frames[1].evaluate("localStorage.clear()")  # nobody has signed in before it is sent
    page.context.set_offline(True)
    write(frame, "发票怎么开")
    expect(frame.locator(f"{OWN}[data-state=sending]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#customer-service .panel")).to_be_hidden()
    page.goto("about:blank")
    page.context.set_offline(False)

    page.goto(shop.page())

    expect(page.locator("#customer-service .badge")).to_have_text(re.compile(r"[12]"))
    expect(page.locator("#customer-service .panel")).to_be_hidden()
    assert page.frames[1].evaluate(KEPT) == []
    sent = chat_of(page).locator(f"{OWN}[data-state=sent]").last
    expect(sent).to_have_attribute("data-text", "发票怎么开")
