from __future__ import annotations

import pytest

from graft_api.errors import ConfigError
from graft_worker.run.faults import Fault, wished


def enabled(text: str) -> dict[str, str]:
    return {"GRAFT_FAULTS_ENABLED": "1", "GRAFT_FAULT_AT": text}


def test_faults_are_read_from_the_environment() -> None:
    assert wished(enabled("1:20:kill, *:3:sleep:0.5,0:7:exit:3")) == (
        Fault(rank=1, step=20, kind="kill"),
        Fault(rank=None, step=3, kind="sleep", number=0.5),
        Fault(rank=0, step=7, kind="exit", number=3),
    )
    assert wished({}) == ()


def test_a_fault_of_one_attempt_comes_in_no_other() -> None:
    asked = enabled("1:50:oom:9000@1,0:7:exit:3")
    always = Fault(rank=0, step=7, kind="exit", number=3)
    once = Fault(rank=1, step=50, kind="oom", number=9000, attempt=1)
    assert wished(asked) == wished(asked | {"GRAFT_ATTEMPT": "1"}) == (once, always)
    assert wished(asked | {"GRAFT_ATTEMPT": "2"}) == (always,)


def test_faults_are_refused_unless_they_are_enabled() -> None:
    with pytest.raises(ConfigError) as raised:
        wished({"GRAFT_FAULT_AT": "0:1:kill"})
    assert raised.value.message == "GRAFT_FAULT_AT=0:1:kill: faults are not enabled"
    assert raised.value.hint == (
        "set GRAFT_FAULTS_ENABLED=1 to rehearse failures, or take GRAFT_FAULT_AT away"
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("kill", id="neither rank nor step"),
        pytest.param("one:1:kill", id="a rank that is no number"),
        pytest.param("0:soon:kill", id="a step that is no number"),
        pytest.param("0:1:explode", id="an unknown kind"),
        pytest.param("0:1:exit", id="no code to exit with"),
        pytest.param("0:1:sleep:long", id="a time that is no number"),
        pytest.param("0:1:kill@first", id="an attempt that is no number"),
        pytest.param("0:1:kill@", id="an attempt that is left out"),
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        wished(enabled(text))
    expected = "rank:step:kind[:argument][@attempt]"
    assert raised.value.message == f"GRAFT_FAULT_AT={text}: expected {expected}"
