"""One customer's whole visit and one agent's whole day, side by side, at a desk and on phones.

With SCREENSHOTS set to a folder it leaves there what docs/pages.md shows:
`SCREENSHOTS=docs/screenshots python -m pytest tests/browser/test_whole_day.py`
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_customer_page import in_widget
from tests.browser.test_workspace import action, sign_in
from tests.chat import files

OpenPage = Callable[..., Page]
BOT = ".log .row[data-sender=BOT]"
AGENT = ".log .row[data-sender=AGENT]"
OWN = ".row[data-own]"
ON_PHONES = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
WHO = {"desktop": 3, "phone": 4}  # of the demo shop's people: a conversation each


class Visit:
    """The customer, in the widget on the shop's page."""

    def __init__(self, page: Page, number: int) -> None:
        self.page = page
        page.goto("/demo-shop/")
        page.locator(".person").nth(number).click()
        expect(page.locator(".order").first).to_be_visible()
        self.chat: FrameLocator = in_widget(page)
        self.chat.locator(".suggestions:visible, .log .row").first.wait_for()
        if not self.chat.locator(".suggestions").is_visible():  # another test has left his there
            self.chat.locator("cs-chat").evaluate("chat => chat.send({type: 'end'})")
            self.is_with("CLOSED")
            self.chat.locator("[data-part=anew]").click()
        expect(self.chat.locator(".suggestions")).to_be_visible()

    def says(self, text: str) -> None:
        field = self.chat.get_by_role("textbox")
        field.fill(text)
        field.press("Enter")

    def hears(self, sender: str, words: str | re.Pattern[str]) -> Locator:
        line = self.chat.locator(sender).last
        expect(line).to_contain_text(words)
        return line

    def sends_a_picture(self, name: str) -> None:
        self.chat.locator("[data-part=file-input]").set_input_files(
            [{"name": name, "mimeType": "image/png", "buffer": files.image()}]
        )
        expect(self.chat.locator(".tray-file[data-state=ready]")).to_have_count(1)
        self.chat.locator(".send").click()
        expect(self.chat.locator(".row[data-own] .picture img")).to_be_visible()

    def is_with(self, status: str) -> None:
        expect(self.chat.locator("cs-chat")).to_have_attribute("data-status", status)

    @property
    def conversation(self) -> str:
        chat = self.chat.locator("cs-chat")
        return str(chat.evaluate("chat => chat.state.timeline.conversation"))


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_a_visit_and_a_day(open_page: OpenPage, screen: str) -> None:
    options = {"viewport": DESKTOP} if screen == "desktop" else ON_PHONES
    shot = _photographer(screen)
    visit = Visit(open_page(**options), WHO[screen])
    agent = sign_in(open_page(**options), "agent")

    # The day begins: he is there, and the server sees it (or says that it is too young to know).
    action(agent, "availability").select_option("AVAILABLE")
    expect(action(agent, "presence")).to_have_attribute("data-present", re.compile("true|null"))

    # The bot answers with the facts of the customer's own order, and is told that this helped.
    visit.says("我的快递到哪了")
    answer = visit.hears(BOT, re.compile(r"CS\d+"))
    answer.locator("[data-part=UP]").click()
    expect(answer.locator("[data-part=UP]")).to_have_attribute("aria-pressed", "true")
    shot(visit.page, "customer-answered")

    # What it cannot know goes to a human, and the customer reads that.
    visit.says("转人工")
    visit.chat.locator("cs-chat[data-status=WAITING], cs-chat[data-status=AGENT]").wait_for()
    visit.says("收到的耳机左边没有声音")
    visit.sends_a_picture("左耳.png")

    # The agent reads the whole story before he says a word.
    agent.goto(f"/workspace/#{visit.conversation}")
    expect(agent.locator(".log")).to_contain_text("左边没有声音")
    expect(agent.locator(".row .picture img")).to_be_visible()
    if screen == "phone":
        agent.locator(".case-facts").click()
    expect(action(agent, "customer-name")).not_to_be_empty()
    agent.locator("#tab-orders").click()
    number = agent.locator("[data-part=orders] [data-part=number]").first
    expect(number).to_have_text(re.compile(r"^CS\d+$"))
    shot(agent, "workspace-orders")
    if screen == "phone":
        agent.locator(".facts-close").click()
    if action(agent, "take").is_visible():  # else it was assigned to him
        action(agent, "take").click()
    field = agent.locator("#case-text")
    expect(field).to_be_enabled()
    visit.is_with("AGENT")

    # A note for colleagues, a canned reply for the customer; each sees that the other has read.
    agent.keyboard.press("Alt+KeyN")
    agent.keyboard.type("第二次报修，优先处理")
    agent.keyboard.press("Enter")
    expect(agent.locator(".log .note")).to_contain_text("第二次报修")
    agent.keyboard.press("Alt+KeyR")
    field.fill("/")
    agent.locator("#canned-search").fill("qingshaohou")
    expect(agent.locator(".canned-option")).to_have_count(1)
    agent.keyboard.press("Enter")
    expect(field).to_have_value(re.compile("请您稍候"))
    agent.keyboard.press("Enter")
    visit.hears(AGENT, "请您稍候")
    expect(agent.locator(OWN).last).to_have_attribute("data-read", "")
    expect(visit.chat.locator(".log")).not_to_contain_text("第二次报修")
    visit.says("好的，谢谢")
    expect(agent.locator(".log .row[data-sender=CUSTOMER]").last).to_contain_text("好的，谢谢")
    field.fill("已为您登记换货，快递明天上门取件。")
    field.press("Enter")
    visit.hears(AGENT, "快递明天上门取件")
    shot(visit.page, "customer-with-agent")
    shot(agent, "workspace-conversation")

    # It ends with how it came out; the customer says what it was like and keeps it.
    agent.keyboard.press("Alt+KeyE")
    dialog = agent.locator("[data-part=close-dialog]")
    dialog.locator("select").select_option(label="已解决")
    dialog.locator("button[value=yes]").click()
    visit.is_with("CLOSED")
    visit.chat.get_by_role("radio").last.focus()
    visit.page.keyboard.press("Space")
    shot(visit.page, "customer-rating")
    visit.page.keyboard.press("Enter")
    expect(visit.chat.locator("[data-part=rating-thanks]")).to_contain_text("5")

    # The next day: he finds it by two characters in the middle of a sentence, and goes home.
    agent.goto("/workspace/")
    expect(action(agent, "availability")).to_be_enabled()
    agent.get_by_role("searchbox").fill("左边没有声音")
    hit = agent.locator(".found li").first
    expect(hit.locator("mark").first).to_be_visible()
    hit.locator("a").click()
    expect(agent.locator(".log .row.is-found")).to_contain_text("左边没有声音")
    if screen == "phone":
        action(agent, "back").click()
    action(agent, "availability").select_option("BREAK")
    expect(action(agent, "availability")).to_have_value("BREAK")
    agent.locator("form[action='/logout/'] button").click()
    agent.wait_for_url("**/login/**")


def _photographer(screen: str) -> Callable[[Page, str], None]:
    folder = os.environ.get("SCREENSHOTS")

    def shot(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.wait_for_timeout(600)  # what moves has come to rest
            page.screenshot(path=Path(folder) / f"{name}-{screen}.png")

    return shot
