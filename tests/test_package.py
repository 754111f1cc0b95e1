"""What people install: its public names, what importing it costs, and what lies in the wheel."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import binance_sdk
from binance_sdk import errors

ROOT = Path(__file__).resolve().parents[1]

PUBLIC = [
    "BinanceClient",
    "Caps",
    "Headers",
    "Plan",
    "RequestOptions",
    "Response",
    "SyncBinanceClient",
    "__version__",
    "errors",
]
ERRORS = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "ArchiveError",
    "AuthenticationError",
    "BadRequestError",
    "BinanceError",
    "BookNotSyncedError",
    "BudgetError",
    "CircuitOpenError",
    "ConfigError",
    "DatasetError",
    "DecodeError",
    "ForbiddenError",
    "HistoryError",
    "IPBannedError",
    "NotFoundError",
    "ParameterError",
    "RateLimitError",
    "RestrictedLocationError",
    "RunError",
    "ServerError",
    "StoreError",
    "StreamError",
]

# ------------------------------------------------------------------------------------- public names


def test_public_names_are_these() -> None:
    # A change here is a change for everybody: a new name is a minor release, a lost one a major.
    assert sorted(binance_sdk.__all__) == PUBLIC
    assert sorted(errors.__all__) == ERRORS


@pytest.mark.parametrize("name", ["binance_sdk", "binance_sdk.errors", "binance_sdk.spot", "binance_sdk.futures"])
def test_every_public_name_is_there_and_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        thing = getattr(module, public)
        if isinstance(thing, type):
            assert thing.__doc__, f"{name}.{public}"


def test_errors_are_one_tree() -> None:
    for name in ERRORS:
        kind = getattr(errors, name)
        assert issubclass(kind, errors.BinanceError)
        # The tree drawn in the docstring names every one.
        assert name in (errors.__doc__ or "")
    assert issubclass(errors.ParameterError, ValueError)
    assert issubclass(errors.APITimeoutError, errors.APIConnectionError)
    assert not issubclass(errors.APIConnectionError, errors.APIError)


@pytest.mark.parametrize(
    ("market", "names"),
    [
        ("spot", ["Kline", "OrderBook", "Ticker24hr", "KlineInterval", "PriceLevel", "Trade", "ExchangeInfo"]),
        ("futures", ["OpenInterest", "PremiumIndex", "Kline", "PriceKline", "FundingRate", "KlineInterval"]),
    ],
)
def test_models_rows_and_literals_of_a_market(market: str, names: list[str]) -> None:
    assert set(names) <= set(importlib.import_module(f"binance_sdk.{market}").__all__)


# ------------------------------------------------------------------------------------ cost of import

HEAVY = {
    *("httpx", "httpcore", "websockets", "yaml", "jinja2", "rich", "typer", "click", "datamodel_code_generator"),
    *("numpy", "pandas", "uvicorn", "msgspec", "codegen"),
}


@pytest.mark.parametrize(
    "statement", ["import binance_sdk", "from binance_sdk import *; BinanceClient(); SyncBinanceClient()"]
)
def test_importing_loads_nothing_heavy(statement: str) -> None:
    code = f"import sys; {statement}; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []
    assert found.stderr == ""


def test_sniffio_is_there() -> None:
    # httpcore asks for it on every request; where it is missing, each question searches sys.path.
    assert importlib.util.find_spec("sniffio") is not None


# --------------------------------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of the wheel by name."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_holds_the_package_and_nothing_else(content: dict[str, bytes]) -> None:
    top = {name.split("/")[0] for name in content}
    info = {name for name in top if name.endswith(".dist-info")}
    assert len(info) == 1
    # ``adapters``, ``tests`` and the like are names other distributions have, too.
    assert top - info in ({"binance_sdk"}, {"binance_sdk", "virtuoso_binance"})
    tracked = {path for path in git_files() if path.startswith("binance_sdk/")}
    assert tracked <= set(content)
    for needed in ("py.typed", "_generated/spot/fixtures.json", "_generated/futures/fixtures.json"):
        assert f"binance_sdk/{needed}" in content
    for name in content:
        assert not name.endswith((".pyc", ".j2", ".yaml", ".golden")), name
        assert not re.search(r"(^|/)(tests|spec|codegen|adapters|benchmarks)/", name), name


def test_the_metadata_of_the_wheel(content: dict[str, bytes]) -> None:
    (name,) = (name for name in content if name.endswith("/METADATA"))
    metadata = Parser().parsestr(content[name].decode())
    assert metadata["Name"] == "binance-market-sdk"
    assert metadata["Version"] == binance_sdk.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert {"cli", "simulator", "codegen", "dev", "all"} <= set(metadata.get_all("Provides-Extra", []))
    needed = [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]
    names = {re.split(r"[^A-Za-z0-9_-]", text)[0] for text in needed}
    assert {"httpx", "pydantic", "sniffio"} <= names
    assert not names & {"numpy", "pandas", "rich", "typer", "uvicorn", "pyyaml", "jinja2", "ruff"}
    for text in needed:
        assert "==" not in text, f"{text}: a library must not pin what it stands on"
    entry_points = content[name.replace("METADATA", "entry_points.txt")].decode()
    assert "binance-sdk = binance_sdk.cli:main" in entry_points


# ---------------------------------------------------------------------------------- the repository


def git_files() -> list[str]:
    found = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=False, cwd=ROOT)
    if found.returncode:
        pytest.skip("not a git checkout")
    return [name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


SUSPICIOUS = {
    "a path of somebody's machine": r"(?<![\w.:/-])/(home|root|Users|work|mnt|srv)/\w",
    "a drive of somebody's machine": r"\b[A-Z]:\\{1,2}Users\b",
    "an index of packages": r"(?i)\b(index-url|extra-index-url|find-links|trusted-host)\b[ =]+\S*//",
    "a host with credentials": r"https?://[^/\s:@'\"`{}]+:[^/\s@'\"`{}]+@(?!127\.0\.0\.1)",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    # Sixty-four letters and digits of all three kinds; a hash has one case only.
    "a key of Binance": (
        r"(?<![\w+/=-])(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{64}(?![\w+/=-])"
    ),
    "a key of a cloud": r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[bpars]-[A-Za-z0-9-]{10,})\b",
    "the secret of a key": r"(?i)\b(api_?secret|secret_?key)\b\s*[=:]\s*['\"][A-Za-z0-9]{16,}",
}


@pytest.mark.parametrize(
    ("what", "example"),
    [
        ("a path of somebody's machine", "see /home" + "/ann/x"),
        ("an index of packages", "--index-url https:" + "//pypi.example/simple"),
        ("a host with credentials", "https://ann:hush" + "@example.org"),
        ("a key of Binance", "aB3" + "dE6gH9" * 10 + "x"),
        ("the secret of a key", "api_secret" + " = 'abcdefgh12345678'"),
    ],
)
def test_suspicious_texts_are_found(what: str, example: str) -> None:
    assert re.search(SUSPICIOUS[what], example)


def test_no_file_tells_a_machine_path_a_registry_or_a_secret() -> None:
    patterns = {what: re.compile(pattern) for what, pattern in SUSPICIOUS.items()}
    found = []
    for name in git_files():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        for what, pattern in patterns.items():
            match = pattern.search(text)
            if match:
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {what}: {match[0][:60]!r}")
    assert found == []
