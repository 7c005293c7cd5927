from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import BusinessCenter, User
from accounts.refusals import Conflict, Invalid
from accounts.services.recovery import ask_recovery, cancel_recovery, concerned


class Command(BaseCommand):
    help = (
        "Give a Business Center whose Admins are all gone an Admin again. Recorded, mailed to all its members, and "
        "effective after 72 hours; --cancel takes it back until then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--business-center", type=int, required=True, metavar="ID")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--user", metavar="EMAIL", help="who becomes Admin")
        which.add_argument("--cancel", action="store_true", help="take back what waits")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask or cancel; exit status 2 with one line when it cannot be."""
        center = BusinessCenter.objects.filter(pk=options["business_center"]).first()
        if center is None:
            raise CommandError(f"There is no Business Center {options['business_center']}.", returncode=2)
        try:
            if options["cancel"]:
                cancel_recovery(business_center=center)
                self.stdout.write("cancelled")
                return
            user = User.objects.filter(email=options["user"].strip().lower()).first()
            if user is None:
                raise CommandError(f"Nobody has the e-mail {options['user']}.", returncode=2)
            recovery = ask_recovery(business_center=center, user=user)
        except (Conflict, Invalid) as refused:
            raise CommandError(str(refused), returncode=2) from refused
        told = len(concerned(center))
        self.stdout.write(f"{user.email} becomes Admin of {center.name} at {recovery.effective_at:%Y-%m-%d %H:%M} UTC")
        self.stdout.write(f"told by mail: {told} people; take back with --cancel")
