from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from leads.exports.services import expiring as exports
from leads.imports.services import expiring as imports
from leads.privacy.services.purging import purge_expired


class Command(BaseCommand):
    help = "Purge leads whose retention is over, empty the trash, destroy unused keys. Restartable; counts stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge and print how much went."""
        dry_run = options["dry_run"]
        purged = purge_expired(dry_run=dry_run)
        files = exports.expire_exports(dry_run=dry_run)
        uploads = imports.expire_imports(dry_run=dry_run)
        verb = "would go" if dry_run else "gone"
        self.stdout.write(f"{purged.expired} leads over retention {verb}")
        self.stdout.write(f"{purged.trash_emptied} leads from the trash {verb}")
        self.stdout.write(f"{files} export files {verb}")
        self.stdout.write(f"{uploads} files of imports {verb}")
        if not dry_run:
            exports.remove_orphans()
            imports.remove_orphans()
            self.stdout.write(f"{purged.keys} keys destroyed")
