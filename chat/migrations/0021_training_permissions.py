"""Who teaches may train: editors and reviewers start trainings and choose the model (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

TRAINERS = ["business editor", "reviewer", "administrator"]
READERS = [*TRAINERS, "supervisor"]


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("training"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for codename, names in (
        ("add_trainingrun", TRAINERS),
        ("change_activemodel", TRAINERS),
        ("change_retrainingplan", TRAINERS),
        ("view_retrainingplan", READERS),
    ):
        permission = permissions.get(content_type__app_label="training", codename=codename)
        for group in groups.filter(name__in=names):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0020_draft_permissions"),
        ("training", "0008_retraining"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
