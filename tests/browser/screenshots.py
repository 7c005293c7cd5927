"""The screenshots of the README, made from a demo installation of their own: `bin/screenshots`.

Each page at 1440 and 390 pixels, light and dark, into docs/screenshots/<page>-<width>-<theme>.png.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from leadscenter.embedded_broker import free_port
from tests.browser.browsers import chromium

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
SIZES = {1440: 900, 390: 844}
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Shot:
    """A page: who looks at it, where it is ({account} and the like are filled in), what is clicked first."""

    name: str
    actor: str
    address: str
    click: str = ""
    shows: str = ""  # what the click brings


SHOTS = (
    Shot("overview", "brand_admin", "/l/{library}/overview/"),
    Shot("leads", "brand_admin", "/l/{library}/leads/"),
    Shot("lead", "brand_admin", "/l/{library}/leads/", click="a[data-open-drawer]:visible", shows="[data-drawer] h2"),
    Shot("board", "brand_admin", "/l/{library}/leads/board/?view=all"),
    Shot("filter", "brand_admin", "/l/{library}/leads/?status=raw", click="summary.chip--add"),
    Shot("exports", "brand_admin", "/l/{library}/exports/"),
    Shot("export-new", "brand_admin", "/l/{library}/exports/new/?status=raw"),
    Shot("imports", "brand_admin", "/l/{library}/imports/"),
    Shot("labels", "brand_admin", "/l/{library}/labels/"),
    Shot("notifications", "brand_admin", "/notifications/"),
    Shot("notification-settings", "brand_admin", "/settings/notifications/"),
    Shot("integrations", "brand_admin", "/l/{library}/integrations/"),
    Shot("activity", "brand_admin", "/l/{library}/activity/"),
    Shot("access", "brand_admin", "/l/{library}/access/"),
    Shot("members", "brand_admin", "/a/{account}/members/"),
    Shot("center", "client_bc_admin", "/b/{center}/"),
    Shot("transfer", "agency_admin", "/l/{agency_library}/transfer/?to={center}"),
    Shot("security", "brand_admin", "/settings/security/"),
    Shot("campaigns", "brand_operator", "/a/{account}/campaigns/"),
    Shot("editor", "brand_operator", "/a/{account}/forms/{form}/"),
    Shot("refused", "brand_operator", "/l/{library}/leads/"),
    Shot("form", "", "{public}"),
)


@contextmanager
def installation() -> Iterator[tuple[str, dict[str, Any]]]:
    """A running demo in a folder of its own: its address, and what seed_demo tells of it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-screenshots-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "DEBUG": "true",
            "SECRET_KEY": "only for pictures, no secret at all ".ljust(60, "-"),
            "LEADS_KEY_FILE": f"{folder}/keys/leads.json",
            "DATABASE_URL": f"sqlite:///{folder}/db/main.sqlite3",
            "STATE_FOLDER": f"{folder}/state",
            "VAULT_DATABASE_URLS": "",
            "REDIS_URL": "",
            "PUBLIC_URL": f"http://localhost:{port}",
            "PORT": str(port),
        }
        prepare = [sys.executable, "-m", "leadscenter.installation", "--new-key-file"]
        subprocess.run(prepare, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        command = [sys.executable, "manage.py", "seed_demo", "--json"]
        told = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        server = [sys.executable, "-m", "leadscenter.supervisor"]
        process = subprocess.Popen(server, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            while "answers on" not in (line := process.stdout.readline()):
                assert line, "the demo did not start"
            yield f"http://localhost:{port}", json.loads(told.stdout)
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def sign_in(page: Page, address: str, actor: dict[str, str]) -> None:
    page.goto(f"{address}/login/")
    page.fill("input[name=login]", actor["email"])
    page.fill("input[name=password]", actor["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


def place_of(shot: Shot, demo: dict[str, Any]) -> str:
    brand, form = demo["ad_accounts"]["brand"], demo["forms"]["brand"]
    return shot.address.format(
        account=brand["id"],
        library=brand["library_id"],
        form=form["id"],
        public=f"/f/{form['public_id']}/",
        agency_library=demo["ad_accounts"]["agency_run"]["library_id"],
        center=demo["business_centers"]["client"],
    )


def take(browser: Browser, address: str, demo: dict[str, Any]) -> None:
    """Every page in every size and theme."""
    states: dict[str, Any] = {"": None}
    for actor in {shot.actor for shot in SHOTS} - {""}:
        context = browser.new_context()
        sign_in(context.new_page(), address, demo["actors"][actor])
        states[actor] = context.storage_state()
        context.close()
    for width, height in SIZES.items():
        for theme in THEMES:
            for shot in SHOTS:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=theme,  # type: ignore[arg-type]
                    storage_state=states[shot.actor],
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.goto(f"{address}{place_of(shot, demo)}", wait_until="networkidle")
                if shot.click and page.locator(shot.click).count():
                    page.locator(shot.click).first.click()
                    page.locator(shot.shows or "body").wait_for()
                    page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{shot.name}-{width}-{theme}.png")
                context.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with installation() as (address, demo), chromium() as browser:
        take(browser, address, demo)
    sys.stdout.write(f"{len(SHOTS) * len(SIZES) * len(THEMES)} screenshots in {FOLDER.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
