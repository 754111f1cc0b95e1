"""The commands ``import`` and ``draft``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict

from codegen.documents import FILL, Problem, SpecError, parse_json
from codegen.importer.draft import from_answer, from_openapi
from codegen.importer.findings import findings
from codegen.importer.openapi import read_openapi
from codegen.names import english_list
from codegen.scaffold.hand_tables import TableError
from codegen.scaffold.new import RefusedError, new_endpoint
from codegen.spec_model.spec import Spec


def run_import(spec: Spec, options: argparse.Namespace) -> int:
    """Tell what the file has that the spec lacks or contradicts; 0 whatever it is."""
    if options.market not in spec.market_names:
        print(
            f"no market is called `{options.market}`; there are {english_list(list(spec.market_names))}",
            file=sys.stderr,
        )
        return 2
    try:
        api = read_openapi(options.file)
        found = findings(spec, options.market, api)
    except SpecError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
        return 0
    for finding in found:
        print(f"{options.file}:{finding.there}: {finding}")
    counts = Counter(finding.kind for finding in found)
    print(
        f"{len(api.endpoints)} public endpoints; the spec lacks {counts['lacks']} and contradicts "
        f"{counts['contradicts']}: which of the two is right is told by Binance's page and its date"
    )
    return 0


def run_draft(spec: Spec, options: argparse.Namespace) -> int:
    """Begin an endpoint."""
    try:
        if options.from_openapi is not None:
            api = read_openapi(options.from_openapi)
            endpoint = api.endpoints.get(options.path)
            if endpoint is None:
                raise RefusedError(f"{options.from_openapi} has no public GET of `{options.path}`")
            draft = from_openapi(spec, options.market, options.name, api, endpoint)
        else:
            draft = from_answer(spec, options.market, options.name, options.path, _answer(options))
        written = new_endpoint(options.root, spec, options.market, options.name, options.path, draft)
    except SpecError as error:
        print(f"{error}\nnothing was written", file=sys.stderr)
        return 2
    except (RefusedError, TableError) as error:
        print(f"{error}; nothing was written", file=sys.stderr)
        return 2
    print("written:" + "".join(f"\n  {place}" for place in written))
    print(
        f"Fill in every {FILL} from Binance's page, check the rest, then `python -m codegen generate` and `make test`."
    )
    return 0


def _answer(options: argparse.Namespace) -> object:
    try:
        return parse_json(str(options.from_answer), options.from_answer.read_bytes())
    except OSError as error:
        raise SpecError([Problem(str(options.from_answer), 1, f"cannot be read: {error.strerror}")]) from None
