"""Pages of forms: the list, the editor with its steps and preview, the review page from which a form is published."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import Can, refusal, require
from accounts.authentication import actor_of
from accounts.declarations import allows
from accounts.models import AdAccount
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from accounts.zones import follow
from forms_builder import editing, selectors, services
from forms_builder.changes import changes_of
from forms_builder.countries import COUNTRIES
from forms_builder.models import Form, FormVersion
from forms_builder.parsing import parse
from forms_builder.rendering import render_form, render_thanks
from forms_builder.schema import (
    CUSTOM_KINDS,
    MAX_CONSENTS,
    MAX_OPTIONS,
    MAX_QUESTIONS,
    STANDARD_FIELDS,
    FormContent,
    publish_problems,
)
from forms_builder.selectors import ServedForm
from forms_builder.services.publishing import published_content, terms_accepted, terms_missing

STEPS = {
    "content": gettext_lazy("Content"),
    "questions": gettext_lazy("Questions"),
    "privacy": gettext_lazy("Privacy"),
    "ending": gettext_lazy("Ending"),
    "review": gettext_lazy("Review"),
}
ICONS = {
    "multiple_choice": "choice",
    "short_answer": "text",
    "email": "mail",
    "work_email": "mail",
    "phone_number": "phone",
    "work_phone": "phone",
    "company_name": "building",
    "country": "globe",
}
AWAITING = FormVersion.Status.AWAITING_APPROVAL
WITH_FRAME = settings.CONTENT_SECURITY_POLICY + "; frame-src 'self'"
INSIDE_FRAME = settings.CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")


@dataclass(frozen=True, slots=True)
class Step:
    """One stop of the stepper."""

    key: str
    label: str
    url: str
    current: bool
    done: bool
    fault: bool


def account_of(ad_account_id: int) -> AdAccount:
    """Return the ad account with what its pages need, or 404."""
    rows = AdAccount.objects.select_related("business_center", "library__custodian")
    return get_object_or_404(rows, pk=ad_account_id)


def form_of(ad_account_id: int, form_id: int) -> Form:
    """Return the form of that account, or 404."""
    rows = Form.objects.select_related("ad_account__business_center", "ad_account__library__custodian", "published")
    form = get_object_or_404(rows, pk=form_id, ad_account_id=ad_account_id, removed_at=None)
    follow(form.ad_account)
    return form


# ---- the list --------------------------------------------------------------------------------------------------------


@allows(Can.VIEW_FORMS, of="ad_account")
@require_GET
def forms(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """List the account's forms with their counts, for every role; `?archived=1` those out of use."""
    account = account_of(ad_account_id)
    archived = request.GET.get("archived") == "1"
    rows = selectors.forms_of(actor_of(request), account, archived=archived)
    context = {
        "account": account,
        "rows": rows,
        "archived": archived,
        "in_use": not archived,
        "public_url": settings.PUBLIC_URL,
    }
    return render(request, "forms_builder/forms.html", context | shell(request, ad_account=account, active="forms"))


@allows(Can.EDIT_FORMS, of="ad_account")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """Ask for the name of a new form; it begins with name, e-mail and phone."""
    account = account_of(ad_account_id)
    require(actor_of(request), Can.EDIT_FORMS, account)
    name, errors = request.POST.get("name", ""), {}
    if request.method == "POST":
        content = editing.starter(name.strip()[:100]).as_json()
        try:
            form = services.create_form(actor=actor_of(request), ad_account=account, name=name, content=content)
        except Invalid as invalid:
            errors = dict(invalid.errors)
        else:
            return redirect("form_step", account.pk, form.pk, "content")
    context = {"account": account, "name": name, "errors": errors}
    context |= shell(request, ad_account=account, active="forms")
    return render(request, "forms_builder/new.html", context, status=400 if errors else 200)


# ---- the editor ------------------------------------------------------------------------------------------------------


@allows(Can.VIEW_FORMS, of="ad_account")
@require_GET
def form(request: HttpRequest, ad_account_id: int, form_id: int) -> HttpResponse:
    """Lead to where work on the form goes on: its review page."""
    found = form_of(ad_account_id, form_id)
    require(actor_of(request), Can.VIEW_FORMS, found.ad_account)
    return redirect("form_review", ad_account_id, found.pk)


@allows(Can.EDIT_FORMS, of="ad_account")
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, ad_account_id: int, form_id: int, step: str) -> HttpResponse:
    """Show and save one step of the editor. Gestures (add, move, remove) are buttons of the same form."""
    found = form_of(ad_account_id, form_id)
    require(actor_of(request), Can.EDIT_FORMS, found.ad_account)
    shown = version_of(found)
    content, at, errors = parse(shown.content), request.GET.get("q", ""), {}
    if request.method == "POST":
        content, at = gesture(content, step, request.POST.dict())
        try:
            saved = _save(request, found, content, step)
        except Invalid as invalid:
            errors = dict(invalid.errors)
        else:
            return _saved(request, saved, found, step, at)
    if errors and request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse({"errors": errors}, status=400)
    context = (
        _editor(request, found, shown, content, step) | _step_context(content, step, at, request) | {"errors": errors}
    )
    response = render(request, f"forms_builder/{step}.html", context, status=400 if errors else 200)
    response["Content-Security-Policy"] = WITH_FRAME
    return response


