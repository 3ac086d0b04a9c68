"""A draft, from the page of an intent to the customer's chat and back, by two people."""

from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_admin import ANSWER, LIVE_MS, ask, ask_once_live, save, sign_in


def test_a_draft_is_written_reviewed_published_and_taken_back(
    open_page: Callable[..., Page],
) -> None:
    editor, customer = sign_in(open_page(), "editor"), open_page()
    customer.goto("/")
    code = f"draft_{uuid4().hex[:8]}"
    name = f"年货礼盒{code[6:]}"
    editor.goto("/admin/intents/intent/add/")
    for field, value in (("code", code), ("name_zh", name), ("name_en", f"Hamper {code}")):
        editor.fill(f"[name={field}]", value)
    save(editor)
    editor.goto(f"/admin/intents/intent/?q={code}")
    editor.locator("#result_list tbody a").first.click()
    editor.click("a[href='#replies']")
    editor.locator("#replies-group .add-row, #replies-group [data-add]").first.click()
    editor.select_option("[name=replies-0-language]", "zh")
    editor.fill("[name=replies-0-text]", "礼盒腊月二十开卖。")
    editor.select_option("#into-draft", "")
    editor.click("button[name=_draft]")
    expect(editor.locator(".cs-lines ins").first).to_be_visible()
    address = editor.url
    editor.click("button[value=submit]")
    expect(editor.locator("button[value=reopen]")).to_be_visible()
    customer.wait_for_timeout(LIVE_MS["intent"])
    ask(customer, name)
    expect(customer.locator(ANSWER).last).not_to_contain_text("礼盒腊月二十开卖。")

    # On a phone; nothing there is wider than it is, and every button has its words.
    reviewer = sign_in(open_page(viewport=PHONE, color_scheme="dark"), "reviewer")
    reviewer.goto(address)
    wide = reviewer.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide
    reviewer.fill("[name=comment]", "可以")
    reviewer.click("button[value=approve]")
    reviewer.click("button[value=publish]")
    expect(reviewer.locator("button[value=take_back]")).to_be_visible()
    ask_once_live(customer, name, "礼盒腊月二十开卖。", what="reply")

    editor.reload()
    editor.click("button[value=take_back]")
    expect(editor.locator("button[value=take_back]")).to_have_count(0)
    customer.wait_for_timeout(LIVE_MS["reply"])
    ask(customer, name)
    expect(customer.locator(ANSWER).last).not_to_contain_text("礼盒腊月二十开卖。")
