"""Agents and customers at once, in browsers of their own."""

import base64
import json
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Complaints
from tests.browser.test_customer_page import BOT, OWN, ready, write

OpenPage = Callable[..., Page]


def sign_in(page: Page, username: str) -> Page:
    page.goto("/login/")
    page.locator("#id_username").fill(username)
    page.locator("#id_password").fill(f"demo-{username}")
    page.locator(".form button").click()
    page.wait_for_url("**/workspace/")
    return page


def action(workspace: Page, name: str) -> Locator:
    return workspace.locator(f"[data-part={name}]")


def calling(customer: Page, question: str) -> None:
    """Have a customer ask something, and then for a human."""
    ready(customer)
    write(customer, question)
    expect(customer.locator(BOT)).to_have_count(1)
    customer.locator("[data-part=human]").click()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "WAITING")


def number_of(customer: Page) -> str:
    """What staff's pages call a visitor: the end of his uid."""
    refresh = customer.evaluate("JSON.parse(localStorage['customer-service.sign-in']).refresh")
    body = refresh.split(".")[1]
    uid = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"]
    return str(uid[-4:].upper())


def open_case(workspace: Page, customer: Page) -> None:
    """Open the conversation of a visitor; other tests leave theirs in the list."""
    workspace.locator("[data-view=all]").click()  # wherever it is by now
    workspace.locator(".entry").filter(has_text=number_of(customer)).locator("a").click()
    expect(workspace.locator("[data-part=log] .row").first).to_be_visible()


def taken_over(agent: Page, customer: Page) -> str:
    """Have a customer call and an agent take over; return the address of the conversation."""
    calling(customer, "我的耳机坏了")
    open_case(agent, customer)
    action(agent, "take").click()
    expect(action(agent, "close")).to_be_visible()
    return str(agent.evaluate("location.hash"))


def test_an_agent_takes_over_the_bot_is_silent_and_gets_it_back(open_page: OpenPage) -> None:
    customer, agent = open_page(), sign_in(open_page(), "agent")
    calling(customer, "我的耳机到哪了")

    # He reads first, with what the bot understood; nobody sees him yet.
    open_case(agent, customer)
    expect(agent.locator("[data-part=log]")).to_contain_text("我的耳机到哪了")
    expect(agent.locator("[data-part=understood] li").first).to_contain_text("%")
    expect(agent.locator("#case-text")).to_be_disabled()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "WAITING")

    # He takes over: the customer reads who it is.
    action(agent, "take").click()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "AGENT")
    name = agent.locator("cs-workspace").get_attribute("data-me") or ""
    expect(customer.locator("[data-part=status]")).to_contain_text(name)
    expect(customer.locator("[data-part=human]")).to_be_hidden()

    # They talk, and see each other writing; the bot says nothing.
    answers = customer.locator(BOT).count()
    write(agent, "您好，我来帮您查")
    expect(customer.locator(".log .row[data-sender=AGENT]")).to_contain_text("您好，我来帮您查")
    customer.get_by_role("textbox").press_sequentially("谢谢，查一下什么时候到")
    expect(agent.locator("[data-part=typing]")).to_be_visible()
    customer.keyboard.press("Enter")
    expect(agent.locator(".log .row[data-sender=CUSTOMER]").last).to_contain_text(
        "查一下什么时候到"
    )
    # "Is writing" goes out once in three seconds.
    agent.get_by_role("textbox").press_sequentially("明天到，请放心", delay=600)
    expect(customer.locator("[data-part=typing]")).to_be_visible()
    agent.keyboard.press("Enter")
    expect(customer.locator(".log .row[data-sender=AGENT]").last).to_contain_text("明天到")
    expect(customer.locator(BOT)).to_have_count(answers)

    # He hands back: the bot answers again.
    action(agent, "hand_back").click()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "BOT")
    write(customer, "怎么申请退货")
    expect(customer.locator(BOT)).not_to_have_count(answers)


def test_of_two_agents_one_has_it_and_the_other_reads_who(open_page: OpenPage) -> None:
    first, second = sign_in(open_page(), "agent"), sign_in(open_page(), "agent2")
    customer = open_page()
    calling(customer, "我的订单到哪了")
    open_case(first, customer)
    open_case(second, customer)

    action(first, "take").click()

    name = first.locator("cs-workspace").get_attribute("data-me") or ""
    expect(action(first, "hand_back")).to_be_visible()
    expect(second.locator("[data-part=case-status]")).to_contain_text(name)
    expect(action(second, "take")).to_be_hidden()
    expect(second.locator("#case-text")).to_be_disabled()


