"""What the model is for: an app of the AppZoo or a person's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from . import scalars as s
from .rules import ATOMIC, Part, Rule, exactly_one

AppName = Literal[
    "text_vectorize",
    "text_classify",
    "text_match",
    "text_comprehension",
    "sequence_label",
    "response_rank",
    "chat",
    "image_text_match",
    "field_label",
    "rainfall",
    "helpfulness",
    "lexical_relation",
    # aliases: the names of EasyTransfer and EasyNLP
    "feat_ext_bert",
    "ez_bert_feat",
    "vectorization",
    "text_classify_bert",
    "text_classify_cnn",
    "text_classify_multi_label",
    "text_match_bert",
    "text_match_bert_two_tower",
    "text_match_two_tower",
    "text_match_dam",
    "text_match_damplus",
    "text_match_bicnn",
    "text_match_hcnn",
    "text_comprehension_bert",
    "text_comprehension_bert_hae",
    "machine_reading_comprehension",
    "sequence_labeling_bert",
    "sequence_labeling",
]
Variant = Literal[
    "encoder",
    "textcnn",
    "single_tower",
    "two_tower",
    "dam",
    "dam_plus",
    "bicnn",
    "hcnn",
    "hae",
    "ham",
    "softmax",
    "crf",
    "bilstm_crf",
    "dmn",
    "dmn_kd",
    "dmn_prf",
    "mt_hcnn",
]
# The forms of each app; the first is the default.
VARIANTS: Mapping[str, tuple[Variant, ...]] = MappingProxyType(
    {
        "text_classify": ("encoder", "textcnn"),
        "text_match": ("single_tower", "two_tower", "dam", "dam_plus", "bicnn", "hcnn"),
        "text_comprehension": ("encoder", "hae", "ham"),
        "sequence_label": ("softmax", "crf", "bilstm_crf"),
        "response_rank": ("dmn", "dmn_kd", "dmn_prf", "mt_hcnn"),
    }
)
# Each name of EasyTransfer and EasyNLP: the app that it means, its variant and its parameters.
ALIASES: Mapping[str, tuple[AppName, Variant | None, Mapping[str, Any]]] = MappingProxyType(
    {
        "feat_ext_bert": ("text_vectorize", None, {}),
        "ez_bert_feat": ("text_vectorize", None, {}),
        "vectorization": ("text_vectorize", None, {}),
        "text_classify_bert": ("text_classify", "encoder", {}),
        "text_classify_cnn": ("text_classify", "textcnn", {}),
        "text_classify_multi_label": ("text_classify", "encoder", {"multiLabel": True}),
        "text_match_bert": ("text_match", "single_tower", {}),
        "text_match_bert_two_tower": ("text_match", "two_tower", {}),
        "text_match_two_tower": ("text_match", "two_tower", {}),
        "text_match_dam": ("text_match", "dam", {}),
        "text_match_damplus": ("text_match", "dam_plus", {}),
        "text_match_bicnn": ("text_match", "bicnn", {}),
        "text_match_hcnn": ("text_match", "hcnn", {}),
        "text_comprehension_bert": ("text_comprehension", "encoder", {}),
        "text_comprehension_bert_hae": ("text_comprehension", "hae", {}),
        "machine_reading_comprehension": ("text_comprehension", "encoder", {}),
        "sequence_labeling_bert": ("sequence_label", "softmax", {}),
        "sequence_labeling": ("sequence_label", "softmax", {}),
    }
)
WITHOUT_MODEL = (
    "textcnn",
    "dam",
    "dam_plus",
    "bicnn",
    "hcnn",
    "bilstm_crf",
    "dmn",
    "dmn_kd",
    "dmn_prf",
    "mt_hcnn",
)
APPS_WITHOUT_MODEL = (
    "rainfall",
    "helpfulness",
    "response_rank",
    *(name for name, (_, variant, _) in ALIASES.items() if variant in WITHOUT_MODEL),
)
_VARIANT_FITS = " || ".join(
    f"self.name == '{n}' && self.variant in {list(v)}" for n, v in VARIANTS.items()
)


class ConfigMapReference(Part):
    """Files kept in a ConfigMap."""

    name: s.Key
    """Name of the ConfigMap in the job's namespace."""


class CodeSource(Part):
    """Where the code of a person's own app is; exactly one."""

    config_map: ConfigMapReference | None = None
    """Files in a ConfigMap, mounted as a package."""
    image: s.Text | None = None
    """Image that has the package installed."""
    uri: s.Uri | None = None
    """Wheel or folder."""

    rules = (exactly_one("config_map", "image", "uri"),)
    schema_extra = ATOMIC


class App(Part):
    """What the model is for: an app of the AppZoo or a person's own."""

    named = True

    name: AppName | None = None
    """App of the AppZoo; names of EasyTransfer and EasyNLP are aliases."""
    variant: Variant | None = None
    """Form of the app, such as `two_tower` of text_match; absent: the first that the app lists."""
    labels: Annotated[tuple[s.Label, ...], Field(max_length=4096)] = ()
    """Labels in the order of the model's outputs; default: read from the data."""
    params: s.Free = Field(default_factory=dict)
    """Parameters of the app, checked by the app; default: none."""
    entrypoint: (
        Annotated[str, Field(max_length=256, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None
    ) = None
    """A person's own app as `package.module:Class`."""
    source: CodeSource | None = None
    """Where the code of `entrypoint` is."""

    rules = (
        exactly_one("name", "entrypoint"),
        Rule(
            "has(self.entrypoint) == has(self.source)",
            "entrypoint and source go together: set both or none",
            lambda a: (a.entrypoint is None) == (a.source is None),
            at="source",
        ),
        Rule(
            f"!has(self.variant) || (has(self.name) && ({_VARIANT_FITS}))",
            "variant {variant} does not belong to app {name}",
            lambda a: a.variant is None or a.variant in VARIANTS.get(a.name or "", ()),
            at="variant",
        ),
    )


def canonical(app: App) -> App:
    """The app under its own name with its variant written out; aliases keep the user's params."""
    if app.name is None:
        return app
    name, variant, params = ALIASES.get(app.name, (app.name, app.variant, {}))
    first = VARIANTS.get(name, (None,))[0]
    update = {"name": name, "variant": variant or first, "params": {**params, **app.params}}
    return app.model_copy(update=update)


def needs_model(app: App) -> bool:
    """Whether the app starts from a pretrained encoder."""
    return not (app.entrypoint or app.variant in WITHOUT_MODEL or app.name in APPS_WITHOUT_MODEL)
