"""Models and tokenizers that cannot be had or do not fit: told with the folder and the remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.badinput.desk import MODEL, Desk, refused

TRAINED = "    tokenizer: {train: {kind: wordpiece, size: 200}}\n"
Harm = Callable[[Path], object]


@pytest.fixture
def model(used_desk: Desk) -> Path:
    """A model folder beside the job, from which the job starts."""
    folder = used_desk.folder / "model"
    shutil.copytree(used_desk.artefact(), folder)
    (folder / "MANIFEST.json").unlink()
    used_desk.job((MODEL, "{uri: model}"), (TRAINED, ""))
    return folder


def changed(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def with_vocabulary(text: str) -> Harm:
    def harm(folder: Path) -> None:
        without_tokenizer(folder)
        (folder / "vocab.txt").write_text(text)

    return harm


def with_emptied_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    del tokenizer["model"]["vocab"]
    path.write_text(json.dumps(tokenizer))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        pytest.param(
            lambda folder: (folder / "config.json").unlink(),
            ("model: no config.json in it", "config.json, model.safetensors and tokenizer.json"),
            id="a folder without config.json",
        ),
        pytest.param(
            lambda folder: (folder / "config.json").write_text('{"model_type": '),
            ("model/config.json: not JSON",),
            id="a config.json that is no JSON",
        ),
        pytest.param(
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            ("weights are in pytorch_model.bin", "only safetensors", "save_pretrained"),
            id="a folder with a pickle only",
        ),
        pytest.param(
            lambda folder: (folder / "model.safetensors").unlink(),
            ("model: no model.safetensors in it", "spec.model.from.config"),
            id="a folder without weights",
        ),
        pytest.param(
            without_tokenizer,
            ("model: no tokenizer in it", "spec.model.tokenizer"),
            id="a folder without tokenizer",
        ),
        pytest.param(
            with_vocabulary(""),
            ("model/vocab.txt", "no [UNK]", "not a BERT vocabulary"),
            id="an empty vocabulary",
        ),
        pytest.param(
            with_emptied_tokenizer,
            ("model/tokenizer.json: not a tokenizer", "download it again"),
            id="a tokenizer without vocabulary",
        ),
        pytest.param(
            with_vocabulary(
                "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n" + "\n".join(map(str, range(900)))
            ),
            ("spec.model.tokenizer", "905 token ids", "embeddings"),
            id="a tokenizer with more tokens than the weights",
        ),
        pytest.param(
            lambda folder: changed(folder, max_position_embeddings=8),
            ("spec.data.maxLength: 16", "the model has 8 positions", "use at most 8"),
            id="a maxLength over the model's positions",
        ),
    ],
)
def test_a_model_folder_that_is_unfit_is_told(
    used_desk: Desk, model: Path, harm: Harm, words: tuple[str, ...]
) -> None:
    harm(model)
    result = used_desk.run()
    refused(used_desk, result, "prepare failed: ", *words)
    assert "train: started" not in result.stderr


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        pytest.param(
            lambda folder: (folder / "model.safetensors").write_bytes(
                (folder / "model.safetensors").read_bytes()[:-100]
            ),
            ("model/model.safetensors: damaged", "copy or download the file again"),
            id="damaged weights",
        ),
        pytest.param(
            lambda folder: changed(folder, num_hidden_layers=3),
            ("model", "layer", "config.json"),
            id="fewer layers among the weights than in the config",
        ),
    ],
)
def test_weights_that_cannot_be_loaded_are_told(
    used_desk: Desk, model: Path, harm: Harm, words: tuple[str, ...]
) -> None:
    harm(model)
    refused(used_desk, used_desk.run(), " failed: ", *words, code=1)


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        pytest.param(
            "{zoo: minilm-l6-eng}",
            ("spec.model.from.zoo: no model named 'minilm-l6-eng'", "did you mean minilm-l6-en?"),
            id="a zoo name that there is not",
        ),
        pytest.param(
            "{zoo: pai-bert-tiny-zh}",
            ("spec.model.from.zoo", "never published", "GRAFT_ZOO", "model.safetensors"),
            id="a zoo name whose weights nobody can reach",
        ),
        pytest.param(
            "{zoo: google-bert-tiny-en}",
            ("spec.model.from.zoo", "cannot be had from the hub", "GRAFT_ZOO"),
            id="a zoo name without a network",
        ),
        pytest.param(
            "{uri: nowhere}",
            ("spec.model.from.uri", "nowhere does not exist", "config.json"),
            id="a folder that there is not",
        ),
        pytest.param(
            "{uri: train.tsv}",
            ("spec.model.from.uri", "train.tsv is a file", "name a folder"),
            id="a file instead of a folder",
        ),
        pytest.param(
            "{config: {architecture: auto, layers: 1, hidden: 32, heads: 2}}",
            ("options.model_type", "required by architecture auto"),
            id="architecture auto without a family",
        ),
    ],
)
def test_an_origin_that_cannot_be_had_is_told(
    used_desk: Desk, origin: str, words: tuple[str, ...]
) -> None:
    used_desk.job((MODEL, origin), (TRAINED, ""))
    refused(used_desk, used_desk.run(HF_HUB_OFFLINE="1"), *words)


def test_a_model_whose_layers_cannot_be_split_is_told_before_anything_is_read(
    used_desk: Desk, model: Path
) -> None:
    changed(model, num_attention_heads=1)
    result = used_desk.run("--set", "workers={desired: 2, parallel: {tensor: 2}}")
    told = "spec.workers.parallel.tensor: 2 does not divide the 1 attention heads"
    refused(used_desk, result, "prepare failed: ", told)


def test_weights_of_another_revision_are_refused(used_desk: Desk, model: Path) -> None:
    pin = f"sha256:{'0' * 64}"
    result = used_desk.run("--set", f"model.revision={pin}")
    refused(used_desk, result, "spec.model.revision: pinned to", pin, "take the pin away")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param(
            "method.finetune.freezeLayers=9",
            ("method.finetune.freezeLayers: 9 is more than the model's", "1"),
            id="more frozen layers than the model has",
        ),
        pytest.param(
            "training.evaluate.metric=bleu",
            ("training.evaluate.metric", "bleu", "accuracy"),
            id="a metric that is not measured",
        ),
    ],
)
def test_a_recipe_that_does_not_fit_the_model_is_told(
    used_desk: Desk, setting: str, words: tuple[str, ...]
) -> None:
    refused(used_desk, used_desk.run("--set", setting), "train failed: ", *words, code=1)
