"""The prepare stage: resolves the model, checks every row, tokenises once; without torch."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_api.progress import Termination
from graft_api.vocabulary import ExitCode, StoreFile
from graft_worker.config import Settings, read_settings
from graft_worker.data import inspect, reading
from graft_worker.data.cache import Cache
from graft_worker.data.prepare import build_split
from graft_worker.data.prepared import Prepared
from graft_worker.data.selections import selections
from graft_worker.data.shard_writer import MANIFEST
from graft_worker.models import dividing, folders, tokenization
from graft_worker.report import termination
from graft_worker.run import mirroring
from graft_worker.run.kinds import preparing
from graft_worker.run.kinds.preparing import Making

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from graft_worker.data.blocks import Blocks
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Split
    from graft_worker.data.rows import Role
    from graft_worker.data.selections import Selection
    from graft_worker.mirror.mirror import Mirror
    from graft_worker.models.origin import Origin
    from graft_worker.run.kinds.preparing import Preparation

log = logging.getLogger(__name__)

GOLDEN_ROWS = 8
WORDS, WORDS_LENGTH = 4, 256  # warnings in the last words, which a kubelet cuts at 4 KiB


def main(environ: Mapping[str, str]) -> int:
    """The exit code of the stage; afterwards `prepared.json` stands in the job's folder.

    Raises:
        ConfigError: the model or the tokenizer cannot be had, or do not fit the job.
        DataError: everything that is wrong with the data, with file and line.
        StoreError: the store cannot be written.
    """
    settings = read_settings(environ)
    settings.job_dir.mkdir(parents=True, exist_ok=True)
    mirror = mirroring.of(settings)
    mirroring.announce(mirror, settings)
    prepared = prepare(settings, mirror)
    prepared.write(settings.job_dir / StoreFile.PREPARED)
    mirroring.send_prepared(mirror, settings, prepared)
    if settings.termination_file:
        termination.write(settings.termination_file, _last_words(prepared))
    return ExitCode.DONE


def _last_words(prepared: Prepared) -> Termination:
    """What a job's status shows of the data and of the model to start from."""
    plain = prepared.dataset().model_dump(mode="json", by_alias=True, exclude_none=True)
    plain["warnings"] = [line[:WORDS_LENGTH] for line in plain["warnings"][:WORDS]]
    return Termination(state="Complete", model_digest=prepared.model_digest, dataset=plain)


def prepare(settings: Settings, mirror: Mirror) -> Prepared:
    """What training needs to know; shards and tokenizer are on disk. Raises as `main` does."""
    spec = settings.job.spec
    asked = preparing.of(settings.job, zoo=settings.zoo)
    start = asked.start(settings)
    _check_split(spec.workers.parallel.tensor, start, asked)
    roles = asked.roles()
    parts = selections(spec.data, seed=spec.training.seed)
    found = inspect.inspect(parts, roles, wish=asked.wish())
    for line in inspect.describe(found):
        log.info("%s", line)
    tokenizer = asked.tokenizer(settings, start, _texts(parts["train"], roles))
    _check(spec.data.max_length, start, tokenizer)
    making = _making(settings, mirror, asked, found)
    splits = making.splits(asked.blocks(found, tokenizer), tokenizer, spec.data.max_length)
    folder = settings.job_dir / "tokenizer"
    tokenization.save(tokenizer, folder)
    prepared = Prepared(
        splits=splits,
        problem=asked.problem(found),
        labels=found.labels,
        model=mirror.name(start.folder),
        model_digest=start.digest,
        random_weights=start.random,
        tokenizer=mirror.name(folder),
        vocabulary=tokenizer.get_vocab_size(with_added_tokens=True),
        columns=dict(found.columns),
        warnings=found.warnings,
        golden=_golden(parts, roles) if asked.problem(found) else (),
    )
    return asked.finished(prepared, making)


def _texts(selection: Selection, roles: tuple[Role, ...]) -> Iterator[str]:
    names = [role.name for role in roles if role.kind == "text"]
    for row, _ in reading.taken(selection, roles):
        yield from (row.values[name] for name in names if row.values.get(name))


def _golden(parts: Mapping[str, Selection], roles: tuple[Role, ...]) -> tuple[dict[str, str], ...]:
    """Rows that training does not see, where there are any; its pods have no data but shards."""
    chosen = parts.get("validation") or parts["train"]
    names = [role.name for role in roles if role.kind == "text"]
    rows = islice(reading.taken(chosen, roles), GOLDEN_ROWS)
    return tuple(
        {name: row.values[name] for name in names if row.values.get(name)} for row, _ in rows
    )


def _check_split(tensor: int, start: Origin, asked: Preparation) -> None:
    """Refuses here, before anything is read, a model whose layers cannot be split so."""
    config = folders.read_config(start.folder)
    dividing.check_config(config, tensor, families=asked.splits)


def _check(longest: int, start: Origin, tokenizer: Tokenizer) -> None:
    """Refuses here, before anything is written, what the model could not take later."""
    config = folders.read_config(start.folder)
    positions = _positions(config)
    if 0 < positions < longest:
        raise ConfigError(
            f"spec.data.maxLength: {longest}, but the model has {positions} positions",
            hint=f"use at most {positions}, or a model with more",
        )
    size, known = tokenizer.get_vocab_size(with_added_tokens=True), config.get("vocab_size")
    if not start.random and isinstance(known, int) and size > known:
        raise ConfigError(
            f"spec.model.tokenizer: has {size} token ids, but the weights have {known} embeddings",
            hint="use the tokenizer that belongs to the weights, or model.from.config",
        )


def _positions(config: Mapping[str, Any]) -> int:
    """How many tokens a sequence may have; 0 where the model sets no limit.

    RoBERTa's family counts positions from behind the id of its padding.
    """
    limit = config.get("max_position_embeddings")
    if not isinstance(limit, int):
        return 0
    behind = str(config.get("model_type", "")).endswith(("roberta", "camembert"))
    return limit - int(config.get("pad_token_id", 1)) - 1 if behind else limit


def _making(settings: Settings, mirror: Mirror, asked: Preparation, found: Inspection) -> Making:
    spec = settings.job.spec
    cache = Cache(root=settings.store / "cache", bring=partial(mirror.get_folder, last=MANIFEST))

    def splits(blocks: Blocks, tokenizer: Tokenizer, longest: int) -> dict[str, Split]:
        keys = asked.key_parts() | _key_parts(longest, tokenizer)
        return {
            name: build_split(part, found, blocks, cache=cache, key_parts=keys)
            for name, part in selections(spec.data, seed=spec.training.seed).items()
        }

    return Making(found=found, cache=cache, name=mirror.name, splits=splits)


def _key_parts(longest: int, tokenizer: Tokenizer) -> dict[str, str]:
    """Everything that the shards of any kind depend on besides the data and how they are read."""
    return {
        "maxLength": str(longest),
        "tokenizer": hashlib.sha256(tokenizer.to_str().encode()).hexdigest(),
        "vocabulary": str(tokenizer.get_vocab_size(with_added_tokens=True)),
    }
