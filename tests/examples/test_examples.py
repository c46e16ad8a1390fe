"""Every example runs to the end by the command of its README, and its model has learned."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_cli import jobfile

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
SERVED = sorted(EXAMPLES.glob("*/*serve.yaml"))
CHAINS = {  # of real data, which are not shipped: what each step starts from
    "07-chain-zh/1-pretrain.yaml": None,
    "07-chain-zh/2-transfer.yaml": {"kind": "PretrainJob", "name": "zh-reader"},
    "08-chain-en/1-pretrain.yaml": None,
    "08-chain-en/2-transfer.yaml": {"kind": "PretrainJob", "name": "en-reader"},
    "08-chain-en/3-distill.yaml": {"kind": "TransferJob", "name": "en-judge"},
}
REAL = sorted(EXAMPLES / path for path in CHAINS)
JOBS = sorted(set(EXAMPLES.glob("*/*.yaml")) - set(SERVED) - set(REAL))
DATA = ROOT / "worker" / "graft_worker" / "example_data"
# Chance is 0.5, and 0.1 for hidden words.
# Far enough above it to mean learning, far enough below what CPUs gave.
FLOORS = {
    "01-classify/job.yaml": 0.70,
    "01-classify/job-zh.yaml": 0.65,
    "02-pairs/job.yaml": 0.75,
    "03-pretrain/job.yaml": 0.30,
    "04-chain/1-pretrain.yaml": 0.05,
    "04-chain/2-transfer.yaml": 0.65,
    "04-chain/3-distill.yaml": 0.65,
    "06-distill/job.yaml": 0.65,
}
METRICS = {"TransferJob": "accuracy", "PretrainJob": "mlm_accuracy", "DistillJob": "accuracy"}
TEACHER = "01-classify/job.yaml"  # of 06-distill
BEFORE = {  # what an example starts from
    "04-chain/2-transfer.yaml": "04-chain/1-pretrain.yaml",
    "04-chain/3-distill.yaml": "04-chain/2-transfer.yaml",
    "06-distill/job.yaml": TEACHER,
}


def name(job: Path) -> str:
    return str(job.relative_to(EXAMPLES))


def test_every_example_has_a_floor_and_a_readme() -> None:
    assert {name(job) for job in JOBS} == set(FLOORS)
    assert all((job.parent / "README.md").is_file() for job in JOBS)


@pytest.mark.parametrize("job", JOBS, ids=name)
def test_an_example_is_a_valid_job_of_data_that_is_shipped(job: Path) -> None:
    plan = jobfile.read(str(job)).plan
    assert [stage.name for stage in plan.stages] == ["prepare", "train"]
    data = plan.resolved()["spec"]["data"]
    for split in ("train", "validation"):
        assert (DATA / data[split]["uri"].removeprefix("example://")).is_file()


@pytest.mark.parametrize("job", REAL, ids=name)
def test_a_step_of_a_chain_is_a_valid_job_that_starts_from_the_step_before(job: Path) -> None:
    assert (job.parent / "README.md").is_file()
    request = jobfile.read(str(job))
    assert [stage.name for stage in request.plan.stages] == ["prepare", "train"]
    spec = request.plan.resolved()["spec"]
    assert (spec.get("teacher") or spec["model"])["from"].get("job") == CHAINS[name(job)]
    made = {yaml.safe_load(path.read_text())["metadata"]["name"] for path in REAL}
    assert (CHAINS[name(job)] or {}).get("name", "zh-reader") in made


@pytest.mark.data
@pytest.mark.parametrize("job", REAL, ids=name)
def test_the_data_of_a_chain_are_where_its_files_look(job: Path, data_root: Path) -> None:
    data = jobfile.read(str(job)).plan.resolved()["spec"]["data"]
    named = [data[split] for split in ("train", "validation") if "fraction" not in data[split]]
    for uri in [uri for split in named for uri in split.get("uris") or [split["uri"]]]:
        assert (data_root / Path(uri).relative_to(job.parent / "data")).is_file()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """The status of an example and what it said on stderr; each runs once."""
    root = tmp_path_factory.mktemp("examples")

    @cache
    def run(example: str) -> tuple[dict[str, Any], str]:
        settings = [f"output.uri={root / 'teacher'}"] if example == TEACHER else []
        if example in BEFORE:
            run(BEFORE[example])
        if example == "06-distill/job.yaml":
            settings = [f"teacher.from.uri={root / 'teacher'}"]
        wishes = [part for setting in settings for part in ("--set", setting)]
        graft = [sys.executable, "-m", "graft_cli", "run", str(EXAMPLES / example)]
        result = subprocess.run(
            [*graft, "--store", str(root / "store"), *wishes],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return yaml.safe_load(result.stdout), result.stderr

    return run


@pytest.mark.parametrize("job", JOBS, ids=name)
def test_an_example_trains_a_model_above_its_floor(job: Path, ran: Callable[[str], Any]) -> None:
    status, _ = ran(name(job))
    assert status["phase"] == "Complete"
    assert (Path(status["artefact"]["uri"]) / "MANIFEST.json").is_file()
    metrics = {metric["name"]: float(metric["value"]) for metric in status["metrics"]}
    kind = yaml.safe_load(job.read_text())["kind"]
    assert metrics[METRICS[kind]] >= FLOORS[name(job)]


def test_the_student_of_the_example_stands_beside_its_teacher(ran: Callable[[str], Any]) -> None:
    (teacher, _), (student, said) = ran(TEACHER), ran("06-distill/job.yaml")
    beside = student["comparison"]
    assert beside["metric"] == "accuracy"
    assert {m["name"]: m["value"] for m in teacher["metrics"]}["accuracy"] == beside["teacher"]
    assert {m["name"]: m["value"] for m in student["metrics"]}["accuracy"] == beside["student"]
    assert beside["sizeRatio"] == 1.31
    assert f"the teacher {beside['teacher']}; 1.31x smaller" in said


@pytest.mark.parametrize("deployment", SERVED, ids=name)
def test_an_example_of_serving_is_valid_and_serves_the_model_of_an_example(
    deployment: Path,
) -> None:
    request = jobfile.read(str(deployment))
    assert [stage.name for stage in request.plan.stages] == ["serve"]
    wanted = request.plan.resolved()["spec"]["model"]["from"]["job"]
    jobs = [yaml.safe_load(job.read_text()) for job in (*JOBS, *REAL)]
    assert wanted in [{"kind": j["kind"], "name": j["metadata"]["name"]} for j in jobs]


@pytest.mark.parametrize(
    ("folder", "train", "dev"),
    [("reviews", 240, 60), ("reviews_zh", 240, 60), ("pairs", 200, 60)],
)
def test_shipped_data_are_balanced_and_their_splits_apart(
    folder: str, train: int, dev: int
) -> None:
    splits = [rows(DATA / folder / f"{split}.tsv") for split in ("train", "dev")]
    assert [len(split) for split in splits] == [train, dev]
    for split in splits:
        assert set(Counter(row[-1] for row in split).values()) == {len(split) // 2}
    texts = [{row[:-1] for row in split} for split in splits]
    assert [len(split) for split in texts] == [train, dev]
    assert texts[0] & texts[1] == set()


def rows(path: Path) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        _, *found = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [tuple(row) for row in found]
