"""Mail about leads access to the people of both sides. It names accounts and companies, never a lead."""

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.access import Can, holders
from accounts.letters import write_to
from accounts.models import (
    AccessAsk,
    AccountRole,
    AdAccount,
    BusinessCenter,
    BusinessCenterRole,
    Transfer,
    User,
)


def tell_transfer(transfer_id: int) -> int:
    """Write to both sides what the transfer has come to; return how many mails went out."""
    rows = Transfer.objects.select_related(
        "library__ad_account", "from_business_center", "to_business_center", "requested_by", "decided_by"
    )
    transfer = rows.get(pk=transfer_id)
    account = transfer.library.ad_account
    receiving = {person.pk: person for person in side(transfer.to_business_center, account)}
    giving = [person for person in side(transfer.from_business_center, account) if person.pk not in receiving]
    names = {
        "account": account.name,
        "giver": transfer.from_business_center.name,
        "taker": transfer.to_business_center.name,
    }
    subject = {
        Transfer.State.REQUESTED: _("Leads of %(account)s: %(giver)s asks %(taker)s to take them over"),
        Transfer.State.ACCEPTED: _("Leads of %(account)s: %(taker)s holds them now"),
        Transfer.State.REJECTED: _("Leads of %(account)s: %(taker)s rejected the transfer"),
        Transfer.State.CANCELLED: _("Leads of %(account)s: %(giver)s cancelled the transfer"),
        Transfer.State.EXPIRED: _("Leads of %(account)s: nobody answered the transfer"),
    }[Transfer.State(transfer.state)] % names
    context = {"transfer": transfer, "link": f"{settings.PUBLIC_URL}/settings/transfers/{transfer.pk}/", **names}
    sent = 0
    for people, gives in ((list(receiving.values()), False), (giving, True)):
        sent += write_to(people, subject, render_to_string("accounts/mail/transfer.txt", context | {"gives": gives}))
    return sent


def side(business_center: BusinessCenter, ad_account: AdAccount) -> list[User]:
    """Return who decides about leads on one side: its Admins, and where it owns the account the Administrators too."""
    wanted = Q(
        business_center_memberships__business_center=business_center,
        business_center_memberships__role=BusinessCenterRole.ADMIN,
    )
    if ad_account.business_center_id == business_center.pk:
        wanted |= Q(
            account_memberships__ad_account=ad_account,
            account_memberships__role=AccountRole.ADMINISTRATOR,
            account_memberships__share=None,  # a partner's people are of neither side
        )
    return list(User.objects.filter(wanted, is_active=True, is_staff=False).order_by("pk").distinct())


def tell_asked(ask_id: int) -> int:
    """Write to those who may hand over the leads that somebody asks for them, with the prepared transfer."""
    rows = AccessAsk.objects.select_related("library__ad_account", "business_center")
    ask = rows.get(pk=ask_id)
    library = ask.library
    if library is None:
        return 0
    names = {"account": library.ad_account.name, "center": ask.business_center.name}
    link = f"{settings.PUBLIC_URL}/l/{library.pk}/transfer/?to={ask.business_center_id}&ask={ask.pk}"
    context = {
        **names,
        "center_id": ask.business_center_id,
        "link": link,
        "all": f"{settings.PUBLIC_URL}/settings/transfers/",
    }
    subject = _("%(center)s asks for the leads of %(account)s") % names
    text = render_to_string("accounts/mail/access_ask.txt", context)
    return write_to(holders(library, Can.HAND_OVER), subject, text)
