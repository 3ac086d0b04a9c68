from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0017_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="position",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AlterModelOptions(
            name="attachment",
            options={
                "ordering": ["position", "created_at", "id"],
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
            },
        ),
    ]
