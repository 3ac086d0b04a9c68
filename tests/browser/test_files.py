"""Pictures and files, both ways: chosen, dropped or pasted, seen, opened and saved."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Complaints
from tests.chat import files

OpenPage = Callable[..., Page]


def chosen(page: Page, *names_and_contents: tuple[str, bytes]) -> None:
    page.locator("[data-part=file-input]").set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            for name, content in names_and_contents
        ]
    )


def sign_in(page: Page) -> None:
    page.goto("/login/")
    page.locator("[name=username]").fill("agent")
    page.locator("[name=password]").fill("demo-agent")
    page.keyboard.press("Enter")


def test_a_picture_and_a_file_go_both_ways(open_page: OpenPage) -> None:
    customer = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    customer.goto("/")
    chosen(customer, ("破损.png", files.image()), ("账单.pdf", files.PDF))
    expect(customer.locator(".tray-file[data-state=ready]")).to_have_count(2)
    customer.locator(".send").click()
    picture = customer.locator(".row[data-own] .picture")
    expect(picture.locator("img")).to_have_attribute("src", re.compile("^blob:"))
    expect(customer.locator(".tray-file")).to_have_count(0)
    # Of a picture alone the bot says that it cannot look at it.
    expect(customer.locator(".log .row[data-sender=BOT]").last).to_contain_text("看不了图片")
    customer.reload()
    expect(picture.locator("img")).to_have_attribute("src", re.compile("^blob:"))
    picture.click()
    dialog = customer.locator("[data-part=picture]")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[data-part=picture-state]")).to_be_empty()
    customer.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    customer.locator("[data-part=human]").click()

    agent = open_page(viewport=DESKTOP)
    sign_in(agent)
    which = customer.evaluate("document.querySelector('cs-chat').state.timeline.conversation")
    agent.wait_for_url("**/workspace/")
    agent.goto(f"/workspace/#{which}")
    expect(agent.locator(".row .picture img")).to_have_attribute("src", re.compile("^blob:"))
    with agent.expect_download() as saved:
        agent.locator(".row .file").first.click()
    assert saved.value.suggested_filename == "账单.pdf"
    expect(agent.locator("[data-part=attach]")).to_be_disabled()
    agent.keyboard.press("Alt+T")
    expect(agent.locator("[data-part=attach]")).to_be_enabled()
    with agent.expect_file_chooser() as chooser:
        # Only now asks Playwright for the dialog; on a busy page a key overtakes that, an answer does not.
        agent.evaluate("1")
        agent.keyboard.press("Alt+U")
    chooser.value.set_files([{"name": "退货标签.pdf", "mimeType": "", "buffer": files.PDF}])
    expect(agent.locator(".tray-file[data-state=ready]")).to_have_count(1)
    agent.locator("[data-part=composer] [type=submit]").click()
    expect(customer.locator(".row[data-sender=AGENT] .file")).to_contain_text("退货标签.pdf")


DROP = """([name, bytes, kind]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
  const target = document.querySelector("#chat-text");
  const options = {bubbles: true, cancelable: true};
  target.dispatchEvent(kind === "paste"
    ? new ClipboardEvent("paste", {...options, clipboardData: data})
    : new DragEvent("drop", {...options, dataTransfer: data}));
}"""


def test_a_screenshot_is_pasted_and_a_photo_dropped(page: Page) -> None:
    page.goto("/")
    content = list(files.image("png", (40, 30)))
    page.evaluate(DROP, ["image.png", content, "paste"])
    page.evaluate(DROP, ["photo.png", content, "drop"])

    expect(page.locator(".tray-file[data-state=ready]")).to_have_count(2)
    page.locator(".tray-remove").first.click()
    expect(page.locator(".tray-file")).to_have_count(1)
    page.locator("#chat-text").press("Enter")
    expect(page.locator(".row[data-own] .picture")).to_have_count(1)


def test_what_cannot_be_sent_says_why_and_holds_the_message(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 415")
    complaints.allow("ERR_INTERNET_DISCONNECTED")
    page.goto("/")
    page.locator("#chat-text").fill("请看")
    chosen(page, ("页面.html", files.HTML), ("巨大.txt", b"x" * 10_000_001))
    failed = page.locator(".tray-file[data-state=failed]")
    expect(failed).to_have_count(2)
    page.locator("#chat-text").press("Enter")
    expect(page.locator("[data-part=toast]")).not_to_be_empty()
    expect(page.locator(".row[data-own]")).to_have_count(0)
    for _ in range(2):
        failed.first.locator(".tray-remove").click()

    page.context.set_offline(True)
    chosen(page, ("照片.png", files.image()))
    expect(failed).to_have_count(1)
    page.context.set_offline(False)
    failed.locator("[data-part=upload-again]").click()
    expect(page.locator(".tray-file[data-state=ready]")).to_have_count(1)
    page.locator("#chat-text").press("Enter")
    expect(page.locator(".row[data-own] .picture")).to_have_count(1)
