"""Reading the first sheet of a workbook that nobody vouches for, as rows of text, in flat memory.

Office Open XML (ECMA-376) with the standard library's zipfile and expat, piece by piece. What makes such files
dangerous is refused before or while it is read: a directory of entries without end, parts that unpack beyond a limit,
document types (and with them entities), markup without end, rows and columns beyond what one asked for.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from xml.parsers import expat

from django.utils.translation import gettext as _

PIECE = 64 * 1024
MOST_UNPACKED = 400 * 1024 * 1024
MOST_MARKUP = 1024 * 1024
MOST_SHARED_CHARACTERS = 50_000_000
MOST_SHARED = 2_000_000
MOST_ENTRIES_BYTES = 1024 * 1024
MOST_ELEMENTS = 100_000
MOST_ATTRIBUTE_CHARACTERS = 16_000_000
LONGEST_CELL = 32_767
MOST_COLUMNS = 16_384
_END = struct.Struct("<4s4H2LH")
_DAY_ZERO, _DAY_ZERO_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001  # a workbook knows no zone
_LAST_DAY = 2_958_466
_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_LITERAL = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\[\]]*\]', re.IGNORECASE)
_DATE_LETTER = re.compile(r"[dmyhs]", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class BadWorkbook(ValueError):
    """The file is no workbook that is read here; the text says why, and holds nothing of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Workbook:
    """The rows of the first visible sheet: (number as the sheet counts, cells as text); `more_sheets` are not read."""

    rows: Iterator[tuple[int, list[str]]]
    more_sheets: bool


def read_workbook(content: bytes, *, columns: int = MOST_COLUMNS) -> Workbook:
    """Open a workbook; its rows are read while they are taken. Both raise `BadWorkbook`."""
    package = _Package(content)
    office = package.office()
    related = package.relations(office)
    parts = package.elements(office)
    visible = [row["id"] for tag, row in parts if tag == "sheet" and row.get("state", "visible") == "visible"]
    sheets = [related[one].path for one in visible if one in related]
    if not sheets:
        raise BadWorkbook(_("This workbook has no sheet."))
    of_kind = {part.kind: part.path for part in related.values()}
    shared = _Shared().read(package, of_kind["sharedStrings"]) if "sharedStrings" in of_kind else []
    dates = _date_styles(package.elements(of_kind["styles"])) if "styles" in of_kind else frozenset()
    old = any(tag == "workbookPr" and row.get("date1904") in ("1", "true") for tag, row in parts)
    sheet = _Sheet(shared, dates, _DAY_ZERO_1904 if old else _DAY_ZERO, columns)
    return Workbook(sheet.rows(package, sheets[0]), len(sheets) > 1)


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    path: str


