"""Dashboard, alert rules and Compose file: they name what there is, and what they run can be run."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from binance_sdk.metrics.definitions import METRICS
from virtuoso_binance.health import HealthState
from virtuoso_binance.kinds import Kind

from .promql import grouped_by, selectors, shown
from .promtool import PROMTOOL, needs_promtool
from .samples import definition_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
OF_PROMETHEUS = {"job", "instance", "le"}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "binance-sdk.json").read_text("utf-8"))
RULES: list[dict[str, Any]] = [rule for group in _yaml(PROMETHEUS / "alerts.yml")["groups"] for rule in group["rules"]]
QUESTIONS: list[tuple[str, str]] = re.findall(
    r"^\| (.*\?) \| `(.*)` \|$", (ROOT / "docs" / "recipes" / "prometheus.md").read_text("utf-8"), re.MULTILINE
)
COMPOSE: dict[str, Any] = _yaml(DEPLOY / "compose.yaml")


def _targets() -> Iterator[tuple[str, str, str]]:
    """Title, expression and legend of everything that the dashboard draws."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target["legendFormat"]


def _uses() -> Iterator[tuple[str, str, str]]:
    """Where, expression, and what is written of its result."""
    yield from _targets()
    for question, expression in QUESTIONS:
        yield question, expression, ""
    for rule in RULES:
        yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
            assert asked is not None, variable["name"]
            name, label = asked.groups()
            yield variable["name"], f"count by ({label}) ({name})", ""


def _labels_of(name: str) -> set[str]:
    if name == "up":
        return OF_PROMETHEUS
    found = definition_of(name)
    assert found is not None, f"there is no metric {name}"
    # Only the buckets of a histogram have a bound.
    return set(found.labels) | (OF_PROMETHEUS if name.endswith("_bucket") else OF_PROMETHEUS - {"le"})


@pytest.mark.parametrize(("where", "expression", "text"), list(_uses()))
def test_every_metric_and_label_exists(where: str, expression: str, text: str) -> None:
    used = list(selectors(expression))
    assert used, where
    for selector in used:
        labels = _labels_of(selector.name)
        assert selector.labels <= labels
        grouped = grouped_by(expression)
        assert shown(text) <= (grouped or labels)
    known = {label for selector in used for label in _labels_of(selector.name)}
    assert grouped_by(expression) <= known


def test_every_metric_is_looked_at() -> None:
    used = {selector.name for _, expression, _ in _targets() for selector in selectors(expression)}
    missing = {
        each.full_name
        for each in METRICS
        if not {each.full_name, f"{each.name}_bucket", f"{each.name}_count", f"{each.name}_sum"} & used
    }
    assert missing == set()


def test_a_wrong_name_or_label_is_noticed() -> None:
    with pytest.raises(AssertionError, match="there is no metric binance_sdk_limits_used"):
        test_every_metric_and_label_exists("x", "binance_sdk_limits_used", "")
    for expression, text in (
        ('binance_sdk_limit_used{symbol="BTCUSDT"}', ""),
        ("sum by (symbol) (binance_sdk_limit_used)", ""),
        ("sum by (pool) (binance_sdk_limit_used)", "{{kind}}"),
        ("sum by (le) (binance_sdk_limit_used)", ""),
    ):
        with pytest.raises(AssertionError):
            test_every_metric_and_label_exists("x", expression, text)


def test_states_and_kinds_that_are_chosen_exist() -> None:
    """A value that no series has would make an alert that never fires."""
    known = {
        "health": {"flowing", "silent", "disconnected"},
        "state": {"open", "closed", "half_open", "synced", "not_synced", *get_args(HealthState)},
        "kind": set(get_args(Kind)),
        "change": {"listed", "delisted", "status"},
        "severity": {"breaking", "noted"},
        "job": {job["job_name"] for job in _yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]},
    }
    chosen = [
        (label, value)
        for _, expression, _ in _uses()
        for label, values in re.findall(r'(\w+)\s*!?=~?\s*"([^"$]*)"', expression)
        for value in values.split("|")
    ]
    assert {label for label, _ in chosen} == set(known)
    assert [(label, value) for label, value in chosen if value not in known[label]] == []


# -------------------------------------------------------------------------------------- promtool


def _promtool(*arguments: str) -> None:
    ran = subprocess.run([PROMTOOL, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")],
)
def test_promtool_finds_nothing(arguments: tuple[str, ...]) -> None:
    _promtool(*arguments)


@needs_promtool
def test_what_the_dashboard_draws_is_promql(tmp_path: Path) -> None:
    """Each expression as the expression of a rule, which promtool can read."""
    rules = [
        {"record": f"panel_{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, (_, expression, _) in enumerate(_targets())
    ]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    _promtool("check", "rules", str(path))


def test_each_alert_is_seen_to_fire_and_not_to_fire() -> None:
    played = [test for each in _yaml(PROMETHEUS / "alerts_test.yml")["tests"] for test in each["alert_rule_test"]]
    fires = {test["alertname"] for test in played if test.get("exp_alerts")}
    rests = {test["alertname"] for test in played if not test.get("exp_alerts")}
    assert fires == rests == {rule["alert"] for rule in RULES}


# ------------------------------------------------------------------------------------- dashboard


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 20
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_variables_are_defined() -> None:
    text = json.dumps(DASHBOARD)
    defined = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z_]+)", text)) - {"__rate_interval", "__all"}
    assert used == defined


# --------------------------------------------------------------------------------------- compose


def test_the_compose_file_keeps_to_the_specification() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed: pip install compose-spec")
    # Its merge keys are resolved, as Compose does.
    found = compose_spec.PyCompose.from_json(json.dumps(COMPOSE))
    found.validate()
    assert set(found.service_names()) == {"valkey", "simulator", "worker-1", "worker-2", "prometheus", "grafana"}
    broken = {**COMPOSE, "services": {**COMPOSE["services"], "valkey": {"imaeg": "valkey"}}}
    with pytest.raises(ValueError, match="imaeg"):
        compose_spec.PyCompose.from_json(json.dumps(broken))


def test_what_compose_names_is_there() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            assert (DEPLOY / volume.split(":")[0]).exists()
        build = service.get("build")
        if build:
            context = (DEPLOY / build["context"]).resolve()
            assert context == ROOT
            recipe = (context / build["dockerfile"]).read_text("utf-8")
            assert "target" not in build or f" AS {build['target']}\n" in recipe
    # Its workers wait until the simulator is healthy, which is for its image to say.
    simulator = services["simulator"]["build"]
    assert services["worker-1"]["depends_on"]["simulator"]["condition"] == "service_healthy"
    stage = (ROOT / simulator["dockerfile"]).read_text("utf-8").partition(f" AS {simulator['target']}\n")[2]
    assert "HEALTHCHECK" in stage.partition("\nFROM ")[0]
    (job,) = _yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    ports = {
        f"{name}:{each['environment']['METRICS_PORT']}" for name, each in services.items() if name.startswith("worker")
    }
    assert set(job["static_configs"][0]["targets"]) == ports
    (source,) = _yaml(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = _yaml(DEPLOY / "grafana" / "provisioning" / "dashboards" / "dashboards.yaml")["providers"]
    mounted = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    assert provider["options"]["path"] == mounted["./grafana/dashboards"]
