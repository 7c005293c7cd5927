"""A workbook of text, written as a stream: every cell is text, nothing is a formula, nothing is kept on the way.

Office Open XML (ECMA-376) with inline strings. The stream needs no seeking and no temporary file, so that whoever
takes it may seal it piece by piece.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Protocol, cast
from xml.sax.saxutils import escape

MOST_ROWS = 1_048_576
"""Of a sheet, its heading included (ECMA-376, as spreadsheets implement it)."""
LONGEST_CELL = 32_767
AT_ONCE = 500

_SPECIAL = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\s|\s$").search
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_BEFORE, _BEHIND = '<c t="inlineStr"><is><t>', "</t></is></c>"
_OWN_WAY = ("&", "<", ">", "_x", '" ', ' "', "\"'")
"""In a line whose cells are quoted, none of which holds anything unprintable: what `_cell` may not copy, and the
apostrophe that may not be part of the text."""
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="49" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_SHEET = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_SHEET_END = (
    '</sheetData><ignoredErrors><ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"/></ignoredErrors>'
    "</worksheet>"
)


class Target(Protocol):
    """What takes the bytes."""

    def write(self, content: bytes, /) -> object:
        """Take the next bytes."""
        ...


class _Stream:
    """A target as `zipfile` wants it: without a place to go back to."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def write(self, content: bytes, /) -> int:
        self._target.write(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: nothing is kept here."""


def row_of_line(line: str) -> str | None:
    """Return the row that a line of CSV makes, if it is a whole one, ends in CRLF, has all cells quoted and nothing in
    them that XML or a workbook takes in its own way; else None: read its cells.

    Every quote of such a line stands between two cells, so that none is part of a text or of a line that goes on.
    """
    inner = line[1:-3]
    if line[:1] != '"' or line[-3:] != '"\r\n' or len(line) < 4 or len(line) > LONGEST_CELL:
        return None
    if not inner.isprintable() or any(map(line.__contains__, _OWN_WAY)):
        return None
    texts = inner.replace('","', "<")
    if '"' in texts:
        return None
    return f"<row>{_BEFORE}{texts.replace('<', _BEHIND + _BEFORE)}{_BEHIND}</row>".replace(_BEFORE + _BEHIND, "<c/>")


def write_xlsx(
    target: Target, heading: list[str], rows: Iterable[list[str] | str], *, most_rows: int = MOST_ROWS
) -> int:
    """Write a workbook whose sheets each begin with the heading; return how many sheets it took.

    A row is its cells, or what `row_of_line` made of them. What is longer than a cell may be is cut there; characters
    that XML does not know are left out.
    """
    lines = iter(rows)
    sheets = 0
    with zipfile.ZipFile(cast(IO[bytes], _Stream(target)), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        first = next(lines, None)
        while first is not None or not sheets:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                sheet.write((_SHEET + _row(heading, style=' s="1"')).encode())
                if first is not None:
                    for part in _parts(first, lines, most_rows - 1):
                        sheet.write(part)
                sheet.write(_SHEET_END.encode())
            first = next(lines, None)
        for name, content in _around(sheets):
            archive.writestr(name, content)
    return sheets


def _parts(first: list[str] | str, lines: Iterator[list[str] | str], most: int) -> Iterator[bytes]:
    """The rows of one sheet, some hundred at a time."""
    waiting, written = [_row(first)], 1
    while written < most and (line := next(lines, None)) is not None:
        waiting.append(_row(line))
        written += 1
        if len(waiting) >= AT_ONCE:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting.clear()
    yield "".join(waiting).encode("utf-8", "replace")


def _row(cells: list[str] | str, style: str = "") -> str:
    if isinstance(cells, str):
        return cells
    return f"<row>{''.join([_cell(cell, style) for cell in cells])}</row>"


def _cell(text: str, style: str) -> str:
    if not text:
        return "<c/>"
    if _SPECIAL(text) or len(text) > LONGEST_CELL:
        text = _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:LONGEST_CELL]
        kept = escape(_ESCAPED.sub("_x005F_", text))
        return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{kept}</t></is></c>'
    return f'<c{style} t="inlineStr"><is><t>{text}</t></is></c>'


def _around(sheets: int) -> Iterator[tuple[str, str]]:
    """The parts that say what the archive is."""
    numbers = range(1, sheets + 1)
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    yield (
        "[Content_Types].xml",
        f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPE}.sheet.main+xml"/><Override PartName="/xl/styles.xml" '
        f'ContentType="{_TYPE}.styles+xml"/>{parts}</Types>',
    )
    yield (
        "_rels/.rels",
        f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
    )
    listed = "".join(f'<sheet name="Leads {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    yield (
        "xl/workbook.xml",
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{related}<Relationship Id="rId{sheets + 1}" '
        f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    )
    yield "xl/styles.xml", _STYLES
