"""A customer pastes a page; the agent sees what is in it, and in which mood, arrive by itself."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_customer_page import BOT, write
from tests.browser.test_workspace import action, calling, open_case, sign_in
from tests.live_site import Site

OpenPage = Callable[..., Page]
TEXT = (
    "你好😡，我上周五在你们店里买了一个保温杯，订单号CS20261120001，付了299元，电话13812345678。"
    + "当时说三天内一定能到，结果到今天还卡在海关，前天我打电话问了两次，没有一个人理我。" * 11
    + "这次真的太让人失望了，服务态度极差，简直是垃圾。请问清关到底要多久？"
)


def test_findings_and_mood_arrive_while_the_agent_looks(
    open_page: OpenPage, live_site: Site
) -> None:
    customer, agent = open_page(viewport=PHONE), sign_in(open_page(), "agent")
    calling(customer, "我的保温杯到哪了")
    open_case(agent, customer)
    agent.locator("#tab-understood").click()
    expect(action(agent, "analyses-block")).to_be_hidden()

    # Answered, or left to the agent, before anybody has read all of it.
    write(customer, TEXT)
    long_message = agent.locator("[data-part=log] .row[data-sender=CUSTOMER]").last
    expect(long_message).to_contain_text("清关到底要多久")
    expect(long_message.locator(".entity")).to_have_count(0)

    with live_site.running("worker", "beat", "analyst"):
        marked = long_message.locator(".entity[data-kind=ORDER_NUMBER]")
        expect(marked).to_have_text("CS20261120001", timeout=200_000)

    # An emoji before them moves no mark, and no character of the text is lost.
    expect(long_message.locator("[data-part=text]")).to_have_text(TEXT)
    expect(long_message.locator(".entity[data-kind=PHONE]")).to_have_text("13812345678")
    panel = action(agent, "analyses")
    expect(panel.locator("[data-part=orders]")).to_contain_text("CS20261120001")
    expect(panel.locator("[data-part=mood]")).to_have_attribute("data-mood", "negative")
    expect(panel.locator("svg.mood-curve")).to_be_visible()

    # By keyboard, too; the customer sees none of it.
    marked.press("Enter")
    expect(agent.locator("body")).to_contain_text("CS20261120001")
    expect(customer.locator(".entity")).to_have_count(0)
    expect(customer.locator(BOT).first).to_be_visible()

    # All negative ones of this week.
    agent.locator("[data-part=search]").click()
    action(agent, "search-mood").select_option("NEGATIVE")
    action(agent, "search-period").select_option("WEEK")
    expect(action(agent, "found").locator("li").first).to_contain_text("保温杯")
