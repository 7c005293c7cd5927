"""Error reports to a Sentry server of the operator's choice, if SENTRY_DSN names one. What leaves holds no person's
data.

A report keeps what a developer needs to find the place: types of exceptions, files, lines, functions, the route's
name. Local variables, request, texts of exceptions, breadcrumbs and users are taken out, since each may quote a lead.
"""

from typing import Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

KEPT = {"event_id", "timestamp", "platform", "level", "logger", "exception", "release", "environment", "transaction"}
KEPT_OF_FRAMES = {"filename", "abs_path", "function", "module", "lineno", "in_app"}


def without_personal_data(event: Event, hint: Hint) -> Event:
    """The same event, with only what cannot hold a person's data."""
    report: dict[str, Any] = {name: value for name, value in event.items() if name in KEPT}
    values = (report.get("exception") or {}).get("values") or []
    report["exception"] = {"values": [bare(value) for value in values]}
    return report  # type: ignore[return-value]


def bare(value: dict[str, Any]) -> dict[str, Any]:
    """An exception without its text and its variables."""
    frames = (value.get("stacktrace") or {}).get("frames") or []
    kept = [{name: part for name, part in frame.items() if name in KEPT_OF_FRAMES} for frame in frames]
    return {"type": value.get("type"), "module": value.get("module"), "stacktrace": {"frames": kept}}


def start_reporting(dsn: str, **options: Any) -> None:
    """Report uncaught errors to the server behind `dsn`."""
    sentry_sdk.init(
        dsn=dsn,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=None,
        before_send=without_personal_data,
        **options,
    )
