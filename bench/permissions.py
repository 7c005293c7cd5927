"""What a person waits for who works in 20 ad accounts, and in 2,000 among 5,000 people."""

import json

from bench.lists import p50
from bench.product import manage, product, web
from bench.table import Line, beside, show

SMALL, LARGE = (20, 50), (2_000, 5_000)
LEADS = 1_000


def main() -> None:
    """Measure a person with few and with many ad accounts, and print."""
    with product() as running:
        manage(running.environment, "collectstatic", "--noinput", "-v0")
        brand = running.demo["ad_accounts"]["brand"]
        library, account = brand["library_id"], brand["id"]
        token = {"Authorization": f"Bearer {running.demo['actors']['brand_admin']['token']}"}
        sessions = json.loads(manage(running.environment, "bench_fill", library, str(LEADS)))
        session = {"Cookie": f"session={sessions['administrator']}"}
        wanted = {
            "ad accounts, first page (API)": ("/api/v1/ad-accounts/", token),
            "list of leads, with the account switcher": (f"/l/{library}/leads/", session),
            "list of leads (API)": (f"/api/v1/libraries/{library}/leads/", token),
            "members of an account": (f"/a/{account}/members/", session),
            "numbers of an account": (f"/a/{account}/overview/", session),
        }
        found = []
        for accounts, people in (SMALL, LARGE):
            told = json.loads(manage(running.environment, "bench_accounts", library, str(accounts), str(people)))
            assert (told["accounts"], told["people"]) == (accounts, people), told
            with web(running) as port:
                found.append(({name: p50(port, *where) for name, where in wanted.items()}, told["admin_ms"]))
    (few, admin_few), (many, admin_many) = found
    lines = [
        beside(f"{name}, 2,000 accounts", many[name], "ms", "with 20", few[name], goal=2.0, at_most=True)
        for name in wanted
    ]
    lines.append(Line("one more Admin of 20 accounts", admin_few, "ms"))
    lines.append(beside("one more Admin of 2,000 accounts", admin_many, "ms", "for 20", admin_few))
    show("Permissions: p50 over HTTP", lines)
