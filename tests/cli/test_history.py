"""``binance-sdk history`` on the simulator: what it shows, what it keeps, and how it ends."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from binance_sdk import history
from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.cli.history_progress import RunProgress, size_of, told
from binance_sdk.history import Piece, Progress, Series
from binance_sdk.simulator import Fault, FileFault, ManualClock, Simulator

from .support import Cli, start

NOW = int(datetime(2026, 6, 15, 8, 2, tzinfo=UTC).timestamp() * 1000)
WAIT = 60.0
FETCH = ("history", "BTCUSDT", "-m", "futures", "-i", "1h", "--since", "2026-06-10")
"""Five days from the archive, and eight hours of the running one over REST."""
BLOCKED = "import sys; sys.modules['polars'] = None; from binance_sdk.cli import main; main()"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW), history_days=60, symbols=["BTCUSDT", "ETHUSDT"]) as running:
        yield running


@pytest.fixture(autouse=True)
def _surroundings(exchange: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def time(_: AsyncClock) -> float:
        return NOW / 1000

    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", exchange.url)
    monkeypatch.delenv("BINANCE_SDK_LIMITS_URL", raising=False)
    monkeypatch.setattr(AsyncClock, "time", time)
    yield
    exchange.archive.faults.clear()
    exchange.faults.clear()


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(tmp_path / "data")


def files_asked(exchange: Simulator) -> int:
    return sum(count for path, count in exchange.archive_requests().items() if path.startswith("/data/"))


# ------------------------------------------------------------------------------------------- fetching


def test_what_it_takes_is_shown_and_nothing_is_fetched(cli: Cli, exchange: Simulator) -> None:
    before = files_asked(exchange)
    ran = cli(*FETCH, "--dry-run")
    assert (ran.code, ran.errors) == (0, "")
    assert "klines 1h of BTCUSDT, 2026-06-10 to 2026-06-15 (UTC)" in ran.output
    assert "│ archive, by day │      5 │ 2026-06-10 to 2026-06-15 " in ran.output
    assert "│ REST            │      1 │ 2026-06-15 to 2026-06-15 08:00:00 │" in ran.output
    assert ran.output.rstrip().endswith("Nothing was fetched.")
    plan = json.loads(cli(*FETCH, "--dry-run", "--json").output)
    assert [piece["source"] for piece in plan["pieces"]] == ["archive_daily"] * 5 + ["rest"]
    assert plan["rows"] == {"value": 128, "certainty": "at_most"}
    assert files_asked(exchange) == before


def test_a_fetch_keeps_what_it_planned_and_the_next_one_only_what_is_new(cli: Cli, data: str) -> None:
    ran = cli(*FETCH, "--out", data)
    assert ran.code == 0
    assert "6 pieces with 128 rows are new in" in ran.output
    assert history.check(data).rows == 128
    again = cli(*FETCH, "--out", data)
    assert (again.code, again.errors) == (0, "")
    assert "nothing to fetch; 6 pieces are there already" in again.output
    more = cli("history", "fetch", "BTCUSDT", "--market", "futures", "-i", "1h", "--since", "2026-06-09", "--out", data)
    assert "1 pieces with 24 rows are new in" in more.output


def test_the_terms_are_said_once_for_a_dataset(cli: Cli, data: str) -> None:
    terms = ARCHIVE.terms
    first = cli(*FETCH, "--out", data, "--until", "2026-06-12")
    said = f"{terms.name} {terms.version} of {terms.date}: {terms.licence}. Commercial use needs {terms.commercial}"
    assert said in first.errors
    assert terms.url in first.errors
    assert first.errors.count("\n") == 1
    assert cli(*FETCH, "--out", data).errors == ""
    # Nothing of it comes from the archive.
    assert cli(*FETCH, "--out", f"{data}-rest", "--source", "rest", "--since", "2026-06-15").errors == ""


def test_a_program_gets_json(cli: Cli, data: str) -> None:
    report: dict[str, Any] = json.loads(cli(*FETCH, "--out", data, "--json").output)
    assert (len(report["fetched"]), report["rows"], report["failures"]) == (6, 128, [])
    assert report["fetched"][0]["symbol"] == "BTCUSDT"
    assert history.Dataset.open(data).prices == "decimal"


def test_prices_are_floats_where_that_is_wanted(cli: Cli, data: str) -> None:
    assert cli(*FETCH, "--out", data, "--prices", "float").code == 0
    assert history.Dataset.open(data).prices == "float"
    other = cli(*FETCH, "--out", data, "--since", "2026-06-01", "--prices", "decimal")
    assert other.code == 6
    assert "has prices as float, not decimal" in other.errors
    # Also where nothing is left to fetch, and before anything is asked.
    again = cli(*FETCH, "--out", data, "--prices", "decimal")
    assert (again.code, again.output) == (6, "")
    assert "has prices as float, not decimal" in again.errors
    assert cli(*FETCH, "--out", data, "--prices", "float").code == 0


def test_prices_that_there_are_none_of_are_refused_before_anything_is_asked(cli: Cli, data: str) -> None:
    ran = cli(*FETCH, "--out", data, "--prices", "exact")
    assert (ran.code, ran.output) == (2, "")
    assert ran.errors == "binance-sdk: prices='exact': they are 'decimal' or 'float'\n"
    assert not Path(data).exists()


def test_remarks_are_grouped(cli: Cli, data: str, exchange: Simulator) -> None:
    exchange.archive.faults.add(FileFault.unsorted_rows(), where="*-2026-06-1[12].zip")
    ran = cli(*FETCH, "--out", data)
    assert ran.code == 0
    line = next(line for line in ran.output.splitlines() if "unsorted_rows" in line)
    assert [cell.strip() for cell in line.split("│")][2:4] == ["2", "24"]


# -------------------------------------------------------------------------------- keeping up, proving


def test_sync_brings_a_dataset_up_to_now(cli: Cli, data: str, exchange: Simulator) -> None:
    exchange.archive.faults.add(FileFault.missing_rows(), where="*-2026-06-11.zip")
    assert cli(*FETCH, "--out", data, "--until", "2026-06-13").code == 0
    exchange.archive.faults.clear()
    ran = cli("history", "sync", data)
    assert ran.code == 0
    assert "3 files compared with the archive's, 1 of them replaced since" in " ".join(ran.output.split())
    assert history.check(data).rows == 128
    report = json.loads(cli("history", "sync", data, "--json", "--no-checksums").output)
    assert (report["checked"], report["changed"]) == (0, [])


def test_check_tells_what_is_wrong_and_what_is_missing_by_its_exit_code(
    cli: Cli, data: str, exchange: Simulator
) -> None:
    exchange.archive.faults.add(FileFault.missing_file(), where="*-2026-06-11.zip")
    assert cli(*FETCH, "--out", data, "--source", "archive", "--until", "2026-06-13").code == 0
    holes = cli("history", "check", data)
    assert holes.code == 7
    assert "something is missing" in holes.output
    assert "│ BTCUSDT 1h klines of" in holes.output
    exchange.archive.faults.clear()
    assert cli("history", "sync", data).code == 0
    whole = cli("history", "check", data)
    assert (whole.code, whole.errors) == (0, "")
    assert "128 rows of 1 series" in whole.output
    assert "all is there, and right" in whole.output
    damaged = next(Path(data).rglob("*2026-06-12*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    wrong = cli("history", "check", data, "--json")
    assert wrong.code == 4
    assert json.loads(wrong.output)["sound"] is False


def test_a_deep_check_asks_the_sources_as_well(cli: Cli, data: str, exchange: Simulator) -> None:
    assert cli(*FETCH, "--out", data, "--until", "2026-06-12").code == 0
    assert cli("history", "check", data, "--deep").code == 0
    exchange.archive.faults.add(FileFault.other_values(), where="*-2026-06-11.zip")
    assert cli("history", "check", data).code == 0
    ran = cli("history", "check", data, "--deep")
    assert ran.code == 4
    assert "replaced" in ran.output


def test_info_tells_what_there_is_by_the_manifest_alone(cli: Cli, data: str) -> None:
    assert cli(*FETCH, "--out", data).code == 0
    ran = cli("history", "info", data)
    assert (ran.code, ran.errors) == (0, "")
    assert "128 rows of 1 series" in ran.output
    assert "prices as decimal; under version 1.0 of the archive's terms" in " ".join(ran.output.split())
    told = json.loads(cli("history", "info", data, "--json").output)
    assert told["series"][0]["sources"] == {"archive_daily": 5, "rest": 1}
    assert (told["rows"], told["facts"]["terms"]) == (128, ARCHIVE.terms.version)


# ------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (FETCH, 2, "--out is missing"),
        ((*FETCH, "--dry-run", "--kind", "kline"), 2, "did you mean 'klines'"),
        ((*FETCH, "--dry-run", "--source", "both"), 2, "must be one of 'auto', 'archive', 'rest'"),
        ((*FETCH[:4], "--since", "2026-06-10", "--dry-run"), 2, "interval=None is required for klines"),
        ((*FETCH, "--dry-run", "--since", "yesterday"), 2, "is no date"),
        (("history", "NOSUCH", "-i", "1h", "--since", "2026-06-10", "--dry-run"), 2, "check the spelling"),
        (("history", "check", "/nowhere/at/all"), 6, "/nowhere/at/all"),
        (("history", "info", "/nowhere/at/all"), 6, "/nowhere/at/all"),
        (("history", "sync", "/nowhere/at/all"), 6, "/nowhere/at/all"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(cli: Cli, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.output, ran.errors.count("\n")) == (code, "", 1)
    assert words in ran.errors


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault.restricted(), 1), (Fault.forbidden(), 1), (Fault.banned(600), 5)],
    ids=["451", "403", "418"],
)
def test_a_refusing_archive_decides_the_exit_code(
    cli: Cli, data: str, exchange: Simulator, fault: Fault, code: int
) -> None:
    exchange.faults.add(fault, where="archive.futures.klines.zip")
    ran = cli(*FETCH, "--out", data, "--source", "archive")
    assert ran.code == code
    assert "pieces could not be fetched" in ran.errors
    assert "│ failed " in ran.output


def test_a_file_that_is_not_what_its_checksum_says_fails_and_the_others_are_kept(
    cli: Cli, data: str, exchange: Simulator
) -> None:
    exchange.archive.faults.add(FileFault.wrong_checksum(), where="*-2026-06-11.zip")
    ran = cli(*FETCH, "--out", data, "--source", "archive", "--json")
    assert ran.code == 1
    failures = json.loads(ran.output)["failures"]
    assert [failure["error"] for failure in failures] == ["ArchiveError"]
    assert "2026-06-11.daily" in failures[0]["piece"]
    assert history.check(data).rows == 4 * 24


# --------------------------------------------------------------------------------------- as a process


def children(process: subprocess.Popen[str]) -> list[Path]:
    """What the system tells of the children of a process, where it tells such things."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [Path(f"/proc/{child}") for child in listed.read_text().split()] if listed.exists() else []


