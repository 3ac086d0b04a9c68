"""One queue for everything, so that a new installation works; what waits or is taken goes into it.

And who may edit teams, queues and hours (docs/roles.md).
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

EDITS = ("view", "add", "change", "delete")
TABLES = ("team", "agentprofile", "queue", "businesshours", "specialday")
EDITORS = ("supervisor", "administrator")


def make_queue(apps, schema_editor):
    alias = schema_editor.connection.alias
    Queue = apps.get_model("chat", "Queue")
    Conversation = apps.get_model("chat", "Conversation")
    Assignment = apps.get_model("chat", "Assignment")
    queue, _ = Queue.objects.using(alias).get_or_create(
        name="全部咨询", defaults={"position": 1000, "strategy": "LEAST_BUSY"}
    )
    conversations = Conversation.objects.using(alias)
    for one in conversations.filter(status="WAITING", waiting_since=None).iterator():
        conversations.filter(pk=one.pk).update(queue=queue, waiting_since=one.changed_at)
    for one in conversations.filter(status="AGENT", assignment=None).iterator():
        conversations.filter(pk=one.pk).update(queue=queue)
        Assignment.objects.using(alias).create(
            conversation_id=one.pk,
            active_for_id=one.pk,
            agent_id=one.agent_id,
            queue=queue,
            assigned_at=one.changed_at,
            seen_at=one.changed_at,
        )


def let_supervisors_edit(apps, schema_editor):
    alias = schema_editor.connection.alias
    create_permissions(installed.get_app_config("chat"), verbosity=0, using=alias, apps=apps)
    Permission = apps.get_model("auth", "Permission")
    wanted = [f"{action}_{table}" for action in EDITS for table in TABLES]
    permissions = Permission.objects.using(alias).filter(
        content_type__app_label="chat", codename__in=wanted
    )
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=EDITORS):
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_routing"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.RunPython(make_queue, migrations.RunPython.noop),
        migrations.RunPython(let_supervisors_edit, migrations.RunPython.noop),
    ]
