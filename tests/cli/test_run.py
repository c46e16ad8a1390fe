"""`graft run` from a file to a model, with real workers on a tiny model."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

Graft = Callable[..., subprocess.CompletedProcess[str]]
Result = subprocess.CompletedProcess[str]
STEPS = 500
LONG = (
    *("--set", f"training.duration.steps={STEPS}"),
    *("--set", f"training.evaluate.every={{steps: {STEPS}}}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A job that ran to the end: its folder, and what the command line said."""

    folder: Path
    result: Result

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.result.stdout)
        return found

    @property
    def artefact(self) -> str:
        return str(self.status["artefact"]["uri"])

    def graft(self, *arguments: str) -> Result:
        return graft_in(self.folder, *arguments)


def graft_in(folder: Path, *arguments: str) -> Result:
    command = [sys.executable, "-m", "graft_cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, job_text: str, rows: str) -> Done:
    folder = tmp_path_factory.mktemp("done")
    (folder / "train.tsv").write_text(rows)
    (folder / "job.yaml").write_text(job_text)
    result = graft_in(folder, "run", "job.yaml", "-o", "json", "--store", "store")
    assert result.returncode == 0, result.stderr
    return Done(folder=folder, result=result)


def test_stdout_is_the_status_and_stderr_the_progress(done: Done) -> None:
    status = done.status
    assert status["phase"] == "Complete"
    assert {c["type"]: c["status"] for c in status["conditions"]}["Complete"] == "True"
    assert status["progress"]["step"] == status["progress"]["totalSteps"] == 4
    assert {"loss", "accuracy"} <= {metric["name"] for metric in status["metrics"]}
    assert status["dataset"] | {"sha256": ""} == {
        "rows": 4,
        "columns": ["text", "label"],
        "sha256": "",
        "labels": 2,
        "warnings": ["validation: 4 of 4 rows stand in train as well"],
    }
    assert (Path(done.artefact) / "model.safetensors").is_file()
    lines = done.result.stderr.splitlines()
    assert lines[:2] == ["prepare: started", "train: started"]
    assert lines[-3] == "graft: warning: validation: 4 of 4 rows stand in train as well"
    assert lines[-2] == f"graft: the model is in {done.artefact}; next:"
    assert lines[-1] == f"  graft predict {done.artefact} --input FILE --output predictions.tsv"


def test_the_same_command_again_says_that_the_job_is_complete(done: Done) -> None:
    again = done.graft("run", "job.yaml", "--store", "store")
    assert again.returncode == 0
    assert yaml.safe_load(again.stdout) == done.status
    assert again.stderr.startswith("graft: reviews is complete already; nothing was run\n")


def test_another_job_of_the_name_is_refused_field_by_field(done: Done) -> None:
    other = done.graft("run", "job.yaml", "--store", "store", "--set", "training.seed=7")
    assert (other.returncode, other.stdout) == (2, "")
    assert "made by a job of the same name with other settings\n" in other.stderr
    assert "  spec.training.seed: stored 42, now 7\n" in other.stderr
    assert "give the new job another metadata.name, or run it with another --store" in other.stderr


def test_predict_keeps_the_order_and_copies_columns(done: Done) -> None:
    (done.folder / "new.tsv").write_text("id\ttext\n7\ta steady lamp\n3\tthe kettle broke\n")
    arguments = ("--input", "new.tsv", "--output", "out.tsv", "--append", "id,text")
    result = done.graft("predict", done.artefact, *arguments, "--columns", "predictions,logits")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "graft: wrote 2 rows to out.tsv\n"
    head, *rows = [line.split("\t") for line in (done.folder / "out.tsv").read_text().splitlines()]
    assert head == ["id", "text", "predictions", "logits"]
    assert [row[:2] for row in rows] == [["7", "a steady lamp"], ["3", "the kettle broke"]]
    assert {row[2] for row in rows} <= {"good", "bad"}


def test_evaluate_gives_the_metrics_of_the_status(done: Done) -> None:
    result = done.graft("evaluate", done.artefact, "--input", "train.tsv", "-o", "json")
    assert result.returncode == 0
    told = {metric["name"]: float(metric["value"]) for metric in done.status["metrics"]}
    assert json.loads(result.stdout)["accuracy"] == pytest.approx(told["accuracy"], abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ("predict", "nowhere", "--input", "train.tsv", "--output", "o.tsv"),
            "graft: error: nowhere: no such folder\n"
            "  name an artefact: the status of a complete job says its uri\n",
            id="an artefact that there is not",
        ),
        pytest.param(
            ("predict", "store", "--input", "train.tsv", "--output", "o.xls"),
            "graft: error: o.xls: the extension says the format: expected .tsv, .csv or .jsonl\n",
            id="an output of no known form",
        ),
        pytest.param(
            ("evaluate", "store", "--input", "train.tsv", "--map", "label"),
            "graft: error: --map label: expected role=column\n"
            "  for example --map text=review,label=stars\n",
            id="a malformed map",
        ),
    ],
)
def test_bad_input_of_predict_and_evaluate(
    done: Done, arguments: tuple[str, ...], expected: str
) -> None:
    result = done.graft(*arguments)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", expected)


