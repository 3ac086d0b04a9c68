import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import chat.models.labels


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0009_supervision"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=30, unique=True, verbose_name="name")),
                (
                    "colour",
                    models.CharField(
                        default="#0b6b5d",
                        help_text="Black or white letters stand on it, whichever are easier to read.",
                        max_length=7,
                        validators=[chat.models.labels.check_colour],
                        verbose_name="colour",
                    ),
                ),
            ],
            options={
                "verbose_name": "label",
                "verbose_name_plural": "labels",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ConversationLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labelled",
                        to="chat.conversation",
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labelled",
                        to="chat.label",
                        verbose_name="label",
                    ),
                ),
                (
                    "labelled_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="agent",
                    ),
                ),
                ("labelled_at", models.DateTimeField(verbose_name="labelled at")),
            ],
            options={
                "verbose_name": "label of a conversation",
                "verbose_name_plural": "labels of conversations",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversation", "label"), name="chat_label_once"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="labels",
            field=models.ManyToManyField(
                blank=True,
                related_name="+",
                through="chat.ConversationLabel",
                to="chat.label",
                verbose_name="labels",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["status", "waiting_since"], name="chat_waiting"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["status", "escalated_at"], name="chat_escalated"),
        ),
        migrations.AddIndex(
            model_name="handover",
            index=models.Index(fields=["intent"], name="chat_handovers_about"),
        ),
    ]