def gesture(content: FormContent, step: str, fields: dict[str, str]) -> tuple[FormContent, str]:
    """Return the content after the posted words and the pressed button, and the key of the question to show."""
    verb, _colon, what = fields.get("do", "save").partition(":")
    at = fields.get("at", "")
    if step == "content":
        return editing.change_start(content, fields), at
    if step == "ending":
        return editing.change_ending(content, fields), at
    if step == "privacy":
        content = editing.change_privacy(content, fields)
        if verb == "consent-add":
            return editing.add_consent(content), at
        return (editing.remove_consent(content, what) if verb == "consent-remove" else content), at
    return _question_gesture(editing.change_question(content, at, fields), verb, what, at)


def _question_gesture(content: FormContent, verb: str, what: str, at: str) -> tuple[FormContent, str]:
    placed: dict[str, Callable[[], tuple[FormContent, str]]] = {
        "open": lambda: (content, what),
        "add": lambda: editing.add_question(content, what),
        "copy": lambda: editing.copy_question(content, what),
        "up": lambda: (editing.move_question(content, what, -1), at or what),
        "down": lambda: (editing.move_question(content, what, 1), at or what),
        "remove": lambda: (editing.remove_question(content, what), "" if at == what else at),
        "option-add": lambda: (editing.add_option(content, at), at),
        "option-remove": lambda: (editing.remove_option(content, at, what), at),
    }
    return placed[verb]() if verb in placed else (content, at)


def _save(request: HttpRequest, found: Form, content: FormContent, step: str) -> FormVersion:
    starts = step == "content"
    return services.save_draft(
        actor=actor_of(request),
        form=found,
        content=content.as_json(),
        name=request.POST.get("name") if starts else None,
        language=request.POST.get("language") or None if starts else None,
    )


def _saved(request: HttpRequest, saved: FormVersion, found: Form, step: str, at: str) -> HttpResponse:
    if request.headers.get("X-Requested-With") == "fetch":
        faults = publish_problems(parse(saved.content))
        steps = sorted({editing.step_of(path) for path in faults})
        local = timezone.localtime(saved.saved_at)
        return JsonResponse({"saved": _("Draft saved %(time)s") % {"time": f"{local:%H:%M:%S}"}, "faults": steps})
    pressed = request.POST.get("do", "")
    if pressed == "next":
        order = list(STEPS)
        following = order[order.index(step) + 1]
        if following == "review":
            return redirect("form_review", found.ad_account_id, found.pk)
        return redirect("form_step", found.ad_account_id, found.pk, following)
    # `did` lets the next page put the focus where the hand was.
    query = {"q": at, "did": pressed if pressed != "save" else ""}
    kept = urlencode({name: value for name, value in query.items() if value})
    address = reverse("form_step", args=[found.ad_account_id, found.pk, step])
    return redirect(f"{address}?{kept}" if kept else address)


def version_of(found: Form) -> FormVersion:
    """Return what is being edited: the draft, else what is published (saving then makes a draft)."""
    version = selectors.drafts_of([found]).get(found.pk) or found.published
    assert version is not None  # a form is made with a draft
    return version


def _editor(request: HttpRequest, found: Form, shown: FormVersion, content: FormContent, step: str) -> dict[str, Any]:
    """Return what every step of the editor shows around its own part."""
    faults = publish_problems(content)
    problems = [(editing.step_of(path), editing.place_of(content, path), text) for path, text in faults.items()]
    wrong = {place for place, _name, _text in problems}
    account = found.ad_account
    steps = [
        Step(
            key,
            str(label),
            reverse("form_review", args=[account.pk, found.pk])
            if key == "review"
            else reverse("form_step", args=[account.pk, found.pk, key]),
            current=key == step,
            done=key != "review" and key not in wrong,
            fault=key in wrong,
        )
        for key, label in STEPS.items()
    ]
    return {
        "account": account,
        "form": found,
        "version": shown,
        "is_draft": shown.status in FormVersion.OPEN,
        "content": content,
        "steps": steps,
        "step": step,
        "did": request.GET.get("did", ""),
        "problems": problems,
        **shell(request, ad_account=account, active="forms"),
    }


def _step_context(content: FormContent, step: str, at: str, request: HttpRequest) -> dict[str, Any]:
    if step == "content":
        return {"countries": COUNTRIES.items()}
    if step == "privacy":
        return {"may_add_consent": len(content.disclaimer.consents) < MAX_CONSENTS}
    if step != "questions":
        return {}
    asked = {question.key for question in content.questions}
    chosen = content.question(at) or (content.questions[0] if content.questions else None)
    return {
        "rows": [(question, ICONS.get(question.kind, "person")) for question in content.questions],
        "icon": ICONS.get(chosen.kind, "person") if chosen else "",
        "is_full": len(content.questions) >= MAX_QUESTIONS,
        "chosen": chosen,
        "number": content.questions.index(chosen) + 1 if chosen else 0,
        "kind": {**STANDARD_FIELDS, **CUSTOM_KINDS}[chosen.kind] if chosen else "",
        "max_options": MAX_OPTIONS,
        "custom_kinds": CUSTOM_KINDS.items(),
        "standard_kinds": [(kind, label) for kind, label in STANDARD_FIELDS.items() if kind not in asked],
    }


