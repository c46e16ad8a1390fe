"""Folded stacks as a picture: a call is a bar as wide as its time, and what it called hangs below.

Lengths are in pixels. The picture needs no script: a browser shows a bar's title by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape
from zlib import crc32

from graft_worker.run.folding import Stacks

WIDTH, HEIGHT = 1200, 17  # of the picture, of a bar
LETTER = 6.7
LEAST = 0.5  # narrower bars are left out
HUES = {".py(": 28, "::": 205}  # Python, operators
OTHER = 280

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
 font-family="monospace" font-size="11">
"""
BAR = """\
<g><title>{title}</title><rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="{height}"
 fill="{colour}" stroke="white" stroke-width="0.5"/>{label}</g>
"""
LABEL = '<text x="{x:.2f}" y="{y}">{text}</text>'


@dataclass(slots=True)
class Frame:
    """A call in all its times under the same callers, with the microseconds of what it called."""

    name: str
    time: int = 0
    called: dict[str, Frame] = field(default_factory=dict)

    def add(self, stack: tuple[str, ...], time: int) -> None:
        """Counts the time of a stack that stands below this frame."""
        frame = self
        frame.time += time
        for name in stack:
            frame = frame.called.setdefault(name, Frame(name))
            frame.time += time


def svg(stacks: Stacks) -> str:
    """The picture; of no stacks at all a single bar."""
    root = Frame("all")
    for stack, time in sorted(stacks.items()):
        root.add(stack, time)
    bars = list(_bars(root))
    depth = 1 + max(y for _, _, y in bars)
    drawn = (_bar(frame, x, y, root.time) for frame, x, y in bars)
    return "".join((HEAD.format(width=WIDTH, height=depth * HEIGHT), *drawn, "</svg>\n"))


def _bars(root: Frame) -> Iterator[tuple[Frame, float, int]]:
    """Every frame that is wide enough, with its left edge and how many stand above it."""
    waiting = [(root, 0.0, 0)]
    while waiting:
        frame, x, y = waiting.pop()
        yield frame, x, y
        for child in frame.called.values():
            width = _width(child, root.time)
            if width >= LEAST:
                waiting.append((child, x, y + 1))
            x += width


def _bar(frame: Frame, x: float, y: int, whole: int) -> str:
    width, top = _width(frame, whole), y * HEIGHT
    letters = int((width - 4) / LETTER)
    share = frame.time / max(1, whole)
    label = LABEL.format(x=x + 2, y=top + 12, text=escape(frame.name[:letters]))
    return BAR.format(
        title=escape(f"{frame.name}\n{frame.time / 1e3:.2f} ms, {share:.1%}"),
        x=x,
        y=top,
        width=width,
        height=HEIGHT,
        colour=_colour(frame.name),
        label=label if letters >= 2 else "",
    )


def _width(frame: Frame, whole: int) -> float:
    return WIDTH * frame.time / whole if whole else float(WIDTH)


def _colour(name: str) -> str:
    """By what kind of call it is; neighbours differ a little in brightness."""
    hue = next((hue for mark, hue in HUES.items() if mark in name), OTHER)
    return f"hsl({hue},75%,{66 + crc32(name.encode()) % 16}%)"
