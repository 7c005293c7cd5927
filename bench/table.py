"""A line of a benchmark: a figure, what it is measured beside in the same run, and the goal where there is one."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"


@dataclass(frozen=True, slots=True)
class Line:
    """`ratio` is value by beside; `goal` is what it must at least be (at most, where `at_most`)."""

    name: str
    value: float
    unit: str
    beside: str = ""
    ratio: float | None = None
    goal: float | None = None
    at_most: bool = False
    why: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


def beside(name: str, value: float, unit: str, other: str, other_value: float, **goal: float | bool | str) -> Line:
    """Return the line that puts a figure beside another of the same run."""
    return Line(name, value, unit, other, value / other_value if other_value else None, **goal)  # type: ignore[arg-type]


def show(title: str, lines: Sequence[Line]) -> None:
    """Print the table and keep it as JSON in var/bench/."""
    print(f"\n{title}")  # noqa: T201  # a benchmark talks
    for line in lines:
        ratio = f"{line.ratio:8.2f} x {line.beside}" if line.ratio is not None else ""
        word = {True: "goal met", False: "NOT MET", None: ""}[line.met]
        goal = f"  goal {'<=' if line.at_most else '>='} {line.goal:g}: {word}" if line.goal is not None else ""
        why = f"  ({line.why})" if line.why and line.met is False else ""
        print(f"  {line.name:52} {line.value:12,.1f} {line.unit:8} {ratio}{goal}{why}")  # noqa: T201
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = title.split(":")[0].strip().lower().replace(" ", "-")
    kept = [asdict(line) | {"met": line.met} for line in lines]
    (FOLDER / f"{name}.json").write_text(json.dumps({"title": title, "lines": kept}, indent=1))
