"""What a release brings along: every distribution that it installs, with version and licence.

    python deploy/release/contents.py dist/

writes ``sbom.cdx.json`` (CycloneDX) and ``licences.md`` of the package with all its extras, as they are installed
beside this interpreter. Nothing is fetched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "binance-market-sdk"
_CLASSIFIER = "License :: OSI Approved :: "
_SHORT = 60
"""What is longer in the field of the licence is its text, not its name."""


@dataclass(frozen=True)
class Part:
    """A distribution that is installed with the package.

    Attributes:
        name: Its name.
        version: The version that is installed.
        licence: As its metadata name it; empty where they do not.
        base: Whether it comes without any extra.
    """

    name: str
    version: str
    licence: str
    base: bool


def parts(package: str, extra: str) -> list[Part]:
    """All that is installed with ``package[extra]``, by name.

    Raises:
        PackageNotFoundError: something of it is not installed here.
    """
    base = {found.name for found in _closure(package, "")}
    return sorted(
        (
            Part(found.name, found.version, licence(found), found.name in base)
            for found in _closure(package, extra)
            if canonicalize_name(found.name) != canonicalize_name(package)
        ),
        key=lambda part: part.name.lower(),
    )


def _closure(package: str, extra: str) -> list[Distribution]:
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(package, extra)]
    while waiting:
        name, wanted = waiting.pop()
        key = canonicalize_name(name)
        if (key, wanted) in seen:
            continue
        seen.add((key, wanted))
        found[key] = here = distribution(name)
        waiting += [(needed.name, one) for needed in _needed(here, wanted) for one in ("", *sorted(needed.extras))]
    return list(found.values())


def _needed(here: Distribution, extra: str) -> Iterator[Requirement]:
    for text in here.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def licence(found: Distribution) -> str:
    """The licence as the metadata name it: an expression, a classifier, or a short text."""
    metadata = found.metadata
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [text.removeprefix(_CLASSIFIER) for text in metadata.get_all("Classifier", []) if _CLASSIFIER in text]
    if classifiers:
        return " and ".join(sorted(classifiers))
    text = str(metadata.get("License") or "").strip()
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= _SHORT else ""


def sbom(package: str, found: list[Part]) -> str:
    """CycloneDX 1.6 as JSON: the same bytes for the same parts, so without a time."""
    factory = LicenseFactory()
    here = distribution(package)
    root = Component(
        type=ComponentType.LIBRARY,
        name=here.name,
        version=here.version,
        bom_ref=here.name,
        purl=PackageURL("pypi", name=here.name, version=here.version),
        licenses=[factory.make_from_string(licence(here))],
    )
    components = [
        Component(
            type=ComponentType.LIBRARY,
            name=part.name,
            version=part.version,
            bom_ref=part.name,
            purl=PackageURL("pypi", name=part.name, version=part.version),
            licenses=[factory.make_from_string(part.licence)] if part.licence else [],
        )
        for part in found
    ]
    text = "\n".join(f"{part.name} {part.version}" for part in found)
    bom = Bom(components=components, serial_number=uuid5(NAMESPACE_URL, f"{here.name} {here.version}\n{text}"))
    bom.metadata.component = root
    bom.register_dependency(root, components)
    written = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    del written["metadata"]["timestamp"]
    return json.dumps(written, indent=2, sort_keys=True) + "\n"


def licences(found: list[Part]) -> str:
    """A table for readers."""
    rows = [
        f"| {part.name} | {part.version} | {part.licence or 'not named'} | {'' if part.base else 'extras'} |"
        for part in found
    ]
    return "\n".join(["| distribution | version | licence | |", "| --- | --- | --- | --- |", *rows]) + "\n"


def main(folder: Path) -> int:
    try:
        found = parts(PACKAGE, "all")
    except PackageNotFoundError as error:
        print(f"{error.name} is not installed here: pip install '{PACKAGE}[all]'", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(sbom(PACKAGE, found), encoding="utf-8")
    (folder / "licences.md").write_text(licences(found), encoding="utf-8")
    print(f"{len(found)} distributions, {sum(part.base for part in found)} of them without an extra: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
