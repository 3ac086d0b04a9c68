"""Supervisors and administrators read what customers thought; nobody changes it (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("chat"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    views = permissions.filter(
        content_type__app_label="chat",
        codename__in=("view_rating", "view_messagefeedback", "view_leftaddress"),
    )
    for group in (
        apps.get_model("auth", "Group")
        .objects.using(alias)
        .filter(name__in=("supervisor", "administrator"))
    ):
        group.permissions.add(*views)


class Migration(migrations.Migration):
    dependencies = [("chat", "0024_gate_permissions")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
