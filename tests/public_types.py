"""``make check``: every public symbol of what is installed has a type that every checker reads alike.

pyright measures it on packages as they are installed, so they are laid beside a copy of this environment's paths.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "binance_sdk", ROOT / "adapters" / "virtuoso_binance")


def faults(packages: Sequence[Path]) -> list[str]:
    """Symbols whose types are missing, or read in more than one way, with what pyright says of them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "venv")], check=True)
        site = home / "venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        (site / "installed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
        for package in packages:
            shutil.copytree(package, site / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        return [fault for package in packages for fault in _faults(package.name, home)]


def _faults(name: str, home: Path) -> Iterator[str]:
    # Whether it finds a package depends on the interpreter that the path leads to, not on --pythonpath.
    path = f"{home / 'venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--verifytypes", name, "--ignoreexternal", "--outputjson"],
        cwd=home,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        yield f"{name}: pyright said nothing that can be read: {done.stdout}{done.stderr}"
        return
    if report.get("pyTypedPath") is None:
        yield f"{name}: no py.typed, so nobody reads its types"
    elif not report["symbols"]:
        yield f"{name}: no public symbol was found"
    for symbol in report["symbols"]:
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]:
            said = "; ".join(one["message"].splitlines()[0] for one in symbol["diagnostics"])
            yield f"{symbol['name']}: {said or 'its type is not known'}"


def main() -> int:
    found = faults(PACKAGES)
    for fault in found:
        print(fault, file=sys.stderr)  # noqa: T201
    if not found:
        print("every public symbol has a type that every checker reads alike")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
