"""Plans run as real processes whose programs speak the contract with workers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from graft_api.errors import ConfigError, StoreError
from graft_api.plan import Mount, Plan, Stage
from graft_api.progress import Termination
from graft_worker.local.events import Began, Ended, Event, Progressed, Stop, Stopping
from graft_worker.local.runner import Site, run

MakePlan = Callable[..., Plan]


def ignore(_event: Event) -> None:
    """Watches nothing."""


def test_stages_run_in_order_and_the_result_completes_the_job(
    make_plan: MakePlan, site: Site
) -> None:
    events: list[Event] = []
    plan = make_plan(
        prepare="print('reading')",
        train="report(10, loss=0.5, metrics={'accuracy': 0.9})\nfinish()",
    )
    result = run(plan, site=site, on_event=events.append)

    assert [e for e in events if not isinstance(e, Progressed)] == [
        Began(stage="prepare", attempt=1),
        Ended(stage="prepare", exit_code=0),
        Began(stage="train", attempt=1),
        Ended(stage="train", exit_code=0),
    ]
    assert [(e.stage, e.report.step) for e in events if isinstance(e, Progressed)] == [
        ("train", 10)
    ]
    assert result.termination == Termination(
        state="Complete",
        artefact_uri="file:///artefact",
        artefact_digest="sha256:00",
        artefact_bytes=7,
    )
    assert (result.state, result.stage, result.attempt, result.already) == (
        "Complete",
        "train",
        1,
        False,
    )
    assert result.progress is not None
    assert result.progress.metrics == {"accuracy": 0.9}
    assert (result.folder / "logs/attempt-1/prepare.log").read_text() == "reading\n"
    assert json.loads((result.folder / "job.json").read_text()) == plan.resolved()


def test_a_complete_job_is_not_run_again(make_plan: MakePlan, site: Site) -> None:
    first = run(make_plan(train="report(10)\nfinish()"), site=site, on_event=ignore)
    events: list[Event] = []
    again = run(make_plan(train="sys.exit(9)"), site=site, on_event=events.append)
    assert events == []
    assert again.already
    assert (again.state, again.attempt, again.log) == ("Complete", 1, first.log)
    assert (again.termination, again.progress) == (first.termination, first.progress)


def test_a_failed_stage_ends_the_run_with_its_last_words(make_plan: MakePlan, site: Site) -> None:
    prepare = """
        words(state="Failed", failure_class="DataError", exit_code=65, message="no rows")
        sys.exit(65)
    """
    result = run(make_plan(prepare=prepare, train="finish()"), site=site, on_event=ignore)
    assert result.stage == "prepare"
    assert result.termination == Termination(
        state="Failed", failure_class="DataError", exit_code=65, message="no rows"
    )
    assert not (result.folder / "result.json").exists()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "sys.exit(3)",
            Termination(
                state="Failed",
                failure_class="UserError",
                exit_code=3,
                message="stage train ended with exit code 3 and left no message",
                hint="the end of its log says more",
            ),
            id="an exit code alone is named",
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            Termination(
                state="Failed",
                failure_class="InfrastructureError",
                exit_code=137,
                message="stage train was ended by SIGKILL",
                hint="it was out of memory (a smaller training.microBatch or data.maxLength needs"
                " less), or stopped from outside; run the same command again to go on from the"
                " newest checkpoint",
            ),
            id="a kill is named, with memory as the likely reason",
        ),
        pytest.param(
            "pass",
            Termination(
                state="Failed",
                message="stage train ended without a result",
                hint="run the same command again; the end of its log says more",
            ),
            id="success without a completion marker is a failure",
        ),
    ],
)
def test_a_stage_without_last_words(
    make_plan: MakePlan, site: Site, body: str, expected: Termination
) -> None:
    assert run(make_plan(train=body), site=site, on_event=ignore).termination == expected


def test_last_words_of_an_earlier_stage_or_attempt_are_not_believed(
    make_plan: MakePlan, site: Site
) -> None:
    failing = """
        words(state="Failed", exit_code=1, message="the first time")
        sys.exit(1)
    """
    run(make_plan(train=failing), site=site, on_event=ignore)
    result = run(make_plan(train="sys.exit(1)"), site=site, on_event=ignore)
    assert result.attempt == 2
    assert "the first time" not in result.termination.message


def test_a_wish_to_stop_lets_the_stage_save(make_plan: MakePlan, site: Site) -> None:
    train = """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        report(4)
        until_asked()
        report(5, checkpoint_step=5)
        words(state="Stopped", exit_code=75, step=5)
        sys.exit(75)
    """
    stop = Stop()
    events: list[Event] = []

    def ask_at_first_report(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progressed) and event.report.step == 4:
            stop.ask()

    result = run(make_plan(train=train), site=site, on_event=ask_at_first_report, stop=stop)
    assert result.termination == Termination(state="Stopped", exit_code=75, step=5)
    assert Stopping(stage="train") in events
    assert result.progress is not None
    assert result.progress.checkpoint_step == 5


def test_the_next_run_goes_on_from_the_checkpoint(make_plan: MakePlan, site: Site) -> None:
    first = "report(5, checkpoint_step=5)\nwords(state='Stopped', exit_code=75)\nsys.exit(75)"
    assert run(make_plan(train=first), site=site, on_event=ignore).state == "Stopped"
    events: list[Event] = []
    result = run(make_plan(train="report(10)\nfinish()"), site=site, on_event=events.append)
    assert events[0] == Began(stage="train", attempt=2, resumed=5)
    assert result.state == "Complete"
    assert result.log == result.folder / "logs/attempt-2/train.log"


def test_a_checkpoint_that_nobody_reported_counts(make_plan: MakePlan, site: Site) -> None:
    train = """
        report(4, checkpoint_step=3)
        (folder / "checkpoints/step-00000003").mkdir(parents=True)
        (folder / "checkpoints/step-00000005").mkdir()
        (folder / "checkpoints/best-step-00000009").mkdir()
        (folder / "checkpoints/.step-00000009.0123abcd").mkdir()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    result = run(make_plan(train=train), site=site, on_event=ignore)
    assert result.progress is not None
    saved = result.folder / "checkpoints/step-00000005"
    assert (result.progress.step, result.progress.checkpoint_step) == (5, 5)
    assert result.status["checkpoint"]["uri"] == str(saved)
    events: list[Event] = []
    run(make_plan(train="finish()"), site=site, on_event=events.append)
    assert events[0] == Began(stage="train", attempt=2, resumed=5)


