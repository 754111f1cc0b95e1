"""``python -m codegen generate | check | lint``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen.documents import SpecError
from codegen.load import load

ROOT = Path(__file__).resolve().parent.parent
_TOOLS = ("datamodel_code_generator", "jinja2", "ruff")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m codegen", description="Turns spec/ into binance_sdk/_generated/.")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec", help="folder with the spec (default: spec/)")
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "binance_sdk" / "_generated",
        help="folder to write (default: binance_sdk/_generated/)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="write what the spec says")
    commands.add_parser("check", help="exit 1 and print the diff where the written code differs from the spec")
    commands.add_parser("lint", help="only read and check the spec")
    options = parser.parse_args(arguments)
    try:
        spec = load(options.spec)
    except SpecError as error:
        print(error, file=sys.stderr)
        count = len(error.problems)
        print(
            f"{count} mistake{'' if count == 1 else 's'} in {options.spec.name}/; nothing was written", file=sys.stderr
        )
        return 2
    if options.command == "lint":
        print(
            f"{len(spec.operations)} endpoints, {len(spec.streams)} streams, {len(spec.schemas) + len(spec.events)} "
            f"schemas, {len(spec.fixtures) + len(spec.stream_fixtures)} fixtures: no mistake"
        )
        return 0
    try:
        from codegen.render import difference, is_ours, render, write

        files = render(spec)
    except ModuleNotFoundError as error:
        if error.name not in _TOOLS:
            raise
        print(
            f"{sys.executable} has no {error.name}; run `make check` or `make generate`, which set up what is needed, "
            "or install the extra `codegen`",
            file=sys.stderr,
        )
        return 2
    if options.command == "check":
        diff = difference(files, options.out)
        if diff:
            print(diff, end="")
            print("the written code differs from the spec; run `python -m codegen generate`", file=sys.stderr)
            return 1
        print(f"{len(files)} files agree with the spec")
        return 0
    if not is_ours(options.out):
        print(f"{options.out} holds files the generator did not write; choose an empty folder", file=sys.stderr)
        return 2
    changed = write(files, options.out)
    print(f"{len(files)} files, {len(changed)} changed" + "".join(f"\n  {name}" for name in changed))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
