"""From draft to the version that people see, word for word and for ever."""

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, lock_libraries, require
from accounts.models import Act, LeadLibrary, TermsAcceptance, User
from accounts.refusals import Conflict, Invalid
from forms_builder.models import Form, FormVersion
from forms_builder.parsing import parse
from forms_builder.schema import FormContent, publish_problems
from forms_builder.services.drafts import draft_of, locked, next_number
from forms_builder.services.telling import tell_answered, tell_waiting


def publish(*, actor: User, form: Form) -> FormVersion:
    """Show the draft to people from now on; the version before it is superseded and still takes answers.

    Needs an https privacy policy (and the rest of `publish_problems`) and lead-generation terms accepted by the
    Business Center. When leads access was transferred and the draft changes where data goes, the version waits for the
    custodian's approval instead. Raises `Refused`, `Invalid`, `Conflict`.
    """
    require(actor, Can.EDIT_FORMS, form.ad_account)
    with transaction.atomic():
        library = _held(form)  # before anything is read: a transfer accepted beside this is seen, or waits
        form = locked(form)
        draft = draft_of(form)
        if form.status == Form.Status.ARCHIVED:
            raise Conflict("form_archived", _("This form is archived. Restore it to publish it."))
        if draft is None:
            raise Conflict("nothing_to_publish", _("Nothing has changed since the published version."))
        asked = parse(draft.content)
        if problems := publish_problems(asked):
            raise Invalid(problems)
        if not terms_accepted(form):
            raise Conflict("terms_not_accepted", terms_missing(form))
        if library.is_transferred and destinations(published_content(form)) != destinations(asked):
            return _wait(actor, form, library, draft)
        return _show(actor, form, draft)


def approve(*, actor: User, form: Form, number: int) -> FormVersion:
    """Let the waiting version be shown; for the Admins of the custodian. Raises `Refused`, `Conflict`.

    The number says what was looked at: a version that is edited or rejected while it waits gets another one.
    """
    with transaction.atomic():
        library = _held(form)
        require(actor, Can.MANAGE_PRIVACY, library)
        form = locked(form)
        version = _waiting(form, number)
        _answer(Act.FORM_APPROVED, actor, form, library, version)
        return _show(actor, form, version)


def reject(*, actor: User, form: Form, number: int) -> FormVersion:
    """Hand the waiting version back as a draft; for the Admins of the custodian. Raises `Refused`, `Conflict`."""
    with transaction.atomic():
        library = _held(form)
        require(actor, Can.MANAGE_PRIVACY, library)
        form = locked(form)
        version = _waiting(form, number)
        _answer(Act.FORM_REJECTED, actor, form, library, version)
        version.status, version.number = FormVersion.Status.DRAFT, next_number(form)
        version.save(update_fields=["status", "number"])
    return version


def published_content(form: Form) -> FormContent:
    """Return what people see now; an empty form where they see nothing."""
    return parse(form.published.content) if form.published else FormContent()


def destinations(content: FormContent) -> tuple[object, ...]:
    """Return the parts that decide where data goes and what people agree to."""
    return content.privacy_policy_url, content.disclaimer, content.ending.link_url


def terms_accepted(form: Form) -> bool:
    """Whether the Business Center that owns the ad account accepted the current lead-generation terms."""
    accepted = TermsAcceptance.objects.filter(business_center_id=form.ad_account.business_center_id)
    return accepted.filter(version=settings.TERMS_VERSION).exists()


def terms_missing(form: Form) -> str:
    """Say who must accept the lead-generation terms before this form may be published."""
    return _("An Admin of %(name)s must accept the lead-generation terms first.") % {
        "name": form.ad_account.business_center.name
    }


def _show(actor: User, form: Form, version: FormVersion) -> FormVersion:
    audit.record(Act.FORM_PUBLISHED, form.ad_account, actor=actor, targets=[form.pk], version=version.number)
    form.versions.filter(status=FormVersion.Status.PUBLISHED).update(status=FormVersion.Status.SUPERSEDED)
    version.status, version.published_by = FormVersion.Status.PUBLISHED, actor
    version.published_at = Now()
    version.save(update_fields=["status", "published_by", "published_at"])
    form.published, form.status = version, Form.Status.LIVE
    form.save(update_fields=["published", "status"])
    return FormVersion.objects.get(pk=version.pk)


def _waiting(form: Form, number: int) -> FormVersion:
    version = draft_of(form)
    if version is None or version.number != number or version.status != FormVersion.Status.AWAITING_APPROVAL:
        raise Conflict("not_waiting", _("This version does not wait for approval."))
    return version


def _held(form: Form) -> LeadLibrary:
    return lock_libraries(LeadLibrary.objects.filter(ad_account=form.ad_account_id))[0]


def _wait(actor: User, form: Form, library: LeadLibrary, draft: FormVersion) -> FormVersion:
    for scope in (form.ad_account, library):
        audit.record(
            Act.FORM_SAVED,
            scope,
            actor=actor,
            targets=[form.pk],
            form=form.name,
            version=draft.number,
            waits_for_approval=True,
        )
    draft.status = FormVersion.Status.AWAITING_APPROVAL
    draft.save(update_fields=["status"])
    transaction.on_commit(lambda: tell_waiting(form.pk, draft.number), robust=True)
    return draft


def _answer(act: Act, actor: User, form: Form, library: LeadLibrary, version: FormVersion) -> None:
    """Record the custodian's answer in the trails of both sides; the agency reads it in a mail afterwards."""
    number = version.number
    for scope in (form.ad_account, library):
        audit.record(act, scope, actor=actor, targets=[form.pk], form=form.name, version=number)
    transaction.on_commit(lambda: tell_answered(form.pk, number, act == Act.FORM_APPROVED), robust=True)
