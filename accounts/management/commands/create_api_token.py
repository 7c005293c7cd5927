from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.authentication import TokenScope
from accounts.models import User
from accounts.services.tokens import create_token


class Command(BaseCommand):
    help = "Make an API token for a person and print it, once. Its scopes narrow what the person may."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL")
        parser.add_argument("--scope", action="append", choices=[str(scope) for scope in TokenScope], default=None)
        parser.add_argument("--name", default="made by create_api_token")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token on standard output and nothing else there."""
        user = User.objects.filter(email=options["user"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody active has the e-mail {options['user']}.", returncode=2)
        scopes = options["scope"] or [str(TokenScope.EVERYTHING)]
        _token, raw = create_token(user=user, name=options["name"], scopes=scopes)
        self.stdout.write(raw)
