"""What fuzzing finds is kept short, once each, and can be run again; nothing takes forever."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz import target as target_module
from tests.fuzz.__main__ import main
from tests.fuzz.mutating import by_bytes
from tests.fuzz.running import failure_of, fuzz
from tests.fuzz.target import BeyondBoundsError, Target, within_bounds
from tests.fuzz.targets import TARGETS


def chokes_on_x(data: bytes) -> bool:
    if b"x" in data:
        raise KeyError("x")
    return True


@pytest.fixture
def chokes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    monkeypatch.setattr(target_module, "CORPUS", tmp_path)
    return Target("chokes", chokes_on_x, lambda: [b"w" * 20 + b"x" + b"w" * 20], by_bytes)


def test_what_fails_is_kept_once_and_as_short_as_it_goes(chokes: Target) -> None:
    found = fuzz(chokes, 0.05, seed=1)
    assert found.read < found.executions
    ((path, text),) = found.failures
    assert "KeyError: 'x'" in text
    assert chokes.corpus() == [path]
    assert path.read_bytes() == b"x"
    failure = failure_of(chokes, b"axb")
    assert failure is not None
    assert failure[0].startswith("KeyError ")
    assert failure_of(chokes, b"ab") is None


def spin() -> None:
    while True:
        pass


def test_what_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_module, "SECONDS", 0.02)
    with pytest.raises(BeyondBoundsError, match="processor time"), within_bounds():
        spin()


def test_what_takes_too_much_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter((100.0, 100.0 + target_module.MEBIBYTES + 1))
    monkeypatch.setattr(target_module, "_most_memory", lambda: next(peaks))
    with pytest.raises(BeyondBoundsError, match="257 MiB of memory"), within_bounds():
        pass


def test_changes_depend_on_nothing_but_the_random_numbers() -> None:
    for target in TARGETS.values():
        one, other = random.Random(3), random.Random(3)
        for data in target.seeds()[:3]:
            assert target.mutate(data, one) == target.mutate(data, other)


def test_inputs_of_the_corpus_are_run_again_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    kept = [str(path) for target in TARGETS.values() for path in target.corpus()]
    assert kept
    assert main(kept) == 0
    assert capsys.readouterr().out.count("read or refused as documented") == len(kept)
    assert main([__file__]) == 2


def test_every_folder_of_the_corpus_has_its_target() -> None:
    assert {path.name for path in target_module.CORPUS.iterdir()} <= set(TARGETS)
