from typing import Any

from django.core.management.base import BaseCommand

from leadscenter.doctor import CHECKS, examine


class Command(BaseCommand):
    help = "Is this installation well? One line for each check, with what to do; exit status 1 when something is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask every check and print its line."""
        found = examine()
        well = {check.name: check.well for check in CHECKS}
        for name, complaints in found.items():
            if complaints:
                for complaint in complaints:
                    self.stdout.write(f"WRONG  {name}: {complaint}")
            else:
                self.stdout.write(f"ok     {name}: {well[name]}")
        if any(found.values()):
            raise SystemExit(1)
