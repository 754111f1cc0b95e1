"""``python -m codegen generate | check | lint | verify | diff | changelog | release | import | draft | new``."""

from __future__ import annotations

import argparse
import gc
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from codegen.checks.lint import OLD_AFTER, broken_rules, old_facts
from codegen.documents import FILL, Problem, SpecError
from codegen.load import load
from codegen.releasing.release import Project, breaches
from codegen.rendering.readers import unread_values
from codegen.scaffold.hand_tables import TableError
from codegen.scaffold.new import RefusedError, new_endpoint, new_stream
from codegen.spec_model.editor_schema import render_schema
from codegen.spec_model.files import EDITOR_SCHEMA
from codegen.spec_model.spec import Spec
from codegen.verify.command import add_verify, run_verify

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
    commands.add_parser(
        "lint", help="hold the spec to the house rules, and name facts that nobody reads or that are old"
    )
    add_verify(commands.add_parser("verify", help="compare the exchange itself with the spec"))
    _add_diff(commands.add_parser("diff", help="what changed between two specs, as callers feel it"))
    changelog = commands.add_parser("changelog", help="write into CHANGELOG.md what the spec changed since the release")
    changelog.add_argument("old", nargs="?", help="compare with this instead, as `diff` does")
    release = commands.add_parser("release", help="record the spec as released under the version of the package")
    release.add_argument("--again", action="store_true", help="the version recorded was never published: replace it")
    _add_import(commands.add_parser("import", help="what an OpenAPI file has that the spec lacks or contradicts"))
    _add_draft(commands.add_parser("draft", help="begin an endpoint by an OpenAPI file or by an answer"))
    _add_new(commands.add_parser("new", help="begin an endpoint or a stream: its files and lines, with marks to fill"))
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "verify":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "diff":
        return _diff(options)
    today = datetime.now(UTC).date()
    try:
        spec = load(options.spec)
    except SpecError as error:
        print(error, file=sys.stderr)
        count = len(error.problems)
        print(
            f"{count} mistake{'' if count == 1 else 's'} in {options.spec.name}/; nothing was written", file=sys.stderr
        )
        return 2
    if options.command == "new":
        return _new(spec, options)
    if options.command == "verify":
        return run_verify(spec, options, rest, _project(options), today)
    if options.command in ("import", "draft"):
        from codegen.importer.command import run_draft, run_import

        return run_import(spec, options) if options.command == "import" else run_draft(spec, options)
    if options.command in ("changelog", "release"):
        return _release(spec, options, today)
    try:
        from codegen.rendering.clients import render_clients
        from codegen.rendering.render import difference, is_ours, render_and_watch, unread, write, write_named

        if options.command == "lint":
            problems = [*unread(spec), *_unread_values(options.out)]
        else:
            files, unread_facts = render_and_watch(spec)
            # What composes the client stands beside ``_generated``; another folder gets only what belongs into that.
            whole = options.out.name == "_generated"
            beside = render_clients(spec) if whole else {}
            in_spec = {EDITOR_SCHEMA: render_schema(spec.environments.environments)} if whole else {}
    except ModuleNotFoundError as error:
        if error.name not in _TOOLS:
            raise
        print(
            f"{sys.executable} has no {error.name}; run `make check` or `make generate`, which set up what is needed, "
            "or install the extra `codegen`",
            file=sys.stderr,
        )
        return 2
    if options.command == "lint":
        old = old_facts(spec, today)
        for problem in old:
            print(f"{problem} (a warning)", file=sys.stderr)
        return _told(problems, broken_rules(spec, today)) or _counts(spec, old)
    if options.command == "check":
        diff = difference(files, options.out)
        diff += difference(beside, options.out.parent, whole=False) + difference(in_spec, options.spec, whole=False)
        if diff:
            print(diff, end="")
            print("the written code differs from the spec; run `python -m codegen generate`", file=sys.stderr)
            return 1
        if _told([*unread_facts, *_unread_values(options.out)], broken_rules(spec, today)):
            return 1
        problems = breaches(spec, _project(options)) if whole else []
        for problem in problems:
            print(problem, file=sys.stderr)
        if problems:
            return 1
        print(f"{len(files) + len(beside) + len(in_spec)} files agree with the spec")
        return 0
    if not is_ours(options.out):
        print(f"{options.out} holds files the generator did not write; choose an empty folder", file=sys.stderr)
        return 2
    changed = write(files, options.out) + write_named(beside, options.out.parent)
    changed += [f"{options.spec.name}/{name}" for name in write_named(in_spec, options.spec)]
    count = len(files) + len(beside) + len(in_spec)
    print(f"{count} files, {len(changed)} changed" + "".join(f"\n  {name}" for name in changed))
    return 0


def _unread_values(out: Path) -> list[Problem]:
    """What the package around the written code does not look at; a tree of its own has nobody to read it."""
    return unread_values(out.parent) if (out.parent / "_runtime").is_dir() else []


