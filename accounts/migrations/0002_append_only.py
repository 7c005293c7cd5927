from django.db import migrations

from leadscenter.lib import append_only

TABLES = ("accounts_auditevent", "accounts_audittarget", "accounts_auditmanifest", "accounts_trailseal")


def protect(apps, schema_editor):
    for table in TABLES:
        append_only.protect(schema_editor.connection, table)


def release(apps, schema_editor):
    for table in TABLES:
        append_only.release(schema_editor.connection, table)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(protect, release)]
