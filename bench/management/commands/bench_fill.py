import json
import time
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management.base import BaseCommand, CommandParser

from accounts.access import Can, holders
from accounts.models import LeadLibrary, User
from bench.people import fill, settle
from leads.models import Lead


class Command(BaseCommand):
    help = "Fill an empty library with so many live leads; print the sessions of two people and the seconds it took."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("library", type=int)
        parser.add_argument("leads", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what is missing and sign two people in."""
        library = LeadLibrary.objects.get(pk=options["library"])
        started = time.perf_counter()
        if not Lead.objects.filter(library=library).exists():
            fill(library, options["leads"])
        settle()
        spent = time.perf_counter() - started
        staff = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench@house.test", "x")
        administrator = holders(library, Can.VIEW_LEADS).order_by("pk")[0]
        told = {"administrator": session_of(administrator), "staff": session_of(staff), "seconds": spent}
        self.stdout.write(json.dumps(told))


def session_of(user: User) -> str:
    """Return the key of a session in which `user` is signed in."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)
