"""Only the administrator says which programs are told what happens (docs/roles.md)."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

# "change" of a delivery is sending it again.
GRANTS = {"webhookendpoint": ("view", "add", "change"), "webhookdelivery": ("view", "change")}


def grant(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("chat"), verbosity=0, using=alias, apps=apps)
    wanted = {f"{action}_{model}" for model, actions in GRANTS.items() for action in actions}
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    administrators = apps.get_model("auth", "Group").objects.using(alias).get(name="administrator")
    administrators.permissions.add(
        *permissions.filter(content_type__app_label="chat", codename__in=wanted)
    )


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_webhooks"), ("chat", "0002_roles")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
