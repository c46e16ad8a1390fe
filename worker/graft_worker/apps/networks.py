"""Networks that an app brings itself and that start from nothing: their sizes, from the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graft_api.errors import ConfigError

_AT = "spec.app.params"
_WIDTHS = "filterSizes"
# Parameter of the job: its key in config.json.
_KEYS: Mapping[str, str] = {
    "vocabularySize": "vocab_size",
    "embeddingSize": "embedding_size",
    "filters": "num_filters",
    "hiddenSize": "hidden_size",
}
_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network of an app's own, with what holds where the job says nothing."""

    model_type: str
    sizes: Mapping[str, int]
    widths: tuple[int, ...]
    dropout: float

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that it knows besides those of every app."""
        return (*self.sizes, _WIDTHS)

    def config(self, params: Mapping[str, Any], dropout: float) -> dict[str, Any]:
        """Its config.json.

        Raises:
            ConfigError: a size is no whole number, or is out of range.
        """
        sizes = {_KEYS[name]: _size(params, name, usual) for name, usual in self.sizes.items()}
        widths = params.get(_WIDTHS, list(self.widths))
        if not isinstance(widths, list) or not widths or not all(_fits(w, 64) for w in widths):
            raise ConfigError(
                f"{_AT}.{_WIDTHS}: {widths!r}: expected a list of whole numbers from 1 to 64",
                hint=f"for example {list(self.widths)}",
            )
        told = {"model_type": self.model_type, "filter_sizes": widths}
        return {**told, **sizes, "hidden_dropout_prob": dropout}


TEXTCNN = Network(
    model_type="textcnn",
    sizes={"vocabularySize": 30_000, "embeddingSize": 300, "filters": 100},
    widths=(3, 4, 5),
    dropout=0.5,
)
BICNN = Network(
    model_type="bicnn",
    sizes={"vocabularySize": 20_000, "embeddingSize": 300, "filters": 200, "hiddenSize": 200},
    widths=(2, 3, 4),
    dropout=0.2,
)


def _size(params: Mapping[str, Any], name: str, usual: int) -> int:
    value = params.get(name, usual)
    least = 100 if name == "vocabularySize" else 1
    if not _fits(value, _MOST) or value < least:
        raise ConfigError(
            f"{_AT}.{name}: {value!r}: expected a whole number from {least} to {_MOST:,}"
        )
    return int(value)


def _fits(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
