"""A cluster as tests see it, whoever runs it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster import processes
from tests.cluster.api import Api
from tests.cluster.cluster import LocalCluster
from tests.cluster.settings import Settings

SHARED = "GRAFT_TEST_SHARED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A kubeconfig and a connection; `local` where the cluster is ours to break."""

    kubeconfig: Path
    api: Api
    local: LocalCluster | None

    @property
    def shared(self) -> Path | None:
        """A folder that this machine and all nodes have at the same path, if there is one."""
        if self.local is not None:
            return self.local.settings.within("volumes")
        return Path(os.environ[SHARED]) if SHARED in os.environ else None

    @property
    def api_port(self) -> int:
        """Where the API server listens."""
        return urlsplit(self.api.client.configuration.host).port or 443

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a program that speaks to this cluster."""
        settings = self.local.settings if self.local else Settings.read()
        return {**settings.environ, "KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl printed; raises RuntimeError with its complaint."""
        return processes.output(
            [self.program("kubectl"), *words], environ=self.environ, stdin=stdin
        )

    def helm(self, *words: str) -> str:
        """What helm printed; raises RuntimeError with its complaint."""
        return processes.output([self.program("helm"), *words], environ=self.environ)

    def program(self, name: str) -> str:
        """Path of a program: the cache's, or the machine's own."""
        return shutil.which(name, path=self.environ["PATH"] or os.defpath) or name
