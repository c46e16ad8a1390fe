"""From `spec.app` to an app: names, aliases, roles, parameters and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from graft_api.app import App as Spec
from graft_api.errors import ConfigError, DataError
from graft_worker.apps import registry
from graft_worker.apps.app import Score
from graft_worker.data import columns
from graft_worker.data.prepared import Problem
from graft_worker.data.targets import TargetWish
from tests.worker import small


def spec(**fields: Any) -> Spec:
    return Spec.model_validate({"name": "text_classify"} | fields)


@pytest.mark.parametrize(
    ("asked", "name", "wanted"),
    [
        pytest.param({}, "text_classify", "auto", id="the plain name"),
        pytest.param({"name": "text_classify_bert"}, "text_classify", "auto", id="EasyTransfer's"),
        pytest.param(
            {"name": "text_classify_multi_label"},
            "text_classify",
            "multi_label",
            id="EasyNLP's, which stands for several labels",
        ),
        pytest.param({"name": "text_match_bert"}, "text_match", "auto", id="matching by its alias"),
        pytest.param({"name": "text_match"}, "text_match", "auto", id="matching"),
    ],
)
def test_names_and_aliases_build_the_app(asked: dict[str, Any], name: str, wanted: str) -> None:
    made = registry.build(spec(**asked), problem="single_label", labels=("a", "b"))
    assert (made.name, made.problem, made.labels) == (name, "single_label", ("a", "b"))
    assert registry.wish(spec(**asked)).problem == wanted


@pytest.mark.parametrize(
    ("asked", "config"),
    [
        pytest.param({}, None, id="an encoder starts from spec.model"),
        pytest.param(
            {"variant": "textcnn"},
            {
                "model_type": "textcnn",
                "filter_sizes": [3, 4, 5],
                "vocab_size": 30_000,
                "embedding_size": 300,
                "num_filters": 100,
                "hidden_dropout_prob": 0.5,
            },
            id="TextCNN as published",
        ),
        pytest.param(
            {
                "name": "text_match_bicnn",
                "params": {
                    "vocabularySize": 500,
                    "embeddingSize": 64,
                    "filters": 10,
                    "filterSizes": [1, 2],
                    "hiddenSize": 32,
                    "dropout": 0.1,
                },
            },
            {
                "model_type": "bicnn",
                "filter_sizes": [1, 2],
                "vocab_size": 500,
                "embedding_size": 64,
                "num_filters": 10,
                "hidden_size": 32,
                "hidden_dropout_prob": 0.1,
            },
            id="BiCNN by its alias, with every size given",
        ),
    ],
)
def test_an_app_may_bring_a_network_of_its_own(
    asked: dict[str, Any], config: dict[str, Any] | None
) -> None:
    assert registry.network(spec(**asked)) == config


@pytest.mark.parametrize(
    ("params", "message"),
    [
        pytest.param(
            {"filters": 0},
            "spec.app.params.filters: 0: expected a whole number from 1 to 1,000,000",
            id="no filters",
        ),
        pytest.param(
            {"vocabularySize": 9},
            "spec.app.params.vocabularySize: 9: expected a whole number from 100 to 1,000,000",
            id="a vocabulary without room",
        ),
        pytest.param(
            {"filterSizes": [3, 2.5]},
            "spec.app.params.filterSizes: [3, 2.5]: expected a list of whole numbers from 1 to 64\n"
            "  for example [3, 4, 5]",
            id="half a word",
        ),
        pytest.param(
            {"filterSize": [3]},
            "spec.app.params.filterSize: unknown; did you mean filterSizes?",
            id="a misspelt name",
        ),
        pytest.param(
            {"depth": 3},
            "spec.app.params.depth: unknown\n  these are known: problem, dropout, multiLabel, "
            "separator, vocabularySize, embeddingSize, filters, filterSizes",
            id="a name near nothing, among more names",
        ),
    ],
)
def test_a_wrong_size_of_a_network_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.network(spec(variant="textcnn", params=params))
    assert str(caught.value) == message


def test_the_wish_carries_the_labels_of_the_job() -> None:
    asked = spec(labels=("no", "yes"), params={"problem": "multi_label", "separator": "|"})
    assert registry.wish(asked) == TargetWish(
        problem="multi_label", labels=("no", "yes"), separator="|"
    )


@pytest.mark.parametrize(
    ("name", "params", "found", "expected"),
    [
        pytest.param(
            "text_classify", {}, ["id", "sentence", "category"],
            {"text": "sentence", "label": "category"},
            id="usual names are found",
        ),
        pytest.param(
            "text_classify", {}, ["text", "score", "label"], {"text": "text", "label": "label"},
            id="a label goes before a score",
        ),
        pytest.param(
            "text_classify", {"problem": "regression"}, ["review", "stars"],
            {"text": "review", "label": "stars"},
            id="for regression stars are a target",
        ),
        pytest.param(
            "text_classify", {}, ["text", "text_b", "label"],
            {"text": "text", "label": "label"},
            id="a second text is joined only where the job maps it",
        ),
        pytest.param(
            "text_match", {}, ["premise", "hypothesis", "label"],
            {"text_a": "premise", "text_b": "hypothesis", "label": "label"},
            id="a pair of an inference set",
        ),
        pytest.param(
            "text_match", {}, ["Question1", "Question2", "Label"],
            {"text_a": "Question1", "text_b": "Question2", "label": "Label"},
            id="case does not matter",
        ),
    ],
)  # fmt: skip
def test_roles_find_the_columns_that_people_use(
    name: str, params: dict[str, Any], found: list[str], expected: dict[str, str]
) -> None:
    roles = registry.roles(spec(name=name, params=params))
    assert columns.resolve(found, roles, {}, file="a.tsv") == expected


def test_a_missing_column_names_the_nearest() -> None:
    roles = registry.roles(spec(name="text_match"))
    with pytest.raises(DataError, match=r"did you mean columns: \{text_b: text_bb\}"):
        columns.resolve(["text_a", "text_bb", "label"], roles, {}, file="a.tsv")


@pytest.mark.parametrize(
    ("problem", "score"),
    [
        ("single_label", Score(metric="accuracy", mode="max")),
        ("multi_label", Score(metric="micro_f1", mode="max")),
        ("regression", Score(metric="mse", mode="min")),
    ],
    ids=["accuracy for a label", "micro F1 for several", "squared error for numbers"],
)
def test_the_best_checkpoint_is_chosen_by(problem: Problem, score: Score) -> None:
    assert small.app(problem=problem).score == score


def test_the_dropout_of_the_job_reaches_the_app() -> None:
    assert small.app(params={"dropout": 0.25}).dropout == 0.25
    assert small.app().dropout == 0.1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        pytest.param(
            {"dropot": 0.1}, "spec.app.params.dropot: unknown; did you mean dropout?",
            id="a misspelt name",
        ),
        pytest.param(
            {"depth": 3},
            "spec.app.params.depth: unknown\n"
            "  these are known: problem, dropout, multiLabel, separator",
            id="a name near nothing",
        ),
        pytest.param(
            {"dropout": 1},
            "spec.app.params.dropout: 1: expected a number from 0 up to, but not including, 1",
            id="a dropout of everything",
        ),
        pytest.param(
            {"dropout": True},
            "spec.app.params.dropout: True: expected a number from 0 up to, but not including, 1",
            id="a dropout of yes",
        ),
        pytest.param(
            {"problem": "multi"},
            "spec.app.params.problem: 'multi': expected one of "
            "auto, single_label, multi_label, regression",
            id="an unknown problem",
        ),
        pytest.param(
            {"problem": ["regression"]},
            "spec.app.params.problem: ['regression']: expected one of "
            "auto, single_label, multi_label, regression",
            id="a list for a problem",
        ),
        pytest.param(
            {"multiLabel": "yes"}, "spec.app.params.multiLabel: 'yes': expected true or false",
            id="a text for a truth value",
        ),
        pytest.param(
            {"separator": ""},
            "spec.app.params.separator: '': expected one or more characters",
            id="nothing between labels",
        ),
        pytest.param(
            {"multiLabel": True, "problem": "regression"},
            "spec.app.params.multiLabel: true, but spec.app.params.problem is regression\n"
            "  leave one of the two out",
            id="several labels of a regression",
        ),
        pytest.param(
            {"multiLabel": False, "problem": "multi_label"},
            "spec.app.params.multiLabel: false, but spec.app.params.problem is multi_label\n"
            "  leave one of the two out",
            id="one label of several",
        ),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_with_its_place(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.wish(spec(params=params))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param(
            {"name": "text_match_dam"},
            "spec.app.variant: dam of text_match is not available in this version\n"
            "  there is single_tower, bicnn",
            id="a variant to come",
        ),
        pytest.param(
            {"name": "text_vectorize"},
            "spec.app.name: text_vectorize is not available in this version\n"
            "  there are text_classify, text_match",
            id="an app to come",
        ),
    ],
)
def test_what_this_version_lacks_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.build(spec(**asked), problem="single_label", labels=("a", "b"))
    assert str(caught.value) == message
