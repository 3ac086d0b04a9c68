"""The admin's pages of queues, hours and agents."""

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse, reverse_lazy

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


class TestSpecialDaysFromAFile:
    ADDRESS = reverse_lazy("admin:import_special_days")

    def check(self, client: Client, text: str, encoding: str = "utf-8") -> Any:
        file = SimpleUploadedFile("days.csv", text.encode(encoding))
        return client.post(self.ADDRESS, {"file": file})

    def enter(self, client: Client, page: Any) -> Any:
        return client.post(self.ADDRESS, {"checked": page.context["checked"], "enter": "1"})

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_each_row_is_shown_before_anything_is_entered(self, supervisor: Client, encoding: str):
        spans = [["09:00", "12:00"]]
        SpecialDay.objects.create(date=date(2027, 10, 1), kind="HOLIDAY", name="国庆", spans=spans)
        SpecialDay.objects.create(date=date(2027, 10, 2), kind="HOLIDAY", name="国庆节")
        text = "日期,类型,名称\n2027-10-01,休,国庆节\n2027/10/2,HOLIDAY,国庆节\n2027年9月26日,调休,国庆节\n"

        page = self.check(supervisor, text, encoding)

        assert [row.effect for row in page.context["rows"]] == ["CHANGED", "SAME", "NEW"]
        assert SpecialDay.objects.count() == 2
        assert self.enter(supervisor, page).status_code == 302
        changed, _same, added = (
            SpecialDay.objects.get(date=day)
            for day in (date(2027, 10, 1), date(2027, 10, 2), date(2027, 9, 26))
        )
        assert (changed.name, changed.spans) == ("国庆节", spans)
        assert added.kind == "MAKE_UP_WORKDAY"
        again = self.check(supervisor, text, encoding)
        assert {row.effect for row in again.context["rows"]} == {"SAME"}

    @pytest.mark.parametrize(
        "row",
        [
            "2027-13-01,HOLIDAY,",
            "2027-02-30,HOLIDAY,",
            "tomorrow,HOLIDAY,",
            ",HOLIDAY,x",
            "2027-01-02,PARTY,",
            "2027-01-02,,",
            f"2027-01-02,HOLIDAY,{'x' * 61}",
            "2027-01-01,休,",
        ],
    )
    def test_a_wrong_row_is_named_and_nothing_is_entered(self, supervisor: Client, row: str):
        text = f"date,kind,name\n2027-01-01,HOLIDAY,元旦\n{row}\n"

        page = self.check(supervisor, text)

        wrong = [(one.number, bool(one.error)) for one in page.context["rows"] if one.error]
        assert wrong == [(3, True)]
        supervisor.post(self.ADDRESS, {"checked": text, "enter": "1"})
        assert not SpecialDay.objects.exists()

    @pytest.mark.parametrize(
        "text", ["", "a,b\n1,2", "date,name\n2027-01-01,x", "date,kind\n" * 2001]
    )
    def test_what_is_no_such_table_is_refused_as_a_whole(self, supervisor: Client, text: str):
        page = self.check(supervisor, text)

        assert page.context["form"].errors["file"]
        assert "rows" not in page.context

    def test_what_is_saved_can_be_brought_in_again(self, supervisor: Client):
        supervisor.post(reverse("admin:load_special_days"))
        SpecialDay.objects.create(date=date(2031, 1, 1), kind="HOLIDAY", name='=1+1, "x"')
        saved = supervisor.get(reverse("admin:export_special_days")).getvalue().decode("utf-8")

        page = self.check(supervisor, saved)

        assert "'=1+1" in saved
        assert {row.effect for row in page.context["rows"]} == {"SAME"}
        assert len(page.context["rows"]) == SpecialDay.objects.count()

    def test_a_name_survives_the_dry_run_as_it_is(self, supervisor: Client):
        page = self.check(supervisor, 'date,kind,name\n2031-01-01,HOLIDAY,"a ""b"", c"\n')
        self.enter(supervisor, page)

        assert SpecialDay.objects.get().name == 'a "b", c'
