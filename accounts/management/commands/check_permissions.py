from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts import audit
from accounts.access import Difference, compare, derive, lock_libraries
from accounts.models import Act, AdAccountUserPermission, LeadLibrary

BATCH = 200


class Command(BaseCommand):
    help = "Compare guardian's rows with memberships and transfers. Exit status 1 when they differ, unless --repair."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="rewrite the rows that differ")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare library by library, name each row that differs, and mend them when asked to."""
        ids = list(LeadLibrary.objects.order_by("pk").values_list("pk", flat=True))
        differing = 0
        for start in range(0, len(ids), BATCH):
            differing += self._compare(ids[start : start + BATCH], repair=options["repair"])
        if not differing:
            self.stdout.write(f"{len(ids)} lead libraries: every permission row follows from a membership")
        elif options["repair"]:
            self.stdout.write(f"repaired {differing} permission rows")
        else:
            self.stderr.write(f"{differing} permission rows do not follow from memberships; repair with --repair")
            raise SystemExit(1)

    def _compare(self, ids: list[int], *, repair: bool) -> int:
        with transaction.atomic():
            libraries = lock_libraries(LeadLibrary.objects.filter(pk__in=ids))
            differences = list(compare(libraries))
            for difference in differences:
                self.stdout.write(line_of(difference))
            changed = Counter(difference.library for difference in differences)
            if repair and changed:
                for library, rows in changed.items():
                    audit.record(Act.PERMISSIONS_REPAIRED, library, rows=rows)
                derive(list(changed))
        return len(differences)


def line_of(difference: Difference) -> str:
    """Say what is wrong with one row: who holds what without a reason, or lacks what follows from their role."""
    kind = "ad account" if difference.model is AdAccountUserPermission else "lead library"
    wrong = "holds without a reason" if difference.surplus is not None else "lacks"
    return f"{kind} {difference.target_id}: person {difference.user_id} {wrong} {difference.permission.codename}"
