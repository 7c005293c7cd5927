import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from bench.models import PlainLead
from leads.center.selectors.listing import list_leads, tabs
from leads.models import Lead
from leads.selection import Selection
from leads.vault.walking import words_of
from leadscenter.lib.paging import Cursor

ROUNDS = 30


class Command(BaseCommand):
    help = "Time the selectors of the list and their database part; print milliseconds (p50)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("library", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print as JSON; `deep` is a cursor at 90 % of the list."""
        library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=options["library"])
        actor = holders(library, Can.VIEW_LEADS)[0]
        everything = Selection()
        raw = Selection(status="raw")
        newest = Lead.objects.filter(library=library, state="live").order_by("-received_at", "-id")
        total = newest.count()
        border = newest[int(total * 0.9)]
        words = words_of(library.pk, "p77@example.com")
        name = words_of(library.pk, "Ann Person7")

        def page(selection: Selection) -> Callable[[], object]:
            return lambda: list_leads(actor=actor, library=library, selection=selection)

        told = {
            "bare keyset query": p50(lambda: list(newest.values_list("id")[:51])),
            "bare keyset query, rows": p50(lambda: list(newest[:51])),
            "page, database": in_database(page(everything)),
            "page, all": p50(page(everything)),
            "page by status, database": in_database(page(raw)),
            "search by e-mail": p50(page(Selection(words=words))),
            "search by two names": p50(page(Selection(words=name))),
            "bare index read": p50(lambda: Lead.objects.filter(pk=border.pk).first()),
            "tabs": p50(lambda: tabs(actor, library, everything)),
            "plain search by e-mail": p50(
                lambda: list(PlainLead._default_manager.filter(email__icontains="p77@example.com"))
            ),
        }
        deep = Cursor("-received_at", border.received_at, border.pk).encode()
        search = ".".join(word.encode() for word in words)
        self.stdout.write(json.dumps({"ms": told, "deep": deep, "search": search, "total": total}))


def p50(work: Callable[[], object]) -> float:
    """Return the median of some rounds in milliseconds, after two to warm up."""
    spent = []
    for round_ in range(ROUNDS + 2):
        started = time.perf_counter()
        work()
        if round_ > 1:
            spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


def in_database(work: Callable[[], object]) -> float:
    """Return the median time that the database took of it, in milliseconds."""
    spent: list[float] = []

    def timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent[-1] += (time.perf_counter() - started) * 1000

    def once() -> None:
        spent.append(0.0)
        with connection.execute_wrapper(timed):
            work()

    for _ in range(ROUNDS + 2):
        once()
    return statistics.median(spent[2:])
