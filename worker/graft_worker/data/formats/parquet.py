"""Parquet, read in small batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graft_api.errors import DataError
from graft_worker.data.formats.options import Options
from graft_worker.data.rows import Row
from graft_worker.data.sources import Source

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_BATCH = 1024  # rows
_BOMB_RATIO, _BOMB_BYTES = 1000, 1 << 28


def read(source: Source, options: Options) -> Iterator[Row]:  # noqa: ARG001  (one signature for all)
    """Rows of the table; `line` is the row's number from 1.

    Raises:
        DataError: truncated, no Parquet at all, or over 256 MiB and a thousandfold when unpacked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with source.open() as stream:
        try:
            table = pq.ParquetFile(stream)
            _refuse_bombs(source, table)
            number = 0
            for batch in table.iter_batches(batch_size=_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(values, source.name, number)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{source.name}: is no whole Parquet file: {reason}",
                hint="copy the file again, or name its true format under data.*.format",
            ) from None


def _refuse_bombs(source: Source, table: pq.ParquetFile) -> None:
    groups = range(table.metadata.num_row_groups)
    size = sum(table.metadata.row_group(group).total_byte_size for group in groups)
    if source.size > 0 and size > max(_BOMB_BYTES, _BOMB_RATIO * source.size):
        raise DataError(
            f"{source.name}: {source.size:,} bytes would grow to {size:,} when unpacked",
            hint="write the table again with smaller values, or split it",
        )
