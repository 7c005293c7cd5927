import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.state import StateApps
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce


def fill(apps: StateApps, _schema_editor: object) -> None:
    leads = apps.get_model("leads", "Lead").objects
    of_lead = Subquery(leads.filter(pk=OuterRef("lead_id")).values("received_at")[:1])
    apps.get_model("leads", "LeadLabel").objects.update(received_at=of_lead)
    deliveries = apps.get_model("leads", "Delivery").objects
    deliveries.update(received_at=Coalesce(of_lead, "created_at"))  # of a lead that is no more


class Migration(migrations.Migration):
    """When the lead was received stands beside what is looked up by it: open deliveries and labels."""

    dependencies = [("leads", "0011_indexes_of_deliveries")]

    operations = [
        migrations.AddField("delivery", "received_at", models.DateTimeField(null=True)),
        migrations.AddField("leadlabel", "received_at", models.DateTimeField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("delivery", "received_at", models.DateTimeField()),
        migrations.AlterField("leadlabel", "received_at", models.DateTimeField()),
        migrations.RemoveIndex("delivery", "delivery_open"),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["library_id", "state", "-received_at", "-lead_id"],
                include=["connection", "attempts", "settled_at"],
                condition=models.Q(state__in=["pending", "dead"]),
                name="delivery_open",
            ),
        ),
        migrations.AlterField(
            "leadlabel",
            "lead",
            models.ForeignKey("leads.Lead", django.db.models.deletion.CASCADE, related_name="labelled", db_index=False),
        ),
        migrations.AddIndex(
            "leadlabel",
            models.Index(fields=["label", "-received_at", "-lead"], name="leads_of_label"),
        ),
        migrations.AlterField(
            "leadlabel",
            "label",
            models.ForeignKey("leads.Label", django.db.models.deletion.CASCADE, related_name="labelled", db_index=False),
        ),
    ]
