"""The agents' lists, search, labels, command bar and notifications, in browsers."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_customer_page import write
from tests.browser.test_workspace import action, calling, open_case, sign_in

OpenPage = Callable[..., Page]


def test_from_the_queue_to_mine_and_what_was_said_is_found_again(open_page: OpenPage) -> None:
    customer, agent = open_page(), sign_in(open_page(), "agent")
    calling(customer, "我的恐龙拼图少了三块")
    agent.locator("[data-view=queue]").click()
    entry = agent.locator(".entry").filter(has_text="恐龙拼图")
    entry.locator("a").click()

    # Taken, it is among his own, and no longer in the queue.
    action(agent, "take").click()
    expect(agent.locator("[data-view=mine]")).to_have_attribute("aria-pressed", "true")
    expect(entry).to_have_attribute("data-status", "MINE")
    # A view that was chosen stays over a reload.
    agent.locator("[data-view=queue]").click()
    agent.reload()
    expect(agent.locator("[data-view=queue]")).to_have_attribute("aria-pressed", "true")
    expect(agent.locator("[data-part=loading]")).to_be_hidden()
    expect(entry).to_have_count(0)

    # Two characters in the middle of a sentence find it, and lead to that line.
    agent.keyboard.press("Alt+KeyF")
    expect(agent.get_by_role("searchbox")).to_be_focused()
    agent.keyboard.type("拼图")
    hit = agent.locator(".found li").filter(has_text="恐龙")
    expect(hit.locator("mark").first).to_have_text("拼图")
    agent.keyboard.press("Escape")
    expect(hit).to_have_count(0)
    agent.keyboard.type("恐龙拼图")
    hit.first.locator("a").click()
    expect(agent.locator(".log .row.is-found")).to_contain_text("恐龙拼图")

    # Mine again, and what the customer says then is in the list at once.
    agent.get_by_role("searchbox").fill("")
    agent.locator("[data-view=mine]").click()
    write(customer, "还有一块是坏的")
    mine = agent.locator(".entry[data-status=MINE]").filter(has_text="还有一块是坏的")
    expect(mine).to_have_count(1)


def test_a_label_is_seen_by_everybody_and_narrows_the_list(open_page: OpenPage) -> None:
    supervisor = sign_in(open_page(), "supervisor")
    supervisor.goto("/admin/chat/label/add/")
    supervisor.locator("#id_name").fill("拼图")
    supervisor.locator("#id_colour").fill("#ffcc00")
    supervisor.locator("[name=_save]").click()
    expect(supervisor.locator("#result_list, table").first).to_contain_text("拼图")
    customer, first = open_page(), sign_in(open_page(), "agent")
    second = sign_in(open_page(), "agent2")
    calling(customer, "可以开发票吗")
    open_case(first, customer)
    open_case(second, customer)

    first.locator("[data-part=labels-open]").click()
    first.get_by_role("checkbox", name="拼图").check()

    for page in (first, second):
        chip = page.locator(".case-labels .label-chip")
        expect(chip).to_have_text("拼图")
        expect(chip).to_have_css("background-color", "rgb(255, 204, 0)")
        expect(chip).to_have_css("color", "rgb(0, 0, 0)")
    first.keyboard.press("Escape")
    first.locator("[data-part=filter-toggle]").click()
    first.locator("[data-part=filter-label]").select_option("拼图")
    expect(first.locator(".entry")).to_have_count(1)
    assert "label=" in first.url


def test_the_command_bar_finds_by_pinyin_and_runs(open_page: OpenPage) -> None:
    agent = sign_in(open_page(), "agent")
    expect(agent.locator("[data-part=loading]")).to_be_hidden()

    agent.keyboard.press("Control+KeyK")
    bar = agent.locator("#command-field")
    expect(bar).to_be_focused()
    rows = agent.locator("#command-list li")
    expect(rows.filter(has=agent.locator("kbd"))).not_to_have_count(0)
    bar.fill("view closed")
    expect(rows).to_have_count(1)
    agent.keyboard.press("Enter")

    expect(agent.locator("[data-view=closed]")).to_have_attribute("aria-pressed", "true")
    agent.locator("[data-part=shortcuts]").click()
    expect(agent.locator("[data-part=shortcut-list] dt")).to_have_count(
        agent.evaluate(
            "document.querySelector('cs-workspace').commands.all.filter((c) => c.code).length"
        )
    )


def test_notifications_are_asked_for_tried_and_told(open_page: OpenPage) -> None:
    agent = sign_in(open_page(), "agent")
    agent.context.grant_permissions(["notifications"])
    agent.evaluate(
        """() => {
          window.told = [];
          window.Notification = class { constructor(title, options) { told.push([title, options.body]); }
            static permission = "granted"; static async requestPermission() { return "granted"; } close() {} };
          document.hasFocus = () => false;
        }"""
    )

    # A fresh account is asked, and a click turns on both.
    agent.locator("[data-part=sound-yes]").click()
    expect(agent.locator("[data-part=ask-sound]")).to_be_hidden()
    agent.locator("[data-part=notifications-open]").click()
    expect(agent.locator("[data-part=notify-sound]")).to_be_checked()
    expect(agent.locator("[data-part=notify-desktop]")).to_be_checked()
    agent.locator("[data-part=test-desktop]").click()
    expect(agent.locator("[data-part=notify-result]")).not_to_be_empty()
    agent.locator("[data-part=notify-words]").uncheck()
    agent.keyboard.press("Escape")

    calling(open_page(), "这句话不该出现在通知里")

    expect(agent.locator("[data-part=announcer]")).to_contain_text("这句话")
    told = agent.evaluate("told")
    assert len(told) == 2  # the test, and the customer
    assert "这句话" not in repr(told)


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: OpenPage) -> None:
    phone = sign_in(open_page(viewport=PHONE, has_touch=True, is_mobile=True), "agent")
    expect(phone.locator("[data-part=loading]")).to_be_hidden()

    for opened in ("filter-toggle", "notifications-open"):
        phone.locator(f"[data-part={opened}]").click()
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.keyboard.press("Escape")
    phone.locator("[data-view=closed]").click()

    expect(phone).to_have_url(re.compile("view=closed"))
    expect(phone.locator("[data-part=empty-closed], .entry").first).to_be_visible()
