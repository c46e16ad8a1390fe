"""What a part brings into a process: starting must stay quick."""

from __future__ import annotations

import subprocess
import sys

import pytest


def imports(module: str, *, without: str) -> bool:
    program = f"import sys, {module}; sys.exit({without!r} in sys.modules)"
    return subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("name", ["zoo", "origin", "tokenization", "folders"])
def test_the_prepare_stage_needs_no_torch(name: str) -> None:
    assert imports(f"graft_worker.models.{name}", without="torch")


@pytest.mark.parametrize("name", ["build", "bert", "heads", "auto"])
def test_the_training_path_needs_no_transformers(name: str) -> None:
    assert imports(f"graft_worker.models.{name}", without="transformers")


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
