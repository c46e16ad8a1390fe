"""What is read, kept apart by use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .resources import Resources
from .rules import Part, exactly_one

Format = Literal["auto", "tsv", "csv", "jsonl", "parquet", "conll", "squad", "text"]


class Credentials(Part):
    """Access to private storage, given to pods by reference."""

    secret_name: s.Key
    """Secret in the job's namespace; its keys become environment variables of the readers."""


class Dataset(Part):
    """Examples to read."""

    uri: s.Uri | None = None
    """A file, a folder or a glob."""
    uris: Annotated[tuple[s.Uri, ...], Field(min_length=1, max_length=64)] | None = None
    """Several files or globs, read in this order."""
    format: Format = "auto"
    """File format; auto reads the extension and the first lines."""
    columns: Annotated[dict[str, s.Short], Field(max_length=32)] = Field(default_factory=dict)
    """The app's roles mapped to the file's columns; default: columns named like the roles."""
    schema_: s.Text | None = None
    """Columns of a file without header, such as `label:str:1,text:str:1`."""
    credentials: Credentials | None = None
    """Access to private storage; absent: none."""

    rules = (exactly_one("uri", "uris"),)


class NamedDataset(Dataset):
    """One source domain or task."""

    name: s.Key
    """Name of the domain, used in metrics and in status."""


class Validation(Dataset):
    """Examples that choose the best checkpoint, or a share of the training data."""

    fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the training examples held back, such as 0.1."""

    rules = (exactly_one("uri", "uris", "fraction"),)


class Prepare(Part):
    """The stage that reads and tokenises."""

    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Pods that split the files; default 1."""
    resources: Resources = Field(default_factory=Resources)
    """What each of these pods asks for."""


class Data(Part):
    """Examples, kept apart by use, so that no selector sees the reporting split."""

    named = True

    train: Dataset
    """Examples to learn from."""
    validation: Validation | None = None
    """Examples that choose the best checkpoint; absent: none is chosen."""
    test: Dataset | None = None
    """Examples touched once, at the end; absent: no test report."""
    max_length: Annotated[int, Field(ge=1, le=65536)] = 128
    """Tokens per example; longer ones are cut. Default 128."""
    prepare: Prepare = Field(default_factory=Prepare)
    """The stage that reads and tokenises."""
