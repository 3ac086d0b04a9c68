"""A business editor's whole day: from a table with mistakes to a model that answers, and back.

It is played on a site of its own, because what it changes, the model in service above all, would
be another world to the tests beside it. With SCREENSHOTS set to a folder it leaves there what
docs/pages.md shows: `SCREENSHOTS=docs/screenshots python -m pytest tests/browser/test_editors_day.py`
"""

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_admin import ANSWER, LIVE_MS, ask, save, sign_in
from tests.live_site import Site, copy_of

TRAINED_MS = 180_000
INTENT, CODE = "礼品包装", "gift_wrapping"
REPLY = "可以的，下单时勾选“礼品包装”，我们免费包好并附上贺卡。"
QUESTION = "请问礼品包装怎么收费"
# What a colleague has put where it does not belong.
MISPLACED = "送长辈的能装进礼盒里吗"
TAUGHT = (
    *("可以帮我包装成礼物吗", "有没有礼盒包装", "能包成礼物的样子吗", "礼品包装要另外收费吗"),
    *("礼品包装多少钱", "礼盒包装怎么选", "我要礼品包装", "请帮我做礼品包装", "礼盒要加钱吗"),
    *(
        "能放一张手写贺卡吗",
        "可以附贺卡吗",
        "贺卡上能写祝福语吗",
        "贺卡要收费吗",
        "帮我写一张生日贺卡",
    ),
    *("包装纸可以选颜色吗", "礼品包装纸有哪些颜色", "可以用红色的包装纸吗", "请用礼品纸包起来"),
    *("想送人，可以包装得好看一点吗", "送朋友的生日礼物，帮忙包装一下", "要送客户，有高档礼盒吗"),
    *("礼盒可以系蝴蝶结吗", "几件商品能包在一个礼盒里吗", "圣诞节有特别的礼品包装吗"),
    *("Can you gift wrap this?", "Do you offer gift wrapping?", "How much is gift wrapping?"),
    *(
        "Please gift wrap my order",
        "Can I choose the gift wrapping paper?",
        "Do you have gift boxes?",
    ),
    *("Can you add a greeting card to the gift?", "It is a present, please gift wrap it"),
)
# Row by row: a sentence that another intent has, an intent that there is not, and no sentence.
WRONG = ((INTENT, "券可以送人吗"), ("礼品包裝", "能包两层吗"), (INTENT, ""))
RIGHT = ((INTENT, "券可以和礼品包装一起送人吗"), (INTENT, "能包两层吗"))


@pytest.fixture(scope="module")
def live_site(live_site: Site) -> Iterator[Site]:
    """A site of its own with a model in service, a worker and a trainer."""
    with copy_of(live_site) as made:
        made.manage("train", "--mode", "quick")
        made.start("web")
        with made.running("worker", "trainer"):
            yield made