def test_bad_data_is_code_2_and_nothing_trains(graft: Graft, job_file: Path) -> None:
    job_file.with_name("train.tsv").write_text("text\tstars\nfine\t5\n")
    result = graft("run", "job.yaml")
    assert result.returncode == 2
    assert yaml.safe_load(result.stdout)["failure"]["class"] == "DataError"
    assert "graft: error: prepare failed: " in result.stderr
    assert re.search(r"\n  log: .*/logs/attempt-1/prepare\.log\n$", result.stderr)
    assert "train: started" not in result.stderr
    job_file.with_name("train.tsv").write_text("text\tstars\nfine\tgood\nworse\tbad\n")
    mended = graft("run", "job.yaml", "--quiet", "--set", "data.train.columns={label: stars}")
    assert "made by a job of the same name" not in mended.stderr


def test_a_failing_worker_is_code_1_and_shows_its_log(graft: Graft, job_file: Path) -> None:
    # a folder cannot be made where a file stands
    first = graft("run", "job.yaml", "--set", "output.uri=job.yaml/x")
    assert first.returncode == 1
    status = yaml.safe_load(first.stdout)
    assert (status["phase"], status["failure"]["class"]) == ("Failed", "InfrastructureError")
    assert "graft: error: train failed: spec.output.uri: " in first.stderr
    assert first.stderr.rstrip().endswith("logs/attempt-1/train.log")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_saves_what_it_has(job_file: Path, number: signal.Signals) -> None:
    stopped = interrupted(job_file.parent, number)
    assert stopped.returncode == 130
    step = yaml.safe_load(stopped.stdout)["checkpoint"]["step"]
    assert yaml.safe_load(stopped.stdout)["phase"] == "Suspended"
    assert (
        f"graft: interrupted at step {step}, checkpoint saved;"
        " run the same command again to go on\n"
    ) in stopped.stderr


def test_the_same_command_goes_on_after_an_interruption(job_file: Path) -> None:
    stopped = interrupted(job_file.parent, signal.SIGINT)
    step = yaml.safe_load(stopped.stdout)["checkpoint"]["step"]
    again = graft_in(job_file.parent, "run", "job.yaml", *LONG)
    assert again.returncode == 0, again.stderr
    assert f"train: attempt 2, from the checkpoint of step {step}\n" in again.stderr
    assert yaml.safe_load(again.stdout)["progress"]["step"] == STEPS


def interrupted(folder: Path, number: signal.Signals) -> Result:
    """A long run that got a signal as soon as it trained."""
    command = [sys.executable, "-m", "graft_cli", "run", "job.yaml", *LONG]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        until(process.stderr, "train: training")
        process.send_signal(number)
        stdout, stderr = process.communicate()
    return Result(command, process.returncode, stdout, stderr)


def test_a_terminal_gets_a_bar_and_colours_only_where_wanted(job_file: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "graft_cli", "run", "job.yaml"]
    environ = os.environ | {"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "160"}
    with subprocess.Popen(
        command, cwd=job_file.parent, env=environ, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        drawn = b"".join(chunks(ours)).decode()
        stdout, _ = process.communicate()
    assert process.returncode == 0
    assert yaml.safe_load(stdout)["phase"] == "Complete"
    assert re.search(r"prepare .*\btrain .*step 4/4", drawn, re.DOTALL)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", drawn)


def until(lines: Iterator[str], start: str) -> None:
    """Reads lines to the first that starts so; fails where there is none."""
    read = []
    for line in lines:
        read.append(line)
        if line.startswith(start):
            return
    pytest.fail("".join(read))


def chunks(descriptor: int) -> Iterator[bytes]:
    """What is written to a terminal until its last writer leaves."""
    try:
        while data := os.read(descriptor, 4096):
            yield data
    except OSError:  # Linux says so with EIO
        return
    finally:
        os.close(descriptor)
