"""App configurations of the composition root."""

from allauth.account import checks as sign_in_checks
from allauth.account.apps import AccountConfig
from django.apps import AppConfig
from django.core.checks import Tags, register

from leadscenter import checks


class LeadsCenterConfig(AppConfig):
    """Registers the system checks of the installation as a whole."""

    name = "leadscenter"

    def ready(self) -> None:
        register(checks.middleware, Tags.security)
        register(checks.cookies, Tags.security, deploy=True)


class SignInConfig(AccountConfig):
    """allauth's own configuration insists on its middleware in MIDDLEWARE; ours stands in the console's chain, and
    is checked there."""

    def ready(self) -> None:
        assert sign_in_checks
