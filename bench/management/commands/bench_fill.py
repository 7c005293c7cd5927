import json
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management.base import BaseCommand, CommandParser

from accounts.access import Can, holders
from accounts.models import LeadLibrary, User
from bench.people import chunks, fill
from leads.models import Lead


class Command(BaseCommand):
    help = "Fill a library up to so many leads; print {library, administrator and staff sessions}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("library", type=int)
        parser.add_argument("leads", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what is missing and sign two people in."""
        library = LeadLibrary.objects.get(pk=options["library"])
        have = Lead.objects.filter(library=library).count()
        for count, before in chunks(options["leads"] - have):
            fill(library, count, before=have + before)
        staff = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench@house.test", "x")
        sessions = {"administrator": session_of(holders(library, Can.VIEW_LEADS)[0]), "staff": session_of(staff)}
        self.stdout.write(json.dumps(sessions))


def session_of(user: User) -> str:
    """Return the key of a session in which `user` is signed in."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)
