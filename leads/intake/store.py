"""One submission into the database: lead, sealed answers, consent, search terms, deliveries and measure at once.

Two bodies, one promise, one suite that both pass: a single statement on Postgres, the same inserts in one transaction
elsewhere. Where the region's vault is another database: claim the key first (`arriving`), then the vault rows by lead
id, then `live` with its deliveries; acknowledged after the third. The only raw SQL of the app.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import LeadLibrary
from forms_builder import measures
from forms_builder.models import Form, MeasureKind
from forms_builder.selectors import LATE
from leads.models import Connection, Delivery, Lead
from leads.vault.keys import current_data_key, index_key, keyed_digest, today
from leads.vault.models import ConsentRecord, SealedAnswers, SearchTerm
from leads.vault.regions import alias_of
from leads.vault.sealing import seal
from leads.vault.search import Term, digests_of, identifying
from leads.vault.values import Owner
from leadscenter.lib.ids import new_id, reserve_ids

TAKES_ANSWERS = Q(status=Form.Status.LIVE) | Q(archived_at__gt=Now() - LATE)
DELIVERY_IDS = 1_000  # more than a library has connections


@dataclass(frozen=True, slots=True, repr=False)
class NewLead:
    """A judged submission on its way into the database. `content` is sealed as it stands, `terms` become digests."""

    library_id: int
    form_id: int
    version_id: int
    version_number: int
    key: uuid.UUID
    region: str
    language: str
    content: dict[str, Any]
    consents: dict[str, bool]
    terms: list[Term] = field(default_factory=list)
    campaign_id: int | None = None
    ad_group_id: int | None = None
    ad_id: int | None = None
    network_prefix: str = ""
    country: str = ""  # as declared, counted without the person
    device: str = ""
    sealed_in_browser: bool = False
    is_test: bool = False
    source: str = Lead.Source.FORM
    outcome: str = ""
    whole_visit: bool = True

    def __repr__(self) -> str:
        return f"<NewLead {self.key}>"


@dataclass(frozen=True, slots=True)
class Stored:
    """The lead of a submission key; `fresh` says whether this call made it."""

    lead_id: int
    fresh: bool


@dataclass(eq=False)
class AlreadySubmitted(Exception):
    """The key was used for other answers, which are kept; nothing was written now."""

    at: datetime


class Unfinished(OperationalError):
    """The key was claimed a moment ago by a submission that is not whole yet, or was cut off between two databases.

    Nothing may be acknowledged for it: it is told like a database that cannot be reached, and sent again with the same
    key it goes on, or starts anew once the sweeper has removed the claim.
    """


class FormClosed(Exception):
    """The form does not take answers any more: archived for over 24 hours, or removed. Nothing was written."""


def canonical(new: NewLead) -> bytes:
    """Return what decides whether two submissions say the same: answers and consents, in one spelling."""
    said = {"answers": [[row[0], row[2]] for row in new.content["answers"]], "consents": new.consents}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()


def digest_of(new: NewLead, region: str) -> bytes:
    """Return the keyed digest of the answers, as it stands beside them."""
    return keyed_digest(new.library_id, region, "answers", canonical(new), 32)


def store(new: NewLead) -> Stored:
    """Write the submission, or find the lead that its key already made.

    Raises `AlreadySubmitted` for the same key with other content, `FormClosed` for a form that takes no answers now.
    Keys are made ready before the transaction.
    """
    current_data_key(new.library_id, new.region)
    index_key(new.library_id, new.region)
    for last in (False, True):
        try:
            lead_id = _write(new)
            break
        except IntegrityError:  # an id that another process made in the same millisecond: take a new one, once
            if last:
                raise
    return Stored(lead_id, True) if lead_id else _existing(new)


def _write(new: NewLead) -> int | None:
    if alias_of(new.region) != "default":
        return _over_two_databases(new)
    lead_id = new_id()
    if connections["default"].vendor == "postgresql":
        return _one_statement(new, lead_id)
    with transaction.atomic():
        if not _claim(new, lead_id, Lead.State.LIVE):
            return None
        _vault_rows(new, lead_id)
        _deliver_and_count(new, lead_id)
    return lead_id


def _claim(new: NewLead, lead_id: int, state: str) -> bool:
    goal = LeadLibrary.objects.values_list("contact_goal_minutes", flat=True).get(pk=new.library_id)
    lead = Lead(
        id=lead_id,
        library_id=new.library_id,
        form_id=new.form_id,
        version_id=new.version_id,
        campaign_id=new.campaign_id,
        ad_group_id=new.ad_group_id,
        ad_id=new.ad_id,
        region=new.region,
        state=state,
        submission_key=new.key,
        sealed_in_browser=new.sealed_in_browser,
        is_test=new.is_test,
        source=new.source,
        outcome=new.outcome,
    )
    if Lead.objects.filter(form_id=new.form_id, submission_key=new.key).exists():
        return False
    if not Form.objects.filter(TAKES_ANSWERS, pk=new.form_id).exists():
        return False
    Lead.objects.bulk_create([lead], ignore_conflicts=True)
    written = Lead.objects.filter(pk=lead_id, submission_key=new.key)
    return bool(written.update(attention_at=F("received_at") + timedelta(minutes=goal)))


def _vault_rows(new: NewLead, lead_id: int) -> bool:
    """Write what the person answered, once; return whether what stands there now is this submission's content.

    Of two that write at the same time the first one's rows stand, all of them: the second waits at the primary key.
    """
    alias = alias_of(new.region)
    owner = Owner(new.library_id, new.region, lead_id)
    place = {"library_id": new.library_id, "region": new.region}
    record, digest = seal("answers/1", owner, new.content), digest_of(new, new.region)
    answers = SealedAnswers(lead_id=lead_id, sealed=record, digest=digest, **place)
    SealedAnswers.objects.using(alias).bulk_create([answers], ignore_conflicts=True)
    kept = SealedAnswers.objects.using(alias).get(pk=lead_id)
    if kept.sealed.record != record:
        return bytes(kept.digest) == digest
    consent = ConsentRecord(
        lead_id=lead_id,
        version_id=new.version_id,
        language=new.language,
        boxes=new.consents,
        network_prefix=new.network_prefix,
        **place,
    )
    received_at = Lead.objects.values_list("received_at", flat=True).get(pk=lead_id)
    terms = [
        SearchTerm(
            lead_id=lead_id, digest=term, received_at=received_at, identifies=number < identifying(new.terms), **place
        )
        for number, term in enumerate(digests_of(new.library_id, new.region, new.terms))
    ]
    ConsentRecord.objects.using(alias).bulk_create([consent])
    SearchTerm.objects.using(alias).bulk_create(terms)
    return True


def queue_created(library_id: int, *lead_ids: int) -> None:
    """Queue `lead.created` for every connection of the library; one that is paused or unconfirmed lets it wait."""
    targets = Connection.objects.filter(library_id=library_id, removed_at=None).values_list("pk", flat=True)
    Delivery.objects.bulk_create(
        [
            Delivery(
                library_id=library_id,
                connection_id=target,
                lead_id=lead_id,
                received_at=received_at,
                event_key=f"lead.created:{lead_id}",
            )
            for lead_id, received_at in Lead.arrivals(lead_ids).items()
            for target in targets
        ],
        ignore_conflicts=True,
    )


def _deliver_and_count(new: NewLead, lead_id: int) -> None:
    queue_created(new.library_id, lead_id)
    measures.record(
        kind=MeasureKind.SUBMIT,
        form_id=new.form_id,
        version=new.version_number,
        ad_id=new.ad_id or 0,
        country=new.country,
        device=new.device,
        is_test=new.is_test,
        whole_visit=new.whole_visit,
    )


def _over_two_databases(new: NewLead) -> int | None:
    """Claim, vault, live: return the lead's id if this call made it live, None if another one did or has to."""
    lead_id = new_id()
    if not _claim(new, lead_id, Lead.State.ARRIVING):
        found = Lead.objects.filter(form_id=new.form_id, submission_key=new.key, state=Lead.State.ARRIVING).first()
        if found is None:
            return None
        if found.region != new.region:  # the claim's own region decides where its answers lie
            raise Unfinished("claimed for another region")
        lead_id = found.pk  # a retry after a crash goes on where the first one stopped
    with transaction.atomic(using=alias_of(new.region)):
        mine = _vault_rows(new, lead_id)
    if not mine:
        return None
    with transaction.atomic():
        arrived = Lead.objects.filter(pk=lead_id, state=Lead.State.ARRIVING).update(state=Lead.State.LIVE)
        if arrived:
            _deliver_and_count(new, lead_id)
    return lead_id if arrived else None


