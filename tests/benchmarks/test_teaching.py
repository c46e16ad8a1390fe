"""What row P1 rests on: a language with topics, the loss of guessing, what is asked of reading."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import p1_teaching, table
from benchmarks.teaching import grammar
from benchmarks.teaching.guessing import of_tokens
from benchmarks.teaching.lessons import CHINESE, GRAMMAR, JUDGE, READ, Desk, Lesson
from graft_cli import jobfile


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language")
    grammar.write(folder, documents=50)
    return folder


def test_the_same_language_is_written_every_time(language: Path, tmp_path: Path) -> None:
    grammar.write(tmp_path, documents=50)
    for file in ("train.txt", "dev.txt", "labelled.jsonl", "dev.jsonl"):
        assert (tmp_path / "data" / file).read_bytes() == (language / "data" / file).read_bytes()


def test_a_document_keeps_to_one_topic_and_no_word_has_two(language: Path) -> None:
    rows = [json.loads(line) for line in (language / "data" / "dev.jsonl").read_text().splitlines()]
    words: dict[str, set[str]] = {topic: set() for topic in grammar.TOPICS}
    for row in rows:
        words[row["label"]] |= set(row["text"].split()) - {"the", "."}
    assert sum(map(len, words.values())) == len(set().union(*words.values())) > 150
    documents = (language / "data" / "train.txt").read_text().strip().split("\n\n")
    assert len(documents) == 50
    for document in documents:
        said = set(document.split()) - {"the", "."}
        assert len([topic for topic, known in words.items() if said & known]) == 1


def test_labelled_sentences_are_balanced(language: Path) -> None:
    rows = [
        json.loads(line) for line in (language / "data" / "labelled.jsonl").read_text().splitlines()
    ]
    assert Counter(row["label"] for row in rows) == dict.fromkeys(grammar.TOPICS, 8)


def test_what_was_read_is_not_measured_on(language: Path, tmp_path: Path) -> None:
    data = tmp_path / "jobs" / "data"
    shutil.copytree(language, data.parent)
    rows = (data / "dev.jsonl").read_text().splitlines()
    known = json.loads(rows[7])["text"]
    with (data / "train.txt").open("a") as text:
        text.write(f"{known}\n")
    lesson = replace(GRAMMAR, jobs=data.parent)
    desk = Desk.of(lesson, tmp_path / "desk", data=tmp_path / "nowhere")
    texts = [json.loads(row)["text"] for row in desk.dev.read_text().splitlines()]
    assert len(texts) == len(rows) - 1
    assert known not in texts
    assert len(desk.few.read_text().splitlines()) == 32


def test_guessing_costs_what_the_frequencies_of_the_training_text_say() -> None:
    hidden, counts = np.array([0, 0, 1, 1]), np.array([5, 1, 1, 1])
    told = of_tokens(hidden, counts)  # the shares are 6, 2, 2, 2 of 12
    assert told.tokens == 4
    assert told.nats == pytest.approx(-(math.log(1 / 2) + math.log(1 / 6)) / 2)
    assert told.entropy == pytest.approx(math.log(2))


def test_a_token_that_the_training_text_lacks_can_be_guessed_at_a_price() -> None:
    told = of_tokens(np.array([1]), np.array([8, 0]))
    assert (told.nats, told.entropy) == (pytest.approx(math.log(10)), 0)


@pytest.mark.parametrize("lesson", [GRAMMAR, CHINESE], ids=["grammar", "zh"])
def test_the_second_job_of_a_lesson_starts_from_the_first(lesson: Lesson) -> None:
    read, judge = (jobfile.read(str(lesson.jobs / name)).plan for name in (READ, JUDGE))
    source = judge.resolved()["spec"]["model"]["from"]["job"]
    assert source == {"kind": "PretrainJob", "name": read.resolved()["metadata"]["name"]}
    assert "config" in read.resolved()["spec"]["model"]["from"]
    training = judge.resolved()["spec"]["training"]  # no epoch is chosen on the dev split
    assert training["evaluate"]["every"] == training["duration"]


def result(*, below: float, points: float) -> dict[str, Any]:
    reading = {"steps": 500, "hiddenTokens": 700, "guessing": 4.5, "entropy": 4.4}
    found = {"random": [0.5, 0.6], "pretrained": [0.5 + points / 100, 0.6 + points / 100]}
    means = {name: sum(values) / 2 for name, values in found.items()}
    return {
        "title": "a made-up grammar",
        "reading": reading | {"mlmLoss": 4.4 - below, "below": below, "atLeast": 1.0},
        "tuning": {
            "rows": 32,
            "devRows": 400,
            "accuracies": found,
            "recipes": {"random": "slow", "pretrained": "fast"},
            "means": means,
            "points": points,
            "atLeast": 5.0,
        },
    }


@pytest.mark.parametrize(
    ("below", "points", "faults"),
    [
        pytest.param(1.0, 5.0, [], id="enough"),
        pytest.param(
            0.99,
            5.0,
            ["a made-up grammar: 0.99 nats below the entropy, at least 1.0 expected"],
            id="little is read",
        ),
        pytest.param(
            1.0,
            4.9,
            ["a made-up grammar: 4.9 points over random weights, at least 5.0 expected"],
            id="reading helps little",
        ),
    ],
)
def test_reading_has_to_be_worth_what_is_asked(
    below: float, points: float, faults: list[str]
) -> None:
    assert list(p1_teaching.faults(GRAMMAR, result(below=below, points=points))) == faults


def test_each_start_has_the_recipe_with_the_best_mean_not_the_best_seed() -> None:
    assert p1_teaching.best({"steady": [0.7, 0.7, 0.7], "lucky": [0.9, 0.5, 0.5]}) == "steady"


def test_the_document_tells_both_halves_of_a_lesson() -> None:
    told = table.render(
        [
            {
                "row": "P1",
                "title": p1_teaching.TITLE,
                "void": [],
                "quick": False,
                "seeds": [1, 2],
                "lessons": {"grammar": result(below=1.25, points=10.0)},
                "machine": {"Model name": "a processor"},
                "versions": {"torch": "2"},
                "load": [0.0, 0.0, 0.0],
                "commit": "abc",
                "command": "python -m benchmarks P1",
            }
        ]
    )
    cells = [line.strip("| ").split(" | ") for line in told.splitlines() if "grammar |" in line]
    random, pretrained = "0.5500 (0.500 to 0.600; slow)", "0.6500 (0.600 to 0.700; fast)"
    assert cells == [
        ["a made-up grammar", "500", "700", "4.500 (4.400)", "3.150", "1.350", "1.250, 1.0"],
        ["a made-up grammar", "32", "400", random, pretrained, "+10.0, 5"],
    ]
