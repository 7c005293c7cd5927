import asyncio
import json
import time
import uuid
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from bench.tasks import deliver_one
from forms_builder.models import Form
from leads.crm.drain import drain
from leads.crm.outbox import SLOTS
from leads.crm.services.connections import create_connection
from leads.intake.store import NewLead, store
from leads.models import Connection, Delivery, DeliveryAttempt
from leadscenter.celery import app
from leadscenter.lib import outbound
from leadscenter.lib.outbound import Call

BODY = json.dumps({"type": "lead.created", "data": {"answers": "x" * 900}}).encode()
LONGEST = 300.0


class Command(BaseCommand):
    help = "Deliver to local receivers in one of the measured ways and print {seconds, deliveries}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("way", choices=["outbox", "bare", "kept", "new"])
        parser.add_argument("ports", type=json.loads)
        parser.add_argument("leads", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the rows, run, check that each arrived once, print."""
        settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
        ports, leads = options["ports"], options["leads"]
        if options["way"] == "bare":
            started = time.monotonic()
            asyncio.run(bare(ports, leads))
        else:
            make_rows(ports, leads)
            started = time.monotonic()
            if options["way"] == "outbox":
                drain(LONGEST)
            else:
                by_tasks(kept=options["way"] == "kept")
        seconds = time.monotonic() - started
        wanted = leads * len(ports)
        if options["way"] != "bare":
            rows = Delivery.objects.filter(state=Delivery.State.DONE)
            assert (rows.count(), DeliveryAttempt.objects.filter(delivery__in=rows).count()) == (wanted, wanted)
        self.stdout.write(json.dumps({"seconds": seconds, "deliveries": wanted}))


def make_rows(ports: list[int], leads: int) -> None:
    """Connect the brand's library to each port, and submit leads as intake does."""
    DeliveryAttempt.objects.all().delete()
    Delivery.objects.all().delete()
    Connection.objects.update(removed_at=timezone.now())
    form = Form.objects.select_related("published").filter(status=Form.Status.LIVE).order_by("id")[0]
    library = LeadLibrary.objects.get(ad_account=form.ad_account_id)
    admin = holders(library, Can.CONNECT_CRM)[0]
    for port in ports:
        create_connection(
            actor=admin, library=library, kind="webhook", name="bench", url=f"http://127.0.0.1:{port}/hook"
        )
    for number in range(leads):
        store(new_lead(form, library, number))


def new_lead(form: Form, library: LeadLibrary, number: int) -> NewLead:
    """A lead of eight answers."""
    assert form.published is not None
    answers = [[f"q{place}", f"Question {place}", f"Answer {number} to {place}", "short_answer"] for place in range(7)]
    return NewLead(
        library_id=library.pk,
        form_id=form.pk,
        version_id=form.published.pk,
        version_number=form.published.number,
        key=uuid.uuid4(),
        region="us",
        language="en",
        content={
            "answers": [["email", "E-mail", f"person{number}@example.com", "email"], *answers],
            "form": {"id": str(form.pk), "name": form.name, "version": form.published.number},
            "campaign": None,
            "ad_group": None,
            "ad": None,
            "attribution": {},
            "country": "US",
            "language": "en",
            "consents": {},
        },
        consents={},
    )


async def bare(ports: list[int], each: int) -> None:
    """The limit: the client alone with the same slots per receiver, no database, no signature, no log."""
    async with outbound.new_session(SLOTS) as session:

        async def slot(port: int, calls: int) -> None:
            call = Call(f"http://127.0.0.1:{port}/hook", headers={"content-type": "application/json"}, body=BODY)
            for _ in range(calls):
                answer = await outbound.send(session, call, settings.OUTBOUND_ALLOWED_HOSTS)
                assert answer.status == 200

        shares = [each // SLOTS + (place < each % SLOTS) for place in range(SLOTS)]
        await asyncio.gather(*(slot(port, share) for port in ports for share in shares))


def by_tasks(*, kept: bool) -> None:
    """Publish a task per delivery and wait until the last one is done."""
    for pk in Delivery.objects.values_list("pk", flat=True):
        app.send_task(deliver_one.name, (pk, kept))
    until = time.monotonic() + LONGEST
    while Delivery.objects.exclude(state=Delivery.State.DONE).exists():
        assert time.monotonic() < until, "the tasks did not end"
        time.sleep(0.02)
