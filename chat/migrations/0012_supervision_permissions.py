"""Supervisors and administrators see who read along; nobody changes it (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("chat"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    view = permissions.get(content_type__app_label="chat", codename="view_watch")
    for group in (
        apps.get_model("auth", "Group")
        .objects.using(alias)
        .filter(name__in=("supervisor", "administrator"))
    ):
        group.permissions.add(view)


class Migration(migrations.Migration):
    dependencies = [("chat", "0011_label_permissions"), ("chat", "0002_roles")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
