"""A dashboard as a list of panels, and its JSON as Grafana reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

COLUMNS = 24
HEIGHT = 8
SCHEMA = 39
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PromQL, and the legend of its series."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A title, a sentence for who hovers over it, a unit of Grafana's, and queries."""

    title: str
    text: str
    queries: tuple[Query, ...]
    unit: str = "short"
    form: Literal["timeseries", "stat", "table"] = "timeseries"
    width: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard; `jobs` is the series whose label `job` its variable lists."""

    name: str
    title: str
    jobs: str
    panels: tuple[Panel, ...]


def board_json(board: Board) -> str:
    """The dashboard's file."""
    content = {
        "uid": f"graft-{board.name}",
        "title": board.title,
        "tags": ["graft"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(board))},
        "panels": list(_panels(board)),
    }
    return json.dumps(content, indent=1) + "\n"


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
    yield _choice("namespace", f"label_values({board.jobs}, namespace)")
    yield _choice("job", f'label_values({board.jobs}{{namespace=~"$namespace"}}, job)')


def _choice(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "label": name.title(),
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    x = y = 0
    for number, panel in enumerate(board.panels, start=1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        place = {"x": x, "y": y, "w": panel.width, "h": HEIGHT}
        yield {"id": number, "gridPos": place} | _panel(panel)
        x += panel.width


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.form,
        "title": panel.title,
        "description": panel.text,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            _target(query, chr(ord("A") + place), table=panel.form == "table")
            for place, query in enumerate(panel.queries)
        ],
    }


def _target(query: Query, name: str, *, table: bool) -> dict[str, Any]:
    return {
        "refId": name,
        "datasource": SOURCE,
        "expr": query.expression,
        "legendFormat": query.legend,
        "instant": table,
        "format": "table" if table else "time_series",
    }
