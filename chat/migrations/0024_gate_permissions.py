"""Who keeps regression sentences, and who may overrule the promotion gate (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view",)
WRITE = ("view", "add", "change")
EDIT = (*WRITE, "delete")
CASES = {
    "business editor": EDIT,
    "reviewer": WRITE,
    "supervisor": READ,
    "administrator": EDIT,
}
# Editors train and promote; a second person decides against the gate.
OVERRIDERS = ["reviewer", "administrator"]


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("training"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    of_training = permissions.filter(content_type__app_label="training")
    for group in apps.get_model("auth", "Group").objects.using(alias).all():
        wanted = [f"{action}_regressioncase" for action in CASES.get(group.name, ())]
        if group.name in OVERRIDERS:
            wanted.append("override_gate")
        group.permissions.add(*of_training.filter(codename__in=wanted))


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0023_long_text_permissions"),
        ("training", "0009_gate_verdicts"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
