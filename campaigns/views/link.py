"""The public link of an ad."""

import re
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from accounts.circumstances import circumstances
from accounts.declarations import public
from campaigns.selectors import destination_of
from forms_builder import measures
from forms_builder.models import MeasureKind
from forms_builder.rendering import attribution_of, render_closed
from leadscenter.lib.devices import device_of

# What fetches links without a person behind it; such a fetch is no click.
ROBOT = re.compile(r"bot\b|crawl|spider|preview|facebookexternalhit|slurp", re.IGNORECASE)


@public
@require_safe
def go(request: HttpRequest, public_id: str) -> HttpResponse:
    """Lead the link of an ad to its form, count the click, keep utm parameters and click ids; never an error."""
    destination = destination_of(public_id)
    if destination is None:
        return HttpResponse(render_closed(None), status=404)
    kept = {name: value for name, value in attribution_of(request.GET).items() if name != "ad"}
    if destination.ad_id:
        kept = {"ad": str(destination.ad_id), **kept}
    if not _is_machine(request):
        measures.record(
            kind=MeasureKind.CLICK,
            form_id=destination.form_id,
            version=destination.version,
            ad_id=destination.ad_id,
            country=circumstances().country,
            device=device_of(request.headers.get("User-Agent", "")),
        )
    query = f"?{urlencode(kept)}" if kept else ""
    return HttpResponseRedirect(f"/f/{destination.form_public_id}/{query}")


def _is_machine(request: HttpRequest) -> bool:
    if request.method == "HEAD":  # a link checker
        return True
    ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    return ahead or bool(ROBOT.search(request.headers.get("User-Agent", "")))
