"""A supervisor, an agent and a customer at once: the monitor, reading along, whispers, reassigning."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Complaints
from tests.browser.test_customer_page import OWN, write
from tests.browser.test_workspace import (
    action,
    calling,
    number_of,
    open_case,
    sign_in,
    taken_over,
)

OpenPage = Callable[..., Page]


def monitor_of(page: Page) -> Page:
    sign_in(page, "supervisor")
    page.goto("/workspace/monitor/")
    expect(page.locator("[data-part=live]")).to_have_attribute("data-live", "true")
    return page


def line_of(monitor: Page, customer: Page) -> Locator:
    """The customer's line in the list of open conversations."""
    rows = monitor.locator("[data-part=conversations] tbody tr")
    return rows.filter(has_text=number_of(customer))


def test_a_supervisor_sees_reads_along_whispers_and_reassigns(open_page: OpenPage) -> None:
    monitor, agent, customer = monitor_of(open_page()), open_page(), open_page()
    sign_in(agent, "agent")

    # Who begins to wait is there without a reload.
    calling(customer, "我的耳机到哪了")
    line = line_of(monitor, customer)
    expect(line).to_have_attribute("data-status", "WAITING")

    # An agent has it, and the supervisor sees who.
    open_case(agent, customer)
    action(agent, "take").click()
    expect(line).to_have_attribute("data-status", "AGENT")
    name = agent.locator("cs-workspace").get_attribute("data-me") or ""
    expect(line).to_contain_text(name)

    # He reads along: what is said comes live, and nobody sees him.
    line.get_by_role("link").click()
    expect(monitor.locator("[data-part=log]")).to_contain_text("我的耳机到哪了")
    write(agent, "您好，我来看看")
    expect(monitor.locator("[data-part=log]")).to_contain_text("您好，我来看看")
    expect(monitor.locator("[data-part=locked]")).to_contain_text(name)
    expect(agent.locator("[data-part=company]")).to_be_hidden()

    # He whispers: the agent reads it between the messages, the customer does not.
    monitor.keyboard.press("Alt+w")
    monitor.keyboard.type("先道歉，再查物流")
    monitor.keyboard.press("Enter")
    whisper = agent.locator(".note.is-whisper")
    expect(whisper).to_contain_text("先道歉，再查物流")
    expect(monitor.locator(".note.is-whisper")).to_contain_text("先道歉，再查物流")
    write(customer, "好的")
    expect(customer.locator(OWN).last).to_contain_text("好的")
    assert "先道歉" not in customer.content()

    # From the monitor he gives it into a queue; the agent no longer has it.
    monitor.goto("/workspace/monitor/")
    line.locator("[data-action=reassign]").click()
    monitor.locator("#reassign-to").select_option(label="全部咨询")
    monitor.locator("#reassign-reason").fill("换人")
    monitor.locator("[data-part=reassign-form] [value=yes]").click()
    expect(line).to_have_attribute("data-status", "WAITING")
    expect(agent.locator("textarea#case-text")).to_be_disabled()

    # And then he takes it himself: the monitor leads him there.
    line.locator("[data-action=take]").click()
    monitor.locator("[data-part=take-dialog] [value=yes]").click()
    expect(monitor).to_have_url(re.compile(r"/workspace/#"))
    expect(action(monitor, "hand_back")).to_be_visible()
    expect(customer.locator("cs-chat")).to_have_attribute("data-status", "AGENT")


def test_a_supervisor_takes_over_what_was_asked_about_and_no_other(open_page: OpenPage) -> None:
    supervisor, agent = sign_in(open_page(), "supervisor"), sign_in(open_page(), "agent")
    asked, other = open_page(), open_page()
    addresses = [taken_over(agent, customer) for customer in (asked, other)]
    dialog = action(supervisor, "take-from-dialog")
    open_case(supervisor, asked)
    action(supervisor, "take-from").click()

    supervisor.evaluate("address => location.hash = address", addresses[1])
    expect(supervisor.locator("[aria-current=true]")).to_contain_text(number_of(other))
    dialog.locator("[value=yes]").click()
    open_case(supervisor, asked)
    action(supervisor, "take-from").click()
    dialog.locator("[value=yes]").click()

    expect(action(supervisor, "hand_back")).to_be_visible()
    open_case(supervisor, other)
    expect(action(supervisor, "take-from")).to_be_visible()


def test_figures_are_shown_on_a_phone_and_an_agent_sees_his_own(
    open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.allow("status of 403")  # of the monitor, to an agent
    phone, agent = open_page(viewport=PHONE, has_touch=True, is_mobile=True), open_page()
    monitor_of(phone)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.goto("/workspace/reports/")
    expect(phone.locator("h1")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    sign_in(agent, "agent")
    agent.goto("/workspace/reports/")
    expect(agent.locator("select[name=agent]")).to_have_count(0)
    assert agent.goto("/workspace/monitor/").status == 403
