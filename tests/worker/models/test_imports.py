"""What a part brings into a process: starting must stay quick."""

from __future__ import annotations

import subprocess
import sys


def first_that_brings(unwanted: str, *modules: str) -> str:
    """The first of the modules with which the unwanted one comes into a process, if any does."""
    program = (
        "import importlib, sys\n"
        "unwanted, *modules = sys.argv[1:]\n"
        "for name in modules:\n"
        "    importlib.import_module(name)\n"
        "    if unwanted in sys.modules:\n"
        "        print(name)\n"
        "        break\n"
    )
    command = [sys.executable, "-c", program, unwanted, *modules]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_prepare_stage_needs_no_torch() -> None:
    names = ("zoo", "origin", "tokenization", "folders")
    assert first_that_brings("torch", *(f"graft_worker.models.{name}" for name in names)) == ""


def test_the_training_path_needs_no_transformers() -> None:
    models = (f"graft_worker.models.{name}" for name in ("build", "bert", "heads", "auto"))
    kinds = ("transferjob", "pretrainjob", "distilljob")
    training = (
        "graft_worker.train.loop",
        "graft_worker.run.train",
        *(f"graft_worker.run.kinds.{kind}.training" for kind in kinds),
    )
    assert first_that_brings("transformers", *models, *training) == ""


def test_loading_a_bert_needs_no_transformers() -> None:
    program = (
        "import sys\n"
        "from graft_worker.models import build, zoo\n"
        "folder = zoo.resolve('minilm-l6-en', zoo=None)\n"
        "build.load_encoder(folder, random=False, seed=0, vocabulary=None)\n"
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_missing_library_says_what_to_install(tmp_path: object) -> None:
    program = (
        "import sys, pathlib\n"
        "sys.modules['transformers'] = None\n"  # as where the extra is not installed
        "from graft_worker.models import build\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "(folder / 'config.json').write_text('{\"model_type\": \"electra\"}')\n"
        "try:\n"
        "    build.load_encoder(folder, random=True, seed=0, vocabulary=None)\n"
        "except build.ConfigError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == (
        f"{tmp_path}: model_type 'electra' needs the transformers library\n"
        "  pip install 'graft-operator[transformers]'\n"
    )
