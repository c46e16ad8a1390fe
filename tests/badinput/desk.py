"""A person's desk: a folder with a tiny job and its data, and the real command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

GRAFT = Path(sys.executable).with_name("graft")
MODEL = "{config: {architecture: bert, layers: 1, hidden: 32, heads: 2}}"
JOB = f"""\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {{name: tiny}}
spec:
  app: {{name: text_classify}}
  model:
    from: {MODEL}
    tokenizer: {{train: {{kind: wordpiece, size: 200}}}}
  data:
    train: {{uri: train.tsv}}
    validation: {{uri: dev.tsv}}
    maxLength: 16
  training: {{duration: {{epochs: 1}}, globalBatch: 8, precision: fp32}}
"""
THINGS = ("lamp", "kettle", "fan", "radio", "clock", "chair", "window", "carpet")
SOUND, BROKEN = "is bright and steady\tgood", "is broken and loud\tbad"
UNWHOLE = (".tmp", ".partial", ".incomplete")
KEPT = ("artefacts", "checkpoints", "result.json", "job.json")


def rows(adjective: str) -> str:
    """Sixteen rows with header, half of them good."""
    pairs = [(thing, end) for thing in THINGS for end in (SOUND, BROKEN)]
    return "text\tlabel\n" + "".join(f"the {adjective} {thing} {end}\n" for thing, end in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The folder that commands run in. `before` is what the store held when it was set up."""

    folder: Path
    store: Path
    before: Mapping[str, bytes]

    def with_store(self, store: Path) -> Desk:
        """The same desk with another store, and with what stands in it."""
        return replace(self, store=store, before=saved(store))

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def job(self, *changes: tuple[str, str]) -> None:
        """Writes the job file with each first text replaced by the second."""
        text = JOB
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.write("job.yaml", text)

    def graft(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The result of the command line, run in the folder with variables of its own."""
        return subprocess.run(
            [GRAFT, *arguments],
            cwd=self.folder,
            env=os.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.graft("run", "job.yaml", "--store", str(self.store), *arguments, **environ)

    def artefact(self) -> Path:
        """The folder of the model that the finished job made."""
        (found,) = (self.store / "artefacts").glob("sha256-*")
        return found


def lay(folder: Path) -> Desk:
    """The desk with the tiny job, its data, and the store that it finds there."""
    desk = Desk(folder=folder, store=folder / "store", before=saved(folder / "store"))
    desk.write("train.tsv", rows("old"))
    desk.write("dev.tsv", rows("new"))
    desk.job()
    return desk


def saved(store: Path) -> dict[str, bytes]:
    """What nobody may lose: artefacts, checkpoints, and the records of finished jobs, by path."""
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock" and set(path.parts) & set(KEPT)
    }


def finished(store: Path) -> dict[str, bytes]:
    """What is saved but the files of jobs that were only begun."""
    return {name: data for name, data in saved(store).items() if not name.endswith("job.json")}


def unwhole(store: Path) -> list[str]:
    """Files and folders that were begun and not finished."""
    return [
        str(path.relative_to(store))
        for path in sorted(store.rglob("*"))
        if path.name.endswith(UNWHOLE) or (path.name.startswith(".") and path.name != ".lock")
    ]


def refused(
    desk: Desk, result: subprocess.CompletedProcess[str], *words: str, code: int = 2
) -> None:
    """Fails unless one clear error with all the words was given and the store is as it was."""
    told = result.stderr
    assert result.returncode == code, told
    assert len(re.findall("error: ", told)) == 1, told
    assert "Traceback" not in told, told
    assert "" not in [line.strip() for line in told.splitlines()], told
    assert not [word for word in words if word not in told], told
    assert unwhole(desk.store) == []
    after = saved(desk.store)
    assert {name: after.get(name) for name in desk.before} == desk.before
    assert finished(desk.store).keys() == {n for n in desk.before if not n.endswith("job.json")}
