"""The images of ``deploy/cli``, as far as they can be tried where no container can be started.

The commands of their page run as processes, and the package is made of what ``.dockerignore`` lets through.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from binance_sdk.simulator_url import ARCHIVE_PORT
from tests.everywhere import IMAGES, image_packages
from tests.pages import blocks, commands

ROOT = Path(__file__).parents[2]
PAGE = "docs/recipes/containers.md"
DOCKERFILE = (ROOT / "deploy" / "cli" / "Dockerfile").read_text("utf-8")
PORT = 8080
(COMPOSE,) = [yaml.safe_load(block.code) for block in blocks(PAGE, "yaml")]
_PATIENCE = 60.0


def said(instruction: str, stage: str) -> str:
    """The last of an instruction's words in a stage of the Dockerfile."""
    (text,) = re.findall(rf"^FROM \S+ AS {stage}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    found: str = re.findall(rf"^{instruction} (.*)$", text, re.MULTILINE)[-1]
    return found


def told(instruction: str, stage: str) -> list[str]:
    """The words of an instruction that are a JSON list."""
    found: list[str] = json.loads(said(instruction, stage))
    return found


def docker_run() -> argparse.ArgumentParser:
    """What the page uses of ``docker run``."""
    parser = argparse.ArgumentParser("docker run", allow_abbrev=False)
    for switch in ("--rm", "-d"):
        parser.add_argument(switch, action="store_true")
    for option in ("--name", "--network", "--user"):
        parser.add_argument(option)
    for option in ("-e", "-p", "-v"):
        parser.add_argument(option, action="append", default=[])
    parser.add_argument("image", choices=["binance-sdk", "binance-simulator"])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser


class Containers:
    """Starts what an image would start, as a process."""

    def __init__(self, python: str, data: Path, simulator: str = "") -> None:
        self._python = python
        self._data = data
        self._simulator = simulator

    def start(
        self, command: list[str], variables: dict[str, str], volume: str = "market-data"
    ) -> subprocess.Popen[str]:
        (program,) = told("ENTRYPOINT", "base")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("BINANCE_", "HOME"))}
        # Who runs there has no home, and may write nowhere but where his data are.
        return subprocess.Popen(
            [str(Path(self._python).parent / program), *(self._here(word, volume) for word in command)],
            cwd="/",
            env={
                **plain,
                **{name: self._here(value, volume) for name, value in variables.items()},
                "HOME": "/nonexistent",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: list[str], variables: dict[str, str], volume: str = "market-data") -> str:
        # What would ask Binance asks the simulator.
        asked = {"BINANCE_SDK_SIMULATOR": self._simulator} | variables
        until = time.monotonic() + _PATIENCE
        while True:
            with self.start(command, asked, volume) as process:
                output, errors = process.communicate(timeout=_PATIENCE)
            # On a busy machine its answers may take seconds, which is no fault of theirs: health is asked again then.
            if process.returncode == 0 or "health" not in command or time.monotonic() > until:
                break
        assert process.returncode == 0, f"{command}: {output}{errors}"
        assert "Traceback" not in errors
        return output

    def _here(self, word: str, volume: str) -> str:
        # A volume is a folder here, the simulator is where it found ports, and some days are as good as many.
        word = re.sub(r"^/data\b", str(self._data / volume), word)
        word = re.sub(r"^2026-11-01$", f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}", word)
        return re.sub(rf"^http://(simulator|127\.0\.0\.1):{PORT}$", self._simulator, word)


@pytest.fixture
def containers(image_python: str, tmp_path: Path) -> Iterator[Containers]:
    """With the simulator of the image, which ends by the image's stop signal."""
    command = told("CMD", "simulator")
    assert command[command.index("--port") + 1] == str(PORT)
    command[command.index("--port") + 1] = "0"
    with Containers(image_python, tmp_path).start(command, {}) as process:
        try:
            assert process.stdout is not None
            found = (re.search(r"SIMULATOR=http://.*:(\d+)", line) for line in process.stdout)
            url = f"http://127.0.0.1:{next(match[1] for match in found if match)}"
            yield Containers(image_python, tmp_path, url)
            process.send_signal(signal.Signals[said("STOPSIGNAL", "base")])
            output, errors = process.communicate(timeout=_PATIENCE)
            assert (process.returncode, errors, "has stopped" in output) == (0, "", True)
        finally:
            process.kill()


def test_what_the_page_runs_does_what_it_says(containers: Containers, tmp_path: Path) -> None:
    outputs: dict[str, str] = {}
    for _, line in commands(PAGE, "docker"):
        words = shlex.split(line)
        if words[1] != "run":
            continue
        asked = docker_run().parse_args(words[2:])
        sources = [volume.removesuffix(":/data").replace("$PWD/", "here-") for volume in asked.v]
        assert not [source for source in sources if ":" in source or "/" in source]
        if asked.image == "binance-simulator":
            assert asked.command == []
            continue
        outputs[line] = containers.run(asked.command, dict(each.split("=", 1) for each in asked.e), *sources)
    klines, health, premium, fetched, checked, mine = outputs.values()
    assert len(json.loads(klines)) == 5
    assert health.startswith("healthy")
    assert "BTCUSDT" in premium
    assert "are new in" in fetched
    assert "all is there, and right" in checked
    assert "are new in" in mine
    assert {path.name for path in tmp_path.iterdir()} == {"market-data", "here-bars"}
    assert (tmp_path / "market-data" / "bars").is_dir()
    # The simulator is healthy by its own measure.
    name, _, url = said("ENV", "simulator").partition("=")
    words = re.sub(r"^.*? CMD ", "", said("HEALTHCHECK", "simulator"))
    assert containers.run(json.loads(words)[1:], {name: url}).startswith("healthy")
    # The job of Compose is one of the page's commands.
    job = COMPOSE["services"]["bars"]
    assert shlex.join(job["command"]) in {line.partition(" binance-sdk ")[2] for line in outputs}
    assert (job["environment"], job["volumes"]) == ({name: f"http://simulator:{PORT}"}, ["market-data:/data"])


def test_a_command_that_is_stopped_ends_in_order(containers: Containers, image_python: str, tmp_path: Path) -> None:
    variables = {"BINANCE_SDK_SIMULATOR": f"http://simulator:{PORT}"}
    with containers.start(["stream", "spot", "book_ticker", "BTCUSDT"], variables) as process:
        try:
            assert process.stdout is not None
            assert "BTCUSDT" in process.stdout.readline()
            process.send_signal(signal.Signals[said("STOPSIGNAL", "base")])
            _, errors = process.communicate(timeout=_PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, "Traceback" in errors) == (130, False), errors


# ------------------------------------------------------------------------------------ what is said of them


def test_ports_of_the_page_are_those_of_the_simulator() -> None:
    span = f"{PORT}-{PORT + ARCHIVE_PORT}"
    assert said("EXPOSE", "simulator") == span
    published = re.findall(r"\d+-\d+:([\d-]+)", (ROOT / PAGE).read_text("utf-8"))
    assert set(published) == {span}
    assert len(published) == 3


def test_images_and_targets_that_the_page_builds_are_there() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE)
    assert stages[-1] == "cli"
    built = [shlex.split(line) for _, line in commands(PAGE, "docker") if line.startswith("docker build")]
    for words in built:
        assert (ROOT / words[words.index("-f") + 1]).is_file()
    targets = [words[words.index("--target") + 1] for words in built if "--target" in words]
    for service in COMPOSE["services"].values():
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        targets.append(service["build"]["target"])
    assert set(targets) == {"simulator", "cli"} <= set(stages)


