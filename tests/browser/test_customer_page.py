"""The customer's chat in a real browser, against the real platform."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import PHONE, Complaints
from tests.chat import files

OWN = ".row[data-own]"
BOT = ".log .row[data-sender=BOT]"


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def of(page: Page) -> FrameLocator:
    """The chat inside the widget of a shop's page."""
    return page.frame_locator("#customer-service iframe")


def in_widget(page: Page) -> FrameLocator:
    """The same, opened."""
    page.locator("#customer-service .launcher").click()
    return of(page)


def ready(page: Page, address: str = "/") -> None:
    page.goto(address)
    expect(
        page.get_by_role("group", name="猜您想问").or_(page.locator(".suggestions"))
    ).to_be_visible()


def test_a_question_is_answered_and_is_there_after_a_reload(any_page: Page) -> None:
    ready(any_page)

    write(any_page, "我的包裹到哪了")
    expect(any_page.locator(OWN)).to_have_attribute("data-state", "sent")
    expect(any_page.locator(BOT)).to_have_count(1)
    any_page.reload()

    expect(any_page.locator(OWN)).to_have_count(1)
    expect(any_page.locator(OWN)).to_contain_text("我的包裹到哪了")
    expect(any_page.locator(BOT)).to_have_count(1)


def test_a_suggested_question_is_one_click(page: Page) -> None:
    ready(page)
    chip = page.locator(".suggestions .chip").first
    question = chip.inner_text()

    chip.click()

    expect(page.locator(OWN)).to_contain_text(question)
    expect(page.locator(BOT)).to_have_count(1)
    expect(page.locator(".suggestions")).to_be_hidden()


