"""Charts say the recorded figures, in bars and in words, and nothing is drawn that was not recorded."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from benchmarks._charts import WIDTH, ChartError, chart, with_charts
from benchmarks._curve_charts import BESIDE, HEIGHT, curve, curves
from benchmarks._figures import Figure, Target
from benchmarks._results import Recorded, recorded
from benchmarks.pages import ROOT

LESS = Figure("decode", "1000 klines", 1.01, "ms CPU", 1.47, 0.5, Target("<", 1.0, "ratio"))
MISSED = Figure("decode", "premium <indexes> & more", 4.0, "ms CPU", 2.0, 2.0, Target("≤", 1.25, "ratio"))
MORE = Figure("streams", "aggTrade", 318133.0, "/s", 199289.0, 1.5963, Target("≥", 1.0, "ratio"))
ALONE = Figure("decode", "modules", 0.0, target=Target("=", 0))


def results(*figures: Figure) -> dict[str, Recorded]:
    return {
        name: Recorded(
            name, "2026-11-30", "3.11.7", "Linux, 2 cores, busy", tuple(f for f in figures if f.benchmark == name)
        )
        for name in dict.fromkeys(figure.benchmark for figure in figures)
    }


def svg(text: str) -> ElementTree.Element:
    """The drawing, which has to be well-formed."""
    found = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert found is not None
    return ElementTree.fromstring(found[0])


def test_a_bar_is_as_long_as_its_ratio() -> None:
    drawing = svg(chart("Decoding", [LESS, MISSED], "today", more_is_better=False))
    widths = [float(bar.attrib["width"]) for bar in drawing.iterfind(".//{*}rect")]
    assert widths[1] == pytest.approx(4 * widths[0], abs=0.3)
    assert widths[1] < WIDTH
    one, bound = (float(line.attrib["x1"]) for line in list(drawing.iterfind(".//{*}line"))[2:])
    assert one == pytest.approx(widths[1] / 2, abs=0.2)
    assert bound == pytest.approx(widths[1] * 1.25 / 2, abs=0.2)


def test_the_values_stand_in_it_and_in_its_description() -> None:
    text = chart("Decoding", [LESS, MISSED], "2026-11-30, busy", more_is_better=False)
    drawing = svg(text)
    told = "2.00×: 4 ms CPU beside 2 ms CPU; wanted ≤ 1.25×: missed"
    # Bold letters are wider, so that the line is broken where it would be cut off.
    lines = [element.text or "" for element in drawing.iterfind(".//{*}text")]
    assert lines[-2:] == ["2.00×: 4 ms CPU beside 2 ms CPU; wanted ≤ 1.25×:", "missed"]
    assert "0.50×: 1.01 ms CPU beside 1.47 ms CPU; wanted < 1×" in lines
    (described,) = drawing.iterfind(".//{*}desc")
    assert f"premium <indexes> & more: {told}" in (described.text or "")
    assert drawing.attrib["role"] == "img"
    assert {drawing.attrib["aria-labelledby"], drawing.attrib["aria-describedby"]} == {
        element.attrib["id"] for element in drawing.iter() if "id" in element.attrib
    }
    assert "shorter bars are better. 2026-11-30, busy." in text


def test_colours_are_those_of_the_page() -> None:
    text = chart("Decoding", [LESS, MISSED], "", more_is_better=False)
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', text)) == {"currentColor"}
    bars = [bar.attrib for bar in svg(text).iterfind(".//{*}rect")]
    assert ["stroke-dasharray" in bar for bar in bars] == [False, True]


def test_the_same_figures_give_the_same_bytes_without_an_empty_line() -> None:
    text = chart("Decoding", [LESS, MISSED], "", more_is_better=False)
    assert text == chart("Decoding", [LESS, MISSED], "", more_is_better=False)
    assert "\n\n" not in text, "Markdown would end the block of HTML there"


@pytest.mark.parametrize("ratio", [float("nan"), float("inf"), -0.1, None])
def test_what_is_no_length_is_refused(ratio: float | None) -> None:
    with pytest.raises(ChartError, match="1000 klines"):
        chart("Decoding", [Figure("decode", "1000 klines", 1.0, "ms", 1.0, ratio)], "", more_is_better=False)


def test_long_names_are_broken_into_lines() -> None:
    long = Figure("books", "word " * 40, 1.0, "ms", 1.0, 1.0)
    lines = [element.text or "" for element in svg(chart("B", [long], "", more_is_better=False)).iterfind(".//{*}text")]
    assert sum("word" in line for line in lines) > 2
    assert max(map(len, lines)) <= 62


# ------------------------------------------------------------------------------------- marks of a page


def test_a_mark_draws_what_it_names_and_the_rest_is_drawn_once() -> None:
    page = '<!--chart title="Rows" benchmark="decode" names="klines$"-->\n\n<!--charts of the rest-->'
    text = with_charts(page, results(LESS, MISSED, MORE, ALONE))
    titles = re.findall(r'<title id="([^"]*)">', text)
    assert titles == ["chart-rows-less", "chart-decode-less", "chart-streams-more"]
    assert text.count("1000 klines") == 2, "in its bar and its description"
    assert "Python 3.11.7, Linux, 2 cores, busy" in text


def test_where_less_is_better_and_where_more_is_are_two_charts() -> None:
    slow = Figure("streams", "REST", 155.0, "µs", 85.5, 1.82)
    text = with_charts('<!--chart title="S" benchmark="streams"-->', results(MORE, slow))
    assert re.findall(r"S: (\w+) bars are better", text) == ["shorter", "longer"]


def test_what_was_missed_is_listed_and_nothing_else() -> None:
    lost = Figure("decode", "lost", 3.0, "/s", target=Target("=", 0))
    assert with_charts("<!--missed-->", results(LESS, MISSED, MORE, lost)) == (
        "- `decode`, premium <indexes> & more: 2.00×: 4 ms CPU beside 2 ms CPU; wanted ≤ 1.25×: missed\n"
        "- `decode`, lost: 3 /s"
    )
    assert with_charts("<!--missed-->", results(LESS)) == "Nothing: every target was reached."


@pytest.mark.parametrize(
    "mark",
    [
        '<!--chart title="A" benchmark="nothing"-->',
        '<!--chart title="A" benchmark="decode" names="nothing"-->',
        '<!--chart title="A" benchmark="decode" name="klines"-->',
        '<!--chart benchmark="decode"-->',
        '<!--chart title="A" benchmark="decode"-->\n<!--chart title="B" benchmark="decode"-->',
    ],
)
def test_a_mark_that_draws_nothing_is_refused(mark: str) -> None:
    with pytest.raises(ChartError):
        with_charts(mark, results(LESS, ALONE))


# -------------------------------------------------------------------------------------------- curves

ROWS = [
    Figure("curves", "rows, memory: 10", 4.0, "µs CPU a row"),
    Figure("curves", "rows, memory: 1000", 2.0, "µs CPU a row"),
    Figure("curves", "rows, memory: 100 000", 3.0, "µs CPU a row", 2.0, 1.5, Target("≤", 1.2, "ratio")),
]


def test_points_of_a_curve_are_found_by_the_number_in_their_names() -> None:
    two = [Figure("curves", "books: 1", 1.0), Figure("curves", "books: 2", 1.0)]
    ((found, label, points),) = curves(results(ROWS[2], *two, ROWS[0], ROWS[1], ALONE, MORE))
    assert (found.benchmark, label) == ("curves", "rows, memory")
    assert points == [(10, ROWS[0]), (1000, ROWS[1]), (100_000, ROWS[2])]


def test_a_curve_is_as_high_as_its_values_and_says_them() -> None:
    text = curve("rows, memory", [(10, ROWS[0]), (1000, ROWS[1]), (100_000, ROWS[2])], "today")
    drawing = svg(text)
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawing.iterfind(".//{*}circle")]
    bottom = max(float(line.attrib["y1"]) for line in drawing.iterfind(".//{*}line"))
    assert [x for x, _ in dots] == [BESIDE, WIDTH / 2, WIDTH - BESIDE]
    assert [(bottom - y) / HEIGHT for _, y in dots] == pytest.approx([1, 0.5, 0.75], abs=0.01)
    (described,) = drawing.iterfind(".//{*}desc")
    assert described.text == "10: 4 µs CPU a row; 1000: 2 µs CPU a row; 100 000: 3 µs CPU a row"
    assert "1.50× of the middle, wanted ≤ 1.2×: missed. today." in text
    assert "\n\n" not in text


def test_a_curve_of_what_is_no_number_is_refused() -> None:
    broken = [(number, Figure("curves", f"rows: {number}", float("nan"))) for number in (1, 2, 3)]
    with pytest.raises(ValueError, match="rows"):
        curve("rows", broken, "")


def test_points_of_curves_are_not_drawn_as_bars_too() -> None:
    text = with_charts("<!--curves-->\n\n<!--charts of the rest-->", results(*ROWS, LESS))
    assert re.findall(r'<title id="([^"]*)">', text) == ["curve-rows-memory", "chart-decode-less"]
    assert with_charts("<!--curves-->", results(LESS)) == "No curve has been recorded yet."


def test_the_page_draws_every_ratio_that_was_recorded() -> None:
    found = recorded()
    text = with_charts((ROOT / "docs" / "benchmarks.md").read_text("utf-8"), found)
    drawings = [ElementTree.fromstring(one) for one in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    bars = sum(1 for drawing in drawings for _ in drawing.iterfind(".//{*}rect"))
    on_curves = {(one.benchmark, figure.name) for one, _, points in curves(found) for _, figure in points}
    ratios = [
        (one.benchmark, figure.name) for one in found.values() for figure in one.figures if figure.ratio is not None
    ]
    assert bars == len(set(ratios) - on_curves)
    assert len(drawings) > 5
    names = re.findall(r' id="([^"]*)"', text)
    assert len(names) == len(set(names))
    assert "<!--chart" not in text
    assert not re.search(r"\b(nan|inf)\b", text)
