"""Read marks of both sides, what customers think, and where they want to be written to."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0012_supervision_permissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="customer_read_seq",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="conversation",
            name="agent_read_seq",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="conversation",
            name="asks_rating",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.CreateModel(
            name="Rating",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        help_text="1 is worst, 5 is best.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="score",
                    ),
                ),
                ("comment", models.TextField(blank=True, max_length=1000, verbose_name="comment")),
                ("rated_at", models.DateTimeField(verbose_name="rated at")),
                ("changed_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "agent",
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
                    "conversation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rating",
                        to="chat.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "rating",
                "verbose_name_plural": "ratings",
                "indexes": [models.Index(fields=["rated_at"], name="chat_ratings_by_time")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("score__gte", 1), ("score__lte", 5)),
                        name="chat_score_1_to_5",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageFeedback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_up", models.BooleanField(verbose_name="thumbs up")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("WRONG", "wrong"),
                            ("NOT_ASKED", "not what was asked"),
                            ("OUTDATED", "out of date"),
                            ("OTHER", "other"),
                        ],
                        max_length=9,
                        verbose_name="reason",
                    ),
                ),
                ("given_at", models.DateTimeField(verbose_name="given at")),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feedback",
                        to="chat.message",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "feedback on an answer",
                "verbose_name_plural": "feedback on answers",
                "indexes": [models.Index(fields=["given_at"], name="chat_feedback_by_time")],
            },
        ),
        migrations.CreateModel(
            name="LeftAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("left_at", models.DateTimeField(verbose_name="left at")),
                ("mailed_seq", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "conversation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="left_address",
                        to="chat.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "address left by a customer",
                "verbose_name_plural": "addresses left by customers",
            },
        ),
    ]
