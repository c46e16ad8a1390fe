"""Whether the layers of a model can be split among so many processes; without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graft_api.errors import ConfigError

FIELD = "spec.workers.parallel.tensor"


def check_config(config: Mapping[str, Any], tensor: int, *, families: Sequence[str]) -> None:
    """Refuses a config.json of another family, or of sizes that cannot be divided.

    Raises:
        ConfigError: as said.
    """
    if tensor == 1:
        return
    family = str(config.get("model_type", "bert"))
    if family not in families:
        raise unable(family, tensor, families)
    heads, inner = config.get("num_attention_heads"), config.get("intermediate_size")
    # Where a size is absent, the encoder that knows its default is asked once more.
    check_sizes(tensor, heads=int(heads or tensor), inner=int(inner or tensor))


def check_sizes(tensor: int, *, heads: int, inner: int) -> None:
    """Refuses attention heads or features of the feed-forward part that cannot be divided.

    Raises:
        ConfigError: as said.
    """
    for size, what in ((heads, "attention heads"), (inner, "inner features (intermediate size)")):
        if size % tensor:
            raise ConfigError(
                f"{FIELD}: {tensor} does not divide the {size} {what} of the model",
                hint="use a number that divides both, or 1",
            )


def unable(family: str, tensor: int, families: Sequence[str]) -> ConfigError:
    """The refusal of a family whose layers are not ours to split."""
    return ConfigError(
        f"{FIELD}: {tensor}, but layers of {family} cannot be split here",
        hint=f"available: {', '.join(families)}; use 1 for any other" if families else "use 1",
    )
