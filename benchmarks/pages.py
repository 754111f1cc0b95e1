"""``python -m benchmarks.pages [--check]``: puts the recorded figures where the pages state them.

A page says which figure it states, and this program writes its value between the two marks::

    <!--=books/23 levels an update, a book kept in sync/ratio-->1.35<!--/-->

The last part is ``ours``, ``floor`` or ``ratio``, with the digits after the point where the usual ones do not fit
(``ratio:1``). ``<!--=books/when-->`` is the day, the Python and the machine of a benchmark. The table of all figures
stands between ``<!--results-->`` and ``<!--/results-->``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks._figures import Figure, cells, written
from benchmarks._results import Recorded, recorded

ROOT = Path(__file__).parents[1]
_MARK = re.compile(r"<!--=(?P<key>[^>]+)-->(?P<value>[^<]*)<!--/-->")
_TABLE = re.compile(r"(?<=<!--results-->\n).*?(?=<!--/results-->)", re.DOTALL)


class UnknownFigureError(Exception):
    """A page states a figure that nobody has measured."""


def pages(root: Path = ROOT) -> list[Path]:
    """The pages that may state figures."""
    return [root / "README.md", root / "benchmarks" / "README.md", *sorted((root / "docs").rglob("*.md"))]


def filled(text: str, results: Mapping[str, Recorded]) -> str:
    """The text with every figure that it states as it was recorded.

    Raises:
        UnknownFigureError: it states one that was not.
    """
    text = _MARK.sub(lambda mark: f"<!--={mark['key']}-->{value(mark['key'], results)}<!--/-->", text)
    return _TABLE.sub(lambda _: "\n".join(table(results)) + "\n", text)


def value(key: str, results: Mapping[str, Recorded]) -> str:
    """What a mark wants to have written.

    Raises:
        UnknownFigureError: nothing of that name was recorded.
    """
    benchmark, _, rest = key.partition("/")
    name, _, field = rest.rpartition("/")
    field, _, digits = field.partition(":")
    try:
        found = results[benchmark]
        if not name and field == "when":
            return f"{found.taken}, Python {found.python}, {found.machine}"
        figure = found.figure(name)
        number = {"ours": figure.ours, "floor": figure.floor, "ratio": figure.ratio}[field]
    except KeyError as error:
        raise UnknownFigureError(f"{key}: {error.args[0]}") from None
    if number is None:
        raise UnknownFigureError(f"{key}: this figure has no {field}")
    if field == "ratio":
        return f"{number:.{digits or 2}f}"
    if digits:
        share = figure.unit == "%"
        return f"{number * 100 if share else number:.{digits}f} {figure.unit.removesuffix(' CPU')}".rstrip()
    return spaced(written(number, figure.unit.removesuffix(" CPU")))


def spaced(text: str) -> str:
    """Thousands parted by spaces, from five digits on."""
    return re.sub(r"\d{5,}", lambda digits: f"{int(digits[0]):,}".replace(",", " "), text)


def table(results: Mapping[str, Recorded]) -> Iterator[str]:
    """All figures, as Markdown."""
    yield "| | Figure | Floor | Ours | Ratio | Target |"
    yield "|---|---|---|---|---|---|"
    for name, found in results.items():
        for figure in found.figures:
            yield f"| {name} | {' | '.join(spaced(cell) for cell in _row(figure))} |"
    yield ""
    yield "| Taken | Day | Python | Machine |"
    yield "|---|---|---|---|"
    for name, found in results.items():
        yield f"| {name} | {found.taken} | {found.python} | {found.machine} |"


def _row(figure: Figure) -> Sequence[str]:
    name, floor, ours, ratio, target, verdict = cells(figure)
    return name, floor, ours, ratio, f"{target} **missed**" if verdict == "MISS" else target


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.pages", description="Put recorded figures into the pages.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page differs")
    options = parser.parse_args(arguments)
    results, differ = recorded(), 0
    for path in pages():
        text = path.read_text(encoding="utf-8")
        try:
            right = filled(text, results)
        except UnknownFigureError as error:
            print(f"{path.relative_to(ROOT)}: {error}", file=sys.stderr)
            differ += 1
            continue
        if right == text:
            continue
        differ += 1
        print(f"{path.relative_to(ROOT)}: {'not as recorded' if options.check else 'figures put in'}")
        if not options.check:
            path.write_text(right, encoding="utf-8")
    return 1 if differ and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
