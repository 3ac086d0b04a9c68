"""Who reads conversations reads what was found in long texts, and has them read again (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READERS = ["supervisor", "administrator"]


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("training"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for codename in ("view_textanalysis", "change_textanalysis"):
        permission = permissions.get(content_type__app_label="training", codename=codename)
        for group in groups.filter(name__in=READERS):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0022_comparison_permissions"),
        ("training", "0005_long_texts"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
