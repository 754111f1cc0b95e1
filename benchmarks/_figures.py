"""A measured figure with what it is compared to and what it shall be, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Sign = Literal["<", "≤", "≥", "="]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure shall be.

    Args:
        sign: How it is compared.
        bound: What it is compared with.
        of: Whether the ratio or the figure itself is judged.
    """

    sign: Sign
    bound: float
    of: Literal["ratio", "ours"] = "ours"

    def met(self, value: float) -> bool:
        match self.sign:
            case "<":
                return value < self.bound
            case "≤":
                return value <= self.bound
            case "≥":
                return value >= self.bound
            case "=":
                return value == self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Args:
        benchmark: Which benchmark it belongs to.
        name: What was measured.
        ours: The value.
        unit: Its unit; ``%`` where ``ours`` is a share.
        floor: The same for what it is compared to.
        ratio: Ours by floor; where both were measured in rounds, the median over the rounds.
        target: What it shall be; None where it only informs.
        note: What one must know to read it.
    """

    benchmark: str
    name: str
    ours: float
    unit: str = ""
    floor: float | None = None
    ratio: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        value = self.ratio if self.target.of == "ratio" else self.ours
        return value is not None and self.target.met(value)

    @property
    def verdict(self) -> str:
        return {None: "", True: "ok", False: "MISS"}[self.met]

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict}


_HEADINGS = ("figure", "floor", "ours", "ratio", "target", "verdict")


def table(figures: Sequence[Figure]) -> str:
    """The figures of one benchmark, aligned, with numbered notes below."""
    notes: list[str] = []
    lines = [_HEADINGS, *(_noted(figure, notes) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    rule = "  ".join("-" * width for width in widths)
    shown = [_aligned(line, widths) for line in lines]
    return "\n".join([shown[0], rule, *shown[1:], *(f"  [{number}] {note}" for number, note in enumerate(notes, 1))])


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    last = len(cells) - 1
    padded = (
        cell.ljust(width) if column in (0, last) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _noted(figure: Figure, notes: list[str]) -> tuple[str, ...]:
    name, *others = cells(figure)
    if figure.note:
        if figure.note not in notes:
            notes.append(figure.note)
        name += f" [{notes.index(figure.note) + 1}]"
    return name, *others


def cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    """Name, floor, ours, ratio, target and verdict, as a table has them."""
    floor = "" if figure.floor is None else written(figure.floor, figure.unit)
    ratio = "" if figure.ratio is None else written_ratio(figure.ratio)
    target = ""
    if figure.target is not None:
        bound = figure.target.bound
        shown = f"{bound:g}×" if figure.target.of == "ratio" else written(bound, figure.unit, exact=False)
        target = f"{figure.target.sign} {shown}"
    return figure.name, floor, written(figure.ours, figure.unit), ratio, target, figure.verdict


def written_ratio(value: float) -> str:
    """A ratio with two decimals, and never as if it were nothing."""
    return f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1g}"


def written(value: float, unit: str, *, exact: bool = True) -> str:
    """A value with its unit, with as many digits as it deserves."""
    if unit == "%":
        return f"{value * 100:.2f} %" if exact else f"{value * 100:g} %"
    if value == int(value):
        text = f"{value:.0f}"
    elif not exact:
        text = f"{value:g}"
    else:
        text = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{text} {unit}".rstrip()


def missed(figures: Iterable[Figure]) -> list[Figure]:
    return [figure for figure in figures if figure.met is False]