def _told(unread: list[Problem], broken: list[Problem]) -> int:
    for problem in (*unread, *broken):
        print(problem, file=sys.stderr)
    if unread:
        print(f"{_count(unread, 'fact')} that nobody reads", file=sys.stderr)
    if broken:
        print(f"{_count(broken, 'house rule')} broken", file=sys.stderr)
    return 1 if unread or broken else 0


def _counts(spec: Spec, old: list[Problem]) -> int:
    print(
        f"{len(spec.operations)} endpoints, {len(spec.streams)} streams, {len(spec.schemas) + len(spec.events)} "
        f"schemas, {len(spec.fixtures) + len(spec.stream_fixtures)} fixtures: no mistake"
        + (f", {_count(old, 'source')} older than {OLD_AFTER.days} days" if old else "")
    )
    return 0


def _count(problems: list[Problem], word: str) -> str:
    return f"{len(problems)} {word}{'' if len(problems) == 1 else 's'}"


def _add_diff(parser: argparse.ArgumentParser) -> None:
    what = "a folder, a .yaml file, the record of a release, or a git revision (`v0.1.0`, `HEAD~1`, `main:spec`)"
    parser.add_argument("old", help=what)
    parser.add_argument("new", help="the same; by default spec/", nargs="?")
    parser.add_argument("--json", action="store_true", help="for programs")


def _diff(options: argparse.Namespace) -> int:
    from codegen.diff.report import changes, json_report, text_report
    from codegen.diff.sides import NoSpecError, read_sides

    try:
        here, whole = Path.cwd(), options.spec
        spec = str(whole.relative_to(here) if whole.is_relative_to(here) else whole)
        old, new = read_sides(options.old, options.new or spec, ROOT)
    except (NoSpecError, SpecError) as error:
        print(error, file=sys.stderr)
        return 2
    found = changes(old, new)
    print(json_report(found, old, new) if options.json else "\n".join(text_report(found, old, new)))
    return 0


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="OpenAPI 3, as YAML or JSON")
    parser.add_argument("--market", default="spot", help="whose paths are compared (default: spot)")
    parser.add_argument("--json", action="store_true", help="for programs")


def _add_draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("market", help="a market of markets.yaml")
    parser.add_argument("name", help="name of the method, such as open_interest")
    parser.add_argument("path", help="path, such as /api/v3/depth")
    told = parser.add_mutually_exclusive_group(required=True)
    told.add_argument("--from-openapi", type=Path, metavar="FILE", help="an OpenAPI file that has the path")
    told.add_argument("--from-answer", type=Path, metavar="FILE", help="an answer of the endpoint, as JSON")


def _release(spec: Spec, options: argparse.Namespace, today: date) -> int:
    from codegen.diff.report import changes
    from codegen.diff.sides import NoSpecError, read_sides
    from codegen.releasing.release import ReleaseError, record, since_release, write_changelog

    project = _project(options)
    try:
        if options.command == "release":
            version = record(spec, project, today, again=options.again)
            print(f"{project.spec.name}/{project.record.name} is the spec of {version}")
            return 0
        if options.old is not None:
            changed = changes(*read_sides(options.old, str(options.spec), ROOT))
        else:
            found = since_release(spec, project)
            changed = [] if found is None else found[0]
        is_new = write_changelog(changed, project.changelog)
    except (NoSpecError, ReleaseError, SpecError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{project.changelog.name} {'tells' if is_new else 'told already'} what changed")
    return 0


def _project(options: argparse.Namespace) -> Project:
    return Project(options.spec, options.out.parent / "_version.py", options.spec.parent / "CHANGELOG.md")


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    kinds = parser.add_subparsers(dest="kind", required=True)
    endpoint = kinds.add_parser("endpoint", help="an endpoint of REST")
    stream = kinds.add_parser("stream", help="a stream")
    for kind in (endpoint, stream):
        kind.add_argument("market", help="name of a market in markets.yaml")
        kind.add_argument("name", help="name of the method, such as open_interest")
    endpoint.add_argument("path", help="path, such as /api/v3/depth")
    stream.add_argument("pattern", help="name with its parameters in braces, such as '{symbol}@aggTrade'")
    stream.add_argument("--route", help="first part of the path, for markets that have routes")


def _new(spec: Spec, options: argparse.Namespace) -> int:
    try:
        if options.kind == "endpoint":
            written = new_endpoint(options.root, spec, options.market, options.name, options.path)
        else:
            written = new_stream(options.root, spec, options.market, options.name, options.pattern, options.route)
    except (RefusedError, TableError) as error:
        print(f"{error}; nothing was written", file=sys.stderr)
        return 2
    print("written:" + "".join(f"\n  {place}" for place in written))
    print(f"Fill in every {FILL} from Binance's page, then `python -m codegen generate` and `make test`.")
    return 0


if __name__ == "__main__":
    # A fifth of a run goes into walking syntax trees that live until its end anyway.
    gc.disable()
    raise SystemExit(main())
