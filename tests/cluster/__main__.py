"""The test cluster by hand: `python -m tests.cluster up|down|reset|install|build|kubectl ...`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from tests.cluster import build, images, install
from tests.cluster.cluster import LocalCluster
from tests.cluster.missing import missing
from tests.cluster.settings import Settings

USAGE = """usage: python -m tests.cluster VERB

  up         start it, with two real nodes; prints the two lines a shell needs
  down       stop it, its state is kept
  reset      stop it and forget its state
  install    build the images and install the chart; makes the namespace graft-examples
  images     build and push the images, print their references
  build      build the programs it is made of, once
  node N start|kill|cut|join      power and network cable of a real node
  fake N     N fake nodes
  kubectl .. kubectl on it

Variables: GRAFT_CLUSTER_NUMBER (0, 1, ..: clusters side by side), GRAFT_CLUSTER_CACHE,
GRAFT_CLUSTER_STATE, GRAFT_CLUSTER_REGISTRY_PORT, TORCH_INDEX.
"""


def up(cluster: LocalCluster, words: Sequence[str]) -> None:
    """Starts the cluster and tells how to reach it."""
    cluster.up()
    print(f"export KUBECONFIG={cluster.settings.kubeconfig}")
    print(f"export PATH={cluster.settings.bin}:$PATH")


def push(cluster: LocalCluster, words: Sequence[str]) -> None:
    """Builds both images."""
    for name in images.NAMES:
        print(images.build_and_push(name, cluster.settings))


def node(cluster: LocalCluster, words: Sequence[str]) -> None:
    """One node's power or cable."""
    number, verb = words
    found = cluster.node(int(number))
    {"start": found.start, "kill": found.kill, "cut": found.cut, "join": found.join}[verb]()


def fake(cluster: LocalCluster, words: Sequence[str]) -> None:
    """Fake nodes."""
    from tests.cluster.api import Api
    from tests.cluster.kwok import fake_nodes

    api = Api.connect(cluster.settings.kubeconfig)
    fake_nodes(cluster.settings, api, int(words[0]))
    api.close()


def kubectl(cluster: LocalCluster, words: Sequence[str]) -> None:
    """Becomes kubectl."""
    program = str(cluster.settings.bin / "kubectl")
    os.execve(program, ["kubectl", *words], cluster.settings.environ)


VERBS: Mapping[str, Callable[[LocalCluster, Sequence[str]], None]] = {
    "up": up,
    "down": lambda cluster, words: cluster.down(),
    "reset": lambda cluster, words: cluster.reset(),
    "install": lambda cluster, words: install.install(cluster.settings, *words),
    "images": push,
    "build": lambda cluster, words: build.ensure_binaries(cluster.settings),
    "node": node,
    "fake": fake,
    "kubectl": kubectl,
}


def main(words: Sequence[str]) -> int:
    """The exit code."""
    if not words or words[0] not in VERBS:
        sys.stderr.write(USAGE)
        return 64
    if why := missing():
        sys.stderr.write(f"{why}\n")
        return 69
    VERBS[words[0]](LocalCluster(settings=Settings.read()), words[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
