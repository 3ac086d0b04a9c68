import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0013_read_marks_and_ratings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Suggestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("said", models.TextField()),
                ("language", models.CharField(blank=True, max_length=2)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("SUGGESTED", "a reply is suggested"),
                            ("UNSURE", "not understood well enough"),
                            ("NO_REPLY", "no reply fits"),
                            ("PEOPLE", "a matter for people"),
                        ],
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("ranked", models.JSONField(default=list)),
                ("source", models.CharField(max_length=12)),
                ("model_version", models.CharField(blank=True, max_length=64)),
                ("content_version", models.BigIntegerField()),
                ("made_at", models.DateTimeField()),
                ("intent", models.CharField(blank=True, max_length=40, verbose_name="intent")),
                ("template", models.TextField(blank=True)),
                ("facts", models.JSONField(default=dict)),
                ("text", models.TextField(blank=True, verbose_name="suggested reply")),
                (
                    "use",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("VERBATIM", "sent as it was"),
                            ("EDITED", "edited and sent"),
                            ("UNUSED", "something else was sent"),
                            ("DISMISSED", "dismissed"),
                        ],
                        max_length=9,
                        verbose_name="use",
                    ),
                ),
                ("similarity", models.FloatField(null=True, verbose_name="similarity")),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suggestion",
                        to="chat.message",
                        verbose_name="message",
                    ),
                ),
                (
                    "used_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "suggestion",
                "verbose_name_plural": "suggestions",
                "indexes": [models.Index(fields=["used_at"], name="chat_suggestions_used")],
            },
        ),
    ]
