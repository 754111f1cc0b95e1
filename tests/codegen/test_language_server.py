"""What an editor shows: a real YAML language server opens files of the spec.

It is looked for on PATH and in ``node_modules`` of this checkout (``npm install --no-save yaml-language-server``).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import REPOSITORY

SPEC = REPOSITORY / "spec"
SERVER = shutil.which("yaml-language-server") or shutil.which(
    "yaml-language-server", path=str(REPOSITORY / "node_modules" / ".bin")
)

pytestmark = pytest.mark.skipif(
    SERVER is None, reason="no yaml-language-server: npm install --no-save yaml-language-server"
)


class Editor:
    """As much of an editor as it takes: it opens files, and reads what the server says of them."""

    def __init__(self) -> None:
        assert SERVER is not None
        self.process = subprocess.Popen(
            [SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.asked = 0
        self.ask("initialize", {"processId": None, "rootUri": REPOSITORY.as_uri(), "capabilities": {}})
        self.tell("initialized", {})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.process.stdin.flush()

    def tell(self, method: str, parameters: Any) -> None:
        self.send({"method": method, "params": parameters})

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "id" in message and message.get("method") == "workspace/configuration":
            self.send({"id": message["id"], "result": [{} for _ in message["params"]["items"]]})
        elif "id" in message and "method" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def ask(self, method: str, parameters: Any) -> Any:
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": parameters})
        while True:
            message = self.read()
            if message.get("id") == self.asked and "method" not in message:
                return message["result"]

    def open(self, path: Path, text: str) -> list[tuple[int, str]]:
        """Line and text of everything that the server finds wrong."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        while True:
            message = self.read()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == path.as_uri():
                found = message["params"]["diagnostics"]
                return [(diagnostic["range"]["start"]["line"] + 1, diagnostic["message"]) for diagnostic in found]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    editor = Editor()
    yield editor
    editor.close()


FILES = sorted(path.relative_to(SPEC).as_posix() for path in SPEC.rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_spec_is_right(file: str, editor: Editor) -> None:
    assert editor.open(SPEC / file, (SPEC / file).read_text(encoding="utf-8")) == []


def test_a_mistake_is_underlined(editor: Editor) -> None:
    text = (SPEC / "spot" / "market.yaml").read_text(encoding="utf-8")
    wrong = text.replace("    path: /api/v3/avgPrice", "    paht: /api/v3/avgPrice")
    line = wrong[: wrong.index("paht")].count("\n") + 1
    found = editor.open(SPEC / "spot" / "mistaken.yaml", wrong)
    assert any(at == line and "paht" in message for at, message in found), found


def test_keys_are_offered_with_what_they_mean(editor: Editor) -> None:
    text = (SPEC / "spot" / "market.yaml").read_text(encoding="utf-8")
    begun = text.replace("    path: /api/v3/avgPrice\n", "    path: /api/v3/avgPrice\n    us\n")
    line = begun[: begun.index("    us\n")].count("\n")
    path = SPEC / "spot" / "begun.yaml"
    editor.open(path, begun)
    at = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": 6}}
    offered = {item["label"] for item in editor.ask("textDocument/completion", at)["items"]}
    assert {"used_weight_header", "teaches", "paging"} <= offered
