"""axe-core finds no serious or critical problem on any page, in both languages and both themes.

What axe cannot see (does the focus go where it should, is a text of use to who hears it) the
tests of the pages themselves look at.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Complaints
from tests.browser.test_admin import sign_in as enter_admin
from tests.browser.test_customer_page import BOT, of, ready, write
from tests.browser.test_workspace import calling, open_case, sign_in

OpenPage = Callable[..., Page]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = """async (without) => {
    const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
    const found = await axe.run(document, {
        resultTypes: ["violations"], iframes: false, preload: false, rules,
    });
    return found.violations
        .filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => `${id}: ` + nodes.slice(0, 3).map(({ html, any }) =>
            `${html.slice(0, 160)} (${any[0]?.message ?? ""})`).join(" | "));
}"""
LOOKS = [
    pytest.param({"color_scheme": "light", "locale": "zh-CN"}, id="light-zh"),
    pytest.param({"color_scheme": "dark", "locale": "en-US"}, id="dark-en"),
]


@pytest.fixture(autouse=True)
def _axe_may_try_styles(complaints: Complaints) -> None:
    complaints.allow("Applying inline style violates")


def look(where: Page | Frame, *, without: tuple[str, ...] = ()) -> None:
    """Fail for what axe finds serious or critical; frames are looked at by themselves."""
    # Half-way through a fade every contrast is too low.
    where.evaluate(
        "() => Promise.allSettled(document.getAnimations().filter((one) =>"
        " one.effect.getComputedTiming().iterations !== Infinity).map((one) => one.finished))"
    )
    if not where.evaluate("'axe' in window"):
        where.evaluate(AXE)  # by the debugger: the page's policy holds for the page
    found: list[str] = where.evaluate(RUN, list(without))
    assert found == [], where.url


@pytest.mark.parametrize("looks", LOOKS)
def test_the_customers_page_in_its_states(open_page: OpenPage, looks: dict[str, Any]) -> None:
    page = open_page(**looks)
    ready(page)
    look(page)

    write(page, "我的包裹到哪了 https://example.com/a")
    expect(page.locator(BOT)).to_have_count(1)
    write(page, "<script>alert(1)</script>")
    expect(page.locator("[data-state=refused]")).to_be_visible()
    page.locator("[data-part=human]").click()
    expect(page.locator("cs-chat")).to_have_attribute("data-status", "WAITING")
    look(page)


@pytest.mark.parametrize("looks", LOOKS)
def test_the_shop_and_the_widget(open_page: OpenPage, looks: dict[str, Any]) -> None:
    page = open_page(**looks, viewport=PHONE)
    page.goto("/demo-shop/")
    look(page)
    page.locator(".person").first.click()
    expect(page.locator("#customer-service .launcher")).to_be_visible()
    look(page)

    page.locator("#customer-service .launcher").click()
    expect(of(page).locator("cs-chat")).to_have_attribute("data-connection", "open")
    look(page)
    look(page.frames[1])


@pytest.mark.parametrize("looks", LOOKS)
def test_what_everybody_finds_without_signing_in(
    open_page: OpenPage, complaints: Complaints, looks: dict[str, Any]
) -> None:
    complaints.allow("status of 404")
    page = open_page(**looks)
    for address in ("/login/", "/nothing-here/", "/admin/login/"):
        page.goto(address)
        look(page)
    page.goto("/api/docs/")
    expect(page.locator(".opblock").first).to_be_visible()
    # Swagger UI's own: its colours, and buttons in what is a button itself.
    look(page, without=("color-contrast", "nested-interactive"))


@pytest.mark.parametrize("looks", LOOKS)
def test_the_workspace(open_page: OpenPage, looks: dict[str, Any]) -> None:
    customer, agent = open_page(), sign_in(open_page(**looks), "supervisor")
    look(agent)
    calling(customer, "我的包裹到哪了")
    agent.locator("[data-view=queue]").click()
    open_case(agent, customer)
    look(agent)

    agent.locator("[data-part=take]").click()
    expect(agent.locator("[data-part=composer] textarea")).to_be_enabled()
    look(agent)
    for tab in agent.get_by_role("tab").all():
        if tab.is_visible():
            tab.click()
            look(agent)
    agent.keyboard.press("Alt+k")
    expect(agent.locator("dialog[open]")).to_be_visible()
    look(agent)
    for address in ("/workspace/monitor/", "/workspace/reports/"):
        agent.goto(address)
        look(agent)


@pytest.mark.parametrize("looks", LOOKS)
def test_every_page_in_the_menu_of_the_admin(
    open_page: OpenPage, complaints: Complaints, looks: dict[str, Any]
) -> None:
    """Every second one in each look: there are more than thirty.

    Each opens without a complaint, and is wider neither than a desktop's screen nor than a phone's.
    """
    page = enter_admin(open_page(**looks), "admin")
    menu: list[str] = page.eval_on_selector_all(
        "nav a[href], aside a[href]", "links => links.map((link) => link.getAttribute('href'))"
    )
    addresses = sorted({one for one in menu if one.startswith("/admin/")})
    assert len(addresses) > 20
    forms = [
        *(f"/admin/intents/intent/{one}/" for one in ("add", "1/change")),
        "/admin/auth/user/add/",
    ]

    for address in (addresses + forms)[looks["color_scheme"] == "dark" :: 2]:
        before = len(complaints.all)
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        assert is_narrow_enough(page), address
        assert complaints.all[before:] == (), address  # axe's own come later
        look(page)
        # Every other one is loaded on a phone, and seen on a desktop afterwards.
        page.set_viewport_size(PHONE if page.viewport_size == DESKTOP else DESKTOP)
        assert is_narrow_enough(page), (address, page.viewport_size)


def is_narrow_enough(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
