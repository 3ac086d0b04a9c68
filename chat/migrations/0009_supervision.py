"""Targets of queues, the log of who read along, and whispers."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0008_agents_tools_permissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="queue",
            name="first_response_s",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Of an agent, from the hand-over, in business hours. Empty: no target.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="target: seconds to the first answer",
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="resolution_s",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Ended or handed back, from the hand-over, in business hours.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="target: seconds to the end",
            ),
        ),
        migrations.AddIndex(
            model_name="handover",
            index=models.Index(fields=["requested_at"], name="chat_handovers_by_time"),
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("began_at", models.DateTimeField(verbose_name="from")),
                ("seen_at", models.DateTimeField(verbose_name="heard of")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watches",
                        to="chat.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "watched",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="agent",
                    ),
                ),
                (
                    "watcher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who watched",
                    ),
                ),
            ],
            options={
                "verbose_name": "reading along",
                "verbose_name_plural": "reading along",
                "indexes": [models.Index(fields=["began_at"], name="chat_watches_by_time")],
            },
        ),
        migrations.CreateModel(
            name="Whisper",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_id", models.UUIDField()),
                ("text", models.TextField(verbose_name="text")),
                ("after_seq", models.PositiveIntegerField()),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="whispers",
                        to="chat.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "whisper",
                "verbose_name_plural": "whispers",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversation", "client_id"), name="chat_whisper_client_id_once"
                    )
                ],
            },
        ),
    ]
