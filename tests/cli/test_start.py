"""The first thing that a person sees, and how fast."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from graft_cli.arguments import SUMMARIES

Graft = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = (
    "kubernetes",
    "urllib3",
    "torch",
    "pydantic",
    "transformers",
    "numpy",
    "rich",
    "yaml",
    "tokenizers",
)


def loaded(*arguments: str) -> set[str]:
    """The heavy modules that the command line has imported after these arguments."""
    code = (
        "import json, sys, io\n"
        "from graft_cli.main import main\n"
        "out, sys.stdout = sys.stdout, io.StringIO()\n"
        f"assert main({list(arguments)!r}) == 0\n"
        "print(json.dumps(sorted(sys.modules)), file=out)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stdout)) & set(HEAVY)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--help",), id="graft --help"),
        pytest.param(("version",), id="graft version"),
        pytest.param(("init", "text_classify"), id="graft init"),
        *(pytest.param((verb, "--help"), id=f"graft {verb} --help") for verb in SUMMARIES),
    ],
)
def test_light_paths_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) == set()


def test_the_models_are_listed_without_torch() -> None:
    assert loaded("models") & {"torch", "transformers", "rich"} == set()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_names_every_verb_with_an_example(graft: Graft, arguments: tuple[str, ...]) -> None:
    result = graft(*arguments)
    assert result.returncode == 0
    for verb, summary in SUMMARIES.items():
        assert f"  {verb:8}  {summary}\n" in result.stdout
    assert "  graft run job.yaml\n" in result.stdout


@pytest.mark.parametrize("verb", SUMMARIES)
def test_each_verb_explains_itself_with_an_example(graft: Graft, verb: str) -> None:
    result = graft(verb, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: graft {verb}")
    assert "example" in result.stdout
    assert graft("help", verb).stdout == result.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ("vaildate", "job.yaml"),
            "graft: error: unknown verb 'vaildate'\n  did you mean `graft validate`?\n",
            id="a misspelt verb is recognised",
        ),
        pytest.param(
            ("fly",),
            "graft: error: unknown verb 'fly'\n  verbs: run, validate, explain, predict, evaluate,"
            " export, serve, init, models, submit, ls, show, watch, logs, why, stop, resume, scale,"
            " rm, version\n",
            id="another word gets the list",
        ),
        pytest.param(
            ("run",),
            "graft: error: the following arguments are required: FILE\n"
            "  `graft run --help` shows the arguments\n",
            id="a missing file",
        ),
        pytest.param(
            ("run", "job.yaml", "--metrics-port", "99999"),
            "graft: error: argument --metrics-port: invalid port value: '99999'\n"
            "  `graft run --help` shows the arguments\n",
            id="a port that cannot be",
        ),
        pytest.param(
            ("init", "text_clasify"),
            "graft: error: argument APP: invalid choice: 'text_clasify' (choose from"
            " 'text_classify', 'text_match')\n  `graft init --help` shows the arguments\n",
            id="an app that there is not",
        ),
    ],
)
def test_wrong_usage_is_code_2_and_one_message(
    graft: Graft, arguments: tuple[str, ...], expected: str
) -> None:
    result = graft(*arguments)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", expected)


def test_as_a_plugin_of_kubectl_it_calls_itself_so() -> None:
    code = "import sys; from graft_cli.main import main; sys.exit(main(['why', '--help']))"
    command = [sys.executable, "-c", f"import sys; sys.argv[0] = '/bin/kubectl-graft'; {code}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("usage: kubectl graft why ")


def test_version_names_every_part(graft: Graft) -> None:
    lines = graft("version").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["graft", "contract", "python", "torch"]
    assert lines[1] == "contract  graft.dev/v1alpha1"
    assert graft("--version").stdout.splitlines() == lines


def test_models_is_a_table_and_json(graft: Graft) -> None:
    head, first, *_ = graft("models").stdout.splitlines()
    assert head.split() == ["NAME", "FAMILY", "LAYERS", "HIDDEN", "HEADS", "FROM", "WHERE"]
    assert first.split()[:5] == ["minilm-l6-en", "bert", "6", "384", "12"]
    models = json.loads(graft("models", "-o", "json").stdout)
    assert models[0]["name"] == "minilm-l6-en"
    assert "google-bert-base-zh" in {model["name"] for model in models}


def test_a_reader_that_leaves_early_hears_no_complaint() -> None:
    command = f"{sys.executable} -m graft_cli models -o json | head -c 1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.stderr) == ("[", "")


def test_what_nobody_foresaw_is_a_sentence_and_a_traceback_for_those_who_ask() -> None:
    # a stream that is closed: no verb expects it
    code = (
        "import sys; from graft_cli.main import main\n"
        "sys.stdout.close(); sys.exit(main(['models']))\n"
    )
    command = [sys.executable, "-c", code]
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (plain.returncode, plain.stderr) == (
        1,
        "graft: error: ValueError: I/O operation on closed file.\n"
        "  this is not your fault; GRAFT_DEBUG=1 in front of the same command shows where\n",
    )
    environ = os.environ | {"GRAFT_DEBUG": "1"}
    asked = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert "Traceback (most recent call last)" in asked.stderr


def test_a_background_job_that_ignores_hangups_still_does() -> None:
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from graft_cli.verbs.run import stopping\n"
        "from graft_worker.local.events import Stop\n"
        "with stopping(Stop()):\n"
        "    heard = callable(signal.getsignal(signal.SIGINT))\n"
        "    print(signal.getsignal(signal.SIGHUP).name, heard)\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "SIG_IGN True\n"