def test_a_new_conversation_is_announced_and_counted(open_page: OpenPage) -> None:
    agent = sign_in(open_page(), "agent")
    expect(agent.locator("[data-part=loading]")).to_be_hidden()
    before = int((re.match(r"\((\d+)\)", agent.title()) or [0, "0"])[1])

    calling(open_page(), "怎么申请退货")

    expect(agent).to_have_title(re.compile(rf"^\({before + 1}\) "))
    expect(agent.locator("[data-part=announcer]")).not_to_be_empty()
    expect(agent.locator("[data-part=ask-sound]")).to_be_visible()
    agent.locator("[data-part=sound-no]").click()
    expect(agent.locator("[data-part=ask-sound]")).to_be_hidden()


def test_ending_a_conversation_is_asked_and_the_next_message_opens_another(
    open_page: OpenPage,
) -> None:
    customer, agent = open_page(), sign_in(open_page(), "agent")
    calling(customer, "我的耳机坏了")
    open_case(agent, customer)
    action(agent, "take").click()
    expect(action(agent, "close")).to_be_visible()

    action(agent, "close").click()
    agent.locator("dialog[open] button[value=no]").click()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "AGENT")
    action(agent, "close").click()
    agent.locator("dialog[open] button[value=yes]").click()

    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "CLOSED")
    expect(customer.locator("[data-part=ended]")).to_be_visible()
    write(customer, "还有一个问题，怎么开发票")
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "BOT")
    expect(customer.locator(".log")).to_contain_text("我的耳机坏了")


def test_the_end_is_of_the_conversation_that_was_asked_about(open_page: OpenPage) -> None:
    agent, asked, other = sign_in(open_page(), "agent"), open_page(), open_page()
    addresses = [taken_over(agent, customer) for customer in (asked, other)]
    open_case(agent, asked)
    dialog = action(agent, "close-dialog")

    # The key that opens a list is the dialog's, not the command for the next conversation.
    action(agent, "close").click()
    dialog.locator("select").focus()
    agent.keyboard.press("Alt+ArrowDown")
    agent.keyboard.press("Alt+KeyB")
    assert agent.evaluate("location.hash") == addresses[0]
    expect(action(agent, "hand_back")).to_be_visible()

    # Another one comes to the screen, as by a click on a notification: it is not the one to end.
    agent.evaluate("address => location.hash = address", addresses[1])
    expect(agent.locator("[aria-current=true]")).to_contain_text(number_of(other))
    dialog.locator("button[value=yes]").click()
    open_case(agent, asked)
    action(agent, "close").click()
    dialog.locator("button[value=yes]").click()

    expect(asked.locator("cs-chat")).to_have_attribute("data-status", "CLOSED")
    expect(other.locator("cs-chat")).to_have_attribute("data-status", "AGENT")


def test_with_the_keyboard_alone(open_page: OpenPage) -> None:
    agent = sign_in(open_page(), "agent")
    calling(open_page(), "可以开发票吗")
    agent.locator("[data-view=queue]").click()
    expect(agent.locator(".entry[data-status=WAITING]").first).to_be_visible()

    agent.keyboard.press("Alt+ArrowDown")
    expect(agent.locator("[aria-current=true]")).to_be_visible()
    agent.keyboard.press("Alt+KeyT")
    expect(action(agent, "hand_back")).to_be_visible()
    agent.keyboard.press("Alt+KeyR")
    agent.keyboard.type("您好")
    agent.keyboard.press("Enter")
    expect(agent.locator(OWN).last).to_have_attribute("data-state", "sent")
    agent.keyboard.press("Alt+KeyB")
    expect(action(agent, "hand_back")).to_be_hidden()
    agent.keyboard.press("Escape")

    expect(agent.locator("[data-part=nothing]")).to_be_visible()