class _Package:
    """The zip around the parts; what is unpacked of all of them is counted."""

    def __init__(self, content: bytes) -> None:
        _judge_directory(content)
        try:
            self._zip = zipfile.ZipFile(BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise BadWorkbook(_("This is no workbook, or a part of it is missing.")) from error
        self._left = MOST_UNPACKED

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the part unpacked, a piece at a time."""
        try:
            with self._zip.open(name) as part:
                while piece := part.read(PIECE):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise BadWorkbook(_("Unpacked, this workbook is larger than what is read here."))
                    yield piece
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise BadWorkbook(_("This is no workbook, or a part of it is missing.")) from error
        except RuntimeError as error:  # zipfile's word for an encrypted entry
            raise BadWorkbook(_("This workbook is protected with a password. Save it without one.")) from error

    def elements(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """Return the elements of a small part with their attributes, in order."""
        return _Elements().read(self, name)

    def office(self) -> str:
        """Return the path of the workbook's own part."""
        rows = [row for tag, row in self.elements("_rels/.rels") if tag == "Relationship"]
        found = [row["Target"] for row in rows if row.get("Type", "").endswith("/officeDocument") and "Target" in row]
        return found[0].lstrip("/") if found else "xl/workbook.xml"

    def relations(self, name: str) -> dict[str, _Part]:
        """Return by their ids the parts that a part is related to."""
        folder, _slash, own = name.rpartition("/")
        rows = [row for tag, row in self.elements(f"{folder}/_rels/{own}.rels") if tag == "Relationship"]
        found = {}
        for row in rows:
            target = row.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
            found[row.get("Id", "")] = _Part(row.get("Type", "").rpartition("/")[2], path)
        return found


def _judge_directory(content: bytes) -> None:
    """Refuse a directory that would fill the memory when it is listed."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if at < 0 or len(content) - at < _END.size:
        raise BadWorkbook(_("This is no workbook, or a part of it is missing."))
    size = _END.unpack_from(content, at)[5]
    if size > MOST_ENTRIES_BYTES or content[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise BadWorkbook(_("This workbook has more parts than what is read here."))


class _Reader:
    """Expat without document types, which stops where markup goes on without end."""

    def __init__(self) -> None:
        self._expat = expat.ParserCreate()
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self.start
        self._expat.EndElementHandler = self.end
        self._expat.CharacterDataHandler = self.text
        self.heard = 0
        self._heard_before = self._stalled = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """A stretch of text; a long one comes in several."""
        self.heard += 1

    def feed(self, piece: bytes) -> None:
        """Read a piece on. Raises `BadWorkbook`."""
        try:
            self._expat.Parse(piece, False)
        except expat.ExpatError as error:
            raise BadWorkbook(_("A part of this workbook is damaged.")) from error
        self._stalled = 0 if self.heard != self._heard_before else self._stalled + len(piece)
        self._heard_before = self.heard
        if self._stalled > MOST_MARKUP:
            raise BadWorkbook(_("A part of this workbook is damaged."))

    @staticmethod
    def _doctype(*_what: object) -> None:
        raise BadWorkbook(_("This workbook declares a document type. No spreadsheet program writes one."))


class _Elements(_Reader):
    """Gathers all elements of a small part."""

    def read(self, package: _Package, name: str) -> list[tuple[str, dict[str, str]]]:
        self._found: list[tuple[str, dict[str, str]]] = []
        self._characters = 0
        for piece in package.pieces(name):
            self.feed(piece)
        return self._found

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.heard += 1
        self._found.append((_local(tag), {_local(name): value for name, value in attributes.items()}))
        self._characters += len(tag) + sum(len(name) + len(value) for name, value in attributes.items())
        if len(self._found) > MOST_ELEMENTS or self._characters > MOST_ATTRIBUTE_CHARACTERS:
            raise BadWorkbook(_("This workbook has more parts than what is read here."))


class _Shared(_Reader):
    """Reads the table of shared texts; the pronunciation that stands beside some is left out."""

    def read(self, package: _Package, name: str) -> list[str]:
        self._found: list[str] = []
        self._characters = 0
        self._spoken = self._inside = False
        self._parts: list[str] = []
        for piece in package.pieces(name):
            self.feed(piece)
        return self._found

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.heard += 1
        match _local(tag):
            case "si":
                self._parts = []
            case "rPh":
                self._spoken = True
            case "t":
                self._inside = not self._spoken

    def text(self, text: str) -> None:
        self.heard += 1
        if self._inside:
            self._parts.append(text)
            self._characters += len(text)
            if self._characters > MOST_SHARED_CHARACTERS:
                raise BadWorkbook(_("Unpacked, this workbook is larger than what is read here."))

    def end(self, tag: str) -> None:
        match _local(tag):
            case "si":
                self._found.append(_unescaped("".join(self._parts)))
                if len(self._found[-1]) > LONGEST_CELL:
                    raise BadWorkbook(_("A cell holds more text than a cell can."))
                if len(self._found) > MOST_SHARED:
                    raise BadWorkbook(_("Unpacked, this workbook is larger than what is read here."))
            case "rPh":
                self._spoken = False
            case "t":
                self._inside = False


class _Sheet(_Reader):
    """Reads the rows of a sheet: a cell becomes the text that a person would read, dates as ISO, numbers whole."""

    def __init__(self, shared: list[str], dates: frozenset[int], day_zero: datetime, columns: int) -> None:
        super().__init__()
        self._shared, self._dates, self._day_zero, self._columns = shared, dates, day_zero, columns
        self._done: list[tuple[int, list[str]]] = []
        self._row: list[str] = []
        self._number = self._column = 0
        self._kind = self._style = ""
        self._parts: list[str] = []
        self._inside, self._length = False, 0

    def rows(self, package: _Package, name: str) -> Iterator[tuple[int, list[str]]]:
        for piece in package.pieces(name):
            self.feed(piece)
            if self._done:
                done, self._done = self._done, []
                yield from done

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.heard += 1
        match _local(tag):
            case "row":
                number = attributes.get("r", "")
                self._number = (
                    int(number) if number.isascii() and number.isdigit() and len(number) < 9 else self._number + 1
                )
                self._row, self._column = [], -1
            case "c":
                self._column = _column_of(attributes.get("r", ""), self._column)
                self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
                self._parts, self._length = [], 0
            case "v" | "t":
                self._inside = True

    def text(self, text: str) -> None:
        self.heard += 1
        if self._inside:
            self._parts.append(text)
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise BadWorkbook(_("A cell holds more text than a cell can."))

    def end(self, tag: str) -> None:
        match _local(tag):
            case "v" | "t":
                self._inside = False
            case "c":
                self._keep("".join(self._parts))
            case "row":
                if any(self._row):
                    self._done.append((self._number, self._row))
                self._row = []

    def _keep(self, raw: str) -> None:
        if not raw:
            return
        if self._column >= self._columns:
            raise BadWorkbook(_("This sheet has more than %(limit)d columns.") % {"limit": self._columns})
        self._row.extend([""] * (self._column + 1 - len(self._row)))
        self._row[self._column] = self._read(raw)

    def _read(self, raw: str) -> str:
        match self._kind:
            case "s":
                place = _number(raw.strip(), -1)
                if not 0 <= place < len(self._shared):
                    raise BadWorkbook(_("A part of this workbook is damaged."))
                return self._shared[place]
            case "str" | "inlineStr":
                return _unescaped(raw)
            case "b":
                return "yes" if raw.strip() == "1" else "no"
            case "n":
                is_date = _number(self._style, 0) in self._dates
                return _day(raw, self._day_zero) if is_date else number_text(raw)
        return raw  # an error such as #N/A, or a date as ISO


def number_text(raw: str) -> str:
    """Return a number as a cell holds it in the digits that a person typed: 4.915E12 and 4915000000000.0 are whole."""
    try:
        value = float(raw)
    except ValueError:
        return raw
    if value.is_integer() and abs(value) < 1e21:
        exact = re.fullmatch(r"\s*(-?\d+)(?:\.0*)?\s*", raw)
        return exact[1] if exact else str(int(value))
    return repr(value) if value == value and abs(value) < 1e300 else raw  # not a number


def _day(raw: str, zero: datetime) -> str:
    try:
        serial = float(raw)
    except ValueError:
        return raw
    if not 0 <= serial < _LAST_DAY:
        return number_text(raw)
    moment = zero + timedelta(seconds=round(serial * 86_400))
    if serial < 1:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if serial.is_integer() else f"{moment:%Y-%m-%d %H:%M:%S}"


def _date_styles(elements: list[tuple[str, dict[str, str]]]) -> frozenset[int]:
    """Return which of the cell styles show a number as a date or a time."""
    own, found, place, inside = set(), set(), 0, False
    for tag, row in elements:
        if tag == "numFmt" and _DATE_LETTER.search(_LITERAL.sub("", row.get("formatCode", ""))):
            own.add(row.get("numFmtId", ""))
        elif tag in ("cellXfs", "cellStyleXfs"):
            inside, place = tag == "cellXfs", 0
        elif tag == "xf" and inside:
            number = row.get("numFmtId", "0")
            if number in own or _number(number, 0) in _DATES:
                found.add(place)
            place += 1
        elif tag in ("cellStyles", "dxfs"):
            inside = False
    return frozenset(found)


def _column_of(reference: str, before: int) -> int:
    """Return the place of a cell such as "BC12", counted from 0; the next one where it does not say."""
    letters = reference.rstrip("0123456789")
    if not letters or len(letters) > 3 or not (letters.isascii() and letters.isalpha()):
        return before + 1
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _unescaped(text: str) -> str:
    """Return the text with what ECMA-376 writes as _xHHHH_ for characters that XML cannot hold: units of UTF-16, of
    which two can be one character, and one half alone is none.
    """
    if "_x" not in text:
        return text
    units = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
