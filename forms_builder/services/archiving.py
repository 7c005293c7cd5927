"""Taking a form out of use. A form with a history is never deleted: its leads, versions and counts stay."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, User
from accounts.refusals import Conflict
from forms_builder.models import Form, FormVersion, MeasureDay, MeasureEvent
from forms_builder.services.drafts import locked


def archive(*, actor: User, form: Form) -> Form:
    """Close the form; people who have it open may still send for 24 hours. Raises `Refused`, `Conflict`."""
    require(actor, Can.EDIT_FORMS, form.ad_account)
    with transaction.atomic():
        form = locked(form)
        if form.status == Form.Status.ARCHIVED:
            raise Conflict("form_archived", _("This form is archived already."))
        audit.record(Act.FORM_ARCHIVED, form.ad_account, actor=actor, targets=[form.pk])
        return _close(form)


def restore(*, actor: User, form: Form) -> Form:
    """Open an archived form again, live if it was ever published. Raises `Refused`, `Conflict`."""
    require(actor, Can.EDIT_FORMS, form.ad_account)
    with transaction.atomic():
        form = locked(form)
        if form.status != Form.Status.ARCHIVED:
            raise Conflict("form_not_archived", _("This form is not archived."))
        audit.record(Act.FORM_SAVED, form.ad_account, actor=actor, targets=[form.pk], restored=True)
        form.status = Form.Status.LIVE if form.published_id else Form.Status.DRAFT
        form.archived_at = None
        form.save(update_fields=["status", "archived_at"])
    return form


def delete_form(*, actor: User, form: Form) -> bool:
    """Delete a form that nobody ever saw; archive and hide any other. Return whether the row is gone."""
    require(actor, Can.EDIT_FORMS, form.ad_account)
    with transaction.atomic():
        form = locked(form)
        kept = _has_history(form)
        audit.record(Act.FORM_ARCHIVED, form.ad_account, actor=actor, targets=[form.pk], deleted=not kept)
        if kept:
            if form.status != Form.Status.ARCHIVED:
                _close(form)
            Form.objects.filter(pk=form.pk).update(removed_at=Now())
            return False
        form.versions.all().delete()
        form.delete()
    return True


def _close(form: Form) -> Form:
    form.status = Form.Status.ARCHIVED
    form.archived_at = Now()
    form.save(update_fields=["status", "archived_at"])
    return Form.objects.select_related("ad_account").get(pk=form.pk)


def _has_history(form: Form) -> bool:
    """Whether it was ever published, an ad names it, or somebody did something with it."""
    return (
        form.versions.exclude(status=FormVersion.Status.DRAFT).exists()
        or Form.objects.filter(pk=form.pk, ads__isnull=False).exists()
        or MeasureDay.objects.filter(form_id=form.pk).exists()
        or MeasureEvent.objects.filter(form_id=form.pk).exists()
    )
