"""Where the list, the board and what stands beside them are: their state is their address."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from accounts.models import LeadLibrary
from leads.selection import NAMES, Selection

BOARD = "board"  # the parameter of what stands beside the board, or is asked from it
REVEALED = "revealed"  # of an act on a lead whose contact details are in sight; no address of a page has it
STOOD = "stood"  # of an act on a lead: where it stood in the list before what was done to it
CARRIED = (*NAMES, "cols", "view", BOARD)


def address(library: LeadLibrary, params: Mapping[str, str], lead_id: int | None = None, act: str = "") -> str:
    """Return the address of the list, or of a lead beside it (of an `act` on it), with these parameters.

    With `BOARD` among them it is the board that is led to, or that the lead is shown beside.
    """
    path = f"/l/{library.pk}/leads/" + (f"{lead_id}/{act}" if lead_id else "")
    if BOARD in params and not lead_id:
        path, params = f"{path}board/", {name: value for name, value in params.items() if name != BOARD}
    return f"{path}?{urlencode(params)}" if params else path


def place_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameter that says the board, where untrusted parameters say it."""
    return {BOARD: "1"} if given.get(BOARD) else {}


def params_of(selection: Selection, order: str, given: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the URL parameters that say the selection, its order, and of `given` the columns and the view."""
    kept = {name: str(given[name]) for name in ("cols", "view", BOARD) if given and given.get(name)}
    return selection.as_params() | ({"sort": order} if order != "received" else {}) | kept


def carried(given: Mapping[str, Any]) -> dict[str, str]:
    """Return of untrusted parameters those that say which list or board something stands beside; they are not read."""
    return {name: str(given[name]) for name in CARRIED if given.get(name)}
