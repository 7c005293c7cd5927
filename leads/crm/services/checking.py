"""Is this a destination that we would ever send leads to? Judged when it is saved; judged again at each socket."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.refusals import Invalid
from leads.crm.connectors import CONNECTORS
from leadscenter.lib.outbound import Blocked, host_of, judge_url

MAX_MAPPING = 100
MAX_NAME = 80
MAX_TOKEN = 4000
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")
_TOKEN = re.compile(r"[\x21-\x7e]+\Z")


def check_kind(kind: str) -> None:
    """Raise `Invalid` unless there is a connector of this kind."""
    if kind not in CONNECTORS:
        raise Invalid({"kind": _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(sorted(CONNECTORS))}})


def check_name(name: str) -> str:
    """The name, trimmed. Raises `Invalid` when it is empty or too long."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or "\x00" in name:
        raise Invalid({"name": _("Give the connection a name of at most 80 characters.")})
    return name


def check_url(url: str) -> str:
    """The URL of a webhook. Raises `Invalid` with the reason when it may not be called."""
    try:
        judge_url(url, settings.OUTBOUND_ALLOWED_HOSTS)
    except Blocked as error:
        raise Invalid({"url": _("This address cannot be used: %(why)s.") % {"why": error}}) from error
    if len(url) > 500:
        raise Invalid({"url": _("The address is longer than 500 characters.")})
    own = urlsplit(settings.PUBLIC_URL).hostname
    if host_of(url) == own and own not in _listed_hosts():
        raise Invalid({"url": _("This is our own address: leads would come back to where they are.")})
    return url


def check_base_url(url: str) -> str:
    """The address of an API in place of the vendor's: "" or a host that the operator listed."""
    if not url:
        return ""
    if host_of(url) not in _listed_hosts():
        raise Invalid({"base_url": _("Only hosts that the operator listed in OUTBOUND_ALLOWED_HOSTS can be used.")})
    try:
        judge_url(url, settings.OUTBOUND_ALLOWED_HOSTS)
    except Blocked as error:
        raise Invalid({"base_url": _("This address cannot be used: %(why)s.") % {"why": error}}) from error
    return url


def check_token(credentials: Mapping[str, Any] | None) -> dict[str, str]:
    """`{"token": …}` of a vendor's API. Raises `Invalid`; says nothing about the token's text."""
    token = (credentials or {}).get("token")
    if not isinstance(token, str) or not _TOKEN.match(token) or len(token) > MAX_TOKEN:
        raise Invalid({"credentials": _("Enter the access token, as the vendor shows it.")})
    return {"token": token}


def check_mapping(mapping: Sequence[Any]) -> list[dict[str, str]]:
    """Lines of {"from": answer key or constant, "to": property}. Raises `Invalid` for any other shape."""
    lines: list[dict[str, str]] = []
    if not isinstance(mapping, list | tuple) or len(mapping) > MAX_MAPPING:
        raise Invalid({"mapping": _("The mapping is a list of at most 100 lines.")})
    for number, line in enumerate(mapping):
        match line:
            case {"from": str(source), "to": str(target)} if 1 <= len(source) <= 200 and _PROPERTY.match(target):
                lines.append({"from": source, "to": target})
            case _other:
                raise Invalid({f"mapping.{number}": _("A line has “from” (an answer or a constant) and “to”.")})
    if len({line["to"] for line in lines}) < len(lines):
        raise Invalid({"mapping": _("Each property can be filled once only.")})
    return lines


def _listed_hosts() -> set[str]:
    return {entry.lower().rpartition(":")[0] or entry.lower() for entry in settings.OUTBOUND_ALLOWED_HOSTS} | {
        entry.lower() for entry in settings.OUTBOUND_ALLOWED_HOSTS
    }
