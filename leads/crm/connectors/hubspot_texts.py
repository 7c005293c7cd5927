"""What went wrong at HubSpot, in words that lead to the fix."""

from django.utils.translation import gettext as _

from leads.crm.connectors.connector import Explanation


def explain(code: str) -> Explanation | None:
    """Cause and fix of a code; None for one that is not HubSpot's."""
    texts = {
        "token_refused": (
            _("HubSpot refused the access token: it expired or was revoked."),
            _("Make a new private-app token in HubSpot and enter it under Reconnect. Waiting leads are sent then."),
        ),
        "missing_scope": (
            _("The token may not write contacts."),
            _("Give the private app the scope crm.objects.contacts.write in HubSpot, then reconnect."),
        ),
        "slow_down": (
            _("HubSpot limits how much it takes right now."),
            _("Nothing to do: we slow down and try again."),
        ),
        "daily_limit": (
            _("The daily limit of your HubSpot account is used up."),
            _("Nothing to do: we try again hourly. A higher limit is bought in HubSpot."),
        ),
        "not_found": (
            _("HubSpot does not know this address of its API."),
            _("Check the base address of the connection, then resend the failed leads."),
        ),
        "unknown_property": (
            _("The mapping names a property that does not exist in HubSpot."),
            _("Correct the mapping or make the property in HubSpot, then resend the failed leads."),
        ),
        "read_only_property": (
            _("The mapping names a property that HubSpot computes itself."),
            _("Map to another property, then resend the failed leads."),
        ),
        "invalid_option": (
            _("The answer is not among the options of the HubSpot property."),
            _("Add the option in HubSpot or map to a text property, then resend the lead."),
        ),
        "invalid_email": (
            _("HubSpot does not accept the e-mail address of this lead."),
            _("Nothing to do for other leads; contact this person by other means."),
        ),
        "not_accepted": (
            _("HubSpot did not accept this contact."),
            _("Open the answer below to see its reason, correct the mapping, then resend the lead."),
        ),
        "no_contact": (
            _("The lead has neither an e-mail address nor a telephone number, so HubSpot cannot tell who it is."),
            _("Ask for one of them in the form, or map a question to “email” or “phone”."),
        ),
        "conflict": (
            _("Two changes to the same contact met."),
            _("Nothing to do: we try again."),
        ),
        "not_hubspot": (
            _("The answer did not come from HubSpot's API."),
            _("Check the base address of the connection; a proxy may stand between."),
        ),
        "vendor_error": (
            _("HubSpot failed while handling the lead."),
            _("Nothing to do: we try again by the schedule. See status.hubspot.com."),
        ),
        "redirect": (
            _("The address sent us elsewhere. Redirects are not followed, for safety."),
            _("Check the base address of the connection."),
        ),
    }
    return Explanation(*texts[code]) if code in texts else None
