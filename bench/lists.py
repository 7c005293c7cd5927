"""The list of leads beside Django's admin change list, in accounts of 10,000, 100,000 and 1,000,000 leads.

Each size has a database and a server of its own; they are measured in turn, so that growth compares figures of the
same minutes. Of several turns the one that was disturbed least counts.
"""

import contextlib
import json
import os
import statistics
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from bench.product import Product, manage, product, web
from bench.table import Line, beside, show

SIZES = tuple(int(size) for size in os.environ.get("BENCH_LEADS", "10000,100000,1000000").split(","))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
ROUNDS = 11
FLAT: dict[str, Any] = {"goal": 1.2, "at_most": True}
BOUNDED = "a count reads up to 10,001 entries of an index, and the first size has fewer"
NEVER_LESS = 3.0  # milliseconds of a database; what takes less is not told apart from a busy machine
PAIRS = (
    ("list, page 1", "admin, page 1"),
    ("list, page 1", "admin of the same table, page 1"),
    ("list, page at 90 %", "admin, page at 90 %"),
    ("list, page at 90 %", "admin of the same table, page at 90 %"),
    ("list by status", "admin by status"),
    ("search by e-mail", "admin search"),
)


@dataclass
class Account:
    """One size: where it runs and what was measured there, the best of its turns."""

    size: int
    running: Product
    library: str
    filled: dict[str, Any]
    port: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    http: dict[str, float] = field(default_factory=dict)
    selectors: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    def ms(self, group: str, name: str, part: str = "all") -> float:
        """Return milliseconds of a selector."""
        return self.selectors[group][name][part]


def main() -> None:
    """Fill each size, measure in turn and print."""
    with contextlib.ExitStack() as stack:
        accounts = [fill(stack.enter_context(product(str(size))), size) for size in SIZES]
        for _ in range(TURNS):
            for account in accounts:
                ask_selectors(account)
        for account in accounts:
            account.port = stack.enter_context(web(account.running))
        for _ in range(TURNS):
            for account in accounts:
                ask_pages(account)
    show("Lists: p50 over HTTP", [line for account in accounts for line in lines_of(account)] + growth(accounts))
    show("Filters: p50 of a page and of a count in the database", filters(accounts))


def fill(running: Product, size: int) -> Account:
    """Fill one product with so many leads."""
    manage(running.environment, "collectstatic", "--noinput", "-v0")  # pages name their files by content
    library = running.demo["ad_accounts"]["brand"]["library_id"]
    return Account(size, running, library, json.loads(manage(running.environment, "bench_fill", library, str(size))))


def ask_selectors(account: Account) -> None:
    """Take a turn in process; of each figure the least stays."""
    told = json.loads(manage(account.running.environment, "bench_list", account.library))
    assert told["total"] == account.size, told["total"]
    account.told = told
    for group in ("ms", "pages", "counts"):
        kept = account.selectors.setdefault(group, {})
        for name, found in told[group].items():
            before = kept.get(name, found)
            kept[name] = {part: min(found[part], before[part]) for part in found}


def ask_pages(account: Account) -> None:
    """Take a turn over HTTP."""
    for name, (path, headers) in addresses(account).items():
        found = p50(account.port, path, headers)
        account.http[name] = min(found, account.http.get(name, found))


def addresses(account: Account) -> dict[str, tuple[str, dict[str, str]]]:
    """Return what is asked for over HTTP, and as whom."""
    library, told, size = account.library, account.told, account.size
    token = account.running.demo["actors"]["brand_admin"]["token"]
    leads, admin, same = f"/l/{library}/leads/", "/bench-admin/bench/plainlead/", "/bench-admin/leads/lead/"
    person = {"Cookie": f"session={account.filled['administrator']}"}
    staff = {"Cookie": f"session={account.filled['staff']}"}
    deep = urllib.parse.urlencode({"cursor": told["deep"]})
    page = int(size * 0.9 / 50)
    return {
        "list, page 1": (leads, person),
        "list, page at 90 %": (f"{leads}?{deep}", person),
        "list by status": (f"{leads}?status=raw", person),
        "list by label and status": (f"{leads}?status=contacted&label=Own+roof", person),
        "needs follow-up": (f"{leads}?sort=attention", person),
        "last changed first": (f"{leads}?sort=change", person),
        "search by e-mail": (f"{leads}?s={told['search']}", person),
        "counts of the views": (f"{leads}counts/", person),
        "drawer with its neighbours, at 90 %": (f"{leads}{told['lead']}/", person | {"HX-Request": "true"}),
        "overview": (f"/l/{library}/overview/", person),
        "exports": (f"/l/{library}/exports/", person),
        "API page": (f"/api/v1/libraries/{library}/leads/", {"Authorization": f"Bearer {token}"}),
        "admin, page 1": (admin, staff),
        "admin, page at 90 %": (f"{admin}?p={page}", staff),
        "admin by status": (f"{admin}?status__exact=raw", staff),
        "admin search": (f"{admin}?q=p77%40example.com", staff),
        "admin of the same table, page 1": (same, staff),
        "admin of the same table, page at 90 %": (f"{same}?p={page}", staff),
    }


