"""manage.py load_people: the demo's staff, one person per role (and a second agent)."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from csplatform.roles import Role

# username, how customers and colleagues see them, role
PEOPLE = (
    ("editor", "小文", Role.EDITOR),
    ("reviewer", "小许", Role.REVIEWER),
    ("agent", "小林", Role.AGENT),
    ("agent2", "小周", Role.AGENT),
    ("supervisor", "陈主管", Role.SUPERVISOR),
    ("admin", "王管理", Role.ADMINISTRATOR),
)


def password_of(username: str) -> str:
    """Return the demo's password, which is published in the README."""
    return f"demo-{username}"


class Command(BaseCommand):
    help = (
        "Make the people of the demo (editor, reviewer, agent, agent2, supervisor, admin; password "
        "demo-<username>). Safe to repeat: who is there keeps password and roles."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anyway",
            action="store_true",
            help="also where DEMO_SHOP is off; everybody knows these passwords",
        )

    @transaction.atomic
    def handle(self, *args: Any, anyway: bool = False, **options: Any) -> None:
        if not (settings.DEMO_SHOP or anyway):
            raise CommandError(
                "DEMO_SHOP is off, so this is not a demo, and everybody knows the passwords of "
                "these people. Make your own with `manage.py createsuperuser` and in the admin, "
                "or add --anyway."
            )
        made = [self._make(*person) for person in PEOPLE]
        self.stdout.write(f"Demo people: {sum(made)} made, {len(made) - sum(made)} were there.")

    def _make(self, username: str, name: str, role: Role) -> bool:
        person, is_new = get_user_model().objects.get_or_create(
            username=username, defaults={"first_name": name, "is_staff": role != Role.AGENT}
        )
        if is_new:
            person.set_password(password_of(username))
            person.save()
            person.groups.add(Group.objects.get(name=role))
        return is_new
