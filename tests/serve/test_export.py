"""Exported graphs answer as the model does, and what they would spoil is not written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
import torch

from graft_api.errors import ConfigError, StoreError
from graft_cli.main import main
from graft_worker.export.artefact import publish
from graft_worker.export.contents import Golden
from graft_worker.models import graphs
from graft_worker.run import inference
from graft_worker.run.convert import convert
from graft_worker.run.predict import predict
from graft_worker.serve import loading
from graft_worker.serve.settings import Settings
from tests.serve import models
from tests.serve.running import running
from tests.worker import small

TEXTS = tuple(" ".join(words) for words in product(small.WORDS[:8], small.WORDS[4:], ("", "end")))
LONG = ("bad " * 3, "not very good and " * 3)
CPU = torch.device("cpu")


def margins(artefact: Path) -> list[float]:
    """By how much the second label is likelier than the first, for each of the texts."""
    model = inference.open_model(artefact)
    logits = inference.logits(model, small.rows([{"text": text} for text in TEXTS]))
    found: list[float] = (logits[:, 1] - logits[:, 0]).tolist()
    return found


def undecided(store: Path, *, scale: float = 1.0) -> Path:
    """A model that gives half of the texts one label, half the other; logits are so much larger."""
    app = small.app()
    module = small.classifier(app)
    with torch.no_grad():
        module.classifier.weight.mul_(scale)
    encode = app.features(small.tokenizer(), 12)
    rows = small.rows([{"text": text} for text in TEXTS])
    logits = inference.logits_of(module, encode(rows), device=CPU)
    with torch.no_grad():
        module.classifier.bias[0] += (logits[:, 1] - logits[:, 0]).median()
    told = [{"text": text} for text in (*TEXTS[:4], *LONG)]
    values = inference.logits_of(module, encode(small.rows(told)), device=CPU).tolist()
    golden = tuple(
        Golden(inputs=inputs, logits=tuple(row)) for inputs, row in zip(told, values, strict=True)
    )
    contents = small.contents(app, module, golden=golden)
    return publish(store, contents).uri


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact that knows both labels."""
    return undecided(tmp_path_factory.mktemp("undecided"))


def labelled(folder: Path, artefact: Path, places: Sequence[int]) -> str:
    """Rows with the labels that the model itself gives."""
    found = margins(artefact)
    lines = [f"{TEXTS[i]}\t{'good' if found[i] > 0 else 'bad'}" for i in places]
    (folder / "dev.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n")
    return str(folder / "dev.tsv")


def by_margin(artefact: Path) -> list[int]:
    """Places of the texts, the most doubtful first."""
    found = margins(artefact)
    return sorted(range(len(TEXTS)), key=lambda place: abs(found[place]))


def test_a_graph_in_fp32_gives_the_logits_of_the_model(model: Path, tmp_path: Path) -> None:
    made = convert(model, tmp_path / "out", precision="fp32")
    assert made.difference <= 1e-5
    exact = inference.open_model(model)
    graph = graphs.Graph(tmp_path / "out" / "model.onnx", threads=1)
    rows = small.rows([{"text": text} for text in (*TEXTS, "good " * 40, "")])
    expected = inference.logits(exact, rows)
    found = inference.logits_of(graph, exact.encode(rows), device=CPU)
    assert (expected - found).abs().max() <= 1e-4
    facts = json.loads((tmp_path / "out" / "export.json").read_text())
    assert facts["of"] == exact.artefact.digest
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_an_exported_graph_predicts_as_its_model_does_and_is_not_exported_again(
    model: Path, tmp_path: Path
) -> None:
    graph = convert(model, tmp_path / "out", precision="fp32").folder
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS))
    answers = []
    for artefact in (model, graph):
        output = tmp_path / f"{artefact.name}.jsonl"
        predict(artefact, str(tmp_path / "in.jsonl"), output, columns=("logits", "vector"))
        answers.append([json.loads(line) for line in output.read_text().splitlines()])
    for exact, found in zip(*answers, strict=True):
        assert found["logits"] == pytest.approx(exact["logits"], abs=1e-4)
        assert found["vector"] == pytest.approx(exact["vector"], abs=1e-4)
    with pytest.raises(ConfigError, match="was exported already"):
        convert(graph, tmp_path / "again", precision="fp32")


