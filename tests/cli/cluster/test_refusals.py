"""Names that are not there, rights that are missing, servers that do not answer."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_operator.cluster.requests import Request
from tests.cli.cluster.stage import Stage


def change(stage: Stage, name: str, **parts: dict[str, Any]) -> str:
    """A kubeconfig of that name whose cluster or user is other than the test's own."""
    config = yaml.safe_load((stage.folder / "kubeconfig").read_text())
    for part, values in parts.items():
        for entry in config[f"{part}s"]:
            entry[part] = values.get("only") or entry[part] | values
    (stage.folder / name).write_text(yaml.safe_dump(config))
    return str(stage.folder / name)


def test_a_name_that_is_not_there_and_one_that_is_near(stage: Stage) -> None:
    stage.job()
    result = stage.graft("show", "revews")
    assert (result.returncode, result.stderr) == (
        3,
        f"graft: error: no job revews in namespace {stage.namespace}\n  did you mean reviews?\n",
    )


def test_a_name_of_two_jobs_is_told(stage: Stage) -> None:
    stage.job()
    stage.job("reviews", kind="PretrainJob")
    result = stage.graft("stop", "reviews")
    assert (result.returncode, result.stderr) == (
        2,
        "graft: error: reviews names 2 jobs\n"
        "  say which: pretrainjob/reviews or transferjob/reviews\n",
    )
    assert stage.graft("stop", "pretrain/reviews").stdout == "pretrainjob/reviews stopping\n"


def test_a_missing_right_is_named(stage: Stage) -> None:
    path = f"/api/v1/namespaces/{stage.namespace}/serviceaccounts/default/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = stage.send(Request(verb="POST", path=path, body=body))["status"]["token"]
    stranger = change(stage, "stranger", user={"only": {"token": token}})
    result = stage.graft("ls", "transfer", KUBECONFIG=stranger)
    assert (result.returncode, result.stdout) == (6, "")
    assert result.stderr == (
        "graft: error: not permitted: you may not list transferjobs.graft.dev"
        f" in namespace {stage.namespace}\n"
        f"  ask for a role with the verb list on transferjobs.graft.dev"
        f" in namespace {stage.namespace}\n"
    )


def test_a_stranger_is_told_so(stage: Stage) -> None:
    nobody = change(stage, "nobody", user={"only": {"token": "guessed"}})
    result = stage.graft("ls", KUBECONFIG=nobody)
    assert (result.returncode, result.stderr) == (
        6,
        "graft: error: the API server does not know you\n"
        "  the credentials of the kubeconfig are missing, wrong or expired\n",
    )


def test_a_server_that_is_not_there(stage: Stage) -> None:
    gone = change(stage, "gone", cluster={"server": "https://127.0.0.1:1"})
    result = stage.graft("why", "reviews", KUBECONFIG=gone)
    assert result.returncode == 5
    assert "API server https://127.0.0.1:1: GET " in result.stderr
    assert "Connection refused" in result.stderr
    assert result.stderr.endswith("\n  see that the cluster runs and that KUBECONFIG names it\n")


def test_a_server_with_another_authority_is_not_trusted(stage: Stage, tmp_path: Path) -> None:
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x"
    files = ["-keyout", str(tmp_path / "x.key"), "-out", str(tmp_path / "x.crt")]
    subprocess.run([*made.split(), *files], check=True, capture_output=True)
    data = base64.b64encode((tmp_path / "x.crt").read_bytes()).decode()
    server = yaml.safe_load((stage.folder / "kubeconfig").read_text())["clusters"][0]["cluster"]
    only = {"server": server["server"], "certificate-authority-data": data}
    result = stage.graft("ls", KUBECONFIG=change(stage, "other", cluster={"only": only}))
    assert result.returncode == 5
    assert "CERTIFICATE_VERIFY_FAILED" in result.stderr


@pytest.mark.parametrize("installed", [True, False])
def test_a_context_with_a_plugin_needs_the_client(stage: Stage, installed: bool) -> None:
    user = yaml.safe_load((stage.folder / "kubeconfig").read_text())["users"][0]["user"]
    said = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {
            "clientCertificateData": material(user, "client-certificate"),
            "clientKeyData": material(user, "client-key"),
        },
    }
    (stage.folder / "said.json").write_text(json.dumps(said))
    plugin = {
        "apiVersion": said["apiVersion"],
        "command": "cat",
        "args": [str(stage.folder / "said.json")],
        "interactiveMode": "Never",
    }
    config = change(stage, "plugin", user={"only": {"exec": plugin}})
    absent = "" if installed else "import sys; sys.modules['urllib3'] = None\n"
    code = f"{absent}from graft_cli.main import main; raise SystemExit(main(['ls', '-o', 'name']))"
    stage.job()
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=stage.environ | {"KUBECONFIG": config},
        capture_output=True,
        text=True,
        check=False,
    )
    if installed:
        assert (result.returncode, result.stdout) == (0, "transferjob/reviews\n")
    else:
        assert (result.returncode, result.stderr) == (
            2,
            "graft: error: this context needs the client of Kubernetes,"
            " and urllib3 is not installed\n  pip install 'graft-operator[cluster]'\n",
        )


def material(user: dict[str, Any], key: str) -> str:
    """The certificate or the key in PEM."""
    data = user.get(f"{key}-data")
    return base64.b64decode(data).decode() if data else Path(user[key]).read_text()
