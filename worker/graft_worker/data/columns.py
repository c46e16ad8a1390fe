"""Which column of a file plays which role of an app."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from graft_api.errors import DataError
from graft_worker.data.formats.delimited import shown
from graft_worker.data.rows import Role

_COMPARED = 1000  # columns that a missing one is compared with


def resolve(
    found: Sequence[str], roles: Sequence[Role], mapped: Mapping[str, str], *, file: str
) -> dict[str, str]:
    """The column of each role: the one the job maps, else the first of the role's names found.

    Names match whatever their case; an exact match comes first. Roles that are not required may
    stay without a column.

    Raises:
        DataError: a column is missing; names the columns found and the nearest one.
    """
    _known(roles, mapped)
    columns: dict[str, str] = {}
    for role in roles:
        wanted = (mapped[role.name],) if role.name in mapped else role.names
        if column := _first(wanted, found):
            columns[role.name] = column
        elif role.required or role.name in mapped:
            raise _missing(role, wanted, found, file)
    return columns


def _known(roles: Sequence[Role], mapped: Mapping[str, str]) -> None:
    names = [role.name for role in roles]
    for name in mapped:
        if name not in names:
            raise DataError(
                f"data.columns.{name}: the app has no such role",
                hint=f"its roles are {', '.join(names)}",
            )


def _first(wanted: Sequence[str], found: Sequence[str]) -> str:
    lower = {name.lower(): name for name in reversed(found)}
    for name in wanted:
        if column := name if name in found else lower.get(name.lower()):
            return column
    return ""


def _missing(role: Role, wanted: Sequence[str], found: Sequence[str], file: str) -> DataError:
    names = list(dict.fromkeys(wanted))
    message = (
        f"{file}: no column for {role.name}: looked for {', '.join(names)}; found {shown(found)}"
    )
    near = found[:_COMPARED]
    close = [n for name in names for n in difflib.get_close_matches(name, near, n=1, cutoff=0.6)]
    if close:
        return DataError(message, hint=f"did you mean columns: {{{role.name}: {close[0]}}}?")
    if _looks_like_data(found):
        hint = 'the first row seems to be data; name the columns: schema: "label:str:1,text:str:1"'
        return DataError(message, hint=hint)
    return DataError(message, hint=f"name it in the job: columns: {{{role.name}: COLUMN}}")


def _looks_like_data(found: Sequence[str]) -> bool:
    return any(len(name) > 40 or " " in name.strip() or name.isdecimal() for name in found)
