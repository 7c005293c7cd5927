"""A manifest has parts: those that exist become the only part of theirs."""

import django.db.models.deletion
from django.db import migrations, models

from leadscenter.lib import append_only

TABLE = "accounts_auditmanifest"
COPY = f"INSERT INTO {TABLE} (event_id, part, object_ids) SELECT event_id, 0, object_ids FROM {TABLE}whole"


def release(apps, schema_editor):
    append_only.release(schema_editor.connection, TABLE)


def protect(apps, schema_editor):
    append_only.protect(schema_editor.connection, TABLE)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_center'),
    ]

    operations = [
        migrations.RunPython(release),
        migrations.RenameModel('AuditManifest', 'AuditManifestWhole'),
        migrations.CreateModel(
            name='AuditManifest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.PositiveIntegerField(default=0)),
                ('object_ids', models.BinaryField()),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='manifests', to='accounts.auditevent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('event', 'part'), name='manifest_part_once')],
            },
        ),
        migrations.RunSQL(COPY),
        migrations.DeleteModel('AuditManifestWhole'),
        migrations.RunPython(protect),
    ]
