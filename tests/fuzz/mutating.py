"""Makes inputs of inputs: by bytes, and by the values of JSON and YAML, always the same of the same random numbers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import yaml

Mutate: TypeAlias = Callable[[bytes, Random], bytes]
"""Makes another input of one."""

_RAW = (
    "NaN", "Infinity", "-Infinity", "1e400", "1E5", "-0", "-0.0", "0.1e-400", "9" * 20, "9" * 5000, "1.0", "01", "1_0",
    "[" * 300, "{" * 5, '{"a":1,"a":2}', '"\\ud800"', '"\\u0000"', "1" + "0" * 400 + ".5", "true", "nul", "",
)  # fmt: skip
"""Texts in the place of a value, some of them no JSON, or none that Python writes."""
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**25, 0.5, 1e300, "", " ", "0", "-1", "1e5",
    "NaN", "0.00000000", "1" * 1001, "9" * 60 + "." + "9" * 60, "é", "\u0661", "\0", "x" * 3000, [], {}, [[]], [None],
    {"": None}, {"e": "serverShutdown"}, "${BINANCE_API_KEY}", "${A:${B}}", "http://", "wss://[::1", "redis://h:0/x",
    1.7976931348623157e308, 253_402_300_800_000, -62_135_596_800_001, 5e-324,
)  # fmt: skip
_BYTES = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n", b'"', b"\\", b",", b"{}", b"[]", b"}", b"]", b": ", b"- ",
    b"&a ", b"*a", b"!!python/object:os.system", b"<<: *a", b"|", b"\t", b"%", b"@", b"1e999", b"\xed\xa0\x80",
    b"null", b"\xc2\x85",
)  # fmt: skip


def by_bytes(data: bytes, random: Random) -> bytes:
    """One change of bytes: some flipped, put in, taken out, repeated or moved."""
    if not data:
        return random.choice(_BYTES)
    at = random.randrange(len(data))
    end = min(len(data), at + random.choice((1, 1, 2, 4, 16, 64, 1024)))
    match random.randrange(9):
        case 7 | 8:
            # Still a number, and so the rest is looked at too.
            digits = [place for place, byte in enumerate(data) if byte in b"0123456789"]
            place = random.choice(digits or [at])
            return data[:place] + b"%d" % random.randrange(10) + data[place + 1 :]
        case 0:
            return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]
        case 1:
            return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        case 2:
            return data[:at] + random.choice(_BYTES) + data[at:]
        case 3:
            return data[:at] + data[end:]
        case 4:
            return data[:end] + data[at:end] * random.choice((1, 1, 2, 50)) + data[end:]
        case 5:
            return data[:at]
        case _:
            to = random.randrange(len(data))
            return data[:to] + data[at:end] + data[to:]


def bytes_below_a_line(data: bytes, random: Random) -> bytes:
    """For inputs whose first line is kept."""
    head, mark, below = data.partition(b"\n")
    for _ in range(random.choice((1, 1, 2, 4))):
        below = by_bytes(below, random)
    return head + (mark or b"\n") + below


# ------------------------------------------------------------------------------------------- values


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place below the top, as the list or dict and the index or key."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        owner = waiting.pop()
        steps = list(owner) if isinstance(owner, dict) else range(len(owner)) if isinstance(owner, list) else ()
        for step in steps:
            found.append((owner, step))
            waiting.append(owner[step])
    return found


def changed(value: Any, random: Random, odd: Callable[[], Any]) -> Any:
    """A value with one change, made in place; ``odd`` makes what is put in."""
    places = _places(value)
    if not places:
        return odd()
    owner, step = random.choice(places)
    match random.randrange(8):
        case 0 | 1 | 2:
            owner[step] = odd()
        case 3:
            del owner[step]
        case 4:
            owner[step] = [owner[step]] if random.random() < 0.5 else {"a": owner[step]}
        case 5:
            other, place = random.choice(places)
            owner[step] = json.loads(json.dumps(other[place], default=str))
        case 6 if isinstance(owner, dict):
            owner[random.choice([*map(str, owner), "", "e", "stream", "code", "x" * 300])] = odd()
        case _ if isinstance(owner, list):
            owner[step:step] = owner[step : step + 1] * random.choice((1, 2, 30))
        case _:
            owner[str(step) + random.choice(("", " ", "2", "\0"))] = owner.pop(step)
    return value


def _json(text: bytes, random: Random) -> bytes | None:
    """A JSON text with one change of its values; None where it is no JSON."""
    raw: list[str] = []

    def odd() -> Any:
        if random.random() < 0.6:
            return random.choice(_VALUES)
        raw.append(random.choice(_RAW))
        return f"@raw{len(raw) - 1}@"

    try:
        value = changed(json.loads(text), random, odd)
        found = json.dumps(value, separators=random.choice(((",", ":"), (", ", ": "))), ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    for number, words in enumerate(raw):
        found = found.replace(f'"@raw{number}@"', words)
    return found.encode("utf-8", "surrogatepass")


def json_below_a_line(data: bytes, random: Random) -> bytes:
    """For inputs whose first line says what the others, or all below, are read as."""
    head, mark, below = data.partition(b"\n")
    if random.random() < 0.02:
        return by_bytes(data, random)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        below = _json_or_bytes(below, random)
    return head + (mark or b"\n") + below


def _json_or_bytes(below: bytes, random: Random) -> bytes:
    if random.random() < 0.25:
        return by_bytes(below, random)
    whole = _json(below, random)
    if whole is not None:
        return whole
    lines = below.split(b"\n")
    at = random.randrange(len(lines))
    match random.randrange(6):
        case 0:
            lines[at:at] = [random.choice(lines)]
        case 1 if len(lines) > 1:
            del lines[at]
        case 2:
            to = random.randrange(len(lines))
            lines[at], lines[to] = lines[to], lines[at]
        case _:
            # What stands before the value, e.g. the word "snapshot", is kept.
            word, _, rest = lines[at].partition(b" ") if lines[at][:1].isalpha() else (b"", b"", lines[at])
            found = _json(rest, random)
            lines[at] = by_bytes(lines[at], random) if found is None else (word + b" " + found if word else found)
    return b"\n".join(lines)


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def yaml_below_a_line(data: bytes, random: Random) -> bytes:
    """The same for YAML, where the first line does not name a file of JSON."""
    head, mark, below = data.partition(b"\n")
    if head.endswith(b".json"):
        return json_below_a_line(data, random)
    if random.random() < 0.02:
        return by_bytes(data, random)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        found = None if random.random() < 0.35 else _yaml(below, random)
        below = by_bytes(below, random) if found is None else found
    return head + (mark or b"\n") + below


def _yaml(text: bytes, random: Random) -> bytes | None:
    if b"&" in text:
        # Written out, aliases within aliases would not end; they are changed as bytes.
        return None
    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        made = changed(value, random, lambda: random.choice(_VALUES))
        return yaml.dump(made, Dumper=_NoAliases, sort_keys=False, allow_unicode=True).encode()
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return None


# ------------------------------------------------------------------------------------------- zips

_CELLS = (
    b"", b'"', b'""', b"1", b"-1", b"1735689600000", b"1735689600000000", b"9" * 23, b"1e400", b"1E-400", b"nan",
    b"true", b"x", b"\0", b"\r", b" ", b"\xc3\xa9", b"\xff", b"1.5", b"0." + b"0" * 40 + b"1", b"9" * 400,
    b"2025-01-01 00:00:00",
)  # fmt: skip


def zip_below_a_line(data: bytes, random: Random) -> bytes:
    """For inputs whose first line says what the zip below is: its bytes change, or the cells of the table in it."""
    head, mark, below = data.partition(b"\n")
    if random.random() < 0.3:
        return head + (mark or b"\n") + by_bytes(below, random)
    try:
        with zipfile.ZipFile(io.BytesIO(below)) as archive:
            name, text = archive.namelist()[0], archive.read(archive.namelist()[0])
    except Exception:  # noqa: BLE001 - zipfile raises whatever it meets in a broken zip
        return head + (mark or b"\n") + by_bytes(below, random)
    for _ in range(random.choice((1, 1, 2, 4))):
        text = _table(text, random)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return head + (mark or b"\n") + made.getvalue()


def _table(text: bytes, random: Random) -> bytes:
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    cells = lines[at].split(b",")
    match random.randrange(6):
        case 0:
            return by_bytes(text, random)
        case 1:
            lines[at:at] = lines[at : at + 1] * random.choice((1, 3))
        case 2:
            del lines[at]
        case 3:
            cells[random.randrange(len(cells)) : random.randrange(len(cells)) + 1] = [random.choice(_CELLS)]
            lines[at] = b",".join(cells)
        case _:
            cells[random.randrange(len(cells))] = random.choice(_CELLS)
            lines[at] = b",".join(cells)
    return b"\n".join(lines)
