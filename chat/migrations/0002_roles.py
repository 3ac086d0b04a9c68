"""Make the five groups of staff and give each its permissions (docs/roles.md).

It lives in chat because chat stands above the other apps: by now all their tables exist.
Permissions are made after a `migrate` (post_migrate), too late for us, so we have them
made here first; doing so twice is harmless.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view",)
LABEL = ("view", "add", "change")
EDIT = ("view", "add", "change", "delete")

CONTENT = ("intent", "reply", "phrase", "suggestedquestion", "sensitiveword", "allowedphrase")
MODELS = ("trainingrun", "modelversion", "activemodel", "evaluation")
# app label, models, permissions
READS_CONTENT = [
    ("intents", (*CONTENT, "utterance", "predictionrecord"), READ),
    ("training", MODELS, READ),
    ("knowledge", ("product", "rule"), READ),
]
READS_PEOPLE = [
    ("knowledge", ("customer", "order", "orderline"), READ),
    ("chat", ("conversation", "message"), READ),
]
GROUPS = {
    "business editor": [*READS_CONTENT, ("intents", (*CONTENT, "utterance"), EDIT)],
    "reviewer": [*READS_CONTENT, ("intents", ("utterance",), LABEL)],
    # Agents work in the workspace, which asks for the role; they have nothing to do in the admin.
    "agent": [],
    "supervisor": [*READS_CONTENT, *READS_PEOPLE],
    "administrator": [
        *READS_CONTENT,
        *READS_PEOPLE,
        ("intents", (*CONTENT, "utterance"), EDIT),
        ("knowledge", ("customer", "order", "orderline", "product", "rule"), EDIT),
        ("training", ("trainingrun",), ("add",)),
        ("training", ("activemodel",), ("change",)),
        ("csplatform", ("servicetoken",), ("view", "add", "change")),
        ("auth", ("user",), ("view", "add", "change")),
        ("auth", ("group",), READ),
    ],
}


def make_groups(apps, schema_editor):
    alias = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for label in {label for grants in GROUPS.values() for label, _, _ in grants}:
        create_permissions(installed.get_app_config(label), verbosity=0, using=alias, apps=apps)
    for name, grants in GROUPS.items():
        group, _ = Group.objects.using(alias).get_or_create(name=name)
        wanted = {
            (label, f"{action}_{model}")
            for label, models, actions in grants
            for model in models
            for action in actions
        }
        # Added to what is there, never taken away: a company may have given a group more.
        group.permissions.add(
            *(
                permission
                for permission in Permission.objects.using(alias).select_related("content_type")
                if (permission.content_type.app_label, permission.codename) in wanted
            )
        )


def remove_groups(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    Group.objects.using(schema_editor.connection.alias).filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0001_conversations"),
        ("csplatform", "0001_service_tokens"),
        ("intents", "0001_content"),
        ("knowledge", "0001_shop"),
        ("training", "0001_runs_and_versions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, remove_groups)]
