import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AuditEvent, Scope, TrailAnchor, TrailSeal
from accounts.services.notary import verify
from leads.center.services.heads import carries_signature, fault_of_mailed


class Command(BaseCommand):
    help = "Recompute every seal of the trail. Exit status 1 and the first bad entry of each scope when one is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--library", type=int, help="only this lead library's trail")
        parser.add_argument("--head", metavar="FILE", help="look for the head of a mail, too: a file, - or the text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is wrong, or how much was verified."""
        library = options["library"]
        mailed = text_of(options["head"]) if options["head"] else ""
        faults = [str(fault) for fault in (verify(Scope.LIBRARY, library) if library else verify())]
        if mailed and (wrong := fault_of_mailed(mailed)):
            faults.append(wrong)
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise SystemExit(1)
        seals, events, anchors = TrailSeal.objects.count(), AuditEvent.objects.count(), TrailAnchor.objects.count()
        kind = "signed" if carries_signature(mailed) else "unsigned"
        told = f", and the mailed head stands in it ({kind})" if mailed else ""
        self.stdout.write(f"whole: {seals} seals over {events} events, {anchors} mailed heads{told}")


def text_of(mailed: str) -> str:
    """Return the text with the head: of standard input, a file, or as it was given."""
    if mailed == "-":
        return sys.stdin.read()
    if " seq " in mailed:
        return mailed
    try:
        return Path(mailed).read_text(errors="replace")
    except OSError as error:
        raise CommandError(f"{mailed} cannot be read: {error.strerror}", returncode=2) from error
