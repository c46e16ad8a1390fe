"""Calls on a time line as folded stacks, and those as a picture."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from graft_worker.run import flames, folding
from graft_worker.run.folding import Call
from graft_worker.train import phases

PYTHON, OPERATOR = "python_function", "cpu_op"


def event(name: str, start: float, end: float, kind: str = PYTHON, thread: int = 1) -> Any:
    return {"ph": "X", "cat": kind, "name": name, "tid": thread, "ts": start, "dur": end - start}


def folded(*events: Any) -> str:
    return folding.text(folding.folded(folding.calls({"traceEvents": events})))


def test_a_call_has_its_own_time_below_those_that_called_it() -> None:
    assert folded(
        {"ph": "M", "name": "process_name", "tid": 1},
        event(phases.FORWARD, 15, 95, "user_annotation"),
        event("a.py(1): f", 0, 100),
        event("aten::mm", 20, 50, OPERATOR),
        event("a.py(2): g", 10, 60),
        event("a.py(2): g", 70, 95),
        event("aten::mm", 70, 71.2, OPERATOR),
    ) == ("a.py(1): f 25\na.py(1): f;a.py(2): g 44\na.py(1): f;a.py(2): g;aten::mm 31\n")


def test_threads_that_only_wait_are_left_out() -> None:
    assert (
        folded(
            event(phases.BACKWARD, 2, 8, "user_annotation"),
            event("a.py(1): f", 0, 10),
            event("autograd::engine::evaluate_function: AddmmBackward0", 3, 7, OPERATOR, thread=2),
            event("threading.py(1): wait", 0, 10, thread=3),
        )
        == "a.py(1): f 10\nautograd::engine::evaluate_function: AddmmBackward0 4\n"
    )


def test_a_name_takes_one_place_in_a_line_and_is_the_same_in_every_process() -> None:
    first, second = "<method; of type object at 0x7f01>", "<method; of type object at 0x7f02>"
    mark = event(phases.FEED, 0, 1, "user_annotation")
    assert folded(mark, event(first, 0, 3), event(second, 3, 7)) == ("<method, of type object> 7\n")


def test_a_call_that_outlasts_its_caller_ends_with_it() -> None:
    outer = Call(name="outer", thread=1, start=0, end=10)
    inner = Call(name="inner", thread=1, start=4, end=12)
    assert folding.folded([outer, inner]) == {("outer",): 4, ("outer", "inner"): 6}


def test_the_picture_has_a_bar_for_every_call_as_wide_as_its_time() -> None:
    stacks = {("f",): 250, ("f", "a<b>"): 500, ("g",): 249_250, ("f", "short"): 0}
    picture = ET.fromstring(flames.svg(stacks))
    bars = {}
    for group in picture.findall("{*}g"):
        title, bar = group.find("{*}title"), group.find("{*}rect")
        assert title is not None
        assert bar is not None
        bars[title.text] = tuple(float(bar.attrib[name]) for name in ("x", "y", "width"))
    assert bars == {
        "all\n250.00 ms, 100.0%": (0, 0, 1200),
        "f\n0.75 ms, 0.3%": (0, 17, 3.6),
        "a<b>\n0.50 ms, 0.2%": (0, 34, 2.4),
        "g\n249.25 ms, 99.7%": (3.6, 17, 1196.4),
    }
    assert [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")] == ["all", "g"]


def test_the_picture_of_nothing_is_an_empty_bar() -> None:
    picture = ET.fromstring(flames.svg({}))
    assert [title.text for title in picture.findall(".//{*}title")] == ["all\n0.00 ms, 0.0%"]
