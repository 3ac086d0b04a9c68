"""What was written and not yet acknowledged: over reloads, closed tabs and clocks that jump."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import Complaints
from tests.browser.test_customer_page import OWN, ready, write

NO_NETWORK = "ERR_INTERNET_DISCONNECTED"
KEPT = """() => new Promise((resolve, reject) => {
  const asked = indexedDB.open('customer-service', 1);
  asked.onerror = () => reject(asked.error);
  asked.onsuccess = () => {
    const all = asked.result.transaction('outbox').objectStore('outbox').getAll();
    all.onsuccess = () => { asked.result.close(); resolve(all.result.map(one => one.text)); };
  };
})"""


def sent_by(page: Page) -> list[Any]:
    """The frames `message` that the page sends from now on."""
    sent: list[Any] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", lambda data: '"message"' in data and sent.append(data))

    page.on("websocket", watch)
    return sent


def texts_of(page: Page) -> list[str]:
    return page.eval_on_selector_all(OWN, "rows => rows.map(row => row.dataset.text)")


def test_what_was_written_offline_survives_a_reload_in_the_same_breath_in_its_order(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow(NO_NETWORK)
    ready(page)
    page.context.set_offline(True)
    for text in ("第一句", "第二句", "第三句"):
        write(page, text)
    page.context.set_offline(False)

    page.reload()

    expect(page.locator(f"{OWN}[data-state=sent]")).to_have_count(3)
    assert texts_of(page) == ["第一句", "第二句", "第三句"]
    page.reload()
    expect(page.locator(f"{OWN}[data-state=sent]")).to_have_count(3)
    assert page.evaluate(KEPT) == []


def test_of_two_tabs_one_sends_and_both_show(page: Page, complaints: Complaints) -> None:
    complaints.allow(NO_NETWORK)
    ready(page)
    other = page.context.new_page()
    complaints.watch(other)
    sent_by_one, sent_by_other = sent_by(page), sent_by(other)
    ready(other)
    page.context.set_offline(True)
    write(page, "只发一次")
    page.context.set_offline(False)

    for tab in (page, other):
        expect(tab.locator(OWN)).to_have_attribute("data-state", "sent", timeout=25_000)
        expect(tab.locator(OWN)).to_have_count(1)
    # The first connection of `page` was there before anybody listened.
    assert len(sent_by_one) <= 1
    assert sent_by_other == []


def test_what_a_closed_tab_left_is_sent_by_the_one_beside_it(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow(NO_NETWORK)
    ready(page)
    other = page.context.new_page()
    complaints.watch(other)
    ready(other)
    page.context.set_offline(True)
    write(page, "页面关了也要到")
    expect(page.locator(OWN)).to_have_attribute("data-state", "sending")
    page.close()
    other.context.set_offline(False)

    expect(other.locator(OWN)).to_have_attribute("data-state", "sent", timeout=25_000)
    expect(other.locator(OWN)).to_contain_text("页面关了也要到")
    expect(other.locator(OWN)).to_have_count(1)


def test_a_computer_whose_clock_is_set_back_and_forth_loses_nothing(
    open_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.allow(NO_NETWORK)
    page = open_page()
    page.add_init_script(
        "const now = Date.now; window.offMs = 0; Date.now = () => now() + window.offMs;"
    )
    ready(page)
    for hours in (0, 30, -30, 5):
        page.evaluate("hours => { window.offMs = hours * 3600_000; }", hours)
        write(page, {0: "零", 30: "早", -30: "晚", 5: "又早"}[hours])
        expect(page.locator(f"{OWN}[data-state=sent]").last).to_be_visible()
    expect(page.locator(f"{OWN}[data-state=sent]")).to_have_count(4)
    before = texts_of(page)
    page.reload()
    expect(page.locator(f"{OWN}[data-state=sent]")).to_have_count(4)
    assert texts_of(page) == before
