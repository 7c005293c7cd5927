"""A test lead: a made-up person through the real path, marked as a test from the first byte on."""

import uuid

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict
from forms_builder.answers import Problems, validator_for
from forms_builder.models import Form
from forms_builder.schema import FormContent, Question
from forms_builder.selectors import published_form
from leads.center.services.deleting import delete_leads, lock_forms
from leads.center.services.working import MOST_AT_ONCE
from leads.intake.accept import Circumstances, new_lead
from leads.intake.store import store
from leads.intake.submission import Submission
from leads.models import Lead

SAMPLES = {
    "name": "Test Person",
    "first_name": "Test",
    "last_name": "Person",
    "email": "test.person@example.com",
    "work_email": "test.person@example.com",
    "phone_number": "+12025550123",
    "work_phone": "+12025550123",
    "company_name": "Example Ltd",
    "job_title": "Tester",
    "address": "1 Test Street",
    "city": "Testville",
    "province_state": "Test State",
    "zip_code": "12345",
    "country": "US",
}


def create_test_lead(*, actor: User, form: Form) -> Lead:
    """Send a test lead through the form; the one that the form had before goes into the trash.

    Raises `Refused`, or `Conflict` for a form that takes no answers.
    """
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(ad_account_id=form.ad_account_id)
    require(actor, Can.WORK_LEADS, library)
    if tests_of(form).exists():
        require(actor, Can.DELETE_LEADS, library)
    served = published_form(form.public_id)
    if served is None or not served.takes_answers():
        raise Conflict("form_not_live", _("This form takes no answers. Publish it first."))
    submission = Submission(
        key=uuid.uuid4(),
        version=served.number,
        answers={question.key: _sample(question) for question in served.content.questions},
        consents=_ticked(served.content),
    )
    judged = validator_for(served.version_id, served.content)(submission.answers, submission.consents, None)
    if isinstance(judged, Problems):
        raise Conflict(
            "form_takes_no_sample", _("No sample fits this form: %(why)s") % {"why": ", ".join(judged.errors)}
        )
    new = new_lead(served, submission, judged, Circumstances(is_test=True))
    with transaction.atomic():
        audit.record(Act.TEST_LEAD_CREATED, library, actor=actor, targets=[form.pk])
    stored = store(new)
    with transaction.atomic():
        lock_forms([form.pk])
        if older := list(tests_of(form).values_list("pk", flat=True))[1:]:
            delete_leads(actor=actor, library=library, lead_ids=older)
    return Lead.objects.select_related("library").get(pk=stored.lead_id)


def delete_test_lead(*, actor: User, form: Form) -> None:
    """Put the form's test lead into the trash; raise `Refused`, or `Http404` where it has none."""
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(ad_account_id=form.ad_account_id)
    require(actor, Can.DELETE_LEADS, library)
    found = list(tests_of(form).values_list("pk", flat=True))
    if not found:
        raise Http404
    delete_leads(actor=actor, library=library, lead_ids=found)


def tests_of(form: Form) -> QuerySet[Lead]:
    """Return the live test leads of a form, newest first: one, but while another is on its way to take its place."""
    rows = Lead.objects.filter(library__ad_account=form.ad_account_id, form=form, state=Lead.State.LIVE, is_test=True)
    return rows.order_by("-received_at", "-pk")[:MOST_AT_ONCE]


def _sample(question: Question) -> str:
    if question.options:
        return question.options[0].key
    return SAMPLES.get(question.kind, "This is a test")


def _ticked(content: FormContent) -> dict[str, bool]:
    return {consent.key: True for consent in content.disclaimer.consents}
