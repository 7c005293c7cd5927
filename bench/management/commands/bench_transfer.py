import json
import logging
import statistics
import time
from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from rest_framework.test import APIClient

from accounts.access import Can, holders
from accounts.models import BusinessCenter, LeadLibrary, Transfer, User
from accounts.services.ad_accounts import create_ad_account
from accounts.services.tokens import digest_of
from accounts.services.transfers import accept_transfer, request_transfer
from bench.surroundings import versions_of
from leads.models import Connection
from leadscenter.lib.ids import new_id

ROUNDS = 15
LEADS = """
INSERT INTO leads_lead (id, library_id, form_id, version_id, region, state, status, submission_key, sealed_in_browser,
  is_test, changes, why_gone, received_at)
SELECT %(first)s + n, %(library)s, %(form)s, %(version)s, 'eu', 'live', 'raw', gen_random_uuid(), true, false, 0, '',
  now() - n * interval '1 second'
FROM generate_series(1, %(count)s) AS n
"""
DELIVERIES = """
INSERT INTO leads_delivery (id, library_id, connection_id, lead_id, event_key, state, due_at, lease, leases_unanswered,
  attempts, created_at, received_at)
SELECT %(first)s + n, %(library)s, %(connection)s, %(first)s + n, 'lead.created:' || (%(first)s + n), 'pending', now(),
  0, 0, 0, now(), now() - n * interval '1 second'
FROM generate_series(1, %(count)s) AS n
"""


class Command(BaseCommand):
    help = "Make a library of each size, a waiting delivery per lead; hand them over and back in turn; print figures."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tokens", nargs=2, help="of an Admin of the giving and of the taking Business Center")
        parser.add_argument("--sizes", nargs="+", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure the service and the API, the sizes in turn, then count the statements once."""
        logging.disable(logging.INFO)
        giver, taker = (User.objects.get(api_tokens__digest=digest_of(token)) for token in options["tokens"])
        libraries = {size: library_with(size, giver) for size in options["sizes"]}
        with connection.cursor() as cursor:  # what filling left to do is not to be done beside the measuring
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        told: dict[int, dict[str, float]] = {}
        spent: dict[tuple[int, str], list[float]] = defaultdict(list)
        with override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"):
            for _ in range(ROUNDS):
                for size, library in libraries.items():
                    spent[size, "service"].append(by_service(library, giver, taker))
                    spent[size, "api"].append(by_api(library, giver, taker, options["tokens"][1]))
            for size, library in libraries.items():
                with CaptureQueriesContext(connection) as captured:
                    by_service(library, giver, taker)
                told[size] = {way: statistics.median(spent[size, way]) * 1000 for way in ("service", "api")}
                told[size]["statements"] = len(captured)
        self.stdout.write(json.dumps(told))


def library_with(size: int, giver: User) -> LeadLibrary:
    """Return the library of a new ad account with so many leads."""
    owner = BusinessCenter.objects.get(members__user=giver)
    account = create_ad_account(actor=giver, business_center=owner, name=f"Bench {size:,}", administrator=giver)
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(ad_account=account)
    fill(library, size)
    return library


def fill(library: LeadLibrary, count: int) -> None:
    """Write the leads and their deliveries by one statement each."""
    version = versions_of(library, "Bench")[1]
    hook = Connection.objects.create(
        library=library,
        name="Bench",
        kind="webhook",
        custody=library.custody,
        created_by=holders(library, Can.CONNECT_CRM)[0],
    )
    given = {
        "first": new_id(),
        "count": count,
        "library": library.pk,
        "form": version.form_id,
        "version": version.pk,
        "connection": hook.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(LEADS, given)
        cursor.execute(DELIVERIES, given)


def caller(token: str) -> APIClient:
    client = APIClient(HTTP_HOST="localhost")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", HTTP_HOST="localhost")
    return client


def asked(library: LeadLibrary, giver: User, taker: User) -> Transfer:
    center = BusinessCenter.objects.get(members__user=taker)
    return request_transfer(actor=giver, library=library, business_center=center)


def back(library: LeadLibrary, giver: User, taker: User) -> None:
    owner = BusinessCenter.objects.get(members__user=giver)
    returned = request_transfer(actor=taker, library=library, business_center=owner)
    accept_transfer(actor=giver, transfer=returned)


def by_service(library: LeadLibrary, giver: User, taker: User) -> float:
    """Return the seconds that accepting takes, its mails included."""
    transfer = asked(library, giver, taker)
    started = time.perf_counter()
    accept_transfer(actor=taker, transfer=transfer)
    spent = time.perf_counter() - started
    back(library, giver, taker)
    return spent


def by_api(library: LeadLibrary, giver: User, taker: User, token: str) -> float:
    """Return the seconds of the request, its answer with the consequences included."""
    transfer, client = asked(library, giver, taker), caller(token)
    started = time.perf_counter()
    answer = client.post(f"/api/v1/transfers/{transfer.pk}/accept/")
    spent = time.perf_counter() - started
    assert answer.status_code == 200, answer.content
    back(library, giver, taker)
    return spent
