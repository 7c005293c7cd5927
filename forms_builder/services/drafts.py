"""Making and editing what is not published yet."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, AdAccount, AuditEvent, User
from accounts.refusals import Conflict, Invalid
from forms_builder.models import Form, FormVersion
from forms_builder.parsing import parse
from forms_builder.schema import LANGUAGE, BadContent, FormContent

MAX_NAME = 120
TOLD_AGAIN = timedelta(minutes=10)


def create_form(*, actor: User, ad_account: AdAccount, name: str, content: Any = None, language: str = "en") -> Form:
    """Make a form with an unpublished version 1. Raises `Refused`, `Invalid`."""
    require(actor, Can.EDIT_FORMS, ad_account)
    asked, name = read(content, name, language)
    form = Form(ad_account=ad_account, name=name, created_by=actor)
    with transaction.atomic():
        audit.record(Act.FORM_SAVED, ad_account, actor=actor, targets=[form.pk])
        form.save(force_insert=True)
        FormVersion(form=form, number=1, content=asked.as_json(), language=language).save(force_insert=True)
    return form


def save_draft(
    *, actor: User, form: Form, content: Any = None, name: str | None = None, language: str | None = None
) -> FormVersion:
    """Keep the content as the form's one draft, beside what is published; parts left out (None) stay as they are.

    A draft that waited for approval is an ordinary draft again, under a new number: nobody approves unseen words.
    The trail tells of one person's edits of one draft at most every ten minutes. Raises `Refused`, `Invalid`
    (malformed, or a question whose key meant something else in the published version), `Conflict` when the form is
    archived.
    """
    require(actor, Can.EDIT_FORMS, form.ad_account)
    with transaction.atomic():
        form = locked(form)
        if form.status == Form.Status.ARCHIVED:
            raise Conflict("form_archived", _("This form is archived. Restore it to edit it."))
        draft = draft_of(form)
        before = draft or form.published
        content = before.content if content is None and before else content
        language = language or (before.language if before else "en")
        asked, name = read(content, form.name if name is None else name, language)
        _keep_keys(form, asked)
        if draft is None or not _told_lately(actor, form):
            audit.record(Act.FORM_SAVED, form.ad_account, actor=actor, targets=[form.pk])
        if name != form.name:
            form.name = name
            form.save(update_fields=["name"])
        if draft is None:
            draft = FormVersion(form=form, number=next_number(form))
        elif draft.status == FormVersion.Status.AWAITING_APPROVAL:
            draft.number = next_number(form)
        draft.content, draft.language, draft.status = asked.as_json(), language, FormVersion.Status.DRAFT
        draft.saved_at = Now()
        draft.save()
    return FormVersion.objects.get(pk=draft.pk)


def duplicate(*, actor: User, form: Form, name: str = "") -> Form:
    """Make a new draft form that asks the same. Raises `Refused`, `Invalid`."""
    require(actor, Can.EDIT_FORMS, form.ad_account)
    source = draft_of(form) or form.published
    return create_form(
        actor=actor,
        ad_account=form.ad_account,
        name=name or (_("Copy of %(name)s") % {"name": form.name})[:MAX_NAME],
        content=source.content if source else None,
        language=source.language if source else "en",
    )


def read(content: Any, name: str, language: str) -> tuple[FormContent, str]:
    """Return the parsed content and the trimmed name, or raise `Invalid` with everything that is wrong."""
    name, errors, asked = name.strip(), dict[str, str](), FormContent()
    if not name:
        errors["name"] = _("Give the form a name.")
    elif len(name) > MAX_NAME or "\x00" in name:
        errors["name"] = _("At most %(limit)d characters.") % {"limit": MAX_NAME}
    if not LANGUAGE.fullmatch(language):
        errors["language"] = _("Must be a language code such as en or pt-BR.")
    try:
        asked = parse(content)
    except BadContent as bad:
        errors |= bad.errors
    if errors:
        raise Invalid(errors)
    return asked, name


def locked(form: Form) -> Form:
    """Lock the form's row, waiting, and return its state as of now; so the second of two writers sees the first's."""
    rows = Form.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("ad_account", "published").get(pk=form.pk)


def draft_of(form: Form) -> FormVersion | None:
    """Return the version that is being edited or waits for approval."""
    return form.versions.filter(status__in=FormVersion.OPEN).first()


def next_number(form: Form) -> int:
    """Return the number of the form's next version; the form is locked."""
    return int((form.versions.aggregate(highest=Max("number"))["highest"] or 0) + 1)


def _told_lately(actor: User, form: Form) -> bool:
    """Whether the trail tells already that this person is editing the form: the editor saves at each pause."""
    told = AuditEvent.objects.filter(targets__object_id=form.pk, act=Act.FORM_SAVED, actor=actor)
    return told.filter(at__gt=Now() - TOLD_AGAIN).exists()


def _keep_keys(form: Form, asked: FormContent) -> None:
    if form.published is None:
        return
    kinds = {question["key"]: question["kind"] for question in form.published.content["questions"]}
    errors = {
        f"questions.{number}.key": _("This key means another kind of question in the published version.")
        for number, question in enumerate(asked.questions)
        if kinds.get(question.key, question.kind) != question.kind
    }
    if errors:
        raise Invalid(errors)