@allows(Can.VIEW_FORMS, of="ad_account")
@require_GET
@xframe_options_sameorigin
def preview(request: HttpRequest, ad_account_id: int, form_id: int) -> HttpResponse:
    """Show the form as on a phone, with a ribbon: the real public page without its script; `?page=ending` its end."""
    found = form_of(ad_account_id, form_id)
    require(actor_of(request), Can.VIEW_FORMS, found.ad_account)
    shown = version_of(found)
    served = ServedForm(
        form_id=found.pk,
        public_id=found.public_id,
        name=found.name,
        status=found.status,
        archived_at=found.archived_at,
        ad_account_id=found.ad_account_id,
        library_id=None,
        advertiser=found.ad_account.name,
        version_id=shown.pk,
        number=shown.number,
        language=shown.language,
        content=parse(shown.content),
    )
    if request.GET.get("page") == "ending":
        page = render_thanks(served, number="123456789", preview=True)
    else:
        page = render_form(served, submission_key="", ingest_key=None, preview=True)
    return HttpResponse(page, headers={"Content-Security-Policy": INSIDE_FRAME})


@allows(Can.VIEW_FORMS, of="ad_account")
@require_GET
def review(request: HttpRequest, ad_account_id: int, form_id: int) -> HttpResponse:
    """Show what stands in the way of publishing, the share link, the counts and the versions; for every role."""
    found = form_of(ad_account_id, form_id)
    versions = selectors.versions_of(actor_of(request), found)
    shown = version_of(found)
    content = parse(shown.content)
    context = _editor(request, found, shown, content, "review")
    context |= {
        "versions": versions,
        "counts": selectors.counts_of(found),
        "share_url": f"{settings.PUBLIC_URL}/f/{found.public_id}/",
        "changes": changes_of(published_content(found), content) if shown.status == AWAITING else (),
        "terms": "" if terms_accepted(found) else terms_missing(found),
    }
    if Can.DOWNLOAD_LEADS not in context["shell"].can:
        context["no_download"] = refusal(actor_of(request), Can.DOWNLOAD_LEADS, found.ad_account.library)
    response = render(request, "forms_builder/review.html", context)
    response["Content-Security-Policy"] = WITH_FRAME
    return response


# ---- what is done with a form ----------------------------------------------------------------------------------------


@allows(Can.EDIT_FORMS, of="ad_account")
@require_POST
def act(request: HttpRequest, ad_account_id: int, form_id: int, verb: str) -> HttpResponse:
    """Publish, archive, restore, duplicate or delete; what cannot be done is said on the review page."""
    found, actor = form_of(ad_account_id, form_id), actor_of(request)
    require(actor, Can.EDIT_FORMS, found.ad_account)
    try:
        if verb == "duplicate":
            copy = services.duplicate(actor=actor, form=found)
            messages.success(request, _("This is the copy. The form it came from is as it was."))
            return redirect("form_step", ad_account_id, copy.pk, "content")
        if verb == "delete":
            gone = services.delete_form(actor=actor, form=found)
            done = _("Form deleted.") if gone else _("Form deleted. Its leads and counts stay.")
            messages.success(request, done)
            return redirect("forms", ad_account_id)
        messages.success(request, _do(verb, found, request))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    except Invalid:
        messages.error(request, _("This form cannot be published yet. See what to change below."))
    return redirect("form_review", ad_account_id, form_id)


def _do(verb: str, found: Form, request: HttpRequest) -> str:
    actor = actor_of(request)
    if verb == "archive":
        services.archive(actor=actor, form=found)
        return _("Form archived. Open pages may still send for 24 hours.")
    if verb == "restore":
        services.restore(actor=actor, form=found)
        return _("Form restored.")
    version = services.publish(actor=actor, form=found)
    if version.status == FormVersion.Status.AWAITING_APPROVAL:
        holder = found.ad_account.library.custodian.name
        return _("Version %(n)d changes where data goes, so %(holder)s must approve it first.") % {
            "n": version.number,
            "holder": holder,
        }
    return _("Version %(n)d is live.") % {"n": version.number}


@allows(Can.MANAGE_PRIVACY, of="library")
@require_POST
def decide(request: HttpRequest, ad_account_id: int, form_id: int, number: int, verb: str) -> HttpResponse:
    """Approve or reject a version that changes where data goes; for the Admins of the custodian."""
    found, actor = form_of(ad_account_id, form_id), actor_of(request)
    try:
        if verb == "approve":
            services.approve(actor=actor, form=found, number=number)
            messages.success(request, _("Version %(n)d is live.") % {"n": number})
        else:
            services.reject(actor=actor, form=found, number=number)
            messages.success(request, _("Version %(n)d is a draft again.") % {"n": number})
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    return redirect("form_review", ad_account_id, form_id)
