"""Fills a library of the running product with sealed leads by bulk insert, in a process with its settings.

Arguments: library, how many. Nothing is queued for any connection; the leads are a few days old.
"""

import sys
import uuid
from datetime import UTC, datetime, timedelta

import django

REGION = "eu"
BATCH = 1000


def main(library_id: int, count: int) -> None:
    from accounts.models import LeadLibrary  # noqa: PLC0415  # models can be imported once Django is set up
    from forms_builder.models import Form  # noqa: PLC0415
    from leads.models import Lead  # noqa: PLC0415
    from leads.vault.keys import make_keys  # noqa: PLC0415
    from leads.vault.models import SealedAnswers  # noqa: PLC0415
    from leads.vault.regions import alias_of  # noqa: PLC0415
    from leads.vault.sealing import seal  # noqa: PLC0415
    from leads.vault.values import Owner  # noqa: PLC0415

    library = LeadLibrary.objects.get(pk=library_id)
    form = Form.objects.select_related("published").filter(ad_account=library.ad_account_id, status="live")[0]
    assert form.published is not None
    make_keys([library.pk])
    at = datetime.now(UTC) - timedelta(days=3)
    for start in range(0, count, BATCH):
        leads = [
            Lead(
                library=library,
                form=form,
                version=form.published,
                region=REGION,
                submission_key=uuid.uuid4(),
                received_at=at + timedelta(milliseconds=number),
            )
            for number in range(start, min(start + BATCH, count))
        ]
        Lead.objects.bulk_create(leads)
        content = {
            "answers": [["first_name", "First name", "Filled", "first_name"]],
            "form": {"id": str(form.pk), "name": form.name, "version": 1},
        }
        rows = []
        for lead in leads:
            row = SealedAnswers(lead_id=lead.pk, library_id=library.pk, region=REGION, digest=bytes(32))
            row.sealed = seal("answers/1", Owner(library.pk, REGION, lead.pk), content)
            rows.append(row)
        SealedAnswers.objects.using(alias_of(REGION)).bulk_create(rows)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))
