from django.db import migrations, models


class Migration(migrations.Migration):
    """How often an export was leased since it last came a chunk forward."""

    dependencies = [("leads", "0012_received_at_of_work")]

    operations = [
        migrations.AddField("export", "tries", models.PositiveIntegerField(default=0, db_default=0)),
    ]
