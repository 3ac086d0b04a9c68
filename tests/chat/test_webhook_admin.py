"""Webhooks in the admin: the secret once, the test, the log, sending again; administrators only."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import webhooks
from chat.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from chat.webhooks import signing
from tests.chat.receiver import Receiver, listening
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db
LIST = "admin:chat_webhookdelivery_changelist"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.WEBHOOK_HTTPS_ONLY = False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(
        StaffFactory(role="administrator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.fixture
def endpoint(receiver: Receiver, now: datetime) -> WebhookEndpoint:
    made, _ = webhooks.create(
        name="ERP", url=receiver.url, kinds=["message.posted"], created_by_id=None, now=now
    )
    return made


def page(client: Client, name: str, pk: Any = None, **data: str) -> str:
    url = reverse(f"admin:{name}", args=[pk] if pk else [])
    response = client.post(url, data, follow=True) if data else client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_a_new_webhook_shows_its_secret_once(administrator: Client, receiver: Receiver):
    form = {"name": "ERP", "url": receiver.url, "kinds": ["message.posted"]}
    response = administrator.post(reverse("admin:chat_webhookendpoint_add"), form)

    endpoint = WebhookEndpoint.objects.get()
    [shown] = set(re.findall(r"whsec_[\w+/=]{44}", response.content.decode()))
    assert shown == signing.secret_of(endpoint)
    assert "no-store" in response["Cache-Control"]
    assert endpoint.created_by is not None
    assert shown not in page(administrator, "chat_webhookendpoint_change", endpoint.pk)


def test_an_address_inside_is_refused_at_its_field(administrator: Client, settings: Any):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    form = {"name": "ERP", "url": "http://169.254.169.254/", "kinds": ["message.posted"]}
    response = administrator.post(reverse("admin:chat_webhookendpoint_add"), form)

    assert "169.254.169.254" in response.context["adminform"].form.errors["url"][0]
    assert not WebhookEndpoint.objects.exists()


def test_a_webhook_is_changed_and_keeps_its_secret(
    administrator: Client, endpoint: WebhookEndpoint
):
    secret = signing.secret_of(endpoint)
    form = {"name": "WMS", "url": "http://127.0.0.1:9/x", "kinds": ["conversation.closed"]}
    url = reverse("admin:chat_webhookendpoint_change", args=[endpoint.pk])
    assert administrator.post(url, form).status_code == 302

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.kinds) == ("WMS", ["conversation.closed"])
    assert signing.secret_of(endpoint) == secret


def test_a_new_secret_is_shown_once_and_the_former_goes_on_for_a_day(
    administrator: Client, endpoint: WebhookEndpoint
):
    former = signing.secret_of(endpoint)
    shown = page(administrator, "chat_webhookendpoint_rotate", endpoint.pk, go="1")

    endpoint.refresh_from_db()
    assert signing.secret_of(endpoint) in shown
    assert signing.secret_of(endpoint) != former
    assert former in signing.valid_secrets(endpoint, timezone.now())


def test_the_test_button_sends_and_the_log_shows_what_came_of_it(
    administrator: Client, endpoint: WebhookEndpoint, receiver: Receiver
):
    receiver.code, receiver.body = 404, b"no such hook"
    page(administrator, "chat_webhookendpoint_ping", endpoint.pk, go="1")
    webhooks.deliver_next(now=timezone.now())

    assert receiver.kinds == ["ping"]
    delivery = WebhookDelivery.objects.get()
    log = page(administrator, "chat_webhookdelivery_change", delivery.pk)
    assert "404" in log
    assert "no such hook" in log
    assert str(delivery.event_id) in log


def test_off_and_on_again(administrator: Client, endpoint: WebhookEndpoint):
    page(administrator, "chat_webhookendpoint_switch", endpoint.pk, to="off")
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.switched_off_because) == (False, "STAFF")
    page(administrator, "chat_webhookendpoint_ping", endpoint.pk, go="1")
    assert not WebhookDelivery.objects.exists()  # a switched-off one is not tested

    page(administrator, "chat_webhookendpoint_switch", endpoint.pk, to="on")
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.switched_off_because) == (True, "")


def test_one_that_was_switched_off_for_failing_is_on_the_first_page(
    administrator: Client, endpoint: WebhookEndpoint
):
    first = reverse("admin:index")
    assert list(administrator.get(first).context["broken_webhooks"]) == []
    webhooks.switch_off(endpoint_id=endpoint.pk, because="FAILING")

    response = administrator.get(first)
    assert response.context["broken_webhooks"] == [endpoint]
    assert endpoint.get_switched_off_because_display() in response.content.decode()


def deliveries(endpoint: WebhookEndpoint, count: int, **fields: Any) -> list[WebhookDelivery]:
    made = []
    for number in range(count):
        kind = ("message.posted", "conversation.closed")[number % 2]
        event = WebhookEvent.objects.create(kind=kind, payload='{"data":{}}')
        made.append(WebhookDelivery.objects.create(endpoint=endpoint, event=event, **fields))
    return made


def shown(client: Client, **query: Any) -> set[int]:
    response = client.get(reverse(LIST), query)
    return {delivery.pk for delivery in response.context["cl"].result_list}


def test_the_log_is_filtered_by_status_webhook_kind_and_id(
    administrator: Client, endpoint: WebhookEndpoint, now: datetime
):
    other, _ = webhooks.create(
        name="CRM", url=endpoint.url, kinds=["message.posted"], created_by_id=None, now=now
    )
    first, second = deliveries(endpoint, 2, status="GIVEN_UP")
    third, fourth = deliveries(other, 2, status="DELIVERED")

    assert shown(administrator, status__exact="GIVEN_UP") == {first.pk, second.pk}
    assert shown(administrator, endpoint__id__exact=other.pk) == {third.pk, fourth.pk}
    assert shown(administrator, kind="message.posted") == {first.pk, third.pk}
    assert shown(administrator, q=str(fourth.event_id)) == {fourth.pk}
    assert shown(administrator, q="nothing") == set()


def test_given_up_ones_are_sent_again_from_the_list_and_from_their_page(
    administrator: Client, endpoint: WebhookEndpoint, receiver: Receiver
):
    given_up = deliveries(endpoint, 3, status="GIVEN_UP", attempts=9)
    chosen = {"action": "redeliver_selected", "_selected_action": [given_up[0].pk, given_up[1].pk]}
    administrator.post(reverse(LIST), chosen)
    page(administrator, "chat_webhookdelivery_redeliver", given_up[2].pk, go="1")

    later = timezone.now() + timedelta(seconds=1)
    while webhooks.deliver_next(now=later):
        later += timedelta(seconds=1)

    assert receiver.ids == [str(one.event_id) for one in given_up]
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"DELIVERED"}


@pytest.mark.parametrize("role", ["business editor", "reviewer", "supervisor", "agent"])
def test_nobody_else_acts(client: Client, endpoint: WebhookEndpoint, role: str):
    [delivery] = deliveries(endpoint, 1, status="GIVEN_UP")
    client.force_login(StaffFactory(role=role), backend="django.contrib.auth.backends.ModelBackend")
    for name, pk in (
        ("chat_webhookendpoint_ping", endpoint.pk),
        ("chat_webhookendpoint_rotate", endpoint.pk),
        ("chat_webhookendpoint_switch", endpoint.pk),
        ("chat_webhookdelivery_redeliver", delivery.pk),
    ):
        response = client.post(reverse(f"admin:{name}", args=[pk]), {"to": "off"})
        assert response.status_code in (302, 403)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.secret_generation) == (True, 1)
    assert list(WebhookDelivery.objects.values_list("status", flat=True)) == ["GIVEN_UP"]


@pytest.mark.parametrize("name", ["webhookdelivery", "webhookendpoint"])
def test_long_lists_take_as_many_queries_as_short_ones(
    administrator: Client,
    endpoint: WebhookEndpoint,
    now: datetime,
    name: str,
    django_assert_max_num_queries: Any,
):
    def queries() -> int:
        with django_assert_max_num_queries(40) as counted:
            administrator.get(reverse(f"admin:chat_{name}_changelist"))
        return len(counted)

    deliveries(endpoint, 1)
    queries()  # fills caches of content types
    before = queries()
    for number in range(20):
        made, _ = webhooks.create(
            name=str(number),
            url=endpoint.url,
            kinds=["message.posted"],
            created_by_id=None,
            now=now,
        )
        deliveries(made, 2)
    assert queries() == before
