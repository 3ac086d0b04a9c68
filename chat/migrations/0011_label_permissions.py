"""Supervisors and administrators say which labels there are (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

WANTED = [f"{action}_label" for action in ("view", "add", "change", "delete")]


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("chat"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    wanted = permissions.filter(content_type__app_label="chat", codename__in=WANTED)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group in groups.filter(name__in=["supervisor", "administrator"]):
        group.permissions.add(*wanted)


class Migration(migrations.Migration):
    dependencies = [("chat", "0010_labels"), ("chat", "0002_roles")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
