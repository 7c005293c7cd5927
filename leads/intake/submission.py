"""From bytes to a submission: strict JSON within limits, or the reason why not. Nothing is looked up here.

Limits and names: the submission body of the REST API. Floats, duplicate keys, NaN, depth and key bombs are
refused; what an answer may be is the form version's to say.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.utils.translation import gettext as _

MAX_BODY = 256 * 1024
MAX_DEPTH = 8
MAX_KEYS = 100
MAX_ATTRIBUTION = 500
FIELDS = frozenset({"submission_key", "version", "answers", "consents", "attribution", "country"})
CLICK_IDS = frozenset({"ttclid"})


@dataclass(eq=False)
class BadSubmission(Exception):
    """The submission cannot be taken: field → what is wrong and what to do. Nothing was written."""

    errors: Mapping[str, str]
    detail: str = ""

    def __str__(self) -> str:
        return ", ".join(self.errors)


@dataclass(frozen=True, slots=True, repr=False)
class Submission:
    """What a person sent, well formed but not yet judged by the form version."""

    key: uuid.UUID
    version: int
    answers: dict[str, Any]
    consents: dict[str, Any]
    attribution: dict[str, str] = field(default_factory=dict)
    ad_id: int | None = None
    country: str | None = None

    def __repr__(self) -> str:
        return f"<Submission {self.key}>"


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`; raises `BadSubmission`."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_no_float
        )
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, _Refusal) else _("This is not the JSON that we take.")
        raise BadSubmission({"body": told}) from error
    if not isinstance(value, dict):
        raise BadSubmission({"body": _("Send one JSON object.")})
    _measure(value)
    return value


class _Refusal(ValueError):
    """A reason of ours inside the JSON reader."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refusal(_("A key stands twice in one object."))
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _Refusal(_("NaN and Infinity are not JSON."))


def _no_float(_text: str) -> NoReturn:
    raise _Refusal(_("Numbers are whole; everything else is text."))


def _measure(value: Any) -> None:
    keys = 0
    level = [value]
    for _depth in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                keys += len(item)
                below += item.values()
            elif isinstance(item, list):
                below += item
        if keys > MAX_KEYS:
            raise BadSubmission({"body": _("At most %(limit)d keys.") % {"limit": MAX_KEYS}})
        level = [item for item in below if isinstance(item, dict | list)]
        if not level:
            return
    raise BadSubmission({"body": _("At most %(limit)d levels deep.") % {"limit": MAX_DEPTH}})


def read_submission(body: Mapping[str, Any]) -> Submission:
    """Return the submission that a JSON object holds; raises `BadSubmission` with every fault at once."""
    errors = {str(name)[:60]: _("This is not part of a submission.") for name in body if name not in FIELDS}
    key = _uuid(body.get("submission_key"))
    if key is None:
        errors["submission_key"] = _("Send a UUID, made when the form was loaded.")
    version = body.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        errors["version"] = _("Send the number of the form version that was shown.")
    parts: dict[str, dict[str, Any]] = {}
    for name in ("answers", "consents", "attribution"):
        part = body.get(name, {})
        if isinstance(part, dict):
            parts[name] = part
        else:
            errors[name] = _("Send an object.")
    attribution, ad_id = _attribution(parts.get("attribution", {}), errors)
    country = body.get("country")
    if country is not None and not (isinstance(country, str) and len(country) <= 2):
        errors["country"] = _("Send two letters, such as DE.")
    if errors or key is None or not isinstance(version, int):
        raise BadSubmission({name.encode("utf-8", "replace").decode(): text for name, text in errors.items()})
    return Submission(key, version, parts["answers"], parts["consents"], attribution, ad_id, country or None)


def _uuid(value: Any) -> uuid.UUID | None:
    if not isinstance(value, str) or len(value) > 45:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _attribution(given: dict[str, Any], errors: dict[str, str]) -> tuple[dict[str, str], int | None]:
    kept: dict[str, str] = {}
    ad_id = None
    for name, value in given.items():
        if name == "ad_id":
            text = str(value) if isinstance(value, str | int) else ""
            ad_id = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
        elif not (name.startswith("utm_") and len(name) <= 40) and name not in CLICK_IDS:
            errors[f"attribution.{name[:40]}"] = _("Only ad_id, ttclid and utm_… are taken.")
        elif not isinstance(value, str) or len(value) > MAX_ATTRIBUTION or not _storable(value):
            errors[f"attribution.{name}"] = _("Send text of at most %(limit)d characters.") % {"limit": MAX_ATTRIBUTION}
        elif value:
            kept[name] = value
    return kept, ad_id


def _storable(text: str) -> bool:
    try:
        return "\x00" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False
