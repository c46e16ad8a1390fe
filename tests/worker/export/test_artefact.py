"""Artefacts: whole or not at all, named by content, refused when a byte is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from graft_api.errors import StoreError
from graft_worker.export import artefact, manifest
from tests.worker import small

FILES = (
    "config.json",
    "golden.jsonl",
    "labels.json",
    "metrics.json",
    "model.safetensors",
    "model_card.md",
    "profile.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an artefact that tests only read."""
    return small.published(tmp_path_factory.mktemp("store")).uri


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The same artefact, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / made.name))


def test_the_manifest_names_every_file_with_its_size_and_hash(made: Path) -> None:
    told = json.loads((made / "MANIFEST.json").read_text())
    assert sorted(path.name for path in made.iterdir()) == sorted((*FILES, "MANIFEST.json"))
    assert told == {
        "version": 1,
        "files": {
            name: {
                "bytes": (made / name).stat().st_size,
                "sha256": hashlib.sha256((made / name).read_bytes()).hexdigest(),
            }
            for name in FILES
        },
    }


def test_the_folder_is_named_by_the_digest_of_the_manifest(made: Path) -> None:
    digest = hashlib.sha256((made / "MANIFEST.json").read_bytes()).hexdigest()
    assert made.name == f"sha256-{digest}"
    assert artefact.verify(made) == f"sha256:{digest}"


def test_what_was_published_is_what_is_loaded(tmp_path: Path) -> None:
    published = small.published(tmp_path)
    total = sum(path.stat().st_size for path in published.uri.iterdir())
    assert published.bytes == total
    assert artefact.load(published.uri) == artefact.Artefact(
        folder=published.uri,
        digest=published.digest,
        app="text_classify",
        variant="encoder",
        params={},
        problem="single_label",
        labels=("bad", "good"),
        columns={"text": "text", "label": "label"},
        max_length=12,
    )


def test_equal_contents_are_one_artefact_and_it_is_not_touched_again(tmp_path: Path) -> None:
    first = small.published(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.uri.iterdir()}
    again = small.published(tmp_path)
    assert again == first
    assert {path: path.stat().st_mtime_ns for path in first.uri.iterdir()} == before
    assert [path.name for path in (tmp_path / "artefacts").iterdir()] == [first.uri.name]


def test_other_weights_are_another_artefact_beside(tmp_path: Path) -> None:
    app = small.app()
    first = artefact.publish(tmp_path, small.contents(app, small.classifier(app, seed=1)))
    other = artefact.publish(tmp_path, small.contents(app, small.classifier(app, seed=2)))
    assert first.digest != other.digest
    assert {artefact.verify(each.uri) for each in (first, other)} == {first.digest, other.digest}


def test_a_damaged_artefact_is_replaced_when_it_is_published_again(tmp_path: Path) -> None:
    first = small.published(tmp_path)
    (first.uri / "labels.json").write_text("[]")
    assert small.published(tmp_path) == first
    assert artefact.verify(first.uri) == first.digest
    assert [path.name for path in (tmp_path / "artefacts").iterdir()] == [first.uri.name]


def test_what_a_killed_attempt_left_is_cleared_and_that_of_other_jobs_is_kept(
    tmp_path: Path,
) -> None:
    root = tmp_path / "artefacts"
    (root / ".reviews.partial-1").mkdir(parents=True)
    (root / ".reviews.partial-1" / "model.safetensors").write_bytes(b"half")
    (root / ".others.partial-1").mkdir()
    made = small.published(tmp_path)
    assert sorted(path.name for path in root.iterdir()) == [".others.partial-1", made.uri.name]


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_found_and_its_file_named(copy: Path, name: str) -> None:
    path = copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        artefact.load(copy)
    assert caught.value.message.startswith(f"{path}: damaged: sha256 ")
    assert caught.value.hint == (
        "copy the artefact again from where it was published, or run its job again"
    )


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_found_and_named(copy: Path, name: str) -> None:
    path, size = copy / name, (copy / name).stat().st_size
    os.truncate(path, size - 1)
    with pytest.raises(StoreError) as caught:
        artefact.load(copy)
    assert caught.value.message == f"{path}: damaged: {size - 1} bytes, MANIFEST.json says {size}"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found_and_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(StoreError) as caught:
        artefact.load(copy)
    assert caught.value.message == f"{copy / name}: missing, though MANIFEST.json names it"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "not the manifest of an artefact", id="no JSON"),
        pytest.param("[]", "not the manifest of an artefact", id="a list"),
        pytest.param('{"files": {"a": {"size": 1}}}', "not the manifest", id="other keys"),
        pytest.param(
            '{"files": {"../../x": {"bytes": 1, "sha256": ""}}}', "not the manifest",
            id="a path that leads out",
        ),
        pytest.param(
            '{"files": {}}', "the folder is named by another digest", id="nothing listed"
        ),
    ],
)  # fmt: skip
def test_a_manifest_that_is_not_the_published_one_is_refused(
    copy: Path, text: str, reason: str
) -> None:
    (copy / "MANIFEST.json").write_text(text)
    with pytest.raises(StoreError) as caught:
        artefact.verify(copy)
    assert caught.value.message.startswith(f"{copy / 'MANIFEST.json'}: damaged: ")
    assert reason in caught.value.message


def test_a_folder_that_is_no_artefact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        artefact.load(tmp_path)
    assert caught.value.message == f"{tmp_path}: not an artefact: it has no MANIFEST.json"


@pytest.mark.parametrize(
    ("graft", "message"),
    [
        pytest.param(None, "has no key graft: not the artefact of a Graft job", id="another's"),
        pytest.param(
            {"version": 9}, "written by a newer Graft (format 9, this knows 1)", id="newer"
        ),
    ],
)  # fmt: skip
def test_an_artefact_that_this_version_cannot_read_is_refused(
    copy: Path, tmp_path: Path, graft: object, message: str
) -> None:
    folder = copy.rename(tmp_path / "elsewhere")
    config = json.loads((folder / "config.json").read_text()) | {"graft": graft}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "MANIFEST.json").write_text(manifest.describe(folder).text())
    with pytest.raises(StoreError) as caught:
        artefact.load(folder)
    assert message in caught.value.message


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a disk of 1 MiB")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk of 1 MiB can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left", [400_000, 8_192, 0], ids=["weights", "a config", "a folder"])
def test_a_disk_without_room_is_a_clear_error_and_leaves_nothing(narrow: Path, left: int) -> None:
    kept = small.published(narrow)
    (narrow / "filler").write_bytes(b"0" * (shutil.disk_usage(narrow).free - left))
    app = small.app()
    contents = small.contents(app, small.classifier(app))
    weights = {**contents.weights, "more": torch.ones(150_000)}
    with pytest.raises(StoreError) as caught:
        small.published(narrow, weights=weights)
    assert caught.value.message.startswith(f"{narrow}: the artefact cannot be written: ")
    assert "No space left on device" in caught.value.message
    assert caught.value.hint == (
        "it needs 3 MiB and a folder that may be written; "
        "then run the same job again, it goes on from its last checkpoint"
    )
    assert [path.name for path in (narrow / "artefacts").iterdir()] == [kept.uri.name]
    assert artefact.verify(kept.uri) == kept.digest


def test_a_store_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.write_text("")
    with pytest.raises(StoreError, match="the artefact cannot be written: Not a directory"):
        small.published(store)
