"""Tokenizers of folders agree with the library's; trained ones are a function of the texts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_worker.models import tokenization, zoo
from graft_worker.models.tokenization import Special

TEXTS = [
    "The film was UNBELIEVABLY good, naïve café!  (3.5/5)",
    "北京欢迎你 2008，Olympic精神",
    "",
    " \t tabs\nand\u200bzero width\x00 ",
    "don't stop-me #now @you 😀 über straße",
    "中文English混合123测试。",
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "Good", "好", "##s"]


def vocabulary(folder: Path, words: list[str], **options: Any) -> Path:
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    if options:
        (folder / "tokenizer_config.json").write_text(json.dumps(options))
    return folder


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "lowercase"),
    [
        pytest.param("bert-base-uncased-vocab.txt", True, id="the English vocabulary"),
        pytest.param("bert-base-chinese-vocab.txt", True, id="the Chinese vocabulary, lower case"),
        pytest.param("bert-base-chinese-vocab.txt", False, id="the Chinese vocabulary, as written"),
    ],
)
def test_a_vocabulary_tokenises_as_the_library_does(
    tmp_path: Path, data_root: Path, name: str, lowercase: bool
) -> None:
    from transformers import BertTokenizerFast

    shutil.copy(data_root / "vocab" / name, tmp_path / "vocab.txt")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}))
    ours = tokenization.load(tmp_path)
    theirs = BertTokenizerFast(vocab=str(tmp_path / "vocab.txt"), do_lower_case=lowercase)
    real = [
        json.loads(line)["text"]
        for split in ("sst2", "tnews_zh")
        for line in (data_root / split / "dev.jsonl").read_text("utf-8").splitlines()[:200]
    ]
    for text in TEXTS + real:
        assert ours.encode(text).ids == theirs(text).input_ids
        pair, wanted = ours.encode(text, "second 第二"), theirs(text, "second 第二")
        assert (pair.ids, pair.type_ids) == (wanted.input_ids, wanted.token_type_ids)


def test_a_tokenizer_json_neither_cuts_nor_pads() -> None:
    tokenizer = tokenization.load(zoo.resolve("minilm-l6-en", zoo=None))
    long, short = tokenizer.encode_batch(["word " * 600, "word"])
    assert (len(long), len(short)) == (602, 3)
    assert tokenization.special(tokenizer) == Special(cls=101, sep=102, pad=0, mask=103, unk=100)


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, ["[CLS]", "good", "film", "##s", "好", "[SEP]"]),
        ({"do_lower_case": False}, ["[CLS]", "Good", "film", "##s", "好", "[SEP]"]),
        ({"tokenize_chinese_chars": False}, ["[CLS]", "good", "[UNK]", "[SEP]"]),
    ],
    ids=["lower case unless told", "as written when told", "Chinese joined when told"],
)
def test_options_of_a_vocabulary_are_kept(
    tmp_path: Path, options: dict[str, Any], tokens: list[str]
) -> None:
    tokenizer = tokenization.load(vocabulary(tmp_path, WORDS, **options))
    assert tokenizer.encode("Good films好").tokens == tokens


def test_the_frame_is_added_where_a_tokenizer_json_has_none(tmp_path: Path) -> None:
    tokenizer = tokenization.load(vocabulary(tmp_path, WORDS))
    bare = json.loads(tokenizer.to_str()) | {"post_processor": None}
    (tmp_path / "tokenizer.json").write_text(json.dumps(bare), encoding="utf-8")
    encoded = tokenization.load(tmp_path).encode("good", "film")
    assert encoded.tokens == ["[CLS]", "good", "[SEP]", "film", "[SEP]"]
    assert encoded.type_ids == [0, 0, 0, 1, 1]


def test_byte_level_files_are_framed_as_robertas(tmp_path: Path) -> None:
    trained = tokenization.train(["low lower lowest"] * 9, kind="bpe", size=280)
    trained.model.save(str(tmp_path))
    encoded = tokenization.load(tmp_path).encode("lower", "low")
    assert encoded.tokens == trained.encode("lower", "low").tokens
    assert encoded.tokens[:1] + encoded.tokens[-1:] == ["<s>", "</s>"]
    assert set(encoded.type_ids) == {0}
    assert tokenization.special(trained) == Special(cls=0, sep=2, pad=1, mask=4, unk=3)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_training_splits_chinese_and_keeps_to_the_size(tmp_path: Path, kind: str) -> None:
    texts = ["欢迎欢迎欢迎 welcome welcome", "欢迎 you are welcome"] * 20
    tokenizer = tokenization.train(iter(texts), kind=kind, size=300)
    assert tokenizer.get_vocab_size() <= 300
    encoded = tokenizer.encode("欢迎 welcome")
    parts = [encoded.offsets[i] for i in range(1, len(encoded) - 1)]
    assert {(0, 1), (1, 2)} <= set(parts)
    assert encoded.offsets[-2][1] == len("欢迎 welcome")
    path = tokenization.save(tokenizer, tmp_path / "new")
    assert path == tmp_path / "new" / "tokenizer.json"
    assert tokenization.load(tmp_path / "new").to_str() == tokenizer.to_str()
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["tokenizer.json"]


def test_a_small_wordpiece_vocabulary_prefers_frequent_letters() -> None:
    texts = ["aaa bbb aaa bbb"] * 50 + ["".join(chr(0x4E00 + i) for i in range(500))]
    tokenizer = tokenization.train(texts, kind="wordpiece", size=100)
    assert tokenizer.get_vocab_size() <= 100
    assert tokenizer.encode("aaa bbb").tokens == ["[CLS]", "aaa", "bbb", "[SEP]"]


TRAIN = """
import hashlib, sys
from graft_worker.models import tokenization
numbers = range(900)
texts = [f"word{i % 97} one{i % 31} film's {i * i % 53} {chr(0x4e00 + i % 80)}" for i in numbers]
trained = tokenization.train(texts, kind=sys.argv[1], size=700)
print(hashlib.sha256(trained.to_str().encode()).hexdigest())
"""


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_training_is_the_same_in_every_process(kind: str) -> None:
    command = [sys.executable, "-c", TRAIN, kind]
    runs = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(3)}
    assert len(runs) == 1


def test_another_kind_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        tokenization.train(["a"], kind="unigram", size=100)
    assert str(caught.value) == (
        "spec.model.tokenizer.train.kind: 'unigram' is not available in this version\n"
        "  use wordpiece or bpe"
    )


def test_a_folder_without_a_tokenizer_is_told_with_the_files_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        tokenization.load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no tokenizer in it; looked for tokenizer.json, vocab.txt, "
        "vocab.json with merges.txt\n"
        "  put one of them there, or set spec.model.tokenizer to train one or take another"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{", "/tokenizer.json: not a tokenizer: EOF while parsing an object"),
        ("vocab.txt", b"good\nbad\n", "/vocab.txt: 2 pieces and no [UNK]: not a BERT vocabulary"),
        ("vocab.txt", b"[UNK]\n\xff\n", "/vocab.txt: not UTF-8 at byte 6"),
        (
            "vocab.txt",
            b"[UNK]\n[CLS]\n[PAD]\n",
            "/vocab.txt: spec.model.tokenizer: no [SEP] or </s> or <sep> in its vocabulary\n"
            "  use the tokenizer of a BERT-like model, "
            "or train one with spec.model.tokenizer.train",
        ),
    ],
    ids=["broken JSON", "no unknown token", "half a character", "no separator"],
)
def test_files_that_are_no_tokenizer_are_told(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        tokenization.load(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}{message}")


def test_vocabularies_of_windows_read_alike(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes("".join(f"{word}\r\n" for word in WORDS).encode())
    tokenizer: Tokenizer = tokenization.load(tmp_path)
    assert tokenizer.encode("good").ids == [2, 5, 3]