def test_what_is_written_offline_is_sent_once_when_the_network_is_back(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("ERR_INTERNET_DISCONNECTED")
    ready(page)
    write(page, "第一条")
    expect(page.locator(BOT)).to_have_count(1)

    page.context.set_offline(True)
    write(page, "第二条")
    expect(page.get_by_text(re.compile("离线|offline"))).to_be_visible()
    expect(page.locator(OWN).nth(1)).not_to_have_attribute("data-state", "sent")
    page.context.set_offline(False)

    expect(page.locator(OWN).nth(1)).to_have_attribute("data-state", "sent")
    expect(page.locator(BOT)).to_have_count(2)
    page.reload()
    expect(page.locator(OWN)).to_have_count(2)


def test_a_message_that_the_page_lost_in_a_reload_is_sent_after_it(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("ERR_INTERNET_DISCONNECTED")
    ready(page)
    page.context.set_offline(True)
    write(page, "还没发出去")
    expect(page.locator(OWN)).to_have_attribute("data-state", "sending")

    page.context.set_offline(False)
    page.reload()

    expect(page.locator(OWN)).to_have_attribute("data-state", "sent")
    expect(page.locator(OWN)).to_have_count(1)


def test_where_sockets_are_blocked_the_chat_goes_over_rest(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("WebSocket connection")
    page.route_web_socket("**/ws/chat/", lambda socket: socket.close(code=1011))
    ready(page)

    write(page, "怎么申请退货")

    expect(page.locator(OWN)).to_have_attribute("data-state", "sent")
    expect(page.locator(BOT)).to_have_count(1)


def test_an_attack_is_refused_and_can_be_edited(page: Page) -> None:
    ready(page)

    write(page, "' OR 1=1; DROP TABLE users; --")

    expect(page.locator(OWN)).to_have_attribute("data-state", "refused")
    page.get_by_role("textbox").fill("写到一半")
    page.locator(OWN).locator("[data-part=edit]").click()
    expect(page.locator(OWN)).to_have_count(0)
    field = page.get_by_role("textbox")
    expect(field).to_have_value("' OR 1=1; DROP TABLE users; --\n写到一半")
    page.reload()
    expect(field).to_have_value("' OR 1=1; DROP TABLE users; --\n写到一半")


def test_the_enter_of_an_input_method_does_not_send(page: Page) -> None:
    ready(page)
    field = page.get_by_role("textbox")
    field.fill("ni hao")

    field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "isComposing": True})
    expect(page.locator(OWN)).to_have_count(0)
    field.press("Shift+Enter")
    expect(page.locator(OWN)).to_have_count(0)
    field.press("Enter")

    expect(page.locator(OWN)).to_have_count(1)


def test_text_is_never_markup(page: Page) -> None:
    ready(page)

    write(page, "这个 <b>黑体</b> 商品 https://example.com/a 好吗")

    bubble = page.locator(OWN).locator(".bubble")
    expect(bubble).to_contain_text("<b>黑体</b>")
    expect(bubble.locator("b")).to_have_count(0)
    expect(bubble.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_too_long_a_text_is_told_before_it_is_sent(page: Page) -> None:
    ready(page)
    field = page.get_by_role("textbox")

    field.fill("长" * 10_001)

    expect(page.locator("[data-part=counter]")).to_be_visible()
    expect(page.locator("[type=submit]")).to_be_disabled()
    field.fill("长" * 10_000)
    expect(page.locator("[type=submit]")).to_be_enabled()


def test_screen_readers_hear_new_messages_and_not_the_history(page: Page) -> None:
    ready(page)
    write(page, "你好")
    expect(page.locator(BOT)).to_have_count(1)
    page.reload()
    expect(page.locator(BOT)).to_have_count(1)
    log = page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    first = log.locator(".row").first.element_handle()

    write(page, "谢谢")
    expect(page.locator(BOT)).to_have_count(2)

    # A line that is drawn anew would be read again.
    assert first is not None
    assert first.evaluate("element => element.isConnected")


def test_language_and_theme_are_kept(page: Page) -> None:
    ready(page)
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")

    page.get_by_role("link", name="Switch to English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("[data-theme-toggle]").click()
    page.goto("/")

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Talk to a human")).to_be_visible()


def test_the_demo_shop_signs_a_customer_in_and_his_visit_goes_along(page: Page) -> None:
    ready(page)
    write(page, "我是访客的时候问的")
    expect(page.locator(BOT)).to_have_count(1)

    page.goto("/demo-shop/")
    page.locator(".person").first.click()

    expect(page.locator(".order").first).to_be_visible()
    widget = in_widget(page)
    expect(widget.locator(OWN)).to_contain_text("我是访客的时候问的")
    name = page.locator("script[data-uid]").get_attribute("data-name") or ""
    expect(widget.locator("[data-part=signed-in]")).to_contain_text(name)
    page.goto("/")  # the same person, without the shop around him
    expect(page.locator("[data-part=signed-in]")).to_contain_text(name)
    expect(page.locator(OWN)).to_contain_text("我是访客的时候问的")


@pytest.mark.parametrize("address", ["/", "/demo-shop/", "/login/", "/nothing-here/"])
def test_no_page_is_wider_than_a_phone_in_the_dark(
    open_page: Callable[..., Page], complaints: Complaints, address: str
) -> None:
    """By daylight: tests/browser/test_stage.py."""
    complaints.allow("status of 404")
    phone = open_page(viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)

    phone.goto(address)

    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(phone.locator("html")).to_have_attribute("data-theme", "dark")


def test_what_was_written_is_still_there_when_the_page_is_reloaded_before_it_can_be_sent(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("WebSocket connection")
    complaints.allow("ERR_FAILED")
    ready(page)
    page.route_web_socket("**/ws/chat/", lambda socket: socket.close(code=1011))
    page.route("**/api/**", lambda route: route.abort())
    page.reload()
    write(page, "怎么开发票")
    expect(page.locator(OWN)).to_have_attribute("data-state", "sending")
    page.get_by_role("textbox").fill("还在写的一句")

    # Twice: a page that starts must not empty what it has not read yet.
    page.reload()
    page.reload()
    expect(page.locator(OWN)).to_contain_text("怎么开发票")
    expect(page.get_by_role("textbox")).to_have_value("还在写的一句")
    page.unroute("**/api/**")

    expect(page.locator(OWN)).to_have_attribute("data-state", "sent")
    expect(page.locator(OWN)).to_have_count(1)


def test_a_draft_survives_the_switch_of_language(page: Page) -> None:
    ready(page)
    page.get_by_role("textbox").fill("写了一半")

    page.get_by_role("link", name="Switch to English").click()

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("textbox")).to_have_value("写了一半")


def test_two_customers_in_two_tabs_leave_each_other_alone(page: Page) -> None:
    page.goto("/demo-shop/")
    addresses = [page.locator(".person").nth(number).get_attribute("href") for number in (4, 5)]
    other = page.context.new_page()
    loads: list[str] = []
    for tab, address in zip((page, other), addresses, strict=True):
        tab.goto(f"/demo-shop/{address}")
        expect(in_widget(tab).locator("cs-chat")).to_have_attribute("data-connection", "open")
    for tab in (page, other):
        tab.on("framenavigated", lambda loaded: loads.append(loaded.url))

    for tab, text in ((page, "第一位客户的问题"), (other, "第二位客户的问题")):
        of(tab).get_by_role("textbox").fill(text)
        of(tab).get_by_role("textbox").press("Enter")

    expect(of(page).locator(OWN)).to_have_attribute("data-state", "sent")
    expect(of(other).locator(OWN)).to_have_attribute("data-state", "sent")
    page.wait_for_timeout(1_000)
    assert loads == []
    page.reload()
    expect(of(page).locator(OWN)).to_contain_text("第一位客户的问题")
    expect(of(page).locator(OWN)).to_have_count(1)


def test_after_a_refused_message_the_buttons_come_back_and_it_can_be_removed(page: Page) -> None:
    ready(page)
    write(page, "<script>alert(1)</script>")
    expect(page.locator(OWN)).to_have_attribute("data-state", "refused")

    write(page, "Где моя посылка?")  # no language of its own: it offers a human
    expect(page.locator(BOT)).to_have_count(1)

    expect(page.locator(f"{BOT} .chip").first).to_be_visible()
    expect(page.locator(OWN).first).to_have_attribute("data-state", "refused")
    page.locator(OWN).first.locator("[data-part=remove]").click()
    expect(page.locator(OWN)).to_have_count(1)
    expect(page.get_by_role("textbox")).to_be_focused()


def test_a_page_whose_script_does_not_come_says_so_and_offers_to_load_again(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("ERR_FAILED")
    page.clock.install()
    page.route("**/timeline*.js", lambda route: route.abort())
    page.goto("/")
    expect(page.locator("[data-part=loading]")).to_be_visible()

    page.clock.run_for(9_000)
    expect(page.locator("[data-part=late]")).to_be_visible()
    expect(page.locator("[data-part=loading]")).to_be_hidden()
    page.unroute("**/timeline*.js")
    page.locator("[data-reload]").click()

    expect(page.locator(".suggestions")).to_be_visible()


def test_the_language_chosen_in_one_tab_is_that_of_all_and_of_the_widget(page: Page) -> None:
    ready(page)
    page.get_by_role("textbox").fill("写到一半")
    other, shop = page.context.new_page(), page.context.new_page()
    ready(other)
    shop.goto("/demo-shop/")
    shop.locator("#customer-service .launcher").click()
    frame = shop.frame_locator("#customer-service iframe")
    expect(frame.locator("html")).to_have_attribute("lang", "zh-hans")

    other.get_by_role("link", name="Switch to English").click()

    for window in (other, page, shop, frame):
        expect(window.locator("html")).to_have_attribute("lang", "en")
    assert "lang=" not in page.url
    expect(page.get_by_role("textbox")).to_have_value("写到一半")
    page.get_by_role("link", name="切换到中文").click()
    expect(other.locator("html")).to_have_attribute("lang", "zh-hans")
    other.reload()
    expect(other.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_another_tabs_choice_of_language_waits_for_what_would_be_lost(page: Page) -> None:
    other = page.context.new_page()
    ready(other)
    ready(page)
    file = {"name": "账单.pdf", "mimeType": "application/pdf", "buffer": files.PDF}
    page.locator("[data-part=file-input]").set_input_files([file])
    expect(page.locator(".tray-file[data-state=ready]")).to_have_count(1)

    other.get_by_role("link", name="Switch to English").click()
    expect(other.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".tray-file")).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.locator(".send").click()

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(f"{OWN}[data-state=sent] .file")).to_have_count(1)

    # A rating that is half written waits, too, until it has been sent.
    page.locator("[data-part=menu] summary").click()
    page.locator("[data-part=end]").click()
    page.locator("[data-part=rating] label").nth(3).click()
    page.locator("#rating-comment").fill("很快")
    other.get_by_role("link", name="切换到中文").click()
    expect(other.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator("#rating-comment")).to_have_value("很快")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    with page.expect_response("**/rating") as rated:
        page.locator("[data-part=rating-form] .is-primary").click()

    assert rated.value.ok
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
