"""Which weights each step of an encoder uses: layers may share them.

Lan et al. 2020, arXiv 1909.11942, section 3.1. `layers` steps go through `groups` sets of weights,
each for a run of steps; a set is `inner` different layers, applied one after the other at every
step. ALBERT has one set of one layer, PAI-ALBERT one of two. Where `groups` is none, every step has
a layer of its own.
"""

from __future__ import annotations

from graft_worker.models.encoder import EncoderConfig


def distinct(config: EncoderConfig) -> int:
    """The number of layers with weights of their own."""
    return _groups(config) * config.inner


def order(config: EncoderConfig) -> tuple[tuple[int, int], ...]:
    """Layers as they are applied, each by its number and how often it was applied before."""
    steps = [_group(config, step) for step in range(config.layers)]
    return tuple(
        (group * config.inner + inner, step - steps.index(group))
        for step, group in enumerate(steps)
        for inner in range(config.inner)
    )


def last_step(config: EncoderConfig, layer: int) -> int:
    """The last step, counted from 1, that uses the weights of a layer."""
    group = layer // config.inner
    return max(step for step in range(config.layers) if _group(config, step) == group) + 1


def ends(config: EncoderConfig) -> tuple[int, ...]:
    """The steps, counted from 1, behind which none uses the weights of those before."""
    return tuple(
        step + 1
        for step in range(config.layers)
        if step + 1 == config.layers or _group(config, step) != _group(config, step + 1)
    )


def _groups(config: EncoderConfig) -> int:
    return config.layers if config.groups is None else config.groups


def _group(config: EncoderConfig, step: int) -> int:
    # In the library's words, so that its rounding is ours.
    return int(step / (config.layers / _groups(config)))
