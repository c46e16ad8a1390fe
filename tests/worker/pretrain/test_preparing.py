"""What a PretrainJob cannot do is refused before a row is tokenised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_api.pretrainjob import PretrainJob
from graft_worker.config import Settings
from graft_worker.run.kinds import preparing

LINES = ["one two three", "two three four"] * 10


def settings(folder: Path, **spec: Any) -> Settings:
    job = PretrainJob.model_validate(
        {
            "apiVersion": "graft.dev/v1alpha1",
            "kind": "PretrainJob",
            "metadata": {"name": "words"},
            "spec": {"data": {"train": {"uri": "a.txt"}}, **spec},
        }
    )
    return Settings(job=job, store=folder, job_dir=folder, uid="local")


def prepared(folder: Path, **spec: Any) -> Tokenizer:
    given = settings(folder, **spec)
    asked = preparing.of(given.job, zoo=None)
    start = asked.start(given)
    return asked.tokenizer(given, start, iter(LINES))


def model(architecture: str, kind: str | None, **options: Any) -> dict[str, Any]:
    config = {"architecture": architecture, "layers": 1, "hidden": 32, "heads": 2}
    origin = {"config": {**config, "options": options}}
    return {"from": origin} | (
        {"tokenizer": {"train": {"kind": kind, "size": 300}}} if kind else {}
    )


def test_random_weights_need_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        prepared(tmp_path, model=model("bert", None))
    assert raised.value.message == "spec.model.tokenizer: is required with model.from.config"


def test_roberta_needs_a_tokenizer_with_its_padding(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        prepared(tmp_path, model=model("roberta", "wordpiece"))
    assert raised.value.message == (
        "spec.model.tokenizer: padding has the id 0, but the model expects 1"
    )
    assert "options: {pad_token_id: 0}" in (raised.value.hint or "")
    assert prepared(tmp_path, model=model("roberta", "wordpiece", pad_token_id=0))
    assert prepared(tmp_path, model=model("roberta", "bpe"))


def test_pairs_are_for_bert_and_albert(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        prepared(tmp_path, model=model("roberta", "bpe"), objective={"name": "mlm+sop"})
    assert raised.value.message == "spec.objective.name: mlm+sop is not available for roberta"
    for name in ("mlm", "mlm+nsp", "mlm+sop"):
        assert prepared(
            tmp_path / name, model=model("albert", "wordpiece"), objective={"name": name}
        )


def test_a_model_of_another_family_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "electra"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "electra"}')
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="is of the family electra, which cannot be pretrained"):
        prepared(tmp_path, model={"from": {"uri": str(folder)}})


def test_shards_depend_on_what_a_word_is_and_on_documents_but_not_on_masks(tmp_path: Path) -> None:
    def keys(**objective: Any) -> dict[str, str]:
        given = settings(tmp_path, model=model("bert", "wordpiece"), objective=objective)
        return preparing.of(given.job, zoo=None).key_parts()

    assert keys() == keys(probability=0.4, online=False)
    assert keys() != keys(wholeWord=False)
    assert keys() != keys(name="mlm+nsp")
    assert keys(name="mlm+sop") == keys(name="mlm+nsp")
