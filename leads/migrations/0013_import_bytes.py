from django.db import migrations


class Migration(migrations.Migration):
    """The size of an uploaded file is asked for nowhere."""

    dependencies = [("leads", "0012_received_at_of_work")]

    operations = [migrations.RemoveField("import", "bytes_written")]
