"""The widget as the server sends it: the script for the shops' pages, and the page in the frame."""

import re

import pytest
from django.conf import LazySettings
from django.test import Client

SHOP = "https://shop.example"


def ancestors(policy: str) -> set[str]:
    """Return who may frame a page, by its policy."""
    found = re.search(r"frame-ancestors ([^;]+)", policy)
    assert found
    return set(found[1].split())


class TestScript:
    def test_it_is_small_and_evaluates_and_inlines_nothing(self, client: Client) -> None:
        text = client.get("/widget.js").content.decode()

        assert len(text.encode()) <= 20_000  # at most 50 kB is promised
        for forbidden in (
            "eval(",
            "Function(",
            "innerHTML",
            'setAttribute("style',
            ", '*'",
            ', "*"',
        ):
            assert forbidden not in text
        assert "import" not in text.replace("important", "")

    def test_it_says_everything_in_both_languages(self, client: Client) -> None:
        text = client.get("/widget.js").content.decode()

        assert '"close": "Close the chat"' in text
        texts = re.search(r"const TEXTS = (\{.*\});", text)
        assert texts
        assert set(re.findall(r'"(\w\w)": \{', texts[1])) == {"zh", "en"}

    def test_a_browser_keeps_it_and_asks_whether_it_has_changed(self, client: Client) -> None:
        first = client.get("/widget.js")
        again = client.get("/widget.js", headers={"if-none-match": first["ETag"]})

        assert first["Content-Type"] == "text/javascript; charset=utf-8"
        assert "public" in first["Cache-Control"]
        assert "max-age=300" in first["Cache-Control"]
        assert first["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert not first.cookies
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
class TestPage:
    def test_without_origins_our_own_pages_alone_may_frame_it(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.WIDGET_ORIGINS = []

        assert ancestors(client.get("/widget/")["Content-Security-Policy"]) == {"'self'"}

    def test_the_shops_that_are_named_may_frame_it_and_nothing_else(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.WIDGET_ORIGINS = [SHOP]

        page = client.get("/widget/")

        assert ancestors(page["Content-Security-Policy"]) == {"'self'", SHOP}
        assert "X-Frame-Options" not in page  # it would forbid what the policy allows
        assert f'data-origins="{SHOP}"' in page.content.decode()
        for address in ("/", "/login/", "/demo-shop/", "/admin/login/", "/api/docs/"):
            other = client.get(address)
            assert other["X-Frame-Options"] == "DENY", address
            assert SHOP not in other["Content-Security-Policy"], address

    def test_an_isolated_page_may_have_it_in_a_frame(self, client: Client) -> None:
        page = client.get("/widget/")

        assert page["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert page["Cross-Origin-Resource-Policy"] == "cross-origin"

    def test_it_speaks_the_language_that_the_shop_asks_for(self, client: Client) -> None:
        english, chinese = client.get("/widget/?lang=en"), client.get("/widget/?lang=zh")

        assert '<html lang="en">' in english.content.decode()
        assert '<html lang="zh-hans">' in chinese.content.decode()
        assert not client.cookies  # what the customer chose on other pages stays

    def test_it_is_the_chat_with_a_button_that_closes_it(self, client: Client) -> None:
        page = client.get("/widget/").content.decode()

        assert "<cs-chat" in page
        assert "data-widget-close" in page
        assert "data-theme-toggle" not in page  # the shop's page says which
        assert "data-widget-close" not in client.get("/").content.decode()
