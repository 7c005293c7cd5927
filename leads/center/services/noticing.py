"""What a person does with what they are told: take note of it, and say where they want to be told of what."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Invalid
from leads.center.selectors.notifications import notifications_of
from leads.models import Notification, NotificationSetting


def mark_read(*, actor: User, ids: Iterable[int] | None = None) -> int:
    """Take note of one's own notifications, all when `ids` is None; return how many were unread."""
    rows = notifications_of(actor).filter(read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return Notification.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(read_at=Now())


@transaction.atomic
def change_wishes(*, actor: User, wishes: Mapping[str, tuple[bool, bool]]) -> None:
    """Say for some kinds whether one is told (in the app, by mail); raise `Invalid` for a kind that is none."""
    if strange := [kind for kind in wishes if kind not in Notification.Kind.values]:
        known = ", ".join(Notification.Kind.values)
        raise Invalid({strange[0][:20]: _("One of %(known)s.") % {"known": known}})
    rows = [
        NotificationSetting(user=actor, kind=kind, in_app=in_app, by_mail=by_mail)
        for kind, (in_app, by_mail) in wishes.items()
    ]
    NotificationSetting.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "kind"], update_fields=["in_app", "by_mail"]
    )
