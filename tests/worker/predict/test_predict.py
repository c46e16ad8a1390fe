"""Predictions: one output row per input row, in order, as asked for, or a clear error."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graft_api.errors import ConfigError, DataError, StoreError
from graft_worker.run import inference
from graft_worker.run.predict import Reading, predict
from tests.worker import small


@pytest.fixture(scope="module")
def classify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact of text_classify, trained on the columns `review` and `stars`."""
    columns = {"text": "review", "label": "stars"}
    return small.published(tmp_path_factory.mktemp("classify"), columns=columns).uri


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact of text_match."""
    return small.published(tmp_path_factory.mktemp("match"), small.app("text_match")).uri


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def alone(artefact: Path, text: str) -> list[float]:
    model = inference.open_model(artefact)
    found: list[float] = inference.logits(model, small.rows([{"text": text}]))[0].tolist()
    return found


@settings(max_examples=12, deadline=None)
@given(
    texts=st.lists(st.text(alphabet="abc xyz好坏.", max_size=40), min_size=1, max_size=30),
)
def test_rows_keep_their_order_whatever_their_lengths(classify: Path, texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"id": i, "review": text} for i, text in enumerate(texts)]
        source = write(Path(folder) / "in.jsonl", rows)
        written = predict(classify, source, Path(folder) / "out.jsonl", append=("id", "review"))
        found = read(Path(folder) / "out.jsonl")
    model = inference.open_model(classify)
    assert written == len(texts)
    assert [(each["id"], each["review"]) for each in found] == list(enumerate(texts))
    for each in found:
        expected = inference.logits(model, small.rows([{"text": each["review"]}]))[0].tolist()
        assert each["logits"] == pytest.approx(expected, abs=1e-5)


def test_more_rows_than_a_piece_keep_their_order(classify: Path, tmp_path: Path) -> None:
    texts = [f"{'good ' * (i % 7)}{'bad ' * (i % 5)}" for i in range(5000)]
    source = write(tmp_path / "in.jsonl", [{"review": text} for text in texts])
    assert predict(classify, source, tmp_path / "out.jsonl", append=("review",)) == 5000
    found = read(tmp_path / "out.jsonl")
    assert [each["review"] for each in found] == texts
    for i in (0, 2047, 2048, 4999):
        assert found[i]["logits"] == pytest.approx(alone(classify, texts[i]), abs=1e-5)


def test_an_empty_text_has_an_answer_too(classify: Path, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"review": ""}, {"review": None}, {"review": "good"}]
    predict(classify, write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    first, second, _ = read(tmp_path / "out.jsonl")
    assert first == second
    assert first["logits"] == pytest.approx(alone(classify, ""), abs=1e-5)
    assert set(first) == {"predictions", "probabilities", "logits"}


def test_bf16_answers_nearly_alike_and_the_vector_is_what_the_head_reads(
    classify: Path, tmp_path: Path
) -> None:
    texts = ["good", "the film was not good", "bad " * 9]
    source = write(tmp_path / "in.jsonl", [{"review": text} for text in texts])
    columns = ("logits", "vector")
    predict(classify, source, tmp_path / "bf16.jsonl", columns=columns, precision="bf16")
    head = inference.open_model(classify).module.classifier
    for text, found in zip(texts, read(tmp_path / "bf16.jsonl"), strict=True):
        exact = alone(classify, text)
        assert found["logits"] == pytest.approx(exact, abs=0.05)
        assert found["logits"] != exact  # it was computed in another format
        with torch.inference_mode():
            assert head(torch.tensor(found["vector"])).tolist() == pytest.approx(exact, abs=0.05)


def test_tsv_has_a_header_the_copied_columns_and_lists_by_commas(
    classify: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("id\treview\n7\tgood film\n8\tbad end\n", encoding="utf-8")
    predict(
        classify, str(source), tmp_path / "out.tsv",
        columns=("predictions", "logits"), append=("id",),
    )  # fmt: skip
    with (tmp_path / "out.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["id"], row["predictions"] in ("bad", "good")) for row in rows] == [
        ("7", True),
        ("8", True),
    ]
    logits = [[float(x) for x in row["logits"].split(",")] for row in rows]
    assert logits[1] == pytest.approx(alone(classify, "bad end"), abs=1e-5)
    assert list(rows[0]) == ["id", "predictions", "logits"]


def test_what_is_written_as_csv_reads_back_as_it_was(classify: Path, tmp_path: Path) -> None:
    texts = ['a "quoted" film', "two\nlines", "a,b", "\ttab", " space ", "好"]
    source = write(tmp_path / "in.jsonl", [{"review": text} for text in texts])
    predict(classify, source, tmp_path / "out.csv", append=("review",), columns=("predictions",))
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [row["review"] for row in csv.DictReader(file)] == texts


def test_formulas_get_a_quote_in_front_only_when_asked(classify: Path, tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "fine = 1"]
    source = write(tmp_path / "in.jsonl", [{"review": text} for text in texts])
    found = {}
    for formulas in ("keep", "quote"):
        output = tmp_path / f"{formulas}.csv"
        predict(
            classify, source, output,
            append=("review",), columns=("predictions", "logits"), formulas=formulas,
        )  # fmt: skip
        with output.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found[formulas] = [row["review"] for row in rows]
        assert not any(row["logits"].startswith("'") for row in rows)
    assert found == {
        "keep": texts,
        "quote": ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "fine = 1"],
    }


def test_several_labels_are_written_as_a_list(tmp_path: Path) -> None:
    app = small.app(problem="multi_label")
    artefact = small.published(tmp_path, app).uri
    source = write(tmp_path / "in.jsonl", [{"text": t} for t in ("good", "bad end", "film", "")])
    predict(artefact, source, tmp_path / "out.jsonl")
    for each in read(tmp_path / "out.jsonl"):
        over = [p > 0.5 for p in each["probabilities"]]
        pairs = zip(small.LABELS["multi_label"], over, strict=True)
        assert each["predictions"] == [label for label, yes in pairs if yes]


def test_pairs_are_read_from_both_columns(match: Path, tmp_path: Path) -> None:
    rows = [{"text_a": "good", "text_b": "bad end"}, {"text_a": "bad end", "text_b": "good"}]
    predict(match, write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    first, second = read(tmp_path / "out.jsonl")
    assert first["logits"] != pytest.approx(second["logits"], abs=1e-3)


def test_columns_of_another_name_can_be_mapped(classify: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [{"body": "good"}])
    output = tmp_path / "out.jsonl"
    assert predict(classify, source, output, read=Reading(columns={"text": "body"})) == 1


def test_a_file_without_header_is_read_by_schema(classify: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("1\tgood film\n2\tbad end\n")
    schema = Reading(schema="id:int:1,review:str:1")
    predict(classify, str(source), tmp_path / "out.jsonl", append=("id",), read=schema)
    assert [each["id"] for each in read(tmp_path / "out.jsonl")] == [1, 2]


def test_a_header_alone_gives_a_header_alone(classify: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("review\n")
    assert predict(classify, str(source), tmp_path / "out.tsv") == 0
    assert (tmp_path / "out.tsv").read_text() == "predictions\tprobabilities\tlogits\n"


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        pytest.param(
            {"columns": ("prediction",)}, ConfigError,
            "output column prediction: unknown\n  did you mean predictions? "
            "there are predictions, probabilities, logits, vector",
            id="an unknown output",
        ),
        pytest.param(
            {"append": ("review", "review")}, ConfigError,
            "column review: asked for twice\n  leave one of them out",
            id="a column twice",
        ),
        pytest.param(
            {"append": ("revew",)}, DataError,
            "IN:1: no column revew to append\n  did you mean review? the columns are review, id",
            id="an appended column that is not there",
        ),
        pytest.param(
            {"read": Reading(columns={"text": "reviews"})}, DataError,
            "IN: no column for text: looked for reviews; found review, id\n"
            "  did you mean columns: {text: review}?",
            id="a text column that is not there",
        ),
        pytest.param(
            {"output": "out.xlsx"}, ConfigError,
            "OUT/out.xlsx: the extension says the format: expected .tsv, .csv or .jsonl",
            id="a format that is not written",
        ),
        pytest.param(
            {"output": "none/out.tsv"}, ConfigError,
            "OUT/none/out.tsv: there is no folder OUT/none\n  name a file in a folder that exists",
            id="a folder that is not there",
        ),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_and_nothing_is_written(
    classify: Path, tmp_path: Path, asked: dict[str, Any], error: type[Exception], message: str
) -> None:
    source = write(tmp_path / "in.jsonl", [{"review": "good", "id": 1}])
    output = tmp_path / asked.pop("output", "out.jsonl")
    with pytest.raises(error) as caught:
        predict(classify, source, output, **asked)
    shown = str(caught.value).replace(source, "IN").replace(str(tmp_path), "OUT")
    assert shown == message
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_bad_row_at_the_end_leaves_the_old_output_as_it_was(
    classify: Path, tmp_path: Path
) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"review": "good"}\n' * 3000 + "{oops\n")
    output.write_text("old")
    with pytest.raises(DataError, match=r"in\.jsonl:3001: not JSON"):
        predict(classify, str(source), output)
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_damaged_artefact_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    artefact = small.published(tmp_path).uri
    weights = artefact / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match=r"model\.safetensors: damaged: sha256"):
        predict(artefact, "nowhere.tsv", tmp_path / "out.tsv")


def test_the_artefact_of_an_unknown_app_is_refused(tmp_path: Path) -> None:
    artefact = small.published(tmp_path, variant="dam").uri
    with pytest.raises(ConfigError) as caught:
        predict(artefact, "nowhere.tsv", tmp_path / "out.tsv")
    assert str(caught.value) == (
        f"{artefact}: app text_classify (dam) is unknown\n"
        "  use the Graft that made it, or a newer one"
    )
