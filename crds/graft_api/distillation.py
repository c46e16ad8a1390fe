"""How the student learns from the teacher: the choice among the methods of a DistillJob."""

from __future__ import annotations

from typing import Literal, get_args

from .methods.adabert import Adabert
from .methods.distilbert import Distilbert
from .methods.metakd import Metakd
from .methods.pkd import Pkd
from .methods.probes import Probes
from .methods.tinybert import Tinybert
from .methods.vanilla import Vanilla
from .rules import Part, own_block

DistillationName = Literal[
    "vanilla", "probes", "adabert", "metakd", "pkd", "distilbert", "tinybert"
]


class Distillation(Part):
    """How the student learns; parameters go under the method's name."""

    name: DistillationName = "vanilla"
    """Method; default vanilla."""
    vanilla: Vanilla | None = None
    """Parameters of vanilla."""
    probes: Probes | None = None
    """Parameters of probes."""
    adabert: Adabert | None = None
    """Parameters of adabert."""
    metakd: Metakd | None = None
    """Parameters of metakd."""
    pkd: Pkd | None = None
    """Parameters of pkd."""
    distilbert: Distilbert | None = None
    """Parameters of distilbert."""
    tinybert: Tinybert | None = None
    """Parameters of tinybert."""

    rules = tuple(own_block(name) for name in get_args(DistillationName))
