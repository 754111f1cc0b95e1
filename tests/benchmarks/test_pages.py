"""Figures that pages state are those that were recorded, all of them, and one of each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import pages as program
from benchmarks.__main__ import BENCHMARKS
from benchmarks._figures import Figure, Target
from benchmarks._results import Recorded, describe_machine, record, recorded
from benchmarks.pages import ROOT, UnknownFigureError, filled, pages, spaced, table, value

RESULTS = {
    "books": Recorded(
        "books",
        "2026-11-30",
        "3.11.7",
        "Linux, 2 cores, idle",
        (
            Figure("books", "updates / a floor", 60616.0, "/s", 44013.0, 1.3772, Target("≥", 0.85, "ratio")),
            Figure("books", "lost", 0.0, target=Target("=", 1)),
            Figure("books", "share", 0.98765, "%"),
            Figure("books", "call", 23.3, "µs CPU"),
        ),
    )
}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("books/updates / a floor/ratio", "1.38"),
        ("books/updates / a floor/ratio:1", "1.4"),
        ("books/updates / a floor/ours", "60 616 /s"),
        ("books/updates / a floor/floor", "44 013 /s"),
        ("books/lost/ours", "0"),
        ("books/share/ours", "98.77 %"),
        ("books/share/ours:0", "99 %"),
        ("books/call/ours:0", "23 µs"),
        ("books/call/ours", "23.3 µs"),
    ],
)
def test_what_a_mark_stands_for(key: str, text: str) -> None:
    assert value(key, RESULTS) == text
    assert filled(f"| a | <!--={key}-->old<!--/--> |", RESULTS) == f"| a | <!--={key}-->{text}<!--/--> |"


@pytest.mark.parametrize(
    "key", ["streams/lost/ours", "books/found/ours", "books/lost/ratio", "books/lost/theirs", "books", ""]
)
def test_a_figure_that_nobody_has_measured_is_refused(key: str) -> None:
    with pytest.raises(UnknownFigureError):
        value(key, RESULTS)


def test_a_missed_target_is_said_in_the_table() -> None:
    rows = "\n".join(table(RESULTS))
    assert "| books | lost |  | 0 |  | = 1 **missed** |" in rows
    assert "| books | updates / a floor | 44 013 /s | 60 616 /s | 1.38 | ≥ 0.85× |" in rows
    assert "| books | 2026-11-30 | 3.11.7 | Linux, 2 cores, idle |" in rows


def test_when_and_where_is_a_figure_too() -> None:
    text = "<!--=books/when-->at last<!--/-->"
    assert filled(text, RESULTS) == "<!--=books/when-->2026-11-30, Python 3.11.7, Linux, 2 cores, idle<!--/-->"


def test_thousands_are_parted_from_five_digits_on() -> None:
    assert spaced("1663, 10512000 and 44013.5") == "1663, 10 512 000 and 44 013.5"


def test_what_a_run_records_takes_the_place_of_its_benchmarks_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    order = ["call", "books"]
    record([Figure("books", "lost", 0.0, note="of one run")], "here, idle", order, "3.11.7", path)
    record([Figure("call", "added", 20.912345678, "µs CPU", 123.0, 1.17)], "here, busy", order, "3.11.7", path)
    record(
        [Figure("books", "lost", 2.0), Figure("books", "share", 0.123456789, "%")], "there, idle", order, "3.13.0", path
    )
    found = recorded(path)
    assert list(found) == order
    assert found["call"].machine == "here, busy"
    assert found["call"].figure("added").ours == 20.9123
    assert [(one.name, one.ours) for one in found["books"].figures] == [("lost", 2.0), ("share", 0.123457)]
    assert "of one run" not in path.read_text("utf-8")


def test_a_machine_is_idle_or_not() -> None:
    assert describe_machine(0.0).endswith(", idle")
    assert describe_machine(100.4).endswith(", busy (load average 100)")


# ------------------------------------------------------------------------------ of this repository


def test_every_page_states_what_was_recorded() -> None:
    results = recorded()
    assert set(results) <= set(BENCHMARKS)
    stated = 0
    for path in pages():
        text = path.read_text("utf-8")
        assert filled(text, results) == text, f"{path.relative_to(ROOT)}: run python -m benchmarks.pages"
        stated += text.count("<!--=")
    assert stated > 50


def test_no_line_begins_with_a_mark() -> None:
    """Markdown takes such a line for HTML and tears the paragraph apart there."""
    for path in pages():
        assert not re.search("^<!--=", path.read_text("utf-8"), re.MULTILINE), path.relative_to(ROOT)


def test_tables_of_what_was_measured_have_no_figure_of_their_own() -> None:
    """In the cells behind the first one, numbers outside of marks are conditions ("at a share of 0.4") at most."""
    typed = []
    for path in pages():
        for found in re.finditer(r"^\| Measured \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", path.read_text("utf-8"), re.MULTILINE):
            for row in found[1].splitlines():
                for cell in row.split("|")[2:]:
                    left = re.sub(r"<!--=.*?<!--/-->", "", cell)
                    left = re.sub(r"at (a share of )?\d(\.\d)?", "", left)
                    if re.search(r"\d", left):
                        typed.append(f"{path.relative_to(ROOT)}: {row}")
    assert typed == []


def test_the_command_says_which_page_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("It loses <!--=books/lost/ours-->7<!--/--> of them.\n", encoding="utf-8")
    wrong = tmp_path / "wrong.md"
    wrong.write_text("<!--=books/nothing/ours-->7<!--/-->\n", encoding="utf-8")
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr(program, "pages", lambda: [page, wrong])
    monkeypatch.setattr(program, "recorded", lambda: RESULTS)
    assert program.main(["--check"]) == 1
    assert capsys.readouterr().out == "page.md: not as recorded\n"
    assert "7" in page.read_text("utf-8")
    assert program.main([]) == 0
    assert page.read_text("utf-8") == "It loses <!--=books/lost/ours-->0<!--/--> of them.\n"
    assert "wrong.md: books/nothing/ours: books has no figure 'nothing'" in capsys.readouterr().err
    assert json.dumps(RESULTS["books"].taken)