def _existing(new: NewLead) -> Stored:
    lead = Lead.objects.filter(form_id=new.form_id, submission_key=new.key).first()
    if lead is None:
        raise FormClosed
    kept = SealedAnswers.objects.using(alias_of(lead.region)).filter(pk=lead.pk).values_list("digest", flat=True)
    if kept and bytes(kept[0]) != digest_of(new, lead.region):
        raise AlreadySubmitted(lead.received_at)
    if lead.state == Lead.State.ARRIVING:
        raise Unfinished("claimed and not whole yet")
    return Stored(lead.pk, False)


def sweep_arriving(*, older_than: timedelta = timedelta(minutes=2)) -> int:
    """Finish the leads whose vault rows exist and remove those whose do not, after a crash between two databases.

    Those of an import are its own to finish: it goes on where it was cut off.
    """
    swept = 0
    left = Lead.objects.filter(state=Lead.State.ARRIVING, received_at__lt=Now() - older_than)
    for lead in left.exclude(source=Lead.Source.IMPORT)[:500]:
        whole = SealedAnswers.objects.using(alias_of(lead.region)).filter(pk=lead.pk).exists()
        with transaction.atomic():
            claimed = Lead.objects.filter(pk=lead.pk, state=Lead.State.ARRIVING)
            if not whole:
                swept += claimed.delete()[0]
            elif claimed.update(state=Lead.State.LIVE):
                queue_created(lead.library_id, lead.pk)
                measures.record(
                    kind=MeasureKind.SUBMIT,
                    form_id=lead.form_id,
                    version=lead.version.number,
                    ad_id=lead.ad_id or 0,
                    is_test=lead.is_test,
                    whole_visit=True,
                )
                swept += 1
    return swept


