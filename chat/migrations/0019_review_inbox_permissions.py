"""Editors, reviewers and administrators decide in the review inbox; supervisors read it (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

DECIDERS = ["business editor", "reviewer", "administrator"]
READERS = [*DECIDERS, "supervisor"]


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("intents"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for codename, names in (
        ("view_reviewitem", READERS),
        ("view_reviewdecision", READERS),
        ("change_reviewitem", DECIDERS),
    ):
        permission = permissions.get(content_type__app_label="intents", codename=codename)
        for group in groups.filter(name__in=names):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0018_attachment_position"),
        ("intents", "0009_review_inbox"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
