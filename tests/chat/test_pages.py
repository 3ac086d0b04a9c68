"""The pages as the server sends them; what their scripts do is in tests/js and tests/browser."""

import re
from datetime import datetime

import pytest
from django.test import Client

from csplatform import tokens
from intents.models import Intent
from knowledge import demo
from knowledge.models import Customer
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(now: datetime) -> None:
    demo.load(now)


def language_of(page: bytes) -> str:
    return re.search(r'<html lang="([^"]+)"', page.decode()).group(1)  # type: ignore[union-attr]


class TestLanguage:
    def test_the_address_chooses_it_and_the_next_page_remembers(self, client: Client) -> None:
        asked = client.get("/?lang=en")
        later = client.get("/")

        assert (language_of(asked.content), language_of(later.content)) == ("en", "en")

    def test_it_is_the_browsers_unless_somebody_chose(self, client: Client) -> None:
        page = client.get("/", headers={"accept-language": "en-GB,en"})

        assert language_of(page.content) == "en"

    def test_one_that_we_do_not_speak_changes_nothing(self, client: Client) -> None:
        page = client.get("/?lang=xx")

        assert language_of(page.content) == "zh-hans"
        assert "django_language" not in page.cookies


class TestDemoShop:
    @pytest.mark.usefixtures("shop")
    def test_who_is_chosen_is_signed_in(self, client: Client) -> None:
        uid = client.get("/demo-shop/").context["customers"][0].uid

        page = client.get("/demo-shop/", {"as": uid})

        assert tokens.is_signed(uid, page.context["signature"], page.context["expires"])
        assert {order.customer.uid for order in page.context["orders"]} == {uid}

    @pytest.mark.usefixtures("shop")
    def test_it_signs_nobody_whom_it_does_not_offer(self, client: Client) -> None:
        offered = {one.uid for one in client.get("/demo-shop/").context["customers"]}
        another = Customer.objects.exclude(uid__in=offered).values_list("uid", flat=True)[0]

        for uid in (another, "anon-1", "nobody", ""):
            page = client.get("/demo-shop/", {"as": uid})

            assert "signature" not in page.context
            assert b"data-signature" not in page.content

    @pytest.mark.usefixtures("shop")
    def test_it_offers_both_languages_and_many_stories(self, client: Client) -> None:
        offered = client.get("/demo-shop/").context["customers"]

        assert len(offered) == 8
        assert {one.language for one in offered} == {"zh", "en"}
        assert len({one.latest_order.status for one in offered}) >= 5

    def test_beside_a_real_shop_it_does_not_exist(self, client: Client, settings) -> None:
        settings.DEMO_SHOP = False

        assert client.get("/demo-shop/?as=C1001").status_code == 404

    def test_before_the_demo_is_loaded_it_says_so(self, client: Client) -> None:
        assert b"load_demo" in client.get("/demo-shop/").content


class TestToken:
    def test_the_session_of_an_agent_gets_an_access_token_and_no_refresh_token(
        self, client: Client
    ) -> None:
        agent = StaffFactory()
        client.force_login(agent)

        issued = client.post("/workspace/token").json()

        assert tokens.bearer_of(issued["token"]).user_id == agent.pk
        assert set(issued) == {"token", "expires_in"}

    def test_another_site_cannot_ask_for_it(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(StaffFactory())

        assert client.post("/workspace/token").status_code == 403

    def test_an_editor_gets_none(self, client: Client) -> None:
        client.force_login(StaffFactory(role="business editor"))

        assert client.post("/workspace/token").status_code == 403

    def test_a_link_does_not_make_one(self, client: Client) -> None:
        client.force_login(StaffFactory())

        assert client.get("/workspace/token").status_code == 405


class TestSignIn:
    @pytest.mark.parametrize(
        ("role", "address"), [("agent", "/workspace/"), ("business editor", "/admin/")]
    )
    def test_it_leads_to_where_somebody_works(
        self, client: Client, role: str, address: str
    ) -> None:
        StaffFactory(username="lin", role=role)

        answer = client.post("/login/", {"username": "lin", "password": "secret"})

        assert (answer.status_code, answer["Location"]) == (302, address)

    def test_a_wrong_password_is_told_without_saying_which_half(self, client: Client) -> None:
        StaffFactory(username="lin")

        known = client.post("/login/", {"username": "lin", "password": "x"})
        unknown = client.post("/login/", {"username": "nobody", "password": "x"})

        for page in (known, unknown):
            assert page.status_code == 200
            assert page.content.count(b'role="alert"') == 1

    def test_after_too_many_attempts_the_page_says_how_long(self, client: Client, settings) -> None:
        StaffFactory(username="lin")
        for _ in range(settings.AXES_FAILURE_LIMIT):
            page = client.post("/login/?lang=en", {"username": "lin", "password": "x"})

        assert page.status_code == 429
        assert b"locked for 15 minutes" in page.content


class TestWorkspace:
    def test_intents_are_named_in_the_language_of_the_page(self, client: Client) -> None:
        Intent.objects.create(code="logistics", name_zh="物流查询", name_en="Delivery")
        client.force_login(StaffFactory())

        chinese, english = client.get("/workspace/"), client.get("/workspace/?lang=en")

        assert chinese.context["intent_names"]["logistics"] == "物流查询"
        assert english.context["intent_names"]["logistics"] == "Delivery"


class TestRefusals:
    @pytest.mark.parametrize("status", [400, 403, 404, 500])
    def test_they_need_nothing_to_be_shown(self, status: int) -> None:
        from django.template.loader import get_template

        assert f">{status}<" in get_template(f"{status}.html").render()

    def test_no_page_holds_a_script_or_a_style_of_its_own(self, client: Client) -> None:
        client.force_login(StaffFactory())

        for address in ("/", "/demo-shop/", "/workspace/", "/nothing-here/"):
            page = client.get(address).content.decode()

            assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page), address
            assert not re.search(r"<script(?![^>]*(src=|application/json))", page), address
