"""Building blocks of the chart's values: closed models whose fields are spelt in camelCase."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"

Name = Annotated[str, Field(pattern=LABEL)]
NameOrNone = Annotated[str, Field(pattern=rf"^$|{LABEL}")]
Digest = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGTPE]i?)?$")]
QuantityOrNone = Annotated[str, Field(pattern=r"^([0-9]+(\.[0-9]+)?(m|[kMGTPE]i?)?)?$")]
Interval = Annotated[str, Field(pattern=r"^[0-9]+(s|m|h)$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Labels = dict[str, str]
PullPolicy = Literal["Always", "IfNotPresent", "Never"]
AccessMode = Literal["ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
Object = dict[str, Any]


class Part(BaseModel):
    """A group of values; one that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)
