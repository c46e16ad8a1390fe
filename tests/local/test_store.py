"""The store's checks on real folders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from graft_api.errors import StoreError
from graft_worker.local import store
from graft_worker.local.store import Difference


def job(**spec: object) -> str:
    return json.dumps({"metadata": {"name": "reviews"}, "spec": spec})


def test_a_folder_is_named_by_the_job_and_eight_digits_of_its_kind_and_name() -> None:
    assert store.uid("TransferJob", "reviews") == "41061226"
    found = store.job_folder(Path("store"), kind="TransferJob", name="reviews")
    assert found == Path("store/jobs/transferjob/reviews-41061226")


def test_preflight_makes_a_store_that_is_missing_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    store.preflight(tmp_path / "a" / "store")
    assert list((tmp_path / "a" / "store").iterdir()) == []


def test_preflight_refuses_a_disk_without_room(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"store .*: \d+ MiB free, \d+ MiB needed") as refused:
        store.preflight(tmp_path, least_free=2**60)
    assert "--store" in refused.value.hint


def test_preflight_refuses_a_store_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="not a folder"):
        store.preflight(tmp_path / "store")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no file system that refuses even root")
def test_preflight_refuses_a_folder_that_cannot_be_made() -> None:
    with pytest.raises(StoreError, match="store /proc/store: cannot be written"):
        store.preflight(Path("/proc/store"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_preflight_refuses_a_folder_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        store.preflight(tmp_path)


@pytest.mark.parametrize(
    ("stored", "wanted", "expected"),
    [
        pytest.param(
            {"spec": {"training": {"seed": 1, "globalBatch": 32}}},
            {"spec": {"training": {"seed": 2, "globalBatch": 32}}},
            (Difference(field="spec.training.seed", stored="1", wanted="2"),),
            id="a changed field is named with both values",
        ),
        pytest.param(
            {"spec": {"data": {}}},
            {"spec": {"data": {"test": {"uri": "t.tsv"}}}},
            (
                Difference(field="spec.data", stored="{}", wanted="absent"),
                Difference(field="spec.data.test.uri", stored="absent", wanted='"t.tsv"'),
            ),
            id="a field that appears was absent",
        ),
        pytest.param(
            {"spec": {"model": {"from": {"zoo": "a"}}}},
            {"spec": {"model": {"from": {"uri": "b"}}}},
            (
                Difference(field="spec.model.from.uri", stored="absent", wanted='"b"'),
                Difference(field="spec.model.from.zoo", stored='"a"', wanted="absent"),
            ),
            id="one of a choice gives way to another",
        ),
        pytest.param(
            {
                "metadata": {"labels": {"team": "a"}},
                "spec": {
                    "workers": {"desired": 1, "min": 1},
                    "run": {"suspend": False, "deadlines": {"active": "7d"}},
                    "checkpoint": {"every": {"minutes": 10}, "keep": 3},
                },
            },
            {
                "spec": {
                    "workers": {"desired": 2, "min": 1, "max": 4},
                    "run": {"suspend": True, "deadlines": {"active": "8d"}},
                    "checkpoint": {"every": {"steps": 5}, "keep": 1},
                }
            },
            (),
            id="what a person may change in a job that exists is no difference",
        ),
    ],
)
def test_differences(
    stored: dict[str, object], wanted: dict[str, object], expected: tuple[Difference, ...]
) -> None:
    assert store.differences(stored, wanted) == expected


def test_a_job_may_be_corrected_while_it_has_saved_nothing(tmp_path: Path) -> None:
    store.claim(tmp_path, job=job(seed=1))
    (tmp_path / "prepared.json").write_text("{}")
    store.claim(tmp_path, job=job(seed=2))
    assert json.loads((tmp_path / "job.json").read_text())["spec"] == {"seed": 2}
    assert not (tmp_path / "prepared.json").exists()


@pytest.mark.parametrize("saved", ["checkpoints/step-5", "result.json"])
def test_a_job_that_saved_something_is_not_replaced(tmp_path: Path, saved: str) -> None:
    store.claim(tmp_path, job=job(seed=1))
    (tmp_path / saved).mkdir(parents=True)
    with pytest.raises(StoreError, match=r"spec\.seed: stored 1, now 2"):
        store.claim(tmp_path, job=job(seed=2))
    assert json.loads((tmp_path / "job.json").read_text())["spec"] == {"seed": 1}


def test_a_claim_with_mutable_changes_is_written(tmp_path: Path) -> None:
    store.claim(tmp_path, job=job(workers={"desired": 1}))
    (tmp_path / "result.json").write_text("{}")
    store.claim(tmp_path, job=job(workers={"desired": 2}))
    assert json.loads((tmp_path / "job.json").read_text())["spec"]["workers"] == {"desired": 2}


def test_a_damaged_job_file_in_the_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"spec": ')
    with pytest.raises(StoreError, match=r"job\.json: cannot be read"):
        store.claim(tmp_path, job=job(seed=1))


def test_a_file_that_cannot_be_written_keeps_its_old_content(tmp_path: Path) -> None:
    target = tmp_path / "job.json"
    target.mkdir()
    with pytest.raises(StoreError, match=r"job\.json: cannot be written"):
        store.write(target, "{}")
    assert [entry.name for entry in tmp_path.iterdir()] == ["job.json"]
