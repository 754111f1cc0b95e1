"""Lines of files that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from binance_sdk.simulator.archive.kinds import FileKind
from binance_sdk.simulator.faults.files import FileFault

Lines = list[bytes]


@dataclass(frozen=True, slots=True)
class Undamaged:
    """A file before something is wrong with it.

    Attributes:
        kind: Its kind.
        lines: Its lines, without the header.
        before: Lines of the time before, nearest last.
        after: Lines of the time after it.
    """

    kind: FileKind
    lines: Lines
    before: Callable[[], Lines]
    after: Callable[[], Lines]


def damaged(file: Undamaged, fault: FileFault) -> Lines:
    """The lines of a file with a fault."""
    damage = _DAMAGES.get(fault.kind)
    return file.lines if damage is None else damage(file, fault)


def _missing(file: Undamaged, fault: FileFault) -> Lines:
    count = len(file.lines)
    return file.lines[: int(count * fault.first)] + file.lines[int(count * fault.last) :]


def _doubled(file: Undamaged, fault: FileFault) -> Lines:
    return [line for number, line in enumerate(file.lines) for _ in range(2 if number % fault.every == 0 else 1)]


def _unsorted(file: Undamaged, fault: FileFault) -> Lines:
    half = (len(file.lines) + 1) // 2
    first, second = file.lines[:half], file.lines[half:]
    mixed = [line for pair in zip(second, first, strict=False) for line in pair]
    return mixed + first[len(second) :]


def _neighbours(file: Undamaged, fault: FileFault) -> Lines:
    return file.before()[-fault.rows :] + file.lines + file.after()[: fault.rows]


def _hit(file: Undamaged, fault: FileFault, change: Callable[[list[bytes]], None]) -> Lines:
    lines = list(file.lines)
    for number in range(0, len(lines), fault.every):
        cells = lines[number].split(b",")
        change(cells)
        lines[number] = b",".join(cells)
    return lines


def _other_values(file: Undamaged, fault: FileFault) -> Lines:
    # Rows of klines, trades and metrics all have a decimal next to the first one.
    place = 2

    def change(cells: list[bytes]) -> None:
        end = b"\n" if cells[place].endswith(b"\n") else b""
        digits = cells[place].rstrip(b"\n")
        last = next(n for n in range(len(digits) - 1, -1, -1) if digits[n : n + 1].isdigit())
        other = str((int(digits[last : last + 1]) + 1) % 10).encode()
        cells[place] = digits[:last] + other + digits[last + 1 :] + end

    return _hit(file, fault, change)


def _blank(file: Undamaged, fault: FileFault) -> Lines:
    def change(cells: list[bytes]) -> None:
        for place in file.kind.may_be_blank:
            end = b"\n" if cells[place].endswith(b"\n") else b""
            cells[place] = (b'""' if fault.quoted else b"") + end

    return _hit(file, fault, change)


def _frozen(file: Undamaged, fault: FileFault) -> Lines:
    half = len(file.lines) // 2
    moving = {file.kind.key, *file.kind.times}
    lines = file.lines[: half + 1]
    still = lines[-1].split(b",") if lines else []
    for line in file.lines[half + 1 :]:
        cells = line.split(b",")
        lines.append(b",".join(cells[n] if n in moving else still[n] for n in range(len(cells))))
    return lines


_DAMAGES: Mapping[str, Callable[[Undamaged, FileFault], Lines]] = {
    "replaced_file": _missing,
    "missing_rows": _missing,
    "doubled_rows": _doubled,
    "unsorted_rows": _unsorted,
    "neighbour_rows": _neighbours,
    "other_values": _other_values,
    "blank_cells": _blank,
    "frozen_rows": _frozen,
}
