"""What turns measurements into verdicts; the measurements themselves are no tests."""

import json
import platform
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks._figures import Figure, Target, missed, table, written, written_ratio
from benchmarks._timing import Rounds
from benchmarks.failing import fits


@pytest.mark.parametrize(
    ("target", "good", "bad"),
    [
        (Target("<", 3.0), 2.9, 3.0),
        (Target("≤", 3.0), 3.0, 3.1),
        (Target("≥", 0.97), 0.97, 0.969),
        (Target("=", 0), 0, 1),
    ],
)
def test_a_target_is_met_up_to_its_bound_and_no_further(target: Target, good: float, bad: float) -> None:
    assert target.met(good)
    assert not target.met(bad)


def test_a_small_ratio_is_not_shown_as_nothing() -> None:
    assert [written_ratio(value) for value in (1.346, 0.031, 0.0047, 0)] == ["1.35", "0.03", "0.005", "0.00"]


def test_a_ratio_is_judged_where_the_target_is_one() -> None:
    figure = Figure("decode", "rows", 50.0, "ms", floor=100.0, ratio=0.5, target=Target("<", 1.0, "ratio"))
    assert figure.met is True
    assert figure.verdict == "ok"


def test_a_target_without_its_ratio_is_missed() -> None:
    assert Figure("decode", "rows", 0.1, target=Target("<", 1.0, "ratio")).met is False


def test_only_judged_figures_can_be_missed() -> None:
    informs = Figure("x", "informs", 1e9)
    late = Figure("x", "late", 4.0, "s", target=Target("<", 3.0))
    assert missed([informs, late]) == [late]
    assert informs.verdict == ""


def test_the_table_numbers_each_note_once() -> None:
    figures = [Figure("x", name, 1.0, note="same") for name in ("one", "two")]
    text = table(figures)
    assert text.count("[1] same") == 1
    assert "one [1]" in text
    assert "two [1]" in text


@pytest.mark.parametrize(
    ("value", "unit", "exact", "text"),
    [(0.97, "%", False, "97 %"), (0.99741, "%", True, "99.74 %"), (3.0, "s", True, "3 s"), (1234.56, "", True, "1235")],
)
def test_values_are_written_with_as_many_digits_as_they_deserve(
    value: float, unit: str, exact: bool, text: str
) -> None:
    assert written(value, unit, exact=exact) == text


def test_a_slow_round_does_not_move_the_ratio() -> None:
    timed = Rounds({"ours": [1.0, 10.0, 1.0], "floor": [2.0, 20.0, 2.0]})
    assert timed.ratio("ours", "floor") == 0.5
    assert timed.difference("ours", "floor") == -1.0


@pytest.mark.parametrize(
    ("outcome", "last", "expected"),
    [
        ("right", "reset", True),
        ("wrong result", "", False),
        ("raw ReadError", "reset", False),
        ("ServerError", "server_error", True),
        ("ServerError", "reset", False),
        ("ServerError", None, False),
        ("APITimeoutError", "silence", True),
        ("IPBannedError", None, True),
    ],
)
def test_an_error_must_agree_with_what_the_exchange_did(outcome: str, last: str | None, expected: bool) -> None:
    assert fits(outcome, last) is expected


def test_an_unknown_benchmark_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "there is no benchmark speed; there are import, decode" in capsys.readouterr().err


def test_a_missed_target_is_told_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def measured(options: Namespace) -> list[Figure]:
        return [Figure("codegen", "check", float(options.calls), "s", target=Target("<", 3.0))]

    monkeypatch.setattr("benchmarks.generating.run", measured)
    place = tmp_path / "found.json"
    assert command.main(["codegen", "--calls", "4", "--json", str(place)]) == 1
    assert "MISS codegen: check" in capsys.readouterr().out
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    assert found["figures"][0]["verdict"] == "MISS"
    assert command.main(["codegen", "--calls", "2"]) == 0


def test_one_that_breaks_loses_no_figure_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(options: Namespace) -> list[Figure]:
        raise RuntimeError("the server is gone")

    def recorded(figures: list[Figure], machine: str, order: list[str], python: str) -> None:
        kept.append((figures[0].name, python))

    kept: list[tuple[str, str]] = []
    monkeypatch.setattr("benchmarks.generating.run", broken)
    monkeypatch.setattr("benchmarks.calling.run", lambda _: [Figure("call", "added", 1.0)])
    monkeypatch.setattr("benchmarks.peers.run", lambda _: [Figure("peers", "faster", 1.0)])
    monkeypatch.setattr("benchmarks.peers.python_version", lambda _: "3.13.0")
    monkeypatch.setattr(command, "record", recorded)
    assert command.main(["codegen", "call", "peers", "--record"]) == 1
    assert kept == [("added", platform.python_version()), ("faster", "3.13.0")]
    out = capsys.readouterr()
    assert "BROKEN codegen" in out.out
    assert "the server is gone" in out.err
