"""Business staff at work: the real admin, and the real chat page that follows it."""

from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Page, expect

LIVE_MS = {"reply": 2000, "word": 2000, "utterance": 3000, "intent": 3000}
ANSWER = ".log .row[data-sender=BOT]"
OWN = ".row[data-own]"


def sign_in(page: Page, username: str) -> Page:
    page.goto("/admin/login/?next=/admin/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", f"demo-{username}")
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    return page


def save(page: Page) -> None:
    """Press save and come back to the list, where the message says that it is live."""
    page.click("button[name=_save]")
    expect(page.locator("#changelist")).to_be_visible()


def ask(customer: Page, text: str) -> None:
    """Send one message and wait for its answer."""
    answers = customer.locator(ANSWER).count()
    customer.get_by_role("textbox").fill(text)
    customer.keyboard.press("Enter")
    expect(customer.locator(ANSWER)).to_have_count(answers + 1)


def ask_once_live(customer: Page, text: str, reply: str, *, what: str) -> None:
    """Ask when what was saved should be live, and on a busy machine once more."""
    for patience in (1, 4):
        customer.wait_for_timeout(patience * LIVE_MS[what])
        ask(customer, text)
        if reply in customer.locator(ANSWER).last.inner_text():
            return
    expect(customer.locator(ANSWER).last).to_contain_text(reply)


def test_what_staff_save_is_in_the_chat_within_seconds(open_page: Callable[..., Page]) -> None:
    editor, customer = sign_in(open_page(), "editor"), open_page()
    customer.goto("/")
    code = f"gift_{uuid4().hex[:8]}"
    name = f"礼品包装{code[5:]}"

    editor.goto("/admin/intents/intent/add/")
    for field, value in (("code", code), ("name_zh", name), ("name_en", f"Gift {code}")):
        editor.fill(f"[name={field}]", value)
    save(editor)
    editor.goto(f"/admin/intents/intent/?q={code}")
    editor.locator("#result_list tbody a").first.click()
    editor.click("a[href='#replies']")
    editor.locator("#replies-group .add-row, #replies-group [data-add]").first.click()
    editor.select_option("[name=replies-0-language]", "zh")
    editor.fill("[name=replies-0-text]", "可以免费包装。")
    save(editor)
    ask_once_live(customer, name, "可以免费包装。", what="intent")

    editor.goto(f"/admin/intents/reply/?q={code}")
    editor.locator("#result_list tbody a").first.click()
    editor.fill("[name=text]", "包装费十元。")
    save(editor)
    ask_once_live(customer, name, "包装费十元。", what="reply")

    editor.goto("/admin/intents/utterance/add/")
    editor.fill("[name=text]", f"帮我把{code}系上蝴蝶结")
    choose(editor, "intent", name)
    save(editor)
    ask_once_live(customer, f"帮我把{code}系上蝴蝶结", "包装费十元。", what="utterance")

    editor.goto("/admin/intents/sensitiveword/add/")
    editor.fill("[name=word]", f"坏词{code[5:]}")
    save(editor)
    customer.wait_for_timeout(LIVE_MS["word"])
    ask(customer, f"你这个坏词{code[5:]}啊")
    expect(customer.locator(OWN).last).to_contain_text("你这个**********啊")

    editor.goto(f"/admin/intents/intent/?q={code}")
    editor.locator("#result_list tbody a").first.click()
    editor.uncheck("[name=is_active]", force=True)
    save(editor)
    customer.wait_for_timeout(LIVE_MS["intent"])
    ask(customer, name)
    expect(customer.locator(ANSWER).last).not_to_contain_text("包装费十元。")


def choose(page: Page, field: str, text: str) -> None:
    """Choose from a field that searches while one types."""
    page.locator(f".field-{field} .select2-selection").click()
    page.locator(".select2-search__field").fill(text)
    page.locator(".select2-results__option", has_text=text).click()


def test_the_second_of_two_editors_sees_the_difference_and_keeps_his_input(
    open_page: Callable[..., Page],
) -> None:
    first, second = sign_in(open_page(), "admin"), sign_in(open_page(), "editor")
    for page in (first, second):
        page.goto("/admin/intents/intent/?q=coupon")
        page.locator("#result_list tbody a").first.click()
    first.fill("[name=description_zh]", "先保存的说明")
    save(first)
    second.fill("[name=description_zh]", "后保存的说明")
    second.click("button[name=_save]")

    difference = second.locator(".cs-conflict")
    expect(difference).to_contain_text("先保存的说明")
    expect(difference).to_contain_text("后保存的说明")
    expect(second.locator("[name=description_zh]")).to_have_value("后保存的说明")
    second.check("[name=seen_revision]")
    save(second)


def test_after_errors_the_first_tab_that_has_one_is_open(open_page: Callable[..., Page]) -> None:
    editor = sign_in(open_page(), "editor")
    editor.goto("/admin/intents/intent/?q=coupon")
    editor.locator("#result_list tbody a").first.click()
    name = editor.input_value("[name=name_zh]")
    editor.fill("[name=name_zh]", "")
    editor.click("a[href='#replies']")
    editor.fill("[name=replies-0-text]", "｛order_number｝")
    editor.click("button[name=_save]")
    expect(editor.locator("[name=name_zh]")).to_be_visible()
    editor.fill("[name=name_zh]", name)
    editor.click("button[name=_save]")
    expect(editor.locator("[name=replies-0-text]")).to_be_visible()
    expect(editor.locator("[name=name_zh]")).to_be_hidden()


def test_a_reply_is_previewed_while_it_is_written(open_page: Callable[..., Page]) -> None:
    editor = sign_in(open_page(), "editor")
    editor.goto("/admin/intents/reply/add/")
    editor.fill("[name=text]", "订单 {order_number} 由{carrier}配送")
    editor.locator(".cs-preview button").click()
    bubble = editor.locator(".cs-preview .cs-bubble")
    expect(bubble).to_contain_text("订单")
    expect(bubble).not_to_contain_text("{")
    editor.fill("[name=text]", "{parcel}")
    editor.locator(".cs-preview button").click()
    expect(bubble).to_contain_text("{parcel}")
    expect(bubble).to_contain_text("{order_number}")
