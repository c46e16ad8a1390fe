"""How knowledge is transferred: the choice among the methods of a TransferJob."""

from __future__ import annotations

from typing import Literal, get_args

from .methods.adapter import Adapter
from .methods.drss import Drss
from .methods.drss_adversarial import DrssAdversarial
from .methods.finetune import Finetune
from .methods.fully_shared import FullyShared
from .methods.gated_cnn import GatedCnn
from .methods.gradual_unfreeze import GradualUnfreeze
from .methods.keml import Keml
from .methods.lora import Lora
from .methods.metadtl import Metadtl
from .methods.mft import Mft
from .methods.mgtl import Mgtl
from .methods.multitask import Multitask
from .methods.rtl import Rtl
from .methods.ruder_plank import RuderPlank
from .methods.shared_private import SharedPrivate
from .methods.shared_private_adversarial import SharedPrivateAdversarial
from .methods.wasserstein_attention import WassersteinAttention
from .rules import Part, own_block

MethodName = Literal[
    "finetune",
    "gradual_unfreeze",
    "adapter",
    "lora",
    "multitask",
    "fully_shared",
    "shared_private",
    "shared_private_adversarial",
    "drss",
    "drss_adversarial",
    "wasserstein_attention",
    "gated_cnn",
    "ruder_plank",
    "rtl",
    "mgtl",
    "mft",
    "metadtl",
    "keml",
]
# Methods that learn from data.source beside the target's own examples.
WITH_SOURCE = get_args(MethodName)[4:]
WITH_UNLABELLED = ("shared_private_adversarial", "drss_adversarial", "wasserstein_attention")


class Method(Part):
    """How knowledge is transferred; parameters go under the method's name in camelCase."""

    name: MethodName = "finetune"
    """Method; default finetune."""
    finetune: Finetune | None = None
    """Parameters of finetune."""
    gradual_unfreeze: GradualUnfreeze | None = None
    """Parameters of gradual_unfreeze."""
    adapter: Adapter | None = None
    """Parameters of adapter."""
    lora: Lora | None = None
    """Parameters of lora."""
    multitask: Multitask | None = None
    """Parameters of multitask."""
    fully_shared: FullyShared | None = None
    """Parameters of fully_shared."""
    shared_private: SharedPrivate | None = None
    """Parameters of shared_private."""
    shared_private_adversarial: SharedPrivateAdversarial | None = None
    """Parameters of shared_private_adversarial."""
    drss: Drss | None = None
    """Parameters of drss."""
    drss_adversarial: DrssAdversarial | None = None
    """Parameters of drss_adversarial."""
    wasserstein_attention: WassersteinAttention | None = None
    """Parameters of wasserstein_attention."""
    gated_cnn: GatedCnn | None = None
    """Parameters of gated_cnn."""
    ruder_plank: RuderPlank | None = None
    """Parameters of ruder_plank."""
    rtl: Rtl | None = None
    """Parameters of rtl."""
    mgtl: Mgtl | None = None
    """Parameters of mgtl."""
    mft: Mft | None = None
    """Parameters of mft."""
    metadtl: Metadtl | None = None
    """Parameters of metadtl."""
    keml: Keml | None = None
    """Parameters of keml."""

    rules = tuple(own_block(name) for name in get_args(MethodName))
