from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import BusinessCenter, User
from accounts.services.people import set_active
from accounts.services.staff import set_center_active


class Command(BaseCommand):
    help = (
        "Switch a person or a Business Center on again. Platform staff can only switch off in the browser: switching "
        "on gives rights back, so it takes somebody at the machine."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--user", metavar="EMAIL")
        which.add_argument("--business-center", metavar="ID", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Switch on what is off; say what was done."""
        if email := options["user"]:
            user = User.objects.filter(email=email.strip().lower()).first()
            if user is None:
                raise CommandError(f"Nobody has the e-mail {email}.", returncode=2)
            if not user.is_active:
                set_active(actor=None, user=user, active=True)
            self.stdout.write(f"{user.email} is on")
            return
        center = BusinessCenter.objects.filter(pk=options["business_center"]).first()
        if center is None:
            raise CommandError(f"There is no Business Center {options['business_center']}.", returncode=2)
        if not center.is_active:
            set_center_active(actor=None, business_center=center, active=True)
        self.stdout.write(f"{center.name} is on")
