"""Each alert fires where it should and nowhere else, as Prometheus itself evaluates it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.charts.binaries import run
from tests.charts.rendering import CHART

RULES = CHART / "files" / "rules.yaml"
CASES = sorted((Path(__file__).parent / "alerts").glob("*.yaml"))


def alerts() -> list[str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return sorted(rule["alert"] for group in groups for rule in group["rules"])


def test_prometheus_accepts_the_rules() -> None:
    result = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_has_its_cases_of_both_kinds() -> None:
    assert [path.stem for path in CASES] == alerts()
    for path in CASES:
        checks = [
            check
            for test in yaml.safe_load(path.read_text())["tests"]
            for check in test["alert_rule_test"]
        ]
        assert {check["alertname"] for check in checks} == {path.stem}
        assert {bool(check.get("exp_alerts")) for check in checks} == {True, False}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_alert_fires_and_does_not_fire(path: Path) -> None:
    result = run("promtool", "test", "rules", str(path))
    assert result.returncode == 0, result.stdout + result.stderr
