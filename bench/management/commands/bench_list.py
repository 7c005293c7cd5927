import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from accounts.access import Can, holders
from accounts.models import LeadLibrary, User
from bench.filters import filters
from bench.models import PlainLead
from leads.center.layout import layout_of
from leads.center.selectors.board import board_of, count_columns
from leads.center.selectors.counting import FULL, counted, tabs
from leads.center.selectors.listing import list_leads, list_without_answers
from leads.center.selectors.neighbours import neighbours_of
from leads.center.services.bulk import step_of
from leads.models import Lead
from leads.selection import Selection, read_selection
from leads.vault.walking import words_of
from leadscenter.lib.paging import Cursor

ROUNDS = 11
SEARCHED = {
    "e-mail": "p77@example.com",
    "phone": "+4915000000077",
    "end of a phone number": "000077",
    "a family name": "Person7",
    "two names": "Ann Person7",
    "a first name": "Ann",
}


class Command(BaseCommand):
    help = "Time the selectors of the list; print milliseconds (p50), those in the database apart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("library", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print as JSON; `deep` is a cursor at 90 % of the list."""
        library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=options["library"])
        actor = holders(library, Can.VIEW_LEADS).order_by("pk")[0]
        newest = Lead.objects.filter(library=library, state="live").order_by("-received_at", "-id")
        total = newest.count()
        border = newest[int(total * 0.9)]
        deep = Cursor("-received_at", border.received_at, border.pk).encode()
        told = {
            "total": total,
            "deep": deep,
            "lead": border.pk,
            "search": ".".join(word.encode() for word in words_of(library.pk, SEARCHED["e-mail"])),
            "ms": timed(selectors(actor, library, border, deep)),
            "pages": timed(pages(actor, library)),
            "counts": timed(counts(actor, library)),
        }
        self.stdout.write(json.dumps(told))


def selectors(actor: User, library: LeadLibrary, border: Lead, deep: str) -> dict[str, Callable[[], object]]:
    """Return what is timed besides the filters."""
    everything = Selection()
    queries = filters(library)
    of_form = read_selection(library, queries["form, common"], actor=actor)
    labelled = read_selection(library, queries["label, common"], actor=actor)
    newest = Lead.objects.filter(library=library, state="live").order_by("-received_at", "-id")

    def page(selection: Selection, **more: Any) -> Callable[[], object]:
        return lambda: list_leads(actor=actor, library=library, selection=selection, **more)

    def search(text: str, **more: Any) -> Callable[[], object]:
        return page(Selection(words=words_of(library.pk, text), **more))

    def step(after: str, before: int) -> Callable[[], object]:
        asked: dict[str, Any] = {"actor": actor, "library": library, "selection": everything}
        return lambda: step_of(**asked, after=after, before=before, total=before)

    plain = PlainLead._default_manager.filter(email__icontains=SEARCHED["e-mail"])
    return {
        "bare keyset query": lambda: list(newest[:51]),
        "bare index read": lambda: Lead.objects.filter(pk=border.pk).first(),
        "page": page(everything),
        "page at 90 %": page(everything, cursor=deep),
        "place in the list, at 90 %": lambda: neighbours_of(border, library, everything, "received"),
        "place in the list, by attention": lambda: neighbours_of(border, library, everything, "attention"),
        "board": lambda: board_of(actor=actor, library=library, selection=everything),
        "board, by label": lambda: board_of(actor=actor, library=library, selection=labelled),
        "board, by attention": lambda: board_of(actor=actor, library=library, selection=everything, order="attention"),
        "counts of the board": lambda: count_columns(actor=actor, library=library, selection=everything),
        "counts of the views": lambda: tabs(actor, library, everything),
        "counts of the views, once a minute": anew(lambda: tabs(actor, library, everything)),
        "counts of the views, of one form, once a minute": anew(lambda: tabs(actor, library, of_form)),
        "first step of a bulk act": step("", 0),
        "step of a bulk act at 90 %": step(deep, 1000),
        **{f"search by {name}": search(text) for name, text in SEARCHED.items()},
        "search by a first name, of a rare filter": search("Ann", outcome="not_preferred"),
        "plain search by e-mail": lambda: list(plain),
    }


def pages(actor: User, library: LeadLibrary) -> dict[str, Callable[[], object]]:
    """Return the first page of each filter, without what people answered."""

    def page(query: dict[str, str]) -> Callable[[], object]:
        selection, order = read_selection(library, query, actor=actor), layout_of(query).order
        return lambda: list_without_answers(actor=actor, library=library, selection=selection, order=order)

    return {name: page(query) for name, query in filters(library).items()}


def counts(actor: User, library: LeadLibrary) -> dict[str, Callable[[], object]]:
    """Return the bounded count of each filter, as a saved view shows it once a minute."""

    def count(query: dict[str, str]) -> Callable[[], object]:
        return anew(lambda: counted(actor, library, {"": query}))

    return {name: count(query) for name, query in filters(library).items()}


def anew(count: Callable[[], object]) -> Callable[[], object]:
    """Return the count as one that remembers nothing."""

    def forgetful() -> object:
        FULL.forget()
        return count()

    return forgetful


def timed(works: dict[str, Callable[[], object]]) -> dict[str, dict[str, float]]:
    """Return milliseconds by name: the median of some rounds after one to warm up, and the database's part."""
    return {name: _timed(work) for name, work in works.items()}


def _timed(work: Callable[[], object]) -> dict[str, float]:
    spent: list[tuple[float, float]] = []
    inside = 0.0

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal inside
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            inside += time.perf_counter() - started

    with connection.execute_wrapper(note):
        for _ in range(ROUNDS + 1):
            inside, started = 0.0, time.perf_counter()
            work()
            spent.append((time.perf_counter() - started, inside))
    all_, database = zip(*spent[1:], strict=True)
    return {"all": statistics.median(all_) * 1000, "database": statistics.median(database) * 1000}
