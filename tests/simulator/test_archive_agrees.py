"""The archive of the spec and that of the simulator say the same, though neither is made from the other."""

from __future__ import annotations

import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.simulator.archive.kinds import FOLDERS, KINDS, SPELLINGS, FileKind, intervals_of

OURS = [(market, kind) for market, kinds in KINDS.items() for kind in kinds.values()]


@pytest.mark.parametrize(("market", "kind"), OURS, ids=[f"{market}.{kind.name}" for market, kind in OURS])
def test_a_kind_of_files_is_the_same_in_the_spec(market: str, kind: FileKind) -> None:
    said = ARCHIVE.kinds[market, kind.name]
    assert (said.folder, set(said.periods)) == (kind.folder, set(kind.periods))
    assert ",".join(column.wire for column in said.columns) == kind.header
    assert {period: set(intervals) for period, intervals in said.intervals.items() if intervals} == {
        period: set(intervals_of(market, kind, period)) for period in kind.periods if kind.intervals
    }
    moments = [place for place, column in enumerate(said.columns) if column.type in ("time", "text_time")]
    assert tuple(moments) == kind.times
    blank = {place for place, column in enumerate(said.columns) if column.nullable}
    assert not blank or blank >= set(kind.may_be_blank)


def test_folders_and_spellings_are_the_same_in_the_spec() -> None:
    assert {folder: market for market, folder in ARCHIVE.folders.items()} == dict(FOLDERS)
    assert dict(ARCHIVE.spellings) == dict(SPELLINGS)


def test_what_the_simulator_lacks_has_ended_or_has_no_endpoint() -> None:
    """Whatever REST answers too can be compared, so the simulator has it."""
    lacking = {key for key in ARCHIVE.kinds if key not in {(market, kind.name) for market, kind in OURS}}
    assert {key for key in lacking if ARCHIVE.kinds[key].rest} == set()
    assert {name for _, name in lacking} == {"book_ticker", "book_depth", "liquidation_snapshot"}
