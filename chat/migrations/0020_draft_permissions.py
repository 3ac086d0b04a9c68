"""Who writes drafts of content, who approves them, who publishes (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

WRITES = ("view_draft", "add_draft", "change_draft")
GROUPS = {
    "business editor": (*WRITES, "publish_draft"),
    "reviewer": ("view_draft", "review_draft", "publish_draft"),
    "supervisor": ("view_draft",),
    "administrator": (*WRITES, "review_draft", "publish_draft", "publish_directly"),
}


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("intents"), verbosity=0, using=alias, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group in groups.filter(name__in=GROUPS):
        group.permissions.add(
            *permissions.filter(content_type__app_label="intents", codename__in=GROUPS[group.name])
        )


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0019_review_inbox_permissions"),
        ("intents", "0008_drafts"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
