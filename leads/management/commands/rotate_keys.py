from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.models import Act
from leads.vault.keyring import KeyFileBusy, KeyUnavailable
from leads.vault.rotation import rotate_keys


class Command(BaseCommand):
    help = "Replace the wrapping key: wrap every key anew, destroy wrapping keys replaced more than 35 days ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and say what was done; exit status 2 when the key file cannot be used, or a rotation is under way."""
        try:
            done = rotate_keys()
        except (KeyUnavailable, KeyFileBusy) as error:
            raise CommandError(str(error), returncode=2) from error
        with transaction.atomic():
            destroyed = ", ".join(done.destroyed) or None
            audit.record(Act.KEYS_ROTATED, None, count=done.rewrapped, newest=done.newest, destroyed=destroyed)
        gone = f"; destroyed {', '.join(done.destroyed)}" if done.destroyed else ""
        self.stdout.write(f"wrapped {done.rewrapped} keys with {done.newest}{gone}")
        self.stdout.write("Back up the key file now: whoever loses it loses every lead.")
