"""What is prepared without a model is prepared without torch."""

from __future__ import annotations

import subprocess
import sys


def test_inspecting_and_preparing_load_no_torch() -> None:
    code = (
        "import sys, graft_worker.data.prepare, graft_worker.data.inspect\n"
        "print(sorted({'torch', 'transformers', 'pyarrow', 'fsspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
