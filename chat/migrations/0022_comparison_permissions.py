"""Editors and reviewers compare answers and judge what changed; supervisors read (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view_comparison", "view_changedanswer")
WORK = (*READ, "add_comparison", "change_changedanswer")
GRANTS = {
    "business editor": WORK,
    "reviewer": WORK,
    "supervisor": READ,
    "administrator": WORK,
}


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("training"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=GRANTS):
        group.permissions.add(
            *permissions.filter(content_type__app_label="training", codename__in=GRANTS[group.name])
        )


class Migration(migrations.Migration):
    dependencies = [("chat", "0021_training_permissions"), ("training", "0006_comparisons")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
