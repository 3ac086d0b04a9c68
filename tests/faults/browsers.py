"""A few people with a real browser: they type, reload, lose the network, open a second tab."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.faults.product import Product
from tests.faults.verdict import Row

# Date, as the page sees it, is wrong by so many milliseconds; timers and performance are not.
_MOVABLE_CLOCK = """
window.__offMs = Number(localStorage.getItem('faults.off') ?? 0);
const Real = Date;
window.Date = class extends Real {
  constructor(...given) { given.length ? super(...given) : super(Real.now() + window.__offMs); }
  static now() { return Real.now() + window.__offMs; }
};
"""
_MOVE = """ms => { window.__offMs = ms; localStorage.setItem('faults.off', String(ms)); }"""
# What stands there: text, key, whose, state.
_ROWS = """() => [...document.querySelectorAll('cs-chat [data-row-key][data-sender]')].map(
  one => [one.dataset.rowKey, one.dataset.sender, one.dataset.text, one.dataset.state])"""


class Visitor:
    """One person; two tabs if `tabs` is 2. Texts are his own, so that each is found again."""

    def __init__(
        self,
        name: str,
        product: Product,
        port: int,
        lots: random.Random,
        *,
        messages: int,
        tabs: int,
    ) -> None:
        self.name, self._product, self._port, self._lots = name, product, port, lots
        self._messages, self._tabs = messages, tabs
        self.texts: list[str] = []
        self.pages: list[Page] = []
        self.reloads = self.offline = 0
        self._context: BrowserContext | None = None

    async def open(self, browser: Browser) -> None:
        self._context = await browser.new_context(
            base_url=f"http://127.0.0.1:{self._port}", locale="zh-CN"
        )
        self._context.set_default_timeout(5_000)
        await self._context.add_init_script(_MOVABLE_CLOCK)
        for _ in range(self._tabs):
            page = await self._context.new_page()
            self.pages.append(page)
            await self._persist(lambda page=page: page.goto("/"))

    async def live(self) -> None:
        """Type all that is to be typed."""
        for number in range(self._messages):
            await asyncio.sleep(self._lots.uniform(0.5, 3))
            page = self._lots.choice(self.pages)
            text = f"我的包裹到哪里了 {self.name}{_letters(number)}"
            await self._persist(lambda page=page, text=text: self._type(page, text))
            lot = self._lots.random()
            if lot < 0.1:
                self.reloads += 1
                await self._persist(page.reload)
            elif lot < 0.2:
                self.offline += 1
                await self._go_offline(page)

    async def _type(self, page: Page, text: str) -> None:
        if text in self.texts:
            return
        field = page.locator("#chat-text")
        await field.fill(text)
        await field.press("Enter")
        # From here on the page has promised to deliver it.
        await page.wait_for_function(
            f"text => ({_ROWS})().some(row => row[2] === text)", arg=text, timeout=3_000
        )
        self.texts.append(text)

    async def _go_offline(self, page: Page) -> None:
        """Write while there is no network, and reload right after it is back."""
        assert self._context is not None
        await self._context.set_offline(True)
        await asyncio.sleep(self._lots.uniform(0.5, 4))
        await self._context.set_offline(False)
        if self._lots.random() < 0.5:
            await self._persist(page.reload)

    async def move_clock(self, seconds: float) -> None:
        for page in self.pages:
            with contextlib.suppress(Error):
                await page.evaluate(_MOVE, seconds * 1000)

    @staticmethod
    async def _persist(work: Callable[[], Awaitable[Any]]) -> None:
        """Try until the product is there; a person would reload, too."""
        for attempt in range(30):
            try:
                await work()
                return
            except Error:
                await asyncio.sleep(min(2.0, 0.2 * 2**attempt))
        raise AssertionError("the page did not come for a minute")

    # --- At the end ---

    async def rows(self, page: Page) -> list[list[str]]:
        return list(await page.evaluate(_ROWS))

    async def is_settled(self) -> bool:
        for page in self.pages:
            rows = await self.rows(page)
            if any(row[3] != "sent" for row in rows if row[1] == "CUSTOMER"):
                return False
        return True

    async def judge(self, rows: list[Row]) -> list[str]:
        """Say what its pages show that is not stored exactly so, and the other way round."""
        mine = {row.conversation for row in rows if row.text in self.texts}
        stored = [row for row in rows if row.conversation in mine]
        wrong = []
        keys = [row.client_id or f"{row.conversation} {row.seq}" for row in stored]
        for number, page in enumerate(self.pages, 1):
            shown = [row[0] for row in await self.rows(page)]
            if shown != keys:
                missing = [key for key in keys if key not in shown]
                more = [key for key in shown if key not in keys]
                wrong.append(f"browser {self.name}, tab {number}: missing {missing}, more {more}")
        return wrong


def _letters(number: int) -> str:
    """Digits would be taken for an order's number."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        with contextlib.suppress(Error):
            await browser.close()
