from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("intents", "0006_review_candidates"),
    ]

    operations = [
        migrations.AlterField(
            model_name="historicalphrase",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("greeting", "greeting"),
                    ("clarify", "asks what was meant"),
                    ("fallback", "did not understand"),
                    ("unsupported", "neither Chinese nor English"),
                    ("no_reply", "the intent has no reply in this language"),
                    ("handed_over", "a human has been called"),
                    ("agent_joined", "an agent has joined"),
                    ("handed_back", "the bot answers again"),
                    ("closed", "the conversation has ended"),
                    ("recalled", "an agent has taken a message back"),
                    ("files_only", "a picture or file without a word"),
                ],
                max_length=20,
                verbose_name="purpose",
            ),
        ),
        migrations.AlterField(
            model_name="phrase",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("greeting", "greeting"),
                    ("clarify", "asks what was meant"),
                    ("fallback", "did not understand"),
                    ("unsupported", "neither Chinese nor English"),
                    ("no_reply", "the intent has no reply in this language"),
                    ("handed_over", "a human has been called"),
                    ("agent_joined", "an agent has joined"),
                    ("handed_back", "the bot answers again"),
                    ("closed", "the conversation has ended"),
                    ("recalled", "an agent has taken a message back"),
                    ("files_only", "a picture or file without a word"),
                ],
                max_length=20,
                verbose_name="purpose",
            ),
        ),
    ]
