from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from graft_worker.report import termination
from graft_worker.run import stacks

STUCK = """
import os, sys, threading
from graft_worker.report.board import Board
from graft_worker.report.heart import Heart
from graft_worker.run import watch
board = Board.alone()
watch.guard(board, {"GRAFT_JOB_DIR": sys.argv[1], "GRAFT_ATTEMPT": "3",
                    "GRAFT_TERMINATION_FILE": sys.argv[1] + "/words"})
Heart(board, lambda long: 1.0).beat(7, long=0.1)
def where_it_is_stuck():
    threading.Event().wait()
where_it_is_stuck()
"""


def test_a_lone_process_that_is_stuck_says_where_and_ends(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STUCK, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 70, ended.stderr
    folder = tmp_path / "logs" / "attempt-3"
    words = termination.read(tmp_path / "words")
    assert words
    assert (words.failure_class, words.exit_code, words.step) == ("InfrastructureError", 70, 7)
    assert words.message.startswith("no step for ")
    assert words.message.endswith(f" s after step 7; stacks in {folder}")
    assert "in where_it_is_stuck" in stacks.place(folder, 0).read_text()
