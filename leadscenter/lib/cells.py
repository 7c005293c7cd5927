"""Cells of a CSV file that stay text in a spreadsheet.

A spreadsheet runs a cell that begins with = + - @ (also full width, also behind spaces, tabs and invisible characters).
Such a cell gets an apostrophe in front; telephone numbers and plain numbers keep their sign, since digits run nothing.
"""

import re
import string
import unicodedata
from collections.abc import Iterable

RUNS = "=+-@"
QUOTE = "'"
_NUMBER = re.compile(r"[+-]?[0-9][0-9 ().-]*\Z")
_PLAIN_HEADS = frozenset(["", *string.ascii_letters, *string.digits])
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")
_CONTROL_STARTS = "\t\r\n"


def safe_cell(value: str) -> str:
    """The value, with an apostrophe in front if a spreadsheet could run it. Idempotent."""
    head = value[:1]
    if (head.isascii() and head.isalnum()) or not head or _NUMBER.match(value):
        return value
    return QUOTE + value if _could_run(value) else value


def csv_line(values: Iterable[str | int | None]) -> str:
    """One line of RFC 4180 with CRLF: every cell is made safe and quoted; None is an empty cell."""
    return ",".join(_quoted(value) for value in values) + "\r\n"


def quoted(value: str) -> str:
    """One cell of a line, made safe and quoted; what begins with a letter or digit or is a number takes a short way."""
    if value[:1] in _PLAIN_HEADS:
        return f'"{value}"' if '"' not in value else _quoted(value)
    return f'"{value}"' if _NUMBER.match(value) else _quoted(value)


def _quoted(value: str | int | None) -> str:
    # Every cell is quoted: where ";" separates columns, a bare "a;=1+1" would become a formula in the second one.
    text = "" if value is None else safe_cell(str(value))
    return '"' + text.replace('"', '""') + '"'


def _could_run(value: str) -> bool:
    if value[0] in _CONTROL_STARTS:
        return True
    for character in value:
        if unicodedata.category(character) not in _INVISIBLE:
            return unicodedata.normalize("NFKC", character)[:1] in RUNS
    return False
