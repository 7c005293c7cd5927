"""The public side: the form page, its plain post, and the two routes for scripts. Plain views: this path is hot."""

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.circumstances import circumstances
from accounts.declarations import public
from accounts.refusals import problem_response
from forms_builder import measures
from forms_builder.answers import from_post
from forms_builder.models import MeasureKind
from forms_builder.rendering import (
    HONEYPOT,
    Filled,
    IngestKey,
    attribution_of,
    render_closed,
    render_conflict,
    render_form,
    render_thanks,
)
from forms_builder.schema import MAX_QUESTIONS
from forms_builder.selectors import ServedForm, published_form, shown_version
from leads.intake import throttle
from leads.intake.accept import Circumstances, NoSuchForm, accept
from leads.intake.store import AlreadySubmitted, Stored
from leads.intake.submission import MAX_BODY, BadSubmission, parse_json, read_submission
from leads.models import Lead
from leads.vault.ingest import UnknownKey, current_ingest_key, open_submission
from leadscenter.lib.devices import device_of
from leadscenter.lib.hpke import CannotOpen
from leadscenter.lib.ids import id_in

logger = logging.getLogger("leadscenter.intake")
RETRY_SECONDS = 5
View = Callable[..., HttpResponse]


def too_many(request: HttpRequest, buckets: throttle.Buckets) -> int:
    """Return in how many seconds this network may come again; 0 now."""
    network = throttle.network_of(getattr(request, "client_address", ""))
    return buckets.wait(network) if network else 0


# ---- the page --------------------------------------------------------------------------------------------------------


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the published form, or take its plain post. No session, no cookie, never cached."""
    response = _post(request, public_id) if request.method == "POST" else _show(request, public_id)
    response["Cache-Control"] = "no-store"
    return response


def _show(request: HttpRequest, public_id: str) -> HttpResponse:
    served = published_form(public_id)
    if served is None or not served.is_live:
        return HttpResponse(render_closed(served), status=404)
    filled = Filled(attribution=attribution_of(request.GET))
    return HttpResponse(_form(served, filled))


def _form(served: ServedForm, filled: Filled, *, key: str = "", notice: str = "") -> str:
    kid, public_key = current_ingest_key()
    return render_form(
        served,
        submission_key=key or str(uuid.uuid4()),
        ingest_key=IngestKey(kid, public_key),
        filled=filled,
        notice=notice,
    )


def _post(request: HttpRequest, public_id: str) -> HttpResponse:
    fields: dict[str, str] = {name: str(value) for name, value in request.POST.items()}
    number = fields.get("version", "")
    version = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    try:
        served = shown_version(public_id, version) or published_form(public_id)
        if served is None:
            return HttpResponse(render_closed(None), status=404)
        return _judge(request, served, fields)
    except (OperationalError, InterfaceError):
        logger.exception("the database does not take submissions")
        return _busy(None, Filled(), "")


def _judge(request: HttpRequest, served: ServedForm, fields: dict[str, str]) -> HttpResponse:
    answers, consents = from_post(fields)
    attribution = attribution_of(fields)
    key = fields.get("submission_key", "")
    filled = Filled(answers=answers, consents=consents, attribution=attribution)
    if wait := too_many(request, throttle.submissions):
        return _busy(served, filled, key, status=429, wait=wait)
    sent = {name if name != "ad" else "ad_id": value for name, value in attribution.items()}
    body = {
        "submission_key": key,
        "version": int(fields.get("version") or 0),
        "answers": answers,
        "consents": consents,
        "attribution": sent,
    }
    circumstances = Circumstances(
        address=getattr(request, "client_address", ""),
        whole_visit=fields.get("measured") != "1",
        device=_device(request),
    )
    try:
        submission = read_submission(body)
        if fields.get(HONEYPOT):
            return HttpResponse(render_thanks(served))  # a robot filled what no person sees
        stored = accept(served.public_id, submission, circumstances)
    except BadSubmission as bad:
        fresh = key if "submission_key" not in bad.errors else str(uuid.uuid4())
        wrong = Filled(answers=answers, consents=consents, errors=bad.errors, attribution=attribution)
        return HttpResponse(_form(served, wrong, key=fresh), status=400)
    except NoSuchForm:
        notice = _("This form was closed, so your answers could not be sent. They are still here to copy.")
        return HttpResponse(_form(served, filled, key=key, notice=notice), status=404)
    except AlreadySubmitted as already:
        page = render_conflict(served, sent_at=already.at, submission_key=str(uuid.uuid4()), filled=filled)
        return HttpResponse(page, status=409)
    except (OperationalError, InterfaceError):
        logger.exception("the database does not take submissions")
        return _busy(served, filled, key)
    return HttpResponse(render_thanks(served, number=str(stored.lead_id)))


def _device(request: HttpRequest) -> str:
    return device_of(request.headers.get("User-Agent", ""))


def _busy(
    served: ServedForm | None, filled: Filled, key: str, *, status: int = 503, wait: int = RETRY_SECONDS
) -> HttpResponse:
    """Tell that we cannot take it now; the answers are shown again to be sent."""
    notice = _("We are busy right now. Nothing is lost: your answers are below. Please send them again in a moment.")
    try:
        page = _form(served, filled, key=key, notice=notice) if served else render_closed(None)
    except (OperationalError, InterfaceError):  # not even the ingest key can be read
        page = notice
    return HttpResponse(page, status=status, headers={"Retry-After": str(wait)})


# ---- for scripts -----------------------------------------------------------------------------------------------------


def problems(view: View) -> View:
    """Turn what can go wrong with a submission into problem bodies."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except BadSubmission as bad:
            detail = bad.detail or _("Nothing was stored. See what to change and send it again with the same key.")
            return problem_response(400, _("Bad submission"), detail, errors=dict(bad.errors))
        except NoSuchForm:
            return problem_response(404, _("Not found"), _("No form takes answers here."))
        except AlreadySubmitted as already:
            detail = _("This submission key was used for other answers, which are kept. Send new ones with a new key.")
            sent_at = already.at.isoformat()
            return problem_response(409, _("Already submitted"), detail, code="already_submitted", sent_at=sent_at)
        except (OperationalError, InterfaceError):
            logger.exception("the database does not take submissions")
            detail = _("We cannot take this right now. Keep it and send it again with the same key.")
            response = problem_response(503, _("Busy"), detail)
            response["Retry-After"] = str(RETRY_SECONDS)
            return response

    return wrapped