STATEMENT = """
WITH lead AS (
  INSERT INTO leads_lead (id, library_id, form_id, version_id, campaign_id, ad_group_id, ad_id, region, state, status,
    submission_key, sealed_in_browser, source, outcome, is_test, changes, why_gone, received_at, attention_at)
  SELECT %(id)s, library.id, %(form)s, %(version)s, %(campaign)s, %(ad_group)s, %(ad)s, %(region)s, 'live', 'raw',
    %(key)s, %(sealed_in_browser)s, %(source)s, %(outcome)s, %(is_test)s, 0, '', statement_timestamp(),
    statement_timestamp() + library.contact_goal_minutes * interval '1 minute'
  FROM accounts_leadlibrary library, forms_builder_form form
  WHERE library.id = %(library)s AND form.id = %(form)s
    AND (form.status = 'live' OR form.archived_at > statement_timestamp() - interval '24 hours')
  ON CONFLICT (form_id, submission_key) DO NOTHING
  RETURNING id, library_id, region, received_at
), answers AS (
  INSERT INTO vault_sealedanswers (lead_id, library_id, region, sealed, digest)
  SELECT id, library_id, region, %(sealed)s, %(digest)s FROM lead
), consent AS (
  INSERT INTO vault_consentrecord (lead_id, library_id, region, version_id, language, boxes, network_prefix, at)
  SELECT id, library_id, region, %(version)s, %(language)s, %(boxes)s::jsonb, %(network)s, received_at FROM lead
), terms AS (
  INSERT INTO vault_searchterm (library_id, region, digest, received_at, lead_id, key_version, identifies)
  SELECT library_id, region, term.digest, received_at, id, 1, term.number <= %(identifying)s
  FROM lead, unnest(%(terms)s::bytea[]) WITH ORDINALITY AS term(digest, number)
), deliveries AS (
  INSERT INTO leads_delivery (id, library_id, connection_id, lead_id, event_key, state, due_at, lease,
    leases_unanswered, attempts, created_at, received_at)
  SELECT %(first_delivery)s + row_number() OVER (), lead.library_id, target.id, lead.id, 'lead.created:' || lead.id,
    'pending', lead.received_at, 0, 0, 0, lead.received_at, lead.received_at
  FROM lead JOIN leads_connection target ON target.library_id = lead.library_id AND target.removed_at IS NULL
), measure AS (
  INSERT INTO forms_builder_measureevent (form_id, version, ad_id, kind, question, country, device, day, at, is_test,
    whole_visit)
  SELECT %(form)s, %(number)s, %(measured_ad)s, 'submit', '', %(country)s, %(device)s, %(day)s, received_at,
    %(is_test)s, %(whole_visit)s
  FROM lead
)
SELECT id FROM lead
"""


def _one_statement(new: NewLead, lead_id: int) -> int | None:
    owner = Owner(new.library_id, new.region, lead_id)
    values = {
        "id": lead_id,
        "library": new.library_id,
        "form": new.form_id,
        "version": new.version_id,
        "number": new.version_number,
        "campaign": new.campaign_id,
        "ad_group": new.ad_group_id,
        "ad": new.ad_id,
        "measured_ad": new.ad_id or 0,
        "country": new.country,
        "device": new.device,
        "region": new.region,
        "key": new.key,
        "sealed_in_browser": new.sealed_in_browser,
        "source": str(new.source),
        "outcome": new.outcome,
        "is_test": new.is_test,
        "whole_visit": new.whole_visit,
        "sealed": seal("answers/1", owner, new.content),
        "digest": digest_of(new, new.region),
        "language": new.language,
        "boxes": json.dumps(new.consents),
        "network": new.network_prefix,
        "identifying": identifying(new.terms),
        "terms": digests_of(new.library_id, new.region, new.terms),
        "first_delivery": reserve_ids(DELIVERY_IDS) - 1,
        "day": today(),
    }
    row = _execute(values)
    return int(row[0]) if row else None


def _execute(values: dict[str, Any]) -> tuple[int] | None:
    """Run the statement, once more on a new connection if this one had died: the submission key makes that safe.

    So it is its own health check, and a submission pays no round trip for one.
    """
    connection = connections["default"]
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs do not know it
    for last in (False, True):
        try:
            with connection.cursor() as cursor:
                cursor.execute(STATEMENT, values)
                row: tuple[int] | None = cursor.fetchone()
                return row
        except OperationalError:
            if last or connection.in_atomic_block:
                raise
            connection.close()
    return None
