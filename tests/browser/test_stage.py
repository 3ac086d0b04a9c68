"""The stage of the browser tests: pages open at both widths, and a page that misbehaves is caught."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Complaints


@pytest.mark.parametrize("path", ["/", "/demo-shop/", "/login/", "/api/docs/"])
def test_public_pages_open_without_a_complaint_and_without_scrolling_sideways(
    any_page: Page, path: str
):
    any_page.goto(path, wait_until="networkidle" if path != "/" else "load")

    width = any_page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0
    assert any_page.title() != ""


@pytest.mark.parametrize(
    ("misdeed", "complaint"),
    [
        ("console.error('broken')", "console: broken"),
        ("setTimeout(() => { throw new Error('lost') })", "uncaught: lost"),
        ("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">')", "style"),
        ("fetch('http://example.invalid/').catch(() => {})", "http://example.invalid/"),
    ],
)
def test_a_page_that_misbehaves_is_caught(
    page: Page, complaints: Complaints, misdeed: str, complaint: str
):
    page.goto("/login/")
    page.evaluate(misdeed)

    for _ in range(200):
        if any(complaint in one for one in complaints.unexpected):
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail(f"not caught: {complaints.unexpected}")
    complaints.allow("")  # seen; the test itself shall pass
