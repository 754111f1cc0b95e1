"""``codegen lint``: the house rules, and facts that nobody has looked at for half a year."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tiny import REPOSITORY, TinySpec

from codegen.__main__ import main
from codegen.checks.lint import broken_rules, old_facts
from codegen.load import load
from codegen.spec_model.base import Source, nodes_below
from codegen.spec_model.dictionary import NamesFile
from codegen.spec_model.files import MODELS

TODAY = date(2026, 3, 1)
"""Two months after the sources of the tiny spec were read."""


def broken(tiny: TinySpec, today: date = TODAY) -> list[str]:
    return [str(problem) for problem in broken_rules(tiny.load(), today)]


def test_this_repository_keeps_the_rules() -> None:
    assert broken_rules(load(REPOSITORY / "spec"), date(2026, 11, 30)) == []


def test_the_tiny_spec_keeps_them(tiny: TinySpec) -> None:
    assert broken(tiny) == []
    assert old_facts(tiny.load(), TODAY) == []


def test_every_file_with_facts_of_binance_has_a_source() -> None:
    # names.yaml holds our own words.
    assert [model for model in MODELS if "source" not in model.model_fields] == [NamesFile]
    assert all(model.model_fields["source"].is_required() for model in MODELS if model is not NamesFile)


def test_a_source_of_the_future_is_refused(tiny: TinySpec) -> None:
    tiny.change(
        "spot/market.yaml",
        "source: {document: Tiny docs, date: 2026-01-02}",
        "source:\n  document: Tiny docs\n  date: 2026-03-03",
    )
    assert broken(tiny) == ["spot/market.yaml:4: nobody can have read `Tiny docs` on 2026-03-03, which is to come"]
    # East of Greenwich it is tomorrow already.
    assert broken(tiny, date(2026, 3, 2)) == []


def test_what_was_observed_has_a_day(tiny: TinySpec) -> None:
    tiny.change("futures/market.yaml", "    uncertain: [Nobody knows.]", "    observed: It cost 2.\n")
    assert broken(tiny) == [
        "futures/market.yaml:28: `observed` begins with the day, or the month, on which it was seen, such as "
        "`2026-10-07: ...`"
    ]
    tiny.change("futures/market.yaml", "observed: It", 'observed: "2026-01: it')
    tiny.change("futures/market.yaml", "cost 2.", 'cost 2."')
    assert broken(tiny) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "printed"),
    [
        pytest.param(
            "spot/market.yaml",
            "  Price:\n",
            "  Loner:\n    description: One.\n    row: [{name: quote, type: decimal, description: One.}]\n  Price:\n",
            "spot/market.yaml:21: Loner: is part of no answer; drop it",
            id="schema",
        ),
        pytest.param(
            "spot/market.yaml",
            "  Detail:\n",
            "  Loner:\n    description: One.\n    values: [A]\n  Detail:\n",
            "spot/market.yaml:9: Loner: holds values of no parameter and no field; drop it",
            id="enum",
        ),
    ],
)
def test_what_nobody_gets(file: str, old: str, new: str, printed: str, tiny: TinySpec) -> None:
    assert broken(tiny.change(file, old, new)) == [printed]


def test_a_fact_is_old_after_half_a_year(tiny: TinySpec) -> None:
    spec = tiny.load()
    sources = sum(isinstance(node, Source) for _, file in spec.documents for node, _ in nodes_below(file, ()))
    assert old_facts(spec, date(2026, 7, 1)) == []
    told = [str(problem) for problem in old_facts(spec, date(2026, 7, 2))]
    assert len(told) == sources > 5
    assert (
        "spot/market.yaml:2: read on 2026-01-02, 181 days ago: compare with `Tiny docs` again and write the new date"
        in told
    )


def lint(folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, list[str]]:
    capsys.readouterr()
    code = main(["--spec", str(folder), "--out", str(out), "lint"])
    shown = capsys.readouterr()
    return code, shown.out, shown.err.splitlines()


def test_old_facts_never_turn_the_command_red(
    tiny: TinySpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.change("spot/market.yaml", "date: 2026-01-02", "date: 2020-01-02")
    code, out, err = lint(tiny.folder, tmp_path / "out", capsys)
    assert code == 0
    assert "no mistake, " in out
    assert " older than 180 days" in out
    assert any(
        line.startswith("spot/market.yaml:2: read on 2020-01-02") and line.endswith("(a warning)") for line in err
    )


def test_a_broken_rule_turns_it_red(tiny: TinySpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.change("spot/market.yaml", "date: 2026-01-02", "date: 2999-01-02")
    code, _, err = lint(tiny.folder, tmp_path / "out", capsys)
    assert code == 1
    assert err[-2:] == [
        "spot/market.yaml:2: nobody can have read `Tiny docs` on 2999-01-02, which is to come",
        "1 house rule broken",
    ]
