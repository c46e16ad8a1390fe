"""The parts of a step under names that a profiler shows; without one a name costs a microsecond."""

from __future__ import annotations

from torch.autograd.profiler import record_function

FEED = "graft: wait for data"
FORWARD = "graft: forward"
BACKWARD = "graft: backward"
UPDATE = "graft: clip and update"
EXCHANGE = "graft: exchange"
PHASES = (FEED, FORWARD, BACKWARD, UPDATE, EXCHANGE)

phase = record_function
