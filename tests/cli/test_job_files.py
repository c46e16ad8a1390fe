"""Job files read, checked and explained by the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_api.errors import ConfigError
from graft_cli import jobfile

Graft = Callable[..., subprocess.CompletedProcess[str]]


def spec_of(file: Path | str, *settings: str) -> dict[str, Any]:
    spec: dict[str, Any] = jobfile.read(str(file), settings=settings).plan.resolved()["spec"]
    return spec


def test_paths_in_a_file_are_seen_from_its_folder(job_file: Path) -> None:
    data = spec_of(job_file)["data"]
    assert data["train"]["uri"] == str(job_file.parent / "train.tsv")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("example://reviews/train.tsv", "example://reviews/train.tsv"),
        ("s3://bucket/train.tsv", "s3://bucket/train.tsv"),
        ("/data/train.tsv", "/data/train.tsv"),
        ("../other/*.tsv", "/jobs/other/*.tsv"),
        ("C.tsv", "/jobs/a/C.tsv"),
    ],
)
def test_only_relative_paths_change(uri: str, expected: str) -> None:
    assert jobfile.absolute({"uri": uri}, Path("/jobs/a")) == {"uri": expected}
    assert jobfile.absolute({"uris": [uri]}, Path("/jobs/a")) == {"uris": [expected]}


def test_what_is_not_ours_keeps_its_paths() -> None:
    tree = {"params": {"uri": "a"}, "podTemplate": {"uri": "b"}, "data": {"uri": "c"}}
    assert jobfile.absolute(tree, Path("/j")) == tree | {"data": {"uri": "/j/c"}}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        pytest.param("training.seed=7", "spec.training.seed=7", id="a path begins at spec"),
        pytest.param("spec.training.seed=7", "spec.training.seed=7", id="or at the top"),
        pytest.param("metadata.name=b", "metadata.name=b", id="metadata stands beside spec"),
        pytest.param("data.train.uri=a.tsv", 'spec.data.train.uri="/here/a.tsv"', id="a file here"),
        pytest.param("data.train.uri=/a.tsv", "spec.data.train.uri=/a.tsv", id="an absolute path"),
        pytest.param(
            "data.train={uri: a.tsv, format: csv}",
            'spec.data.train={"uri": "/here/a.tsv", "format": "csv"}',
            id="a file here inside a mapping",
        ),
        pytest.param(
            "data.train.uris[1]=a.tsv", 'spec.data.train.uris[1]="/here/a.tsv"', id="one of a list"
        ),
        pytest.param("nonsense", "nonsense", id="what is no setting is left to the contract"),
        pytest.param("training.seed=[", "spec.training.seed=[", id="so is a value that is no YAML"),
    ],
)
def test_settings_of_the_command_line(setting: str, expected: str) -> None:
    assert jobfile.override(setting, Path("/here")) == expected


def test_a_setting_wins_over_the_file(job_file: Path) -> None:
    spec = spec_of(job_file, "training.optimizer.learningRate=3e-4", "data.test.uri=/t.tsv")
    assert spec["training"]["optimizer"]["learningRate"] == 3e-4
    assert spec["data"]["test"]["uri"] == "/t.tsv"


@pytest.mark.parametrize(
    ("change", "settings", "expected"),
    [
        pytest.param(
            ("globalBatch", "globalBacth"),
            (),
            "{file}: line 13: spec.training.globalBacth: unknown field; did you mean globalBatch?",
            id="a misspelt field, with its line",
        ),
        pytest.param(
            ("fp32", "fp31"),
            ("training.sed=1",),
            "{file}: 2 mistakes\n"
            '  line 13: spec.training.precision: "fp31" is not one of auto, fp32, bf16, fp16;'
            " did you mean fp32?\n"
            "  --set spec.training.sed=1: spec.training.sed: unknown field; did you mean seed?",
            id="every mistake at once, of the file and of the command line",
        ),
        pytest.param(
            ("name: text_classify", "name: chat"),
            (),
            '{file}: line 5: spec.app.name: "chat" is not available in this version;'
            " available: text_classify, text_match",
            id="what this version does not do, with its line",
        ),
    ],
)
def test_mistakes(
    job_file: Path, change: tuple[str, str], settings: tuple[str, ...], expected: str
) -> None:
    job_file.write_text(job_file.read_text().replace(*change))
    with pytest.raises(ConfigError) as refused:
        jobfile.read(str(job_file), settings=settings)
    assert refused.value.message == expected.format(file=job_file)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", "job.yaml: the file is empty", id="empty"),
        pytest.param(b"kind: \xff", "job.yaml: line 1: byte 0xff is not UTF-8", id="not UTF-8"),
        pytest.param(b"a: 1\nb: [1}", "job.yaml: line 2: not valid YAML", id="not YAML"),
        pytest.param(b"\x00\x01", "job.yaml: line 1: the character U+0000", id="binary"),
        pytest.param(b"- 1", "job.yaml: line 1: expected a mapping", id="a list"),
        pytest.param(b"#" * (2**20 + 1), "job.yaml: larger than 1 MiB", id="huge"),
    ],
)
def test_files_that_are_no_job(graft: Graft, tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "job.yaml").write_bytes(content)
    result = graft("run", "job.yaml")
    assert result.returncode == 2
    assert result.stderr.startswith(f"graft: error: {expected}")
    assert result.stdout == ""
    assert not (tmp_path / "graft-store").exists()


def test_a_missing_file_says_how_to_get_one(graft: Graft) -> None:
    result = graft("run", "job.yaml")
    assert (result.returncode, result.stderr) == (
        2,
        "graft: error: job.yaml: no such file\n"
        "  `graft init text_classify --output job.yaml` writes one\n",
    )


@pytest.mark.parametrize("app", ["text_classify", "text_match"])
def test_init_writes_a_job_that_validates(graft: Graft, tmp_path: Path, app: str) -> None:
    written = graft("init", app, "--output", "job.yaml")
    assert (written.returncode, written.stdout) == (0, "")
    assert written.stderr == "graft: wrote job.yaml; next:\n  graft run job.yaml\n"
    assert (tmp_path / "job.yaml").read_text() == graft("init", app).stdout
    assert "validation: 60 rows" in graft("validate", "job.yaml").stdout


def test_init_overwrites_nothing(graft: Graft, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("mine")
    result = graft("init", "text_match", "--output", "job.yaml")
    assert (result.returncode, result.stderr) == (
        2,
        "graft: error: job.yaml: exists already and is left as it is\n"
        "  name another file, or move that one away\n",
    )
    assert (tmp_path / "job.yaml").read_text() == "mine"


def test_explain_prints_the_same_plan_as_yaml_and_as_json(graft: Graft, job_file: Path) -> None:
    shown = yaml.safe_load(graft("explain", "job.yaml").stdout)
    assert shown == json.loads(graft("explain", "job.yaml", "-o", "json").stdout)
    plan = jobfile.read(str(job_file)).plan
    assert shown["digest"] == plan.digest()
    assert [stage["name"] for stage in shown["stages"]] == ["prepare", "train"]
    assert shown["stages"][1]["needs"] == ["prepare"]
    assert shown["job"] == plan.resolved()


def test_validate_reports_the_data(graft: Graft, job_file: Path) -> None:
    result = graft("validate", "job.yaml")
    assert result.returncode == 0
    assert result.stderr == "graft: TransferJob reviews is valid\n"
    assert result.stdout.splitlines()[:4] == [
        "target: one label per row, 2 labels: bad, good",
        "train: 4 rows, longest text 30 characters, 0 empty, 0 repeated, 0 also in train",
        "  labels: bad 2, good 2",
        "  columns: text = text, label = label",
    ]


def test_validate_of_a_missing_file_names_it(graft: Graft, job_file: Path) -> None:
    (job_file.parent / "train.tsv").rename(job_file.parent / "trian.tsv")
    result = graft("validate", "job.yaml")
    assert result.returncode == 2
    assert f"{job_file.parent}/train.tsv: no such file" in result.stderr
    assert "did you mean trian.tsv" in result.stderr
    assert graft("validate", "job.yaml", "--no-data").returncode == 0


def test_a_job_comes_from_stdin_too(graft: Graft, job_file: Path) -> None:
    result = graft("validate", "-", stdin=job_file.read_text())
    assert (result.returncode, result.stderr) == (0, "graft: TransferJob reviews is valid\n")