@pytest.mark.timeout(600)  # two trainings, on however busy a machine
def test_from_a_table_with_mistakes_to_a_model_that_answers_and_back(
    open_page: Callable[..., Page],
) -> None:
    editor = sign_in(open_page(locale="en-US"), "editor")
    customer = open_page()
    customer.goto("/")

    # Customers ask for what the bot has not been taught.
    for question in (QUESTION, "可以附一张贺卡吗", "我的快递到哪了"):
        ask(customer, question)
        expect(customer.locator(ANSWER).last).not_to_contain_text("免费包好")

    # The table of a colleague comes in, but for its wrong rows; put right, these come in, too.
    make_intent(editor)
    intent_page = editor.url
    colleague = [*((INTENT, text) for text in TAUGHT), ("商品咨询", MISPLACED)]
    check_file(editor, [*colleague, *WRONG])
    rows = editor.get_by_role("region", name="Rows of the file").locator("tbody tr")
    expect(rows).to_have_count(len(colleague) + len(WRONG))
    expect(rows.filter(has_text="There is no intent “礼品包裝”.")).to_have_count(1)
    expect(rows.filter(has_text="One sentence has one intent.")).to_have_count(1)
    editor.get_by_role("link", name=f"wrong ({len(WRONG)})").click()
    expect(rows).to_have_count(len(WRONG))
    shoot(editor, "learning-import", phone=True)
    editor.get_by_role("button", name=f"Bring in {len(colleague)} rows").click()
    check_file(editor, [*colleague, *RIGHT])
    editor.get_by_role("button", name=f"Bring in {len(RIGHT)} rows").click()
    expect(editor.locator("#import-progress")).to_contain_text("brought in")

    # While he types he reads that another intent has the sentence, and moves it.
    editor.goto(intent_page)
    field = editor.locator("#id_new_utterances")
    field.press_sequentially(MISPLACED)
    hint = editor.locator(".cs-hint").first
    expect(hint).to_contain_text("has the same sentence")
    shoot(editor, "learning-conflict", hint)
    hint.get_by_role("button", name="Move it here").click()
    expect(hint).to_contain_text("Moved here.")
    field.fill("")

    # The reply is written as a draft, which no customer gets.
    editor.click("a[href='#replies']")
    editor.locator("#replies-group .add-row, #replies-group [data-add]").first.click()
    editor.select_option("[name=replies-0-language]", "zh")
    editor.fill("[name=replies-0-text]", REPLY)
    editor.get_by_role("button", name="Save as draft").click()
    expect(editor.locator(".cs-lines ins", has_text="免费包好")).to_be_visible()
    draft_page = editor.url
    shoot(editor, "learning-draft")

    # The bench shows it beside what is in service.
    editor.get_by_role("link", name="Try it on the bench").click()
    editor.fill("[name=text]", QUESTION)
    editor.get_by_role("button", name="Try", exact=True).click()
    drafted = editor.locator(".cs-columns > section").nth(1)
    expect(drafted.locator(".cs-bubble").first).to_contain_text("免费包好", timeout=30_000)
    shoot(editor, "learning-bench", phone=True)

    # Last week again, answered by the draft: he accepts by keyboard what it makes better.
    editor.goto(draft_page)
    editor.get_by_role("link", name="Replay past questions").click()
    editor.get_by_role("button", name="Replay").click()
    changed = editor.locator("li.cs-answer").filter(has_text=QUESTION)
    expect(changed).to_contain_text("免费包好", timeout=60_000)
    editor.wait_for_load_state()  # the page was loaded anew; before that nobody hears the key
    changed.focus()
    editor.keyboard.press("a")
    expect(changed).to_have_attribute("data-verdict", "ACCEPTED")
    shoot(editor, "learning-replay")

    # Published, it is in the chat within seconds.
    editor.goto(draft_page)
    editor.get_by_role("button", name="Publish now").click()
    expect(editor.get_by_role("button", name="Take back now")).to_be_visible()

    # He trains, and sees how far it is.
    editor.goto("/admin/training/trainingrun/")
    editor.get_by_role("link", name="Train now").click()
    editor.get_by_label("mode").select_option("quick")
    editor.get_by_role("button", name="Start training").click()
    progress = editor.locator("#run-progress")
    expect(progress).to_be_visible()
    editor.evaluate("document.body.dataset.opened = 'once'")
    expect(progress).to_contain_text("comparing with the model in service", timeout=TRAINED_MS)
    assert editor.evaluate("document.body.dataset.opened") == "once", "it was loaded anew"
    shoot(editor, "learning-training")
    expect(progress).to_have_count(0, timeout=TRAINED_MS)

    # The gate finds it no worse: it answers from now on. He reads why.
    editor.goto("/admin/training/modelversion/")
    versions = editor.locator("#result_list tbody tr")
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text("in service")
    versions.first.locator("a").first.click()
    new_version = editor.url
    expect(editor.get_by_role("region", name="The gate")).to_contain_text("passed")
    shoot(editor, "learning-gate")
    bars = editor.get_by_role("region", name="Intent by intent")
    expect(bars.get_by_role("img")).to_be_visible()
    shoot(editor, "learning-gate-intents", bars, phone=True)

    # Everything is as before with two clicks, and with two more the new one is promoted again.
    roll_back(editor)
    former = versions.nth(1).locator("a").first.inner_text()
    editor.wait_for_timeout(LIVE_MS["reply"])
    editor.reload()
    engine = editor.locator("p", has_text="Understanding in this process")
    expect(engine).to_contain_text(former)
    shoot(editor, "learning-models")
    editor.goto(new_version)
    editor.get_by_role("button", name="Activate").click()
    expect(versions.first).to_contain_text("in service")

    # A customer is answered, by the new model.
    customer.wait_for_timeout(LIVE_MS["intent"])
    ask(customer, QUESTION)
    expect(customer.locator(ANSWER).last).to_contain_text("免费包好")
    shoot(customer, "learning-answer")
    roll_back(editor)


def roll_back(editor: Page) -> None:
    """On the list of models, have the one before the newest answer again."""
    editor.goto("/admin/training/modelversion/")
    editor.get_by_role("link", name="Roll back to").click()
    editor.get_by_role("button", name="Yes, roll back to").click()
    versions = editor.locator("#result_list tbody tr")
    expect(versions.first).to_contain_text("answered before")
    expect(versions.nth(1)).to_contain_text("in service")


def make_intent(editor: Page) -> None:
    """Make the new intent, and come to its page."""
    editor.goto("/admin/intents/intent/add/")
    for field, value in (("code", CODE), ("name_zh", INTENT), ("name_en", "Gift wrapping")):
        editor.fill(f"[name={field}]", value)
    save(editor)
    editor.goto(f"/admin/intents/intent/?q={CODE}")
    editor.locator("#result_list tbody a").first.click()
    expect(editor.locator("#id_new_utterances")).to_be_visible()


def check_file(editor: Page, rows: Sequence[tuple[str, str]]) -> None:
    """Hand in a table and come to its report. Excel in China saves CSV as GB 18030."""
    table = io.StringIO()
    csv.writer(table).writerows([("意图", "句子"), *rows])
    editor.goto("/admin/intents/utterance/imports/")
    editor.locator("input[type=file]").set_input_files(
        [
            {
                "name": "礼品包装.csv",
                "mimeType": "text/csv",
                "buffer": table.getvalue().encode("gb18030"),
            }
        ]
    )
    editor.get_by_role("button", name="Check the file").click()
    expect(editor.locator("#import-progress")).to_be_visible()


def shoot(page: Page, name: str, what: Locator | None = None, *, phone: bool = False) -> None:
    """Take a picture at a desk where SCREENSHOTS asks for pictures.

    Args:
        what: What has to be on it; else the page from its top.
        phone: Take one on a phone, too.
    """
    if not (folder := os.environ.get("SCREENSHOTS")):
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for screen, size in {"desktop": DESKTOP, **({"phone": PHONE} if phone else {})}.items():
        page.set_viewport_size(size)
        if what is not None:
            what.evaluate("place => place.scrollIntoView({ block: 'nearest' })")
        page.wait_for_timeout(600)  # what moves has come to rest
        page.screenshot(path=Path(folder) / f"{name}-{screen}.png")
    page.set_viewport_size(DESKTOP)