@pytest.mark.parametrize(
    ("more", "end", "code"),
    [
        pytest.param((), signal.SIGINT, 130, id="alone"),
        pytest.param(("--workers", "2"), signal.SIGTERM, 143, id="two processes, by SIGTERM"),
    ],
)
def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(
    tmp_path: Path, more: tuple[str, ...], end: signal.Signals, code: int
) -> None:
    with Simulator(history_days=20, symbols=["BTCUSDT"]) as running:
        today = datetime.now(UTC)
        running.faults.add(Fault.silence(WAIT), where=f"*-1h-{today - timedelta(days=4):%Y-%m-%d}.zip")
        since = f"{today - timedelta(days=8):%Y-%m-%d}"
        command = ("history", "BTCUSDT", "-m", "futures", "-i", "1h", "--since", since, "--out", str(tmp_path / "data"))
        process = start(*command, *more, BINANCE_SDK_SIMULATOR=running.url)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        assert process.stderr.readline().startswith("binance-sdk: ")
        # A piece is kept when it has its record.
        while not list((tmp_path / "data").glob("_manifest/market=*/**/*.json")):
            assert process.poll() is None
            time.sleep(0.01)
        workers = children(process)
        process.send_signal(end)
        _, errors = process.communicate(timeout=WAIT)
        assert process.returncode == code
        # Whoever outlived the process would wait for work for ever.
        until = time.monotonic() + WAIT
        while any(worker.exists() for worker in workers):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert errors.startswith("binance-sdk: interrupted")
        assert f"what was fetched is kept in {tmp_path / 'data'}, and the same command goes on" in errors
        kept = history.Dataset.open(tmp_path / "data").records()
        running.faults.clear()
        process = start(*command, BINANCE_SDK_SIMULATOR=running.url)
        output, errors = process.communicate(timeout=WAIT)
        assert (process.returncode, errors) == (0, "")
        assert f"{len(kept)} pieces are there already" in " ".join(output.split())
        assert history.check(tmp_path / "data").sound


