"""Curves: what grows faster than there is more of it is missed, and what is measured is checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import _curve_samples
from benchmarks._curve_samples import Sample, WrongResultError
from benchmarks._figures import Figure, missed
from benchmarks.curves import CURVES, Curve, figures
from binance_sdk._runtime.answers import decode


def curve(memory: str = "book", floor: str = "") -> Curve:
    def nothing(_: int) -> Sample:
        raise AssertionError("a sample is given")

    return Curve("books", (1, 30, 300, 30_000), nothing, "an update", memory, 3, "so it was", floor)


def found(sample: Callable[[int], Sample], **settings: str) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(curve(**settings), lambda _, point: sample(point))}


def test_what_stays_the_same_is_met_and_every_point_is_a_figure() -> None:
    lines = found(lambda _: Sample(25e-6, 2048.0))
    assert list(lines) == [
        *(f"books: {point}" for point in ("1", "30", "300", "30 000")),
        *(f"books, memory: {point}" for point in ("1", "30", "300", "30 000")),
    ]
    assert (lines["books: 30"].ours, lines["books: 30"].unit) == (pytest.approx(25), "µs CPU an update")
    assert (lines["books, memory: 30"].ours, lines["books, memory: 30"].unit) == (2, "KiB a book")
    judged = [line.name for line in lines.values() if line.target is not None]
    assert judged == ["books: 30 000", "books, memory: 30 000"]
    assert missed(lines.values()) == []


def test_a_cost_or_a_memory_that_grows_with_the_number_is_missed() -> None:
    dearer = found(lambda point: Sample(1e-6 * (1 + point / 90_000), 2048.0))
    assert [line.name for line in missed(dearer.values())] == ["books: 30 000"]
    larger = found(lambda point: Sample(1e-6, 2**20 * (1 + point / 90_000)), memory="process")
    (line,) = missed(larger.values())
    assert (line.name, line.unit) == ("books, memory of a process: 30 000", "MiB")


def test_a_floor_that_grows_as_well_excuses_no_more_than_its_own_growth() -> None:
    twice = {1: 1.0, 30: 1.0, 300: 1.0, 30_000: 2.0}
    fair = found(lambda point: Sample(1e-6 * twice[point], 1.0, 1e-7 * twice[point]), floor="json.loads")
    name = "books, 30 000 beside 300: growth beside that of json.loads"
    assert (fair[name].ours, fair[name].floor, fair[name].ratio) == tuple(map(pytest.approx, (2, 2, 1)))
    assert missed(fair.values()) == []
    worse = found(lambda point: Sample(1e-6 * twice[point] ** 2, 1.0, 1e-7 * twice[point]), floor="json.loads")
    assert [line.name for line in missed(worse.values())] == [name]


def test_rows_are_measured_and_a_wrong_one_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_curve_samples, "_ROWS_DECODED", 20)
    sample = _curve_samples.rows(10)
    assert sample.seconds > 0
    assert sample.memory > 0
    assert sample.floor
    right = decode.validated

    def one_less(variant: Any, body: bytes) -> Any:
        return right(variant, body)[:-1]

    monkeypatch.setattr(decode, "validated", one_less)
    with pytest.raises(WrongResultError, match="rows are missing"):
        _curve_samples.rows(10)


def test_every_curve_grows() -> None:
    assert [each.name for each in CURVES] == ["rows", "symbols", "streams", "books", "processes"]
    for each in CURVES:
        assert list(each.points) == sorted(set(each.points))
        assert each.points[0] < each.middle < each.points[-1]
