"""Curves of recorded figures as SVG: what one costs where there are more and more of them.

Figures whose names differ in the number behind their colon alone (``rows: 10``, ``rows: 1000``) are points of a curve.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from benchmarks._figures import Figure, written
from benchmarks._results import Recorded
from benchmarks.pages import spaced

WIDTH, HEIGHT = 400, 120
"""In pixels as drawn, without what stands above and below the curve."""
BESIDE = 4
"""Room for half of a point, and for fonts whose letters stand out a little."""
_ABOVE, _BELOW, _FEWEST = 24, 20, 3
_POINT = re.compile(r"(?P<label>.+): (?P<number>\d[\d ]*)")


def curves(results: Mapping[str, Recorded]) -> Iterator[tuple[Recorded, str, list[tuple[int, Figure]]]]:
    """Each curve that was recorded: of which benchmark, its label, and its points from few to many."""
    for found in results.values():
        points: dict[str, dict[int, Figure]] = {}
        for figure in found.figures:
            if match := _POINT.fullmatch(figure.name):
                points.setdefault(match["label"], {})[int(match["number"].replace(" ", ""))] = figure
        for label, of_label in points.items():
            if len(of_label) >= _FEWEST:
                yield found, label, sorted(of_label.items())


def curve(label: str, points: Sequence[tuple[int, Figure]], measured: str) -> str:
    """A line through the points, from nought up; flat where more of them cost no more each.

    Raises:
        ValueError: a value is negative or not finite.
    """
    values = [figure.ours for _, figure in points]
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError(f"{label}: {values} cannot be drawn")
    most = max(values) or 1.0
    unit = points[0][1].unit
    step = (WIDTH - 2 * BESIDE) / (len(points) - 1)
    places = [
        (f"{BESIDE + place * step:.1f}", f"{_ABOVE + HEIGHT * (1 - value / most):.1f}")
        for place, value in enumerate(values)
    ]
    bottom = _ABOVE + HEIGHT
    drawn = [f'<line x1="0" y1="{bottom}" x2="{WIDTH}" y2="{bottom}" stroke="currentColor" stroke-opacity="0.35"/>']
    line = " ".join(f"{x},{y}" for x, y in places)
    drawn.append(f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2" stroke-opacity="0.6"/>')
    told = []
    for place, ((x, y), (number, figure)) in enumerate(zip(places, points, strict=True)):
        anchor = "start" if place == 0 else "end" if place == len(points) - 1 else "middle"
        value = spaced(written(figure.ours, ""))
        drawn.append(f'<circle cx="{x}" cy="{y}" r="3"/>')
        drawn.append(f'<text x="{x}" y="{float(y) - 8:.1f}" text-anchor="{anchor}">{value}</text>')
        drawn.append(f'<text x="{x}" y="{bottom + 15}" text-anchor="{anchor}">{spaced(str(number))}</text>')
        told.append(f"{spaced(str(number))}: {value} {unit}".rstrip())
    name = f"curve-{'-'.join(re.findall('[a-z0-9]+', label.lower()))}"
    last = points[-1][1]
    verdict = ""
    if last.target is not None and last.ratio is not None:
        verdict = f"; last point {last.ratio:.2f}× of the middle, wanted {last.target.sign} {last.target.bound:g}×"
        verdict += ": missed" if last.met is False else ""
    caption = f"{label}, in {unit}{verdict}. {measured}." if unit else f"{label}{verdict}. {measured}."
    return "\n".join(
        [
            f'<figure class="chart" style="width:100%;max-width:{WIDTH * 6 // 5}px;margin:1em 0;text-align:left">',
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + _BELOW}" width="100%" role="img" '
            f'aria-labelledby="{name}" aria-describedby="{name}-text" fill="currentColor" font-size="11" '
            f'font-family="inherit">',
            f'<title id="{name}">{escape(label)}</title>',
            f'<desc id="{name}-text">{escape("; ".join(told))}</desc>',
            *drawn,
            "</svg>",
            f'<figcaption style="max-width:none;margin:0;text-align:left">{escape(caption)}</figcaption>',
            "</figure>",
        ]
    )
