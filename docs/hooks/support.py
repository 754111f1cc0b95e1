"""Draws the tables of the page on support from pyproject.toml, the lock file and ``spec/`` when the site is built."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from packaging.requirements import Requirement

from codegen.load import load
from codegen.spec_model.spec import Spec

ROOT = Path(__file__).parents[2]
FOR_DEVELOPERS = ("all", "codegen", "dev", "docs", "test")
"""Extras of which a user has no need."""
_LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def libraries(project: dict[str, Any], lock: str) -> Iterator[str]:
    """Each library that the package needs or can use, from which version on, and those that the suite ran with.

    Raises:
        LookupError: the lock file has none of a library, or pyproject.toml has no lower bound of it.
    """
    locked: dict[str, list[str]] = {}
    for name, version in _LOCKED.findall(lock):
        locked.setdefault(name, []).append(version)
    uses: dict[tuple[str, str], list[str]] = {}
    for group, requirements in {"everything": project["dependencies"], **project["optional-dependencies"]}.items():
        for requirement in map(Requirement, requirements):
            if group not in FOR_DEVELOPERS and requirement.name != project["name"]:
                if len(requirement.specifier) != 1:
                    raise LookupError(f"{requirement} of pyproject.toml has to have one lower bound")
                (bound,) = requirement.specifier
                uses.setdefault((requirement.name, bound.version), []).append(group)
    yield "| Library | Needed for | From | Ran with |"
    yield "|---|---|---|---|"
    for (name, lowest), groups in uses.items():
        found = locked.get(name.lower().replace("_", "-"))
        if found is None:
            raise LookupError(f"{name} is not in the lock file: make lock")
        needed = ", ".join(group if group == "everything" else f"`[{group}]`" for group in groups)
        yield f"| {name} | {needed} | {lowest} | {', '.join(sorted(found))} |"


def environments(spec: Spec) -> Iterator[str]:
    """Which market is reached in which environment."""
    markets = spec.markets.markets
    yield f"| Environment | {' | '.join(market.title for market in markets.values())} | What it is |"
    yield f"|---|{'---|' * len(markets)}---|"
    for name, environment in spec.environments.environments.items():
        served = ("yes" if name in market.hosts else "–" for market in markets.values())
        yield f"| `{name}` | {' | '.join(served)} | {environment.description} |"


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the tables where the page asks for them."""
    if "<!--libraries-->" in markdown:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
        markdown = markdown.replace("<!--libraries-->", "\n".join(libraries(project, lock)))
    if "<!--environments-->" in markdown:
        markdown = markdown.replace("<!--environments-->", "\n".join(environments(load(ROOT / "spec"))))
    return markdown
