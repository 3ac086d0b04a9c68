"""The demo's staff: one for each role, and nowhere but in a demo."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from csplatform.roles import Role, roles_of

pytestmark = pytest.mark.django_db


def test_there_is_one_for_each_role_and_agents_stay_out_of_the_admin() -> None:
    call_command("load_people")
    people = {person.username: person for person in User.objects.all()}
    assert {name: set(roles_of(person)) for name, person in people.items()} == {
        "editor": {Role.EDITOR},
        "reviewer": {Role.REVIEWER},
        "agent": {Role.AGENT},
        "agent2": {Role.AGENT},
        "supervisor": {Role.SUPERVISOR},
        "admin": {Role.ADMINISTRATOR},
    }
    assert {name for name, person in people.items() if not person.is_staff} == {"agent", "agent2"}
    assert all(person.check_password(f"demo-{name}") for name, person in people.items())


def test_a_changed_password_and_a_shut_out_person_stay_so() -> None:
    call_command("load_people")
    admin = User.objects.get(username="admin")
    admin.set_password("mine")
    admin.is_active = False
    admin.save()
    call_command("load_people")
    admin.refresh_from_db()
    assert admin.check_password("mine")
    assert not admin.is_active


def test_outside_a_demo_nobody_is_made_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEMO_SHOP", False)
    with pytest.raises(CommandError):
        call_command("load_people")
    assert not User.objects.exists()
    call_command("load_people", "--anyway")
    assert User.objects.count() == 6