def test_without_the_history_extra(tmp_path: Path, exchange: Simulator) -> None:
    arguments = (*FETCH, "--out", str(tmp_path / "data"))
    process = start(*arguments, code=BLOCKED, BINANCE_SDK_SIMULATOR=exchange.url)
    _, errors = process.communicate(timeout=WAIT)
    assert process.returncode == 2
    assert "polars" in errors
    assert "pip install" in errors
    assert "history]" in errors
    assert errors.count("\n") == 1


# ------------------------------------------------------------------------------------------- progress

PIECE = Piece(Series("futures", "klines", "BTCUSDT", "1h"), NOW, NOW + 1, "archive_daily")


def progress(done: int, left: float | None = 90.0) -> Progress:
    return Progress(done, 40, 1_234_567, 80, 120, 41_200_000, 12.5, left, PIECE)


def test_a_line_of_progress_has_rows_weight_bytes_and_the_time_left() -> None:
    assert told(progress(12)) == "12/40 pieces, 1.23M rows, weight 120, 41.2 MB, 1 min 30 s left"
    assert told(progress(0, None)).endswith("– left")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (41_249_000, "41.2 MB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")],
)
def test_bytes_are_said_in_a_unit_that_fits(count: float, text: str) -> None:
    assert size_of(count) == text


def test_a_terminal_sees_the_bar_and_a_pipe_nothing() -> None:
    for is_terminal in (True, False):
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=is_terminal, width=160)
        with RunProgress(console) as shown:
            assert shown.so_far() == ""
            shown.show(progress(12))
            assert shown.so_far() == " after 12 of 40 pieces"
        assert ("12/40 pieces" in screen.getvalue()) is is_terminal