def test_the_compose_file_keeps_to_the_specification() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed: pip install compose-spec")
    found = compose_spec.PyCompose.from_json(json.dumps(COMPOSE))
    found.validate()
    assert set(found.service_names()) == {"simulator", "bars"}


def test_nobody_runs_as_root_and_his_volume_is_his() -> None:
    user, _, group = said("USER", "base").partition(":")
    assert 0 not in (int(user), int(group))
    assert f"--owner={user} --group={group} {said('WORKDIR', 'base')}" in said("RUN", "base")
    after = DOCKERFILE[DOCKERFILE.index("\nUSER ") + 1 :]
    assert re.findall(r"^(?:USER|RUN|COPY|ADD) .*$", after, re.MULTILINE) == [f"USER {user}:{group}"]


def test_nothing_that_builds_is_in_the_environment(image_python: str) -> None:
    if image_python == sys.executable:
        pytest.skip("this environment is not that of an image; make test-all makes one")
    ask = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    names = subprocess.run(
        [image_python, "-c", ask], capture_output=True, text=True, check=True, cwd="/"
    ).stdout.split()
    assert "binance-market-sdk" in names
    assert not {"pip", "setuptools", "wheel", "hatchling", "uv", "pytest"} & set(names)


# ---------------------------------------------------------------------------------------- .dockerignore


def let_through(names: list[str]) -> list[str]:
    """The files that ``.dockerignore`` lets into an image: of the patterns that fit, the last decides."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    def fits(name: str, rule: str) -> bool:
        path = PurePosixPath(name)
        parts = [path.as_posix(), *(parent.as_posix() for parent in path.parents if parent.name)]
        deep = rule.removeprefix("**/")
        return any(fnmatch.fnmatchcase(part if deep == rule else PurePosixPath(part).name, deep) for part in parts)

    found = []
    for name in names:
        deciding = [rule for rule in rules if fits(name, rule.removeprefix("!"))]
        if not deciding or deciding[-1].startswith("!"):
            found.append(name)
    return found


def test_what_goes_in_makes_the_package_and_nothing_else_does(tmp_path: Path) -> None:
    names = [
        path.relative_to(ROOT).as_posix()
        for folder in (ROOT / "binance_sdk", ROOT / "adapters", ROOT / "deploy", ROOT / "tests", ROOT / "codegen")
        for path in folder.rglob("*")
        if path.is_file()
    ]
    names += [path.name for path in ROOT.iterdir() if path.is_file()] + [".env", ".venv/dev/pyvenv.cfg", ".git/config"]
    inside = let_through(names)
    others = [name for name in inside if not name.startswith(("binance_sdk/", "adapters/virtuoso_binance/"))]
    assert sorted(others) == ["LICENSE", "README.md", "deploy/worker/worker.py", "pyproject.toml"]
    assert not [name for name in inside if "__pycache__" in name]
    for name in inside:
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path / "source", check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {name.removeprefix("adapters/") for name in inside if name.startswith(("binance_sdk/", "adapters/"))}
    assert packed == expected


def test_what_other_images_copy_is_let_through() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    files = [
        word
        for service in compose["services"].values()
        for word in service.get("command", ())
        if "build" in service and word.endswith(".py")
    ]
    assert files
    assert let_through(files) == files
    assert all(image_packages(name) for name in IMAGES)