def test_a_graph_in_int8_is_served_once_it_was_measured(model: Path, tmp_path: Path) -> None:
    found = margins(model)
    ordered = sorted(range(len(TEXTS)), key=found.__getitem__)
    certain = [*ordered[:5], *ordered[-5:]]
    rows = labelled(tmp_path, model, certain)
    output = tmp_path / "int8"
    arguments = ("export", str(model), "--precision", "int8", "--input", rows)
    assert main([*arguments, "--output", str(output)]) == 0
    facts = json.loads((output / "export.json").read_text())
    assert (facts["metric"], facts["fp32"]) == ("accuracy", 1.0)
    assert facts["found"] >= 0.995
    whole = inference.open_model(model)
    texts = [TEXTS[place] for place in certain]
    told = inference.logits(whole, small.rows([{"text": text} for text in texts]))
    wanted = [whole.artefact.labels[place] for place in told.argmax(dim=1).tolist()]
    assert set(wanted) == {"bad", "good"}
    with running(output) as server:
        assert [each["label"] for each in server.predict(*texts)] == wanted
        assert server.metric("graft_serve_model_info", dtype="int8", engine="onnxruntime") == 1


def test_a_graph_in_int8_is_served_where_its_answers_depend_on_who_comes_along(
    tmp_path: Path,
) -> None:
    model = undecided(tmp_path, scale=40.0)
    rows = labelled(tmp_path, model, by_margin(model)[-20:])
    graph = convert(model, tmp_path / "int8", precision="int8", inputs=rows).folder
    asked = [json.loads(line) for line in (graph / "golden.jsonl").read_text().splitlines()]
    opened = inference.open_model(graph)
    told = small.rows([each["inputs"] for each in asked])
    together = inference.logits(opened, told)
    alone = torch.cat([inference.logits(opened, [row]) for row in told])
    tolerance = asked[0]["tolerance"]
    assert (together - alone).abs().max() > tolerance
    assert (alone - torch.tensor([each["logits"] for each in asked])).abs().max() <= tolerance
    loading.load(Settings(artefact=graph))


def test_int8_that_costs_more_than_half_a_point_is_not_written(model: Path, tmp_path: Path) -> None:
    doubtful = by_margin(model)[:20]
    rows = labelled(tmp_path, model, doubtful)
    with pytest.raises(ConfigError, match=r"accuracy is 0\.\d+ in int8, 1\.0000 in fp32"):
        convert(model, tmp_path / "out", precision="int8", inputs=rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.tsv"]


def test_int8_without_rows_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--precision int8: needs --input"):
        convert(model, tmp_path / "out", precision="int8")


def test_what_stands_there_is_not_overwritten(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is there already"):
        convert(model, tmp_path, precision="fp32")


def put(folder: Path, graph: bytes) -> None:
    (folder / "model.onnx").write_bytes(graph)


def test_a_graph_of_another_model_is_never_ready(
    model: Path, artefact: Path, tmp_path: Path
) -> None:
    convert(model, tmp_path / "one", precision="fp32")
    convert(artefact, tmp_path / "two", precision="fp32")
    other = (tmp_path / "two" / "model.onnx").read_bytes()
    broken = models.changed(tmp_path / "one", tmp_path / "broken", lambda to: put(to, other))
    with pytest.raises(StoreError, match="published were"):
        loading.load(Settings(artefact=broken))
    with pytest.raises(ConfigError, match="was exported in fp32"):
        loading.load(Settings(artefact=tmp_path / "one", precision="bf16"))
