"""A batch of rows into the library: new leads as intake stores them, and changes of those that are here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.access import Can, holders
from accounts.models import LeadLibrary, User
from forms_builder.selectors import ServedForm, shown_version
from leads.center.services.attending import write_attention
from leads.center.services.working import KEEP, MAX_LABELS, Change, change_leads
from leads.imports.identity import Fate, Planned, plan
from leads.imports.judging import Judged
from leads.imports.services.claims import drop_claims, key_of
from leads.imports.services.leasing import commit, hold
from leads.intake.accept import Circumstances, new_lead
from leads.intake.store import NewLead, digest_of, queue_created
from leads.intake.submission import Submission
from leads.models import Import, Label, Lead, LeadLabel
from leads.vault.keys import current_data_key, index_key
from leads.vault.models import ConsentRecord, SealedAnswers, SearchTerm
from leads.vault.regions import alias_of, aliases
from leads.vault.sealing import seal
from leads.vault.search import digests_of, identifying
from leads.vault.values import Owner
from leadscenter.lib.regions import REGIONS


class Stale(RuntimeError):
    """Something that the rows were judged by has changed; judged anew, they may be faulty."""


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A new lead on its way: what is stored, under which id, as of when."""

    lead_id: int
    new: NewLead
    judged: Judged
    received_at: datetime


def write_batch(row: Import, judged: Sequence[Judged], *, behind: int) -> None:
    """Write the rows and commit, with the counts, that the import goes on behind that position.

    In one transaction where all regions live in one database. Raises `Refused`, `Overtaken`, `Stale`, `Http404`; then
    nothing of the batch is alive.
    """
    for region in REGIONS:  # keys are made before the transaction that needs them
        current_data_key(row.library_id, region)
        index_key(row.library_id, region)
    served = _served(row)
    apart = aliases() != ["default"]
    with transaction.atomic():
        library = hold(row)
        if apart:
            drop_claims(row)
        planned = plan(row.library_id, row.duplicates, judged, {})
        made = [_made(row, served, one) for one in planned if one.fate is Fate.NEW]
        _claim(row, made)
        if not apart:
            _write_vault("default", row, made)
            _bring_to_life(row, library, planned, made, behind)
    if apart:
        for alias in aliases():
            with transaction.atomic(using=alias):
                _write_vault(alias, row, made)
        with transaction.atomic():
            _bring_to_life(row, hold(row), planned, made, behind)


def _served(row: Import) -> ServedForm:
    assert row.version is not None
    served = shown_version(row.form.public_id, row.version.number)
    assert served is not None
    return served


def _made(row: Import, served: ServedForm, planned: Planned) -> Made:
    judged = planned.judged
    assert judged.clean is not None
    submission = Submission(key_of(row.pk, judged.row.position), served.number, {}, {})
    clean = replace(judged.clean, consents={})  # nobody saw this form's boxes
    new = new_lead(served, submission, clean, Circumstances(source=Lead.Source.IMPORT))
    return Made(planned.lead_id, new, judged, judged.received_at or timezone.now())


def _claim(row: Import, made: Iterable[Made]) -> None:
    Lead.objects.bulk_create(
        Lead(
            id=one.lead_id,
            library_id=row.library_id,
            form_id=one.new.form_id,
            version_id=one.new.version_id,
            region=one.new.region,
            state=Lead.State.ARRIVING,
            status=one.judged.status or Lead.Status.RAW,
            status_changed_at=timezone.now() if one.judged.status not in ("", Lead.Status.RAW) else None,
            submission_key=one.new.key,
            source=Lead.Source.IMPORT,
            outcome=one.new.outcome,
            assignee_id=one.judged.assignee,
            received_at=one.received_at,
        )
        for one in made
    )


def _write_vault(alias: str, row: Import, made: Iterable[Made]) -> None:
    mine = [one for one in made if alias_of(one.new.region) == alias]
    answers, consents, terms = [], [], []
    for one in mine:
        new, place = one.new, {"library_id": row.library_id, "region": one.new.region, "lead_id": one.lead_id}
        record = seal("answers/1", Owner(row.library_id, new.region, one.lead_id), new.content)
        answers.append(SealedAnswers(sealed=record, digest=digest_of(new, new.region), **place))
        consents.append(
            ConsentRecord(version_id=new.version_id, language=new.language, imported_by=row.requested_by_id, **place)
        )
        terms += [
            SearchTerm(digest=term, received_at=one.received_at, identifies=number < identifying(new.terms), **place)
            for number, term in enumerate(digests_of(row.library_id, new.region, new.terms))
        ]
    SealedAnswers.objects.using(alias).bulk_create(answers)
    ConsentRecord.objects.using(alias).bulk_create(consents)
    SearchTerm.objects.using(alias).bulk_create(terms, batch_size=2000)


def _bring_to_life(
    row: Import, library: LeadLibrary, planned: Sequence[Planned], made: Sequence[Made], behind: int
) -> None:
    _judge_people(library, [*(one.judged for one in made)])
    ids = [one.lead_id for one in made]
    Lead.objects.filter(pk__in=ids, state=Lead.State.ARRIVING).update(state=Lead.State.LIVE)
    LeadLabel.objects.bulk_create(
        LeadLabel(lead_id=one.lead_id, label_id=label_id, received_at=one.received_at)
        for one in made
        for label_id in one.judged.labels
    )
    write_attention(library, ids)
    if row.deliver:
        queue_created(row.library_id, *ids)
    _change(row, library, [one for one in planned if one.fate is Fate.CHANGE])
    row.made += len(made)
    row.updated += sum(one.fate is Fate.CHANGE for one in planned)
    row.skipped += sum(one.fate is Fate.SKIP for one in planned)
    row.cursor = behind
    commit(row)


def _judge_people(library: LeadLibrary, judged: Iterable[Judged]) -> None:
    named = {one.assignee for one in judged if one.assignee}
    labels = {label for one in judged for label in one.labels}
    if named and holders(library, Can.VIEW_LEADS).filter(pk__in=named).count() < len(named):
        raise Stale
    if labels and Label.objects.filter(library=library, pk__in=labels).count() < len(labels):
        raise Stale


def _change(row: Import, library: LeadLibrary, planned: Iterable[Planned]) -> None:
    """Change the leads that are here; a later row of the batch goes before an earlier one, labels add up."""
    wanted: dict[int, Judged] = {}
    for one in planned:
        before, now = wanted.get(one.lead_id), one.judged
        if before is not None:
            now = replace(
                now,
                status=now.status or before.status,
                assignee=now.assignee or before.assignee,
                labels=tuple(dict.fromkeys((*before.labels, *now.labels))),
            )
        wanted[one.lead_id] = now
    alike: dict[tuple[str, tuple[int, ...], int | None], list[int]] = defaultdict(list)
    for lead_id, judged in wanted.items():
        alike[judged.status, judged.labels, judged.assignee].append(lead_id)
    _judge_people(library, wanted.values())
    names = dict(Label.objects.filter(library=library).values_list("pk", "name")) if wanted else {}
    for (status, labels, assignee), ids in sorted(alike.items(), key=lambda pair: min(pair[1])):
        for start in range(0, max(1, len(labels)), MAX_LABELS):  # those of several rows may be too many for a change
            added = [names[label] for label in labels[start : start + MAX_LABELS]]
            change = Change(status or KEEP, add_labels=added, assignee=assignee or KEEP)
            change_leads(actor=User.objects.get(pk=row.requested_by_id), library=library, lead_ids=ids, change=change)
