"""Where a model starts from: folders, addresses and configs, pinned by digest."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from graft_api.errors import ConfigError
from graft_api.model import Model, TokenizerOrigin
from graft_worker.models import origin
from graft_worker.models.build import load_encoder
from tests.worker.models.texts_of_ids import library_bert


def spec(revision: str | None = None, **from_: Any) -> Model:
    pinned = {"revision": revision} if revision else {}
    return Model.model_validate({"from": from_, **pinned})


def resolve(into: Path, wish: Model) -> origin.Origin:
    return origin.resolve(wish, zoo=None, into=into)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    library_bert(tmp_path / "weights")
    return tmp_path / "weights"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its parent's name)
        pass


@pytest.fixture(name="address")
def _address(folder: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def digest_of(*files: Path) -> str:
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


@pytest.mark.parametrize("form", ["{}", "file://{}"], ids=["a path", "a file:// address"])
def test_a_local_folder_is_taken_where_it_is(tmp_path: Path, folder: Path, form: str) -> None:
    found = resolve(tmp_path / "into", spec(uri=form.format(folder)))
    wanted = digest_of(folder / "config.json", folder / "model.safetensors")
    assert found == origin.Origin(folder=folder, digest=wanted, random=False)
    assert not (tmp_path / "into").exists()


def test_a_pinned_revision_must_be_the_one_found(tmp_path: Path, folder: Path) -> None:
    found = resolve(tmp_path, spec(uri=str(folder))).digest
    assert resolve(tmp_path, spec(uri=str(folder), revision=found)).digest == found
    other = f"sha256:{'0' * 64}"
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, spec(uri=str(folder), revision=other))
    assert str(caught.value) == (
        f"spec.model.revision: pinned to {other}, but {folder} has {found}\n"
        "  take the pin away to accept these weights, or restore the pinned ones"
    )


def test_an_address_is_fetched_once(tmp_path: Path, folder: Path, address: str) -> None:
    into = tmp_path / "into"
    found = resolve(into, spec(uri=address))
    assert found.folder == into
    assert found.digest == resolve(tmp_path / "other", spec(uri=str(folder))).digest
    (folder / "model.safetensors").unlink()
    assert resolve(into, spec(uri=address)) == found
    assert not list(tmp_path.glob(".into*"))


def test_sharded_weights_are_fetched_whole(tmp_path: Path, folder: Path, address: str) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"any": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    found = resolve(tmp_path / "into", spec(uri=address))
    assert (found.folder / "model-00001-of-00001.safetensors").is_file()


def test_an_address_with_nothing_there_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path / "into", spec(uri=f"{address}/none"))
    assert str(caught.value) == (
        f"spec.model: {address}/none: none of config.json, model.safetensors, "
        "model.safetensors.index.json, tokenizer.json, tokenizer_config.json, vocab.txt, "
        "vocab.json, merges.txt is there\n"
        "  name a folder in Hugging Face layout, without the file's name"
    )
    assert not (tmp_path / "into").exists()


def test_a_tokenizer_may_come_from_a_folder_of_its_own(tmp_path: Path, folder: Path) -> None:
    wish = TokenizerOrigin.model_validate({"uri": str(folder)})
    assert origin.folder_of(wish, zoo=None, into=tmp_path / "into") == folder


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "/no/such/folder",
            "/no/such/folder does not exist\n"
            "  name a folder with config.json, model.safetensors and tokenizer.json",
        ),
        (
            "pvc://claim/path",
            "pvc://claim/path: cannot read pvc:// here\n"
            "  use a folder, file://, https://, s3:// or hf://",
        ),
    ],
    ids=["a folder that is not there", "a scheme of the cluster"],
)
def test_an_address_that_cannot_be_read_is_told(tmp_path: Path, uri: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, spec(uri=uri))
    assert str(caught.value) == f"spec.model.from.uri: {message}"


def test_a_folder_without_weights_is_told(tmp_path: Path, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, spec(uri=str(folder)))
    assert str(caught.value) == (
        f"{folder}: no model.safetensors in it\n"
        "  put the weights there, or use spec.model.from.config for random ones"
    )


def test_a_config_is_written_and_makes_an_encoder(tmp_path: Path) -> None:
    sizes = {"architecture": "bert", "layers": 2, "hidden": 32, "heads": 4}
    options = {"hidden_act": "relu", "max_position_embeddings": 40}
    found = resolve(tmp_path / "into", spec(config={**sizes, "options": options}))
    file = tmp_path / "into" / "config.json"
    assert json.loads(file.read_text()) == {
        "model_type": "bert",
        "num_hidden_layers": 2,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "hidden_act": "relu",
        "max_position_embeddings": 40,
    }
    assert found == origin.Origin(folder=file.parent, digest=digest_of(file), random=True)
    encoder = load_encoder(found.folder, random=True, seed=1, vocabulary=70)
    assert (encoder.config.vocabulary, encoder.config.activation) == (70, "relu")


def test_an_albert_has_the_inner_groups_and_the_embeddings_that_it_asks_for(tmp_path: Path) -> None:
    sizes = {"architecture": "albert", "layers": 3, "hidden": 32, "heads": 4, "innerGroups": 2}
    found = resolve(tmp_path / "into", spec(config=sizes | {"options": {"embedding_size": 8}}))
    made = load_encoder(found.folder, random=True, seed=1, vocabulary=70).config
    assert (made.architecture, made.layers, made.inner, made.groups) == ("albert", 3, 2, 1)
    assert (made.embedding, made.activation, made.dropout) == (8, "gelu_new", 0.0)


def test_another_family_goes_through_the_library(tmp_path: Path) -> None:
    options = {"model_type": "electra", "embedding_size": 16}
    sizes = {"architecture": "auto", "layers": 2, "hidden": 32, "heads": 4, "options": options}
    found = resolve(tmp_path / "into", spec(config=sizes))
    encoder = load_encoder(found.folder, random=True, seed=1, vocabulary=70)
    assert (encoder.config.architecture, encoder.packs) == ("electra", False)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            {"architecture": "bert", "options": {"hidden_size": 100}},
            "hidden: 100 must be a multiple of heads 12\n"
            "  heads share the hidden width evenly: 768 has 12, 384 has 12, 128 has 2",
            id="an option that heads do not divide",
        ),
        pytest.param(
            {"architecture": "auto"},
            "options.model_type: is required by architecture auto\n"
            "  name a family of the transformers library, such as electra",
            id="auto without a family",
        ),
        pytest.param(
            {"architecture": "t5"},
            "architecture: t5 is not available in this version\n"
            "  use one of bert, roberta, albert, auto",
            id="a family of a later version",
        ),
    ],
)
def test_configs_that_make_no_model_are_told(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, spec(config=config))
    assert str(caught.value) == f"spec.model.from.config.{message}"
