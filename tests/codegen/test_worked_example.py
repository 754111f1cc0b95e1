"""``docs/when-binance-changes.md``, followed from alarm to release: what it prints is what stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny import REPOSITORY

import codegen.__main__
from binance_sdk.simulator import Simulator
from tests.pages import blocks

PAGE = "docs/when-binance-changes.md"
_COMMAND = "$ python -m codegen "
_COPIED = ("binance_sdk", "spec", "CHANGELOG.md", "tests/contract/endpoint_table.py")
_TRADES, _TABLE, _WEIGHTS = (
    "spec/spot/trades.yaml",
    "tests/contract/endpoint_table.py",
    "binance_sdk/simulator/rest/weights.py",
)
_AGG_TRADES = '[({}, 2), ({"limit": 1}, 2), ({"limit": 1000}, 2), ({"fromId": 7}, 2)],'
_BEFORE = (
    (_TRADES, re.compile(r"^  historical_block_trades:\n(?:    .*\n)+", re.MULTILINE), ""),
    (_TRADES, re.compile(r"^  HistoricalBlockTrade:\n(?:    .*\n)+", re.MULTILINE), ""),
    (_TRADES, re.compile(r"(?<=path: /api/v3/aggTrades\n    weight: )4"), "2"),
    ("spec/spot/general.yaml", re.compile(r", CANCEL_ONLY\]"), "]"),
    (_TABLE, re.compile(r"^    \"spot\.historical_block_trades\": \[.*\n", re.MULTILINE), ""),
    (_TABLE, re.compile(r"(?<=\"spot.agg_trades\": )\[.*"), _AGG_TRADES),
    (_WEIGHTS, re.compile(r"^    \"/api/v3/historicalBlockTrades\": .*\n", re.MULTILINE), ""),
    (_WEIGHTS, re.compile(r"(?<=\"/api/v3/aggTrades\": _flat\()4"), "2"),
)
"""What the spec, and the tables written by hand, did not say yet."""


@dataclass
class Checkout:
    """A copy in which the page is followed."""

    root: Path
    simulator: Simulator
    capsys: pytest.CaptureFixture[str]

    def change(self, file: str, change: Callable[[str], str]) -> None:
        path = self.root / file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        path.write_text(change(text), encoding="utf-8")

    def edit(self, file: str, diff: str) -> None:
        """Put in what a diff puts in, where the rest of it stands; ``...`` is anything."""
        lines = diff.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))

        pattern = re.compile(re.escape(old).replace(re.escape("..."), ".*"))

        def replaced(text: str) -> str:
            assert len(pattern.findall(text)) == 1, f"{file} has {len(pattern.findall(text))} times:\n{old}"
            return pattern.sub(lambda _: new, text)

        self.change(file, replaced)

    def run(self, command: str) -> str:
        """What a command prints."""
        arguments = shlex.split(command)
        if arguments[0] == "verify":
            markets = ("spot", "futures", "coin_futures")
            arguments += [f"--{m.replace('_', '-')}-base-url={self.simulator.base_url(m)}" for m in markets]
        self.capsys.readouterr()
        codegen.__main__.main(arguments)
        said = self.capsys.readouterr()
        return said.out + said.err


def alike(text: str) -> str:
    """Without what is another the next time, and what every change of a file moves."""
    text = re.sub(r"\d+ requests in \d+ s", "N requests in N s", text)
    # The copy has generated what the spec says today.
    text = re.sub(r"\d+ files, \d+ changed\n(?:  .*\n?)+", "N files, N changed", text)
    text = re.sub(r"\d+ files agree", "N files agree", text)
    text = re.sub(r"(\.yaml|\.py):\d+", r"\1:N", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Checkout]:
    for name in _COPIED:
        source, target = REPOSITORY / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("codegen.__main__.ROOT", tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    with Simulator() as simulator:
        yield Checkout(tmp_path, simulator, capsys)


def test_the_page_is_what_happens(checkout: Checkout) -> None:
    for file, pattern, past in _BEFORE:
        assert len(pattern.findall((checkout.root / file).read_text(encoding="utf-8"))) == 1, (file, pattern.pattern)
        checkout.change(file, lambda text, pattern=pattern, past=past: pattern.sub(past, text))
    (checkout.root / "spec/fixtures/spot/historical_block_trades.json").unlink()
    checkout.run("release --again")
    checkout.simulator.set_status("spot", "DOGEUSDT", "CANCEL_ONLY")
    printed = 0
    for block in blocks(PAGE):
        if block.mark == "edit":
            checkout.edit(block.place, block.code)
        elif block.mark == "file":
            checkout.change(block.place, lambda _, written=block.code: written)
        elif block.language == "console":
            for part in block.code.removeprefix(_COMMAND).split(f"\n{_COMMAND}"):
                command, _, wanted = part.partition("\n")
                assert alike(checkout.run(command)) == alike(wanted), command
                printed += 1
    assert printed > 10
