from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from leads.crm.drain import drain


class Command(BaseCommand):
    help = "Send the deliveries that are due now, until none is. Any number may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=3600.0, help="stop starting new ones after so long")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain the outbox and say what came of it."""
        done = drain(options["seconds"])
        self.stdout.write(f"{done.attempts} attempts, {done.accepted} accepted")
