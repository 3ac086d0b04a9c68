"""The story beside the conversation and the suggested reply, against the real platform."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_customer_page import OWN
from tests.browser.test_workspace import action, sign_in

OpenPage = Callable[..., Page]


class ShopCustomer:
    """A customer of the demo shop, who writes over REST; the shop has signed his number."""

    def __init__(self, page: Page, uid: str) -> None:
        self._request = page.request
        shop = self._request.get(f"/demo-shop/?as={uid}").text()
        signed: dict[str, Any] = {
            name: re.search(rf'data-{name}="([^"]+)"', shop)[1]  # type: ignore[index]
            for name in ("uid", "signature", "expires")
        }
        answer = self._request.post(
            "/api/login", data={**signed, "expires": int(signed["expires"])}
        )
        self._headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    def says(self, text: str) -> str:
        """Write something; return the conversation."""
        sent = self._request.post("/api/chat", data={"text": text}, headers=self._headers)
        return str(sent.json()["conversation"])

    def calls(self) -> None:
        self._request.post("/api/conversation/human", data={}, headers=self._headers)


def test_an_agent_reads_the_story_and_sends_the_suggestion_edited(open_page: OpenPage) -> None:
    agent = sign_in(open_page(), "agent")
    customer = ShopCustomer(open_page(), "C1005")
    conversation = customer.says("你好")
    customer.calls()
    agent.goto(f"/workspace/#{conversation}")

    # The whole story, before a word is said.
    expect(agent.locator("[data-part=customer-name]")).not_to_be_empty()
    expect(agent.locator("[data-part=handovers] li")).to_have_count(1)
    agent.locator("#tab-customer").press("ArrowRight")
    expect(agent.locator("#tab-orders")).to_be_focused()
    order = agent.locator("[data-part=orders] [data-part=number]").first
    expect(order).to_have_text(re.compile(r"^CS\d+$"))
    number = order.inner_text()
    expect(agent.locator(".promise, .order").first).to_be_visible()

    # He takes over; what the customer says next brings a suggestion with his order in it.
    action(agent, "take").click()
    field = agent.locator("#case-text")
    expect(field).to_be_focused()
    customer.says("到哪了")
    expect(action(agent, "suggestion-text")).to_contain_text(number)
    expect(field).to_have_value("")

    # One key puts it into the field, also from a private note, and nothing is sent.
    agent.locator("#tab-note").click()
    agent.keyboard.press("Alt+KeyS")
    expect(field).to_have_value(re.compile(number))
    expect(action(agent, "suggestion")).to_be_hidden()
    expect(agent.locator(OWN)).to_have_count(0)
    agent.keyboard.press("Control+End")
    agent.keyboard.type("请放心。")
    agent.keyboard.press("Enter")
    expect(agent.locator(OWN)).to_contain_text("请放心。")
    expect(agent.locator(OWN)).to_have_attribute("data-state", "sent")

    # Reviewers find what came of it, without the customer's number.
    reviewer = open_page()
    reviewer.goto("/login/?next=/admin/intents/reviewcandidate/")
    reviewer.locator("#id_username").fill("reviewer")
    reviewer.locator("#id_password").fill("demo-reviewer")
    reviewer.locator(".form button").click()
    row = reviewer.locator("#result_list tbody tr").first
    expect(row).to_contain_text("到哪了")
    expect(row).to_contain_text("logistics")
    expect(row).not_to_contain_text(number)


def test_escape_puts_the_suggestion_away_and_leaves_the_conversation_open(
    open_page: OpenPage,
) -> None:
    agent = sign_in(open_page(), "agent2")
    customer = ShopCustomer(open_page(), "C1006")
    conversation = customer.says("你好")
    customer.calls()
    agent.goto(f"/workspace/#{conversation}")
    action(agent, "take").click()
    expect(agent.locator("#case-text")).to_be_focused()
    customer.says("怎么申请退货")
    expect(action(agent, "suggestion")).to_be_visible()

    agent.keyboard.press("Escape")

    expect(action(agent, "suggestion")).to_be_hidden()
    expect(action(agent, "reading")).to_be_visible()
    agent.reload()
    expect(agent.locator("[data-part=log] .row").first).to_be_visible()
    expect(agent.locator("[data-part=customer-name]")).not_to_be_empty()
    expect(action(agent, "suggestion")).to_be_hidden()


def test_a_visitor_without_orders_is_told_apart_also_on_a_phone(open_page: OpenPage) -> None:
    phone = sign_in(open_page(viewport=PHONE, has_touch=True, is_mobile=True), "agent")
    visitor = open_page()
    token = visitor.request.post("/api/login", data={}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    said = visitor.request.post("/api/chat", data={"text": "我的包裹到哪了"}, headers=headers)
    phone.goto(f"/workspace/#{said.json()['conversation']}")

    phone.locator(".case-facts").click()
    expect(action(phone, "customer-visitor")).to_be_visible()
    phone.locator("#tab-orders").click()
    expect(action(phone, "orders-visitor")).to_be_visible()
    phone.locator("#tab-understood").click()
    phone.locator(".turn-button").first.click()

    # To the message that it is about: the story makes way.
    expect(phone.locator(".facts")).to_be_hidden()
    expect(phone.locator(".row.is-revealed")).to_contain_text("我的包裹到哪了")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
