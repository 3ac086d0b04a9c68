"""The admin's pages of queues, hours and agents."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import AgentProfile, BusinessHours, Queue, SpecialDay
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def supervisor() -> Client:
    client = Client()
    client.force_login(StaffFactory(role="supervisor"), backend=BACKEND)
    return client


@pytest.mark.parametrize("model", ["queue", "agentprofile", "team", "specialday", "label"])
def test_every_list_says_what_it_is_for(supervisor: Client, model: str):
    AgentProfile.objects.create(user=StaffFactory(), languages=["zh"])

    page = supervisor.get(reverse(f"admin:chat_{model}_changelist")).content.decode()

    assert 'class="cs-panel"' in page
    assert "{{" not in page


def test_a_queue_is_saved_with_its_hours(supervisor: Client):
    queue = Queue.objects.get()
    form: dict[str, Any] = {
        "name": "中文",
        "position": 1,
        "languages": ["zh"],
        "strategy": "LAST_AGENT",
        "unseen_after_s": 60,
        "unanswered_after_s": 180,
        "escalate_after_s": 600,
        "business_hours-TOTAL_FORMS": 1,
        "business_hours-INITIAL_FORMS": 0,
        "business_hours-0-queue": queue.pk,
        "business_hours-0-weekday": 0,
        "business_hours-0-opens_at": "09:00",
        "business_hours-0-closes_at": "18:00",
    }
    address = reverse("admin:chat_queue_change", args=[queue.pk])
    wrong = {**form, "business_hours-0-closes_at": "08:00"}
    assert supervisor.post(address, wrong).status_code == 200
    assert not BusinessHours.objects.exists()

    assert supervisor.post(address, form).status_code == 302

    queue.refresh_from_db()
    assert (queue.name, queue.languages, queue.business_hours.count()) == ("中文", ["zh"], 1)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("09:00–12:00, 13:00–18:00", [["09:00", "12:00"], ["13:00", "18:00"]]),
        ("9:00至12:00", [["09:00", "12:00"]]),
        ("", []),
        ("from nine", None),
        ("18:00-09:00", None),
        ("25:00-26:00", None),
    ],
)
def test_hours_are_written_as_people_write_them(
    supervisor: Client, written: str, stored: list[list[str]] | None
):
    supervisor.post(
        reverse("admin:chat_specialday_add"),
        {"date": "2026-12-31", "kind": "HOLIDAY", "name": "", "spans": written},
    )

    day = SpecialDay.objects.filter(date=date(2026, 12, 31)).first()
    assert (day.spans if day else None) == stored


def test_published_days_are_entered_by_a_button(supervisor: Client):
    address = reverse("admin:load_special_days")
    supervisor.get(address)
    assert not SpecialDay.objects.exists()

    page = supervisor.post(address, follow=True)

    assert page.status_code == 200
    assert page.context["messages"]
