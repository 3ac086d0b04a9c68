"""Signing in: as a visitor, as the shop's customer, as staff."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chat.models import Conversation
from csplatform import tokens
from csplatform.roles import Role
from tests.factories import ConversationFactory, StaffFactory

pytestmark = pytest.mark.django_db


def login(**body: Any) -> Any:
    return Client().post(
        "/api/login", body, content_type="application/json", headers={"Accept-Language": "en"}
    )


class TestVisitors:
    def test_each_gets_a_uid_of_his_own(self):
        first, second = (login().json() for _ in range(2))

        assert set(first) == {"token", "refresh", "expires_in"}
        assert first["expires_in"] == 1800
        bearers = [tokens.bearer_of(pair["token"]) for pair in (first, second)]
        assert all(bearer.uid.startswith("anon-") for bearer in bearers)
        assert bearers[0].uid != bearers[1].uid
        assert bearers[0].roles == {Role.CUSTOMER}

    def test_a_refresh_token_keeps_the_uid(self):
        pair = login().json()

        renewed = Client().post(
            "/api/login/refresh", {"refresh": pair["refresh"]}, content_type="application/json"
        )

        assert set(renewed.json()) == {"token", "refresh", "expires_in"}
        assert tokens.bearer_of(renewed.json()["token"]).uid == tokens.bearer_of(pair["token"]).uid

    @pytest.mark.parametrize("kind", ["token", "broken"])
    def test_what_is_no_refresh_token_renews_nothing(self, kind: str):
        refresh = {**login().json(), "broken": "x.y.z"}[kind]

        refused = Client().post(
            "/api/login/refresh", {"refresh": refresh}, content_type="application/json"
        )

        assert (refused.status_code, refused.json()["code"]) == (401, "token_expired")


class TestCustomers:
    def test_the_shops_signature_lets_in(self):
        pair = login(uid="C1", signature=tokens.sign("C1")).json()

        assert tokens.bearer_of(pair["token"]).uid == "C1"

    @pytest.mark.parametrize("signature", ["", "x", tokens.sign("C2"), tokens.sign("C1").upper()])
    def test_nobody_becomes_somebody_by_naming_a_uid(self, signature: str):
        refused = login(uid="C1", signature=signature or " ")

        assert refused.status_code in (400, 401)
        assert "token" not in refused.json()

    def test_a_signature_that_runs_out_signs_in_until_then(self):
        now = int(timezone.now().timestamp())
        for expires, status in ((now + 60, 200), (now - 1, 401)):
            answer = login(uid="C1", signature=tokens.sign("C1", expires), expires=expires)

            assert answer.status_code == status
        assert answer.json()["code"] == "signature_expired"

    def test_its_end_cannot_be_moved_or_taken_away(self):
        soon, later = 1_000, int(timezone.now().timestamp()) + 60
        signature = tokens.sign("C1", soon)

        for body in ({"expires": later}, {}, {"uid": f"C1\n{soon}"}):
            refused = login(**{"uid": "C1", "signature": signature, **body})

            assert refused.status_code in (400, 401), body
            assert "token" not in refused.json()
        for body in ({"expires": later}, {"username": "a", "password": "b", "expires": later}):
            assert login(**body).json()["code"] == "invalid"

    def test_nor_a_visitor_even_with_a_signature(self):
        refused = login(uid="anon-1", signature=tokens.sign("anon-1"))

        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")

    def test_what_he_said_as_a_visitor_joins_him(self):
        visitor = login().json()
        uid = tokens.bearer_of(visitor["token"]).uid
        conversation = ConversationFactory(uid=uid)

        login(uid="C1", signature=tokens.sign("C1"), visitor=visitor["refresh"])

        conversation.refresh_from_db()
        assert (conversation.uid, conversation.open_for) == ("C1", "C1")

    def test_a_broken_visitor_token_still_signs_in(self):
        assert login(uid="C1", signature=tokens.sign("C1"), visitor="x").status_code == 200

    def test_without_the_signature_nothing_joins(self):
        visitor = login().json()
        ConversationFactory(uid=tokens.bearer_of(visitor["token"]).uid)

        login(uid="C1", signature=tokens.sign("C2"), visitor=visitor["refresh"])

        assert not Conversation.objects.filter(uid="C1").exists()


class TestStaff:
    def test_a_password_lets_in(self):
        agent = StaffFactory()

        pair = login(username=agent.username, password="secret").json()

        bearer = tokens.bearer_of(pair["token"])
        assert (bearer.user_id, bearer.roles) == (agent.pk, {Role.AGENT})

    @pytest.mark.parametrize("is_active", [True, False])
    def test_a_wrong_one_or_a_closed_account_does_not(self, is_active: bool):
        agent = StaffFactory(is_active=is_active)

        refused = login(username=agent.username, password="wrong" if is_active else "secret")

        assert (refused.status_code, refused.json()["code"]) == (401, "bad_credentials")

    def test_repeated_failures_lock_out_even_the_right_password(self, settings: Any):
        settings.AXES_FAILURE_LIMIT = 3
        agent, other = StaffFactory(), StaffFactory()
        for _ in range(3):
            last = login(username=agent.username, password="wrong")

        locked = login(username=agent.username, password="secret")

        for refused in (last, locked):
            assert (refused.status_code, refused.json()["code"]) == (429, "locked_out")
            assert refused.headers["Retry-After"] == "900"
        assert login(username=other.username, password="secret").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"uid": "C1"},
        {"username": "a"},
        {"uid": "C1", "password": "x"},
        {"visitor": "x"},
        {"uid": "C" * 65, "signature": "x"},
        {"username": "a\0", "password": "x"},
    ],
)
def test_what_does_not_belong_together_is_refused(body: dict[str, str]):
    refused = login(**body)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")


def test_too_many_sign_ins_from_one_address(settings: Any):
    settings.RATES = {"login": (2, 60)}

    statuses = [login().status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
