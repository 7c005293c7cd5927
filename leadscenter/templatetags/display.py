"""Numbers and moments in templates: `{% load display %}`."""

from typing import Any

from django import template

from leadscenter.lib import display

register = template.Library()
register.filter("number", display.number)
register.filter("money", display.money)
register.filter("percent", display.percent)
register.filter("duration", display.duration)
register.filter("ago", display.ago)
register.filter("stamp", display.stamp)
register.filter("initials", display.initials)
register.simple_tag(display.when, name="when")


@register.filter
def short_id(value: int) -> str:
    """The end of a long id: enough to tell rows apart, the whole stands in the address."""
    return str(value)[-6:]


@register.filter
def split_words(text: str) -> list[str]:
    """The words of a constant in a template."""
    return text.split()


@register.filter
def shown_state(row: Any) -> str:
    """The state of a delivery as people read it: a pending one that was answered before is retrying."""
    return "retrying" if row.state == "pending" and row.attempts else str(row.state)