def lines_of(account: Account) -> list[Line]:
    """Return the lines of one size."""
    size, http = account.size, account.http
    goal: dict[str, Any] = {"goal": 10.0} if size >= 1_000_000 else {}

    def faster(ours: str, theirs: str) -> Line:
        name, other = f"{ours} ({size:,} leads)", f"faster than {theirs} ({http[theirs]:.0f} ms)"
        return Line(name, http[ours], "ms", other, http[theirs] / http[ours], **goal)

    compared = {name for pair in PAIRS for name in pair}
    database = account.ms("ms", "page", "database")
    return [
        Line(f"filling ({size:,} leads)", account.filled["seconds"], "s"),
        *(faster(*pair) for pair in PAIRS),
        *(Line(f"{name} ({size:,})", found, "ms") for name, found in http.items() if name not in compared),
        *(Line(f"{name}, selector ({size:,})", found["all"], "ms") for name, found in account.selectors["ms"].items()),
        beside(
            f"database time of the page ({size:,})",
            database,
            "ms",
            "the bare keyset query",
            account.ms("ms", "bare keyset query"),
            goal=5.0,
            at_most=True,
            why="twelve queries, three of them the trace of the look, committed before anything is shown",
        ),
    ]


def growth(accounts: list[Account]) -> list[Line]:
    """Return how pages and selectors grow from the first size to the last."""
    first, last = accounts[0], accounts[-1]
    http = [name for name in last.http if not name.startswith("admin")]
    selectors = [name for name in last.selectors["ms"] if not name.startswith(("bare", "plain"))]
    here = f"at {first.size:,}"
    return [
        *(
            beside(f"growth of {name}", last.http[name], "ms", here, first.http[name], why=why_of(name), **FLAT)
            for name in http
        ),
        *(grown(first, last, "ms", name, f"growth of {name}, selector", "all") for name in selectors),
    ]


def filters(accounts: list[Account]) -> list[Line]:
    """Return the first page and the bounded count of each filter at the last size beside the first."""
    first, last = accounts[0], accounts[-1]
    said = {"pages": "page", "counts": "count"}
    return [
        grown(first, last, group, name, f"{word}: {name}", "database")
        for group, word in said.items()
        for name in last.selectors[group]
    ]


def grown(first: Account, last: Account, group: str, name: str, text: str, part: str) -> Line:
    """Return the line of one selector."""
    before = max(first.ms(group, name, part), NEVER_LESS)
    return beside(text, last.ms(group, name, part), "ms", f"at {first.size:,}", before, why=why_of(text), **FLAT)


def why_of(name: str) -> str:
    """Return what keeps a figure from staying level, where something is known to."""
    if "count" in name or "bulk" in name:
        return BOUNDED
    if "search" in name:
        return "the first size has fewer leads of that name than a page shows, or than are looked at for it"
    return "what few leads have is found among all that are newer" if "label" in name or "delivery" in name else ""


def p50(port: int, path: str, headers: dict[str, str]) -> float:
    """Return the median of some requests in milliseconds; each must answer 200 and hold rows."""
    spent = []
    for round_ in range(ROUNDS + 2):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={**headers, "Host": "localhost"})
        started = time.perf_counter()
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            body = answer.read()
            assert answer.status == 200
            assert "/login/" not in answer.url, path
        assert len(body) > 800, path
        if round_ > 1:
            spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)