def test_on_a_phone_the_list_leads_to_the_conversation_and_back(open_page: OpenPage) -> None:
    phone = sign_in(open_page(viewport=PHONE, has_touch=True, is_mobile=True), "agent")
    customer = open_page()
    calling(customer, "可以开发票吗")
    open_case(phone, customer)

    expect(phone.locator(".inbox")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    action(phone, "back").click()

    expect(phone.locator(".inbox")).to_be_visible()


def test_editors_are_told_that_the_workspace_is_not_theirs(
    open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.allow("status of 403")
    page = open_page()
    page.goto("/login/?next=/workspace/")
    page.locator("#id_username").fill("editor")
    page.locator("#id_password").fill("demo-editor")
    page.locator(".form button").click()

    expect(page.locator(".sheet-code")).to_have_text("403")
    expect(page.locator("cs-workspace")).to_have_count(0)


def test_a_session_that_ended_asks_to_sign_in_again(
    open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.allow("status of 403")
    agent = sign_in(open_page(), "agent")
    expect(agent.locator("[data-part=loading]")).to_be_hidden()

    agent.context.clear_cookies(name="sessionid")
    agent.route_web_socket("**/ws/workspace/", lambda socket: socket.close(code=4401))
    agent.reload()

    agent.wait_for_url("**/login/**")


def test_an_agent_who_handed_back_can_take_the_conversation_again(open_page: OpenPage) -> None:
    customer, agent = open_page(), sign_in(open_page(), "agent")
    calling(customer, "可以开发票吗")
    open_case(agent, customer)
    field = agent.get_by_role("textbox")

    # The keyboard follows: to the field, and back to the messages.
    action(agent, "take").click()
    expect(field).to_be_focused()
    action(agent, "hand_back").click()
    expect(action(agent, "scroll")).to_be_focused()
    expect(action(agent, "take")).to_be_visible()
    action(agent, "take").click()

    expect(field).to_be_focused()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "AGENT")


def test_a_draft_and_an_unsent_reply_survive_language_and_reload(
    open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.allow("WebSocket connection")
    complaints.allow("ERR_INTERNET_DISCONNECTED")
    customer, agent = open_page(), sign_in(open_page(), "agent")
    calling(customer, "可以开发票吗")
    open_case(agent, customer)
    action(agent, "take").click()
    field = agent.get_by_role("textbox")
    expect(field).to_be_focused()
    field.fill("写了一半")
    address = agent.evaluate("location.hash")

    agent.get_by_role("link", name="Switch to English").click()
    expect(agent.locator("html")).to_have_attribute("lang", "en")
    assert agent.evaluate("location.hash") == address
    expect(field).to_have_value("写了一半")
    expect(field).to_be_enabled()

    agent.context.set_offline(True)
    field.press("Enter")
    expect(agent.locator(OWN)).to_have_attribute("data-state", re.compile("sending|failed"))
    agent.context.set_offline(False)
    agent.reload()

    expect(agent.locator(OWN)).to_have_attribute("data-state", "sent")
    expect(agent.locator(OWN)).to_have_count(1)
    expect(field).to_have_value("")


def test_an_address_of_no_conversation_is_told_and_leads_to_the_list(open_page: OpenPage) -> None:
    agent = sign_in(open_page(), "agent")
    for name in ("garbage", "aaaaaaaa-0000-4000-8000-000000000000"):
        agent.goto("/workspace/")
        agent.goto(f"/workspace/#{name}")

        expect(agent.locator("[data-part=lost]")).not_to_be_empty()
        expect(agent.locator("[data-part=nothing]")).to_be_visible()
        assert agent.evaluate("location.hash") == ""


def test_on_a_phone_the_facts_open_and_the_way_back_leads_to_the_entry(open_page: OpenPage) -> None:
    phone = sign_in(open_page(viewport=PHONE, has_touch=True, is_mobile=True), "agent")
    customer = open_page()
    calling(customer, "我的包裹到哪了")
    open_case(phone, customer)
    name = phone.locator("[data-part=case-title]").inner_text()

    phone.locator(".case-facts").click()
    phone.locator("#tab-understood").click()
    expect(phone.locator("[data-part=understood] li").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.keyboard.press("Escape")
    expect(phone.locator(".facts")).to_be_hidden()
    expect(phone.locator(".case-facts")).to_be_focused()
    action(phone, "back").click()

    expect(phone.locator(".entry a:focus")).to_contain_text(name)
