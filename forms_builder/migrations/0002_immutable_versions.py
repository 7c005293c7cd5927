"""What people saw stays as it was: a trigger keeps published and superseded versions word for word.

SQLite drops triggers when Django rebuilds a table: a migration that alters `FormVersion` must make this one again
(`tests/forms_builder/test_models.py` fails otherwise). Rows that leads name are kept by foreign keys.
"""

from django.db import migrations

from leadscenter.lib import append_only

TABLE = "forms_builder_formversion"
KEPT = ("content", "form_id", "number", "language", "published_at", "published_by_id")
FROZEN = "old.status in ('published', 'superseded') and (new.status not in (old.status, 'superseded') or {})".format(
    " or ".join(f"new.{column} is distinct from old.{column}" for column in KEPT)
)


def protect(apps, schema_editor):
    append_only.protect(schema_editor.connection, TABLE, when=FROZEN, verbs=("UPDATE",))


def release(apps, schema_editor):
    append_only.release(schema_editor.connection, TABLE, verbs=("UPDATE",))


class Migration(migrations.Migration):
    dependencies = [("forms_builder", "0001_initial")]
    operations = [migrations.RunPython(protect, release)]
