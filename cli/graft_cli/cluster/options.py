"""Arguments of the verbs that speak to a cluster; imports nothing that takes time."""

from __future__ import annotations

import argparse


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Which cluster, which namespace."""
    parser.add_argument(
        "-n", "--namespace", metavar="NS", help="namespace (default: the context's)"
    )
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig")


def add_job(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Which job."""
    parser.add_argument(
        "job",
        metavar="JOB",
        nargs="?" if optional else None,
        help="name or kind/name, such as transfer/reviews",
    )


def add_both(parser: argparse.ArgumentParser) -> None:
    """Which job in which cluster."""
    add_job(parser)
    add_cluster(parser)
