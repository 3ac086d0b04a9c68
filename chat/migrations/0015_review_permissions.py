"""Who reviews, and who answers for what is said, reads the review inbox (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READERS = ["business editor", "reviewer", "supervisor", "administrator"]


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("intents"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    view = permissions.get(content_type__app_label="intents", codename="view_reviewcandidate")
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group in groups.filter(name__in=READERS):
        group.permissions.add(view)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0014_suggestions"),
        ("chat", "0002_roles"),
        ("intents", "0006_review_candidates"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