def test_a_second_wish_kills_a_stage_that_does_not_listen(make_plan: MakePlan, site: Site) -> None:
    train = """
        import subprocess
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        replace(folder / "child", str(child.pid))
        report(1)
        time.sleep(600)
    """
    stop = Stop()

    def ask(event: Event) -> None:
        if isinstance(event, Progressed | Stopping):
            stop.ask()

    result = run(make_plan(train=train), site=site, on_event=ask, stop=stop)
    assert result.state == "Stopped"
    child = int((result.folder / "child").read_text())
    assert not is_running(child)


def test_a_stage_that_does_not_save_in_time_is_killed(make_plan: MakePlan, site: Site) -> None:
    train = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nreport(1)\ntime.sleep(600)"
    stop = Stop()

    def ask(event: Event) -> None:
        if isinstance(event, Progressed):
            stop.ask()

    hasty = replace(site, grace_seconds=0.1)
    assert run(make_plan(train=train), site=hasty, on_event=ask, stop=stop).state == "Stopped"


def test_a_wish_during_prepare_leaves_train_alone(make_plan: MakePlan, site: Site) -> None:
    stop = Stop()
    events: list[Event] = []

    def ask(event: Event) -> None:
        events.append(event)
        stop.ask()

    result = run(make_plan(prepare="pass", train="finish()"), site=site, on_event=ask, stop=stop)
    assert result.state == "Stopped"
    assert all(event.stage == "prepare" for event in events)


def test_a_job_of_the_same_name_with_a_checkpoint_is_not_overwritten(
    make_plan: MakePlan, site: Site
) -> None:
    saving = "(folder / 'checkpoints/step-5').mkdir(parents=True)\nsys.exit(1)"
    folder = run(make_plan(train=saving), site=site, on_event=ignore).folder
    other = {"metadata": {"name": "reviews"}, "spec": {"training": {"seed": 2}}}
    with pytest.raises(StoreError) as refused:
        run(make_plan(train="finish()", job=other), site=site, on_event=ignore)
    assert refused.value.message == (
        f"{folder}: made by a job of the same name with other settings\n"
        "  spec.training.seed: stored 1, now 2"
    )
    assert refused.value.hint == (
        "give the new job another metadata.name, or run it with another --store"
    )


def test_a_taken_port_is_refused_before_anything_starts(make_plan: MakePlan, site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--metrics-port {port}: Address already in use"):
            run(make_plan(train="finish()"), site=replace(site, metrics_port=port), on_event=ignore)
    assert not any(site.store.rglob("*.log"))


def test_what_only_a_cluster_can_mount_is_refused(
    make_plan: MakePlan, make_stage: Callable[..., Stage], site: Site
) -> None:
    claim = Mount(kind="pvc", name="books", path="/graft/volumes/pvc/books")
    plan = make_plan(prepare=make_stage("prepare", "pass", mounts=(claim,)))
    with pytest.raises(ConfigError, match="pvc://books, which only a cluster can mount"):
        run(plan, site=site, on_event=ignore)


def is_running(process: int) -> bool:
    import psutil

    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
