"""Which cluster a kubeconfig means, and whether a short command can use it by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_api.errors import ConfigError
from graft_operator.cluster import direct, kubeconfig

CERTIFICATE = "LS0tLQ=="  # ----


def write(path: Path, **parts: Any) -> str:
    """A file with one context `here`; `cluster`, `user`, `namespace` and `current` may differ."""
    context = {"cluster": "c", "user": "u"}
    if "namespace" in parts:
        context["namespace"] = parts["namespace"]
    content = {
        "current-context": parts.get("current", "here"),
        "contexts": [{"name": "here", "context": context}],
        "clusters": [{"name": "c", "cluster": parts.get("cluster", {"server": "https://c:6443/"})}],
        "users": [{"name": "u", "user": parts.get("user", {"token": "t"})}],
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_the_namespace_is_the_context_s_or_default(tmp_path: Path) -> None:
    plain, named = write(tmp_path / "a"), write(tmp_path / "b", namespace="team-a")
    assert kubeconfig.namespace({"KUBECONFIG": plain}) == "default"
    assert kubeconfig.namespace({"KUBECONFIG": named}) == "team-a"


def test_of_several_files_the_first_that_says_a_thing_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "a", current="")
    second = write(tmp_path / "b", namespace="x", cluster={"server": "https://other"})
    found = kubeconfig.read({"KUBECONFIG": f"{first}:{tmp_path / 'absent'}:{second}"})
    assert (found.name, found.server, found.namespace) == ("here", "https://c:6443", "default")


def test_files_are_seen_from_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("authority")
    (tmp_path / "token").write_text("secret\n")
    cluster = {"server": "https://c", "certificate-authority": "ca.crt"}
    found = kubeconfig.read(
        {"KUBECONFIG": write(tmp_path / "a", cluster=cluster, user={"tokenFile": "token"})}
    )
    assert (found.authority(), found.token()) == (b"authority", "secret")


@pytest.mark.parametrize(
    ("parts", "plain"),
    [
        ({"user": {"token": "t"}}, True),
        ({"user": {"client-certificate-data": CERTIFICATE, "client-key-data": CERTIFICATE}}, True),
        ({"user": {"exec": {"command": "aws"}}}, False),
        ({"user": {"token": "t", "as": "somebody"}}, False),
        ({"cluster": {"server": "https://c", "proxy-url": "http://p"}}, False),
        ({"cluster": {"server": "https://c", "tls-server-name": "n"}}, False),
    ],
)
def test_what_asks_for_more_is_left_to_the_client(
    tmp_path: Path, parts: dict[str, Any], plain: bool
) -> None:
    found = kubeconfig.read({"KUBECONFIG": write(tmp_path / "a", **parts)})
    assert direct.fits(found, {}) is plain


@pytest.mark.parametrize(
    ("parts", "context", "said"),
    [
        ({}, "there", "no context 'there'"),
        ({"current": ""}, None, "no current-context"),
        ({"cluster": {"server": "c:6443"}}, None, "server 'c:6443' is no http(s) address"),
        (
            {"cluster": {"server": "https://c", "certificate-authority-data": "%"}},
            None,
            "certificate-authority-data is not base64",
        ),
        (
            {"cluster": {"server": "https://c", "certificate-authority-data": CERTIFICATE}},
            None,
            "context here: unusable certificate or key",
        ),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, parts: dict[str, Any], context: str | None, said: str
) -> None:
    environ = {"KUBECONFIG": write(tmp_path / "a", **parts)}
    with pytest.raises(ConfigError) as caught:
        direct.Direct(kubeconfig.read(environ, context=context), user_agent="graft-tests")
    assert said in caught.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        kubeconfig.read({"KUBECONFIG": str(tmp_path / "absent")})
