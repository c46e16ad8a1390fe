"""`python -m benchmarks [ROW ...]` measures rows and rewrites the published table."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benchmarks import machine, outcome, table
from benchmarks.rows import ROWS, measure, needs_gpu
from benchmarks.settings import Settings

HERE = Path(__file__).parent
DATA = HERE.parent / ".." / "shared" / "data"


def main() -> int:
    """The exit code: 1 where a row is void."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.quick and arguments.results == HERE / "results":
        parser.error("--quick measures nothing to publish: give --results another folder")
    void = False
    for name in () if arguments.table else _asked(arguments.rows):
        result = measure(name, _settings(arguments), scratch=arguments.scratch)
        path = outcome.write(result, arguments.results)
        print(table.line(result), f"-> {path}", sep="\n", flush=True)
        void = void or bool(result["void"])
    if arguments.results == HERE / "results":
        table.publish(arguments.results, HERE.parent / "docs" / "benchmarks.md")
    return int(void)


def _asked(rows: Sequence[str]) -> Iterator[str]:
    """The rows named, or all; those that need a GPU where there is one, else it is said."""
    for name in rows or ROWS:
        if needs_gpu(name) and not torch.cuda.is_available():
            print(f"{name} skipped: it needs a GPU, this machine has none", flush=True)
        else:
            yield name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--table", action="store_true", help="only rewrite the table")
    parser.add_argument("--quick", action="store_true", help="a tiny model: a smoke test")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--clocks", nargs="+", choices=("cpu", "wall"), default=["cpu", "wall"])
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--scratch", type=Path, help="folder that keeps what a row writes")
    data = Path(os.environ.get("GRAFT_DATA", DATA))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        data=arguments.data.resolve(),
        command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        rounds=arguments.rounds,
        seeds=tuple(arguments.seeds),
        clocks=tuple(arguments.clocks),
        cores=1 if arguments.quick else machine.cores(),
        quick=arguments.quick,
    )


if __name__ == "__main__":
    sys.exit(main())
