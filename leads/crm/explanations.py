"""Why an attempt failed and what to do: the connector's dictionary, else ours for what happens on the way."""

from django.utils.translation import gettext as _

from leads.crm.connectors import CONNECTORS
from leads.crm.connectors.connector import Explanation


def explain(kind: str, code: str) -> Explanation:
    """Cause and fix of an attempt's code at a connection of this kind; "" is success."""
    connector = CONNECTORS.get(kind)
    found = connector.explain(code) if connector else None
    return found or _on_the_way(code)


def _on_the_way(code: str) -> Explanation:
    texts = {
        "": (_("Delivered."), ""),
        "unreachable": (
            _("No connection could be made, or it ended before an answer had come."),
            _("Check that the address is right and the receiver runs; we try again by the schedule."),
        ),
        "timeout": (
            _("The receiver did not answer within 15 seconds. It may have taken the lead."),
            _("Answer first and work afterwards; the webhook id stays the same, so a repeat can be told apart."),
        ),
        "blocked": (
            _("The address leads to a place that may not be called: this machine or a private network."),
            _("Use a public https address, or ask the operator to allow the host."),
        ),
        "crashes_worker": (
            _("Twenty workers ended without an answer while handling this delivery."),
            _("Tell the operator; resend it once the cause is found."),
        ),
        "unreadable": (
            _("The answers of this lead could not be opened."),
            _("Tell the operator: a key is missing, or a row was changed."),
        ),
        "lead_gone": (_("The lead was deleted before it could be sent."), ""),
        "dropped": (_("Whoever confirmed the connection chose to drop what was waiting."), ""),
    }
    cause, fix = texts.get(code, (_("The attempt failed."), _("We try again by the schedule.")))
    return Explanation(cause, fix)
