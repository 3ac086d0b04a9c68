"""Who writes the replies that all agents have ready, and why conversations end (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

EDITS = ("view", "add", "change", "delete")
EDITORS = {
    "cannedreply": ("business editor", "supervisor", "administrator"),
    "disposition": ("supervisor", "administrator"),
}


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("chat"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for model, names in EDITORS.items():
        wanted = permissions.filter(
            content_type__app_label="chat", codename__in=[f"{one}_{model}" for one in EDITS]
        )
        for group in groups.filter(name__in=names):
            group.permissions.add(*wanted)


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_agents_tools"), ("chat", "0002_roles")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
