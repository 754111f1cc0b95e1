"""Charts of recorded ratios as SVG, drawn where a page asks for them.

A page asks with a mark on a line of its own::

    <!--chart title="Decoding" benchmark="decode" names="beside plain pydantic$"-->

``names`` is a regular expression for the names of figures; without it, all of the benchmark with a ratio are drawn.
A figure is drawn once, where the page asks for it first. ``<!--curves-->`` draws those that are points of curves, and
``<!--charts of the rest-->`` what no other mark has taken, so that a benchmark recorded later is not forgotten.
``<!--missed-->`` and ``<!--all figures-->`` are what was missed, and the table.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

from benchmarks._curve_charts import curve, curves
from benchmarks._figures import Figure, missed, written, written_ratio
from benchmarks._results import Recorded
from benchmarks.pages import spaced, table

WIDTH = 400
"""In pixels as drawn; narrow, so that text keeps its size on a phone."""
_LETTERS = 62
"""What fits into one line of a label."""
_BOLD_LETTERS = 54
_LINE, _BAR, _GAP, _TOP = 16, 12, 14, 20
_MARK = re.compile(r"^<!--chart (?P<words>.*)-->$", re.MULTILINE)
_WORD = re.compile(r'(\w+)="([^"]*)"')
_REST = "<!--charts of the rest-->"
_CURVES = "<!--curves-->"
_MISSED = "<!--missed-->"
_ALL = "<!--all figures-->"


class ChartError(Exception):
    """A page asks for a chart that cannot be drawn."""


def with_charts(text: str, results: Mapping[str, Recorded]) -> str:
    """The text of a page with everything drawn that it asks for.

    Raises:
        ChartError: a mark is wrong, or nothing was recorded of what it names.
    """
    taken: set[tuple[str, str]] = set()

    def asked(found: re.Match[str]) -> str:
        words = dict(_WORD.findall(found["words"]))
        if not {"title", "benchmark"} <= words.keys() <= {"title", "benchmark", "names"}:
            raise ChartError(f"{found[0]}: wanted are title, benchmark and, where it is a part, names")
        if words["benchmark"] not in results:
            raise ChartError(f"{found[0]}: there is no benchmark {words['benchmark']!r}")
        return drawn(words["title"], results[words["benchmark"]], words.get("names", ""))

    def drawn(title: str, found: Recorded, names: str) -> str:
        figures = [
            figure
            for figure in found.figures
            if figure.ratio is not None
            and re.search(names, figure.name)
            and (found.benchmark, figure.name) not in taken
        ]
        if not figures:
            raise ChartError(
                f"{title}: {found.benchmark} has no figure with a ratio for {names!r} that is not drawn yet"
            )
        taken.update((found.benchmark, figure.name) for figure in figures)
        return charts(title, figures, _measured(found))

    def rest() -> Iterator[str]:
        for name, found in results.items():
            if any(figure.ratio is not None and (name, figure.name) not in taken for figure in found.figures):
                yield drawn(name, found, "")

    if _CURVES in text:
        lines = []
        for found, label, points in curves(results):
            taken.update((found.benchmark, figure.name) for _, figure in points)
            lines.append(curve(label, points, _measured(found)))
        text = text.replace(_CURVES, "\n\n".join(lines) or "No curve has been recorded yet.")
    text = _MARK.sub(asked, text)
    if _REST in text:
        text = text.replace(_REST, "\n\n".join(rest()))
    return text.replace(_MISSED, "\n".join(_all_missed(results))).replace(_ALL, "\n".join(table(results)))


def _measured(found: Recorded) -> str:
    return f"{found.taken}, Python {found.python}, {found.machine}"


def charts(title: str, figures: Sequence[Figure], measured: str) -> str:
    """One chart of those where less is better, and one of those where more is."""
    ordered = sorted(figures, key=_more_is_better)
    groups = [(more, list(group)) for more, group in groupby(ordered, _more_is_better)]
    return "\n\n".join(chart(title, group, measured, more_is_better=more) for more, group in groups)


def chart(title: str, figures: Sequence[Figure], measured: str, *, more_is_better: bool) -> str:
    """A bar for each ratio, with a line at 1, a mark at each target, and the same in words.

    Raises:
        ChartError: a ratio is missing, negative or not finite.
    """
    longest = max(1.0, *(_ratio(figure) for figure in figures), *map(_bound, figures)) * 1.04
    better = "longer bars are better" if more_is_better else "shorter bars are better"
    rows, y = [], _TOP
    for figure in figures:
        row, y = _row(figure, y, longest)
        rows.append(row)
    one = _x(1, longest)
    name = f"chart-{'-'.join(re.findall('[a-z0-9]+', title.lower()))}-{'more' if more_is_better else 'less'}"
    caption = f"{title}: {better}. {measured}."
    return "\n".join(
        [
            f'<figure class="chart" style="width:100%;max-width:{WIDTH * 6 // 5}px;margin:1em 0;text-align:left">',
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="100%" role="img" '
            f'aria-labelledby="{name}" aria-describedby="{name}-text" fill="currentColor" font-size="11" '
            f'font-family="inherit">',
            f'<title id="{name}">{escape(title)}</title>',
            f'<desc id="{name}-text">{escape("; ".join(f"{one.name}: {_told(one)}" for one in figures))}</desc>',
            f'<text x="{one}" y="11" text-anchor="middle">1×</text>',
            *rows,
            "</svg>",
            f'<figcaption style="max-width:none;margin:0;text-align:left">{escape(caption)}</figcaption>',
            "</figure>",
        ]
    )


def _row(figure: Figure, y: int, longest: float) -> tuple[str, int]:
    """Label, bar and values of a figure that begins at ``y``, and where the next one begins."""
    parts = []
    for line in textwrap.wrap(figure.name, _LETTERS) or [""]:
        y += _LINE
        parts.append(f'<text x="0" y="{y - 4}">{escape(line)}</text>')
    one = _x(1, longest)
    parts.append(f'<line x1="{one}" y1="{y - 3}" x2="{one}" y2="{y + _BAR + 3}" stroke="currentColor"/>')
    looks = 'fill-opacity="0.5"'
    if figure.met is False:
        looks = 'fill-opacity="0.1" stroke="currentColor" stroke-dasharray="3 2"'
    parts.append(f'<rect x="0" y="{y}" width="{_x(_ratio(figure), longest)}" height="{_BAR}" {looks}/>')
    if bound := _bound(figure):
        x = _x(bound, longest)
        parts.append(
            f'<line x1="{x}" y1="{y - 2}" x2="{x}" y2="{y + _BAR + 2}" stroke="currentColor" stroke-width="2"/>'
        )
    y += _BAR
    weight, letters = (' font-weight="bold"', _BOLD_LETTERS) if figure.met is False else ("", _LETTERS)
    for line in textwrap.wrap(_told(figure), letters):
        y += _LINE
        parts.append(f'<text x="0" y="{y - 3}"{weight} fill-opacity="0.75">{escape(line)}</text>')
    return "\n".join(parts), y + _GAP


def _told(figure: Figure) -> str:
    """The values of a figure in words."""
    told = f"{written_ratio(_ratio(figure))}×"
    if figure.floor is not None:
        told += f": {spaced(written(figure.ours, figure.unit))} beside {spaced(written(figure.floor, figure.unit))}"
    if figure.target is not None and figure.target.of == "ratio":
        told += f"; wanted {figure.target.sign} {figure.target.bound:g}×"
    return f"{told}: missed" if figure.met is False else told


def _all_missed(results: Mapping[str, Recorded]) -> Iterator[str]:
    """What did not reach its target, as a list in Markdown."""
    found = [figure for benchmark in results.values() for figure in missed(benchmark.figures)]
    for figure in found:
        told = _told(figure) if figure.ratio is not None else spaced(written(figure.ours, figure.unit))
        yield f"- `{figure.benchmark}`, {figure.name}: {told}"
    if not found:
        yield "Nothing: every target was reached."


def _more_is_better(figure: Figure) -> bool:
    return figure.unit == "/s"


def _ratio(figure: Figure) -> float:
    if figure.ratio is None or not math.isfinite(figure.ratio) or figure.ratio < 0:
        raise ChartError(f"{figure.benchmark}: {figure.name}: {figure.ratio} cannot be drawn")
    return figure.ratio


def _bound(figure: Figure) -> float:
    return figure.target.bound if figure.target is not None and figure.target.of == "ratio" else 0.0


def _x(ratio: float, longest: float) -> str:
    return f"{ratio / longest * WIDTH:.1f}"
