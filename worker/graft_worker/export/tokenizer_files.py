"""tokenizer_config.json: what `AutoTokenizer` needs beside tokenizer.json to cut and mark alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer

# Role of a special token, and its spellings: BERT's, RoBERTa's.
_MARKS: Mapping[str, tuple[str, ...]] = {
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def tokenizer_text(tokenizer: str) -> str:
    """tokenizer.json without truncation and padding, which the library would keep silently."""
    settings = json.loads(tokenizer) | {"truncation": None, "padding": None}
    return json.dumps(settings, ensure_ascii=False)


def tokenizer_config(
    tokenizer: str, *, config: Mapping[str, Any], max_length: int
) -> dict[str, Any]:
    """The settings of `PreTrainedTokenizerFast`, which takes tokenizer.json as it is.

    `model_max_length` is the trained length. Token types are among the inputs only where the
    model, by its config, has more than one.
    """
    plain = Tokenizer.from_str(tokenizer)
    marks = {
        role: next((name for name in names if plain.token_to_id(name) is not None), None)
        for role, names in _MARKS.items()
    }
    types = ["token_type_ids"] if config.get("type_vocab_size", 0) > 1 else []
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": ["input_ids", *types, "attention_mask"],
        "truncation_side": "right",
        "padding_side": "right",
        **{role: name for role, name in marks.items() if name is not None},
    }
