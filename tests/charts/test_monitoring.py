"""Dashboards and alerts ask for series that the code exports, and lead to a runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from graft_api.vocabulary import FailureClass
from tests.charts.rendering import CHART, EVERYTHING, of_kind, one, rendered
from tests.charts.series import TARGET, exported, matched, names

BOARDS = {p.stem: json.loads(p.read_text()) for p in sorted(CHART.glob("files/dashboards/*"))}
RULES = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}


def queries() -> Iterator[tuple[str, str]]:
    for name, board in BOARDS.items():
        for variable in board["templating"]["list"][1:]:
            yield f"{name}: variable {variable['name']}", variable["definition"]
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{name}: {panel['title']}", target["expr"]
    for name, rule in ALERTS.items():
        yield name, rule["expr"]


QUERIES = [pytest.param(query, id=place) for place, query in queries()]


@pytest.mark.parametrize("query", QUERIES)
def test_query_asks_for_series_that_the_code_exports(query: str) -> None:
    assert names(query)
    assert names(query) - set(exported()) == set()


@pytest.mark.parametrize("query", QUERIES)
def test_query_selects_by_labels_that_the_series_have(query: str) -> None:
    series = exported()
    unknown = [(n, label) for n, label in matched(query) if label not in series[n] | TARGET]
    assert unknown == []


def test_names_in_strings_and_labels_are_no_series() -> None:
    query = 'sum by (job) (rate(graft_x_total{a="graft_y", b!~"z"}[5m])) / graft_z'
    assert names(query) == {"graft_x_total", "graft_z"}
    assert list(matched(query)) == [("graft_x_total", "a"), ("graft_x_total", "b")]


@pytest.mark.parametrize("name", BOARDS)
def test_board_has_its_variables_and_explains_each_panel(name: str) -> None:
    board = BOARDS[name]
    variables = [variable["name"] for variable in board["templating"]["list"]]
    assert variables == ["datasource", "namespace", "job"]
    assert [p["title"] for p in board["panels"] if not p["description"].endswith(".")] == []
    assert [p["title"] for p in board["panels"] if p["datasource"]["uid"] != "${datasource}"] == []


@pytest.mark.parametrize("name", BOARDS)
def test_panels_of_a_board_do_not_overlap(name: str) -> None:
    cells = [
        (x, place["y"])
        for panel in BOARDS[name]["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_alerts_are_those_of_the_design() -> None:
    assert sorted(ALERTS) == [
        "GraftCheckpointTooOld",
        "GraftJobStalled",
        "GraftJobStuckQueued",
        "GraftOperatorLag",
        "GraftOperatorNoLeader",
        "GraftRestartStorm",
        "GraftResyncCorrections",
        "GraftWatchSilent",
    ]


@pytest.mark.parametrize("name", ALERTS)
def test_alert_leads_to_its_runbook(name: str, root: Any) -> None:
    page, _, anchor = ALERTS[name]["annotations"]["runbook_url"].partition("#")
    sections = re.findall(r"^## (\w+)$", (root / page).read_text(), re.MULTILINE)
    assert (page, anchor) == ("docs/guides/alerts.md", name.lower())
    assert name in sections
    assert ALERTS[name]["labels"]["severity"] in {"info", "warning", "critical"}


def test_restart_storm_counts_the_classes_that_the_operator_counts() -> None:
    [classes] = re.findall(r'class=~"([^"]+)"', ALERTS["GraftRestartStorm"]["expr"])
    assert set(classes.split("|")) == {FailureClass.USER, FailureClass.INFRASTRUCTURE}


def test_rules_are_rendered_as_they_stand_with_the_address_of_the_runbooks() -> None:
    values = {"monitoring": {"rules": {"enabled": True, "runbooks": "https://wiki.example/graft"}}}
    spec = one(rendered(values), "PrometheusRule")["spec"]
    urls = [r["annotations"].pop("runbook_url") for g in spec["groups"] for r in g["rules"]]
    assert urls == [f"https://wiki.example/graft#{name.lower()}" for name in ALERTS]
    expected = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    for rule in (rule for group in expected["groups"] for rule in group["rules"]):
        del rule["annotations"]["runbook_url"]
    assert spec == expected


def test_boards_are_rendered_as_they_stand_with_grafanas_label() -> None:
    maps = of_kind(rendered(EVERYTHING), "ConfigMap")
    boards = {name: json.loads(text) for each in maps for name, text in each["data"].items()}
    assert boards == {f"{name}.json": board for name, board in BOARDS.items()}
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in maps} == {"1"}
