"""The head that names hidden tokens: BERT's, computed where it is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from graft_api.errors import ConfigError
from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.models import build
from graft_worker.models.bert import BertEncoder
from graft_worker.models.masked import MaskedLanguageModel
from graft_worker.pretrain.task import MaskedTask
from tests.worker.models.texts_of_ids import library_albert
from tests.worker.pretrain import small
from tests.worker.pretrain.models import model, published

ALBERT: dict[str, Any] = {"architecture": "albert", "embedding": 8, "groups": 1}
SHARDS = replace(small.shards(small.texts(60), max_length=32), view=small.masked())


def batch(rows: list[int], *, packing: bool = False) -> Batch:
    keys = small.keys(1, 0, np.array(rows))
    return batches.collate(SHARDS, rows, keys=keys, width=64, packing=packing)


def labels(given: Batch) -> Tensor:
    """What the library calls labels: true ids where tokens are hidden, -100 elsewhere."""
    assert given.asked is not None
    found = torch.full((given.ids.numel(),), -100)
    found[given.asked.slots] = given.asked.answers
    return found.view(given.ids.shape)


def test_the_library_reads_it_and_agrees_on_hidden_states_logits_and_loss(tmp_path: Path) -> None:
    from transformers import BertForMaskedLM

    module, given = model(), batch([0, 1, 2])
    theirs, report = BertForMaskedLM.from_pretrained(
        published(module, tmp_path / "made"), output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    theirs.eval()
    with torch.no_grad():
        said: Any = theirs(
            input_ids=given.ids,
            attention_mask=(given.segments > 0).long(),
            labels=labels(given),
            output_hidden_states=True,
        )
        (ours,), hidden = module(given), module.encoder(given)
    assert given.asked is not None
    real = given.segments > 0
    torch.testing.assert_close(hidden[real], said.hidden_states[-1][real], atol=1e-5, rtol=0)
    asked = said.logits.flatten(0, 1)[given.asked.slots]
    torch.testing.assert_close(ours, asked, atol=1e-5, rtol=0)
    sums, _ = MaskedTask(module=module).kept((ours,), given)
    assert float(sums[:, 0].sum() / sums[:, 2].sum()) == pytest.approx(float(said.loss), abs=1e-5)


def test_a_roberta_counts_positions_from_behind_its_padding_and_agrees(tmp_path: Path) -> None:
    from transformers import RobertaForMaskedLM

    sizes = {"padding_id": 0, "type_vocabulary": 1, "layer_norm_eps": 1e-5}
    module, given = model(architecture="roberta", **sizes), batch([0, 1, SHARDS.rows - 1])
    folder = published(module, tmp_path / "made")
    theirs, report = RobertaForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert given.asked is not None
    with torch.no_grad():
        said: Any = theirs.eval()(
            input_ids=given.ids, attention_mask=(given.segments > 0).long(), labels=labels(given)
        )
        (ours,) = module(given)
    asked = said.logits.flatten(0, 1)[given.asked.slots]
    torch.testing.assert_close(ours, asked, atol=1e-5, rtol=0)
    sums, _ = MaskedTask(module=module).kept((ours,), given)
    assert float(sums[:, 0].sum() / sums[:, 2].sum()) == pytest.approx(float(said.loss), abs=1e-5)
    again = build.load_own(folder, random=False, seed=9, vocabulary=None)
    rest = MaskedLanguageModel(again, seed=9)
    assert rest.take_head(folder)
    with torch.no_grad():
        torch.testing.assert_close(rest.eval()(given)[0], ours, atol=0, rtol=0)


@pytest.mark.parametrize("groups", [{"inner": 1}, {"inner": 2}, {"groups": 2, "layers": 3}])
def test_an_albert_is_read_by_the_library_and_agrees_on_logits_and_loss(
    tmp_path: Path, groups: dict[str, int]
) -> None:
    from transformers import AlbertForMaskedLM

    module, given = model(**ALBERT | groups), batch([0, 1, 2])
    folder = published(module, tmp_path / "made")
    theirs, report = AlbertForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with torch.no_grad():
        said: Any = theirs.eval()(
            input_ids=given.ids, attention_mask=(given.segments > 0).long(), labels=labels(given)
        )
        (ours,) = module(given)
    assert given.asked is not None
    asked = said.logits.flatten(0, 1)[given.asked.slots]
    torch.testing.assert_close(ours, asked, atol=1e-4, rtol=0)
    sums, _ = MaskedTask(module=module).kept((ours,), given)
    assert float(sums[:, 0].sum() / sums[:, 2].sum()) == pytest.approx(float(said.loss), abs=1e-5)


def test_an_albert_of_the_library_is_taken_over_with_both_heads(tmp_path: Path) -> None:
    size = small.tokenizer().get_vocab_size()
    theirs = library_albert(tmp_path, "AlbertForPreTraining", vocab_size=size, inner_group_num=2)
    encoder = build.load_own(tmp_path, random=False, seed=0, vocabulary=None)
    module = MaskedLanguageModel(encoder, seed=0, pairs=True)
    assert module.take_head(tmp_path)
    given = batch([4, 5])
    assert given.asked is not None
    with torch.no_grad():
        words, pairs = module.eval()(given)
        said = theirs(input_ids=given.ids, attention_mask=(given.segments > 0).long())
    asked = said.prediction_logits.flatten(0, 1)[given.asked.slots]
    torch.testing.assert_close(words, asked, atol=1e-5, rtol=0)
    torch.testing.assert_close(pairs, said.sop_logits, atol=1e-5, rtol=0)


def test_the_loss_is_each_sequences_mean_as_one_would_write_it_out() -> None:
    module, given = model(), batch([0, 1, 2, 3])
    task = MaskedTask(module=module)
    assert given.asked is not None
    with torch.no_grad():
        (logits,) = module(given)
    expected, sequences = 0.0, given.asked.sequences.tolist()
    for sequence in range(4):
        mine = [i for i, owner in enumerate(sequences) if owner == sequence]
        each = [-float(logits[i].double().log_softmax(0)[given.asked.answers[i]]) for i in mine]
        expected += sum(each) / len(each)
    assert float(task.loss((logits,), given)) == pytest.approx(expected, abs=1e-5)


def test_packed_and_padded_rows_have_the_same_loss() -> None:
    module = model()
    task = MaskedTask(module=module)
    with torch.no_grad():
        losses = [
            float(task.loss(module(given), given))
            for given in (batch([0, 1, 2, 3], packing=on) for on in (False, True))
        ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@pytest.mark.parametrize("packing", [False, True])
def test_tokens_attend_those_of_their_own_sequence(packing: bool) -> None:
    given = batch([0, 1, 2, 3, 4], packing=packing)
    sizes = torch.cat([row.bincount()[1:] for row in given.segments])
    assert len(sizes[sizes > 0]) == 5
    assert given.attended == sizes.square().sum()


def test_logits_are_computed_for_hidden_tokens_alone() -> None:
    given = batch([0, 1])
    assert given.asked is not None
    assert model()(given)[0].shape == (len(given.asked.slots), small.tokenizer().get_vocab_size())
    assert len(given.asked.slots) < 0.2 * given.tokens


def test_the_pooler_learns_nothing_and_everything_else_does() -> None:
    module, given = model(), batch([0, 1])
    MaskedTask(module=module).loss(module(given), given).backward()  # type: ignore[no-untyped-call]
    without = {name for name, p in module.named_parameters() if p.grad is None}
    assert without == {"encoder.pooler.weight", "encoder.pooler.bias"}
    trained = [p for g in MaskedTask(module=module).parameter_groups(0.1) for p in g["params"]]
    assert len(trained) == len(list(module.parameters())) - 2


def test_metrics_count_tokens_not_sequences() -> None:
    values = torch.tensor([[6.0, 1.0, 2.0], [1.0, 2.0, 8.0]])
    found = MaskedTask(module=model()).metrics(values, torch.zeros(2))
    assert found == {"mlm_loss": pytest.approx(0.7), "mlm_accuracy": pytest.approx(0.3)}


def test_what_was_published_goes_on_where_it_was(tmp_path: Path) -> None:
    module, given = model(seed=3), batch([0, 1])
    folder = published(module, tmp_path / "made", pooler=True)
    encoder = build.load_encoder(folder, random=False, seed=9, vocabulary=None)
    assert isinstance(encoder, BertEncoder)
    again = MaskedLanguageModel(encoder, seed=9)
    assert again.take_head(folder)
    with torch.no_grad():
        torch.testing.assert_close(again.eval()(given)[0], module(given)[0], atol=0, rtol=0)


def test_the_head_of_the_library_is_taken_over(tmp_path: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=small.tokenizer().get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        initializer_range=0.5,
    )
    theirs: Any = BertForMaskedLM(config).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    encoder = build.load_encoder(tmp_path / "theirs", random=False, seed=0, vocabulary=None)
    assert isinstance(encoder, BertEncoder)
    module = MaskedLanguageModel(encoder, seed=0)
    assert module.take_head(tmp_path / "theirs")
    given = batch([4])
    assert given.asked is not None
    with torch.no_grad():
        said = theirs(input_ids=given.ids).logits.flatten(0, 1)[given.asked.slots]
        torch.testing.assert_close(module.eval()(given)[0], said, atol=1e-5, rtol=0)


def test_a_head_of_other_sizes_is_refused_and_an_encoder_without_one_gets_a_fresh_one(
    tmp_path: Path,
) -> None:
    module = model()
    folder = tmp_path / "made"
    state = published(module, folder) and module.hugging_face_state(pooler=False)
    state["cls.predictions.bias"] = torch.zeros(3)
    save_file(state, folder / "model.safetensors")
    with pytest.raises(ConfigError, match=r"cls.predictions.bias is of shape \[3\], expected \[1"):
        module.take_head(folder)
    bare = {name: t for name, t in state.items() if not name.startswith("cls.")}
    save_file(bare, folder / "model.safetensors")
    assert not module.take_head(folder)


def test_a_fresh_head_depends_on_the_seed_alone() -> None:
    weights = [model(seed=seed).dense.weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
