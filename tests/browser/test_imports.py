"""A file of thousands of rows, worked on by a real worker while the page shows how far it is."""

import csv
import io
from collections.abc import Callable
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_admin import sign_in
from tests.live_site import Site

pytestmark = pytest.mark.long

IMPORTS = "/admin/intents/utterance/imports/"
WORKED_MS = 180_000
BOUGHT = ("上周买的鞋", "那件外套", "退回的杯子", "新买的手机壳", "送朋友的礼物", "预售的裙子")
ASKED = {
    "logistics": ("什么时候能到", "怎么还没有发货"),
    "invoice": ("能开发票吗", "发票抬头怎么改"),
    "repair": ("坏了怎么修",),
}
COURTESIES = ("谢谢", "请问", "麻烦看一下", "好吗", "在线等")
TIMES = range(2, 6)
WRONG = (("no_such_intent", "没有这个意图"), ("invoice", ""))


def table() -> tuple[bytes, int]:
    """Return a table, and how many of its rows are right."""
    right = [
        (intent, f"{bought}{asked}{courtesy}第{times}次问")
        for intent, questions in ASKED.items()
        for bought, asked, courtesy, times in product(BOUGHT, questions, COURTESIES, TIMES)
    ]
    out = io.StringIO()
    csv.writer(out).writerows([("intent", "text"), *right, *WRONG])
    return out.getvalue().encode(), len(right)


def check(editor: Page, data: bytes) -> None:
    editor.goto(IMPORTS)
    file = {"name": "many.csv", "mimeType": "text/csv", "buffer": data}
    editor.locator("input[type=file]").set_input_files([file])
    editor.get_by_role("button", name="Check the file").click()
    expect(editor.locator("#import-progress")).to_be_visible()


def test_it_is_checked_brought_in_and_a_second_time_nothing_is(
    live_site: Site, open_page: Callable[..., Page]
) -> None:
    data, right = table()
    editor = sign_in(open_page(locale="en-US"), "editor")
    with live_site.running("worker"):
        check(editor, data)
        expect(editor.locator("#import-progress progress")).to_be_visible()
        bring_in = editor.get_by_role("button", name=f"Bring in {right} rows")
        expect(bring_in).to_be_visible(timeout=WORKED_MS)
        bring_in.click()
        done = editor.locator("nav", has_text=f"added ({right})")
        expect(done).to_be_visible(timeout=WORKED_MS)
        expect(editor.locator("#import-progress progress")).to_have_count(0)
        expect(done).to_contain_text(f"wrong ({len(WRONG)})")

        check(editor, data)
        expect(editor.locator("nav", has_text=f"already there ({right})")).to_be_visible(
            timeout=WORKED_MS
        )
        expect(editor.get_by_role("button", name="Bring in")).to_have_count(0)