@public
@require_GET
@problems
def published(request: HttpRequest, public_id: str) -> HttpResponse:
    """Return the published version and the key to seal answers to."""
    served = published_form(public_id)
    if served is None or not served.is_live:
        raise NoSuchForm
    kid, public_key = current_ingest_key()
    content = served.content
    return JsonResponse(
        {
            "public_id": served.public_id,
            "version": served.number,
            "title": content.headline or served.name,
            "questions": [
                {
                    "key": question.key,
                    "kind": question.kind,
                    "label": question.label,
                    "required": question.required,
                    "options": [{"key": option.key, "label": option.label} for option in question.options],
                }
                for question in content.questions
            ],
            "consents": [
                {"key": consent.key, "label": consent.label, "required": consent.required}
                for consent in content.disclaimer.consents
            ],
            "privacy_policy_url": content.privacy_policy_url,
            "ingest_key": {"kid": kid, "public_key": public_key},
        }
    )


@public
@csrf_exempt
@require_POST
@problems
def submissions(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take a submission, plain or sealed: 201 the first time, 200 with the same lead for the same key and content."""
    if wait := too_many(request, throttle.submissions):
        response = problem_response(429, _("Too many"), _("Send it again later, with the same key."))
        response["Retry-After"] = str(wait)
        return response
    body = parse_json(request.body)
    sealed = "sealed" in body
    if sealed:
        body = parse_json(_opened(public_id, body))
    submission = read_submission(body)
    stored: Stored = accept(
        public_id,
        submission,
        Circumstances(
            address=getattr(request, "client_address", ""),
            sealed_in_browser=sealed,
            whole_visit=not sealed,
            source=Lead.Source.FORM if sealed else Lead.Source.API,
            device=_device(request),
        ),
    )
    return JsonResponse({"lead_id": str(stored.lead_id)}, status=201 if stored.fresh else 200)


def _opened(public_id: str, body: dict[str, Any]) -> bytes:
    blob = body["sealed"]
    if set(body) != {"sealed"} or not isinstance(blob, dict) or set(blob) != {"kid", "enc", "ct"}:
        raise BadSubmission({"sealed": _("Send {“sealed”: {“kid”, “enc”, “ct”}} and nothing else.")})
    if not all(isinstance(part, str) and len(part) <= MAX_BODY for part in blob.values()):
        raise BadSubmission({"sealed": _("kid, enc and ct are text.")})
    try:
        return open_submission(public_id, kid=blob["kid"], enc=blob["enc"], ct=blob["ct"])
    except UnknownKey as error:
        raise BadSubmission({"sealed": _("This ingest key is not ours. Load the form again.")}) from error
    except (CannotOpen, ValueError) as error:
        raise BadSubmission({"sealed": _("This does not open: it was changed, or sealed for another form.")}) from error


@public
@csrf_exempt
@require_POST
@problems
def count(request: HttpRequest, public_id: str) -> HttpResponse:
    """Count that a form was opened or started, or questions seen; says nothing of who, and answers 204."""
    if too_many(request, throttle.measures):
        return HttpResponse(status=429)
    body = parse_json(request.body)
    kind, number = body.get("kind"), body.get("version")
    if kind not in (MeasureKind.OPEN, MeasureKind.START, MeasureKind.QUESTION) or not isinstance(number, int):
        raise BadSubmission({"kind": _("Send open, start or question, and the version.")})
    served = shown_version(public_id, number)
    if served is None or not served.takes_answers():
        raise NoSuchForm
    measures.record(
        kind=MeasureKind(kind),
        form_id=served.form_id,
        version=served.number,
        ad_id=_ad_id(body),
        questions=_seen(served, body) if kind == MeasureKind.QUESTION else [""],
        country=circumstances().country,
        device=_device(request),
    )
    return HttpResponse(status=204)


def _ad_id(body: dict[str, Any]) -> int:
    try:
        return id_in(str(body.get("ad_id") or ""))
    except ValueError:
        return 0


def _seen(served: ServedForm, body: dict[str, Any]) -> list[str]:
    """Return the questions that were seen, each once; one that the form does not ask is a mistake of the caller."""
    keys = body.get("questions")
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_QUESTIONS:
        raise BadSubmission({"questions": _("Send the keys of the questions that were seen.")})
    seen = list(dict.fromkeys(str(key)[:40] for key in keys))
    if any(served.content.question(key) is None for key in seen):
        raise BadSubmission({"questions": _("This form does not ask this.")})
    return seen
