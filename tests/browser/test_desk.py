"""What agents have at hand in a conversation: canned replies, notes, recall, passing on, the end."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE
from tests.browser.test_customer_page import write
from tests.browser.test_workspace import action, calling, open_case, sign_in

OpenPage = Callable[..., Page]
SECRET = "客户有三次退款记录"


def test_an_agents_desk_with_the_keyboard_alone(open_page: OpenPage) -> None:
    customer, agent = open_page(viewport=PHONE), sign_in(open_page(), "agent")
    calling(customer, "我的订单到哪了")
    open_case(agent, customer)
    agent.keyboard.press("Alt+KeyT")
    field = agent.locator("#case-text")
    expect(field).to_be_enabled()

    # A canned reply by pinyin initials; what is not known of a visitor is not sent as a hole.
    agent.keyboard.press("Alt+KeyR")
    agent.keyboard.type("/")
    search = agent.locator("#canned-search")
    expect(search).to_be_focused()
    search.fill("wldh")
    expect(agent.locator(".canned-option")).to_have_count(1)
    expect(agent.locator("[data-part=canned-preview] mark")).to_have_count(3)
    agent.keyboard.press("Enter")
    expect(field).to_be_focused()
    agent.keyboard.press("Enter")
    expect(action(agent, "toast")).not_to_be_empty()
    expect(agent.locator(".log .row[data-own]")).to_have_count(0)
    field.fill("")
    agent.keyboard.press("Alt+KeyC")
    search.fill("qingshaohou")
    agent.keyboard.press("Enter")
    expect(field).to_have_value("好的，我需要一点时间核实，请您稍候，大约三分钟内回复您。")
    agent.keyboard.press("Enter")
    expect(customer.locator(".log .row[data-sender=AGENT]")).to_contain_text("请您稍候")

    # It is taken back: a trace on the customer's screen, now and after a reload.
    agent.locator(".row-recall").focus()
    agent.keyboard.press("Enter")
    recalled = customer.locator(".log .row[data-recalled]")
    expect(recalled).to_have_count(1)
    expect(recalled).not_to_contain_text("请您稍候")
    customer.reload()
    expect(customer.locator(".log .row[data-recalled]")).to_have_count(1)
    expect(customer.locator(".log")).not_to_contain_text("请您稍候")

    # A private note: between the messages of staff, nowhere on the customer's page.
    agent.keyboard.press("Alt+KeyN")
    agent.keyboard.type(SECRET)
    agent.keyboard.press("Enter")
    expect(agent.locator(".log .note")).to_contain_text(SECRET)
    write(customer, "好的")
    expect(agent.locator(".log .row[data-sender=CUSTOMER]").last).to_contain_text("好的")
    expect(customer.locator("body")).not_to_contain_text(SECRET)

    # The end, with how it came out.
    agent.keyboard.press("Alt+KeyE")
    dialog = agent.locator("[data-part=close-dialog]")
    expect(dialog.locator("option")).to_have_count(8)
    dialog.locator("select").select_option(label="已解决")
    dialog.locator("button[value=yes]").click()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "CLOSED")


def test_a_note_that_is_being_saved_takes_nothing_else_with_it(open_page: OpenPage) -> None:
    customer, agent = open_page(), sign_in(open_page(), "agent")
    calling(customer, "我的耳机坏了")
    open_case(agent, customer)
    action(agent, "take").click()
    expect(agent.locator("#case-text")).to_be_enabled()
    held: list[Route] = []
    agent.route("**/notes", lambda route: held.append(route))
    field = agent.locator("#note-text")

    agent.keyboard.press("Alt+KeyN")
    agent.keyboard.type("第一条")
    with agent.expect_request("**/notes"):
        agent.keyboard.press("Enter")
    field.fill("第二条写到一半")
    held.pop().continue_()
    expect(agent.locator(".log .note")).to_contain_text("第一条")

    expect(field).to_have_value("第二条写到一半")
    agent.unroute("**/notes")
    agent.reload()
    expect(field).to_have_value("第二条写到一半")
    agent.keyboard.press("Alt+KeyN")
    agent.keyboard.press("Enter")
    expect(agent.locator(".log .note").last).to_contain_text("第二条写到一半")
    expect(field).to_have_value("")


def test_a_colleague_is_named_seen_and_gets_the_conversation(open_page: OpenPage) -> None:
    customer, agent = open_page(), sign_in(open_page(), "agent")
    other = sign_in(open_page(viewport=PHONE), "agent2")
    name = other.locator("cs-workspace").get_attribute("data-me") or ""
    calling(customer, "我的耳机坏了")
    open_case(agent, customer)
    action(agent, "take").click()
    expect(agent.locator("#case-text")).to_be_enabled()

    agent.keyboard.press("Alt+KeyN")
    agent.keyboard.type(f"@{name[:1]}")
    agent.get_by_role("option", name=name).first.click()
    agent.keyboard.type("请看一下")
    agent.keyboard.press("Enter")
    expect(action(other, "mentions-count")).to_be_visible()
    other.locator("[data-part=mentions-open]").click()
    other.locator("[data-part=mentions-list] a").first.click()
    expect(other.locator(".log .note").last).to_contain_text("请看一下")
    expect(action(other, "mentions-count")).to_be_hidden()

    # Each sees that the other is there; who leaves is gone.
    expect(action(agent, "company")).to_contain_text(name)
    other.locator("[data-part=back]").click()
    expect(action(agent, "company")).to_be_hidden()

    action(agent, "transfer").click()
    agent.get_by_role("radio", name=name).check()
    expect(agent.locator("#transfer-summary")).to_have_value(re.compile("- 我的耳机坏了"))
    agent.locator("#transfer-summary").fill("已核对，需要换货")
    agent.locator("[data-part=transfer-form] button[type=submit]").click()
    expect(agent.locator("#case-text")).to_be_disabled()
    open_case(other, customer)
    expect(action(other, "passed-summary")).to_have_text("已核对，需要换货")
    expect(other.locator("#case-text")).to_be_enabled()
