"""Chromium on the live site. Pages that log an error, break the policy or call out fail the test.

The tests here are plain functions: Playwright's synchronous interface keeps an event loop
of its own, so neither coroutines nor the ORM of the test process work beside it.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.live_site import ROOT, Site

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# How long a page may take for what it does at once, on a machine with too much to do.
BUSY_MS = 20_000
expect.set_options(timeout=BUSY_MS)
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SCREENSHOTS = ROOT / "tests" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class Complaints:
    """What the pages of a test complained about; `allow` names what the test provokes."""

    def __init__(self, site_url: str) -> None:
        self._host = urlsplit(site_url).netloc
        self._found: list[str] = []
        self._allowed: list[str] = []

    def allow(self, text: str) -> None:
        """Let complaints with this text pass: "ERR_CONNECTION_REFUSED", "status of 401"."""
        self._allowed.append(text)

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._found.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium reports policy violations and failed requests here, too.
        if message.type == "error":
            self._found.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self._found.append(f"calls out: {request.url}")

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(self._found)

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self._found if not any(text in one for text in self._allowed)]


@pytest.fixture
def complaints(live_site: Site) -> Complaints:
    return Complaints(live_site.url)


@pytest.fixture
def open_page(
    request: pytest.FixtureRequest, browser: Browser, live_site: Site, complaints: Complaints
) -> Iterator[Callable[..., Page]]:
    """A function that opens a page in a browser profile of its own: another person.

    Keywords are those of Playwright's new_context (viewport=PHONE, locale="en-US",
    color_scheme="dark", …). Addresses are relative to the site: page.goto("/workspace/").
    """
    contexts = []

    def opened(**options: Any) -> Page:
        wanted = {"viewport": DESKTOP, "locale": "zh-CN", "base_url": live_site.url, **options}
        context = browser.new_context(**wanted)
        context.set_default_timeout(BUSY_MS)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield opened
    if request.node.stash.get(_FAILED, False):
        SCREENSHOTS.mkdir(exist_ok=True)
        for number, context in enumerate(contexts):
            for page in context.pages:
                page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{number}.png")
    for context in contexts:
        context.close()
    assert complaints.unexpected == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """One person at a desk: 1280 px, Chinese."""
    return open_page()


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    """One person on a phone: 390 px, touch, Chinese."""
    return open_page(viewport=PHONE, has_touch=True, is_mobile=True)


@pytest.fixture(params=["desktop", "phone"])
def any_page(request: pytest.FixtureRequest) -> Page:
    """The test runs twice: at 1280 px and at 390 px."""
    name = "page" if request.param == "desktop" else "phone"
    return request.getfixturevalue(name)
