from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='searchterm',
            name='identifies',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
