# SPDX-License-Identifier: GPL-2.0-or-later
"""How long nsscope waits before it looks at the events again, as strace sees it."""
import re
import subprocess

import pytest
from nsscope_test import NSSCOPE, poll, workload

SOON, LATER = 40, 200  # ms, as the README has it


@pytest.mark.parametrize("output", ["file", "file and pipe"])
def test_longer_while_many_events_go_to_a_file(tmp_path, output):
    """Not where some reader may see them come."""
    log, ended = tmp_path / "log", tmp_path / "ended"
    options = ["-o", f"json={tmp_path}/out", *([] if output == "file" else ["-o", "json=-"])]

    def waits():
        return [int(ms) for ms in re.findall(r"\], \d+, (-?\d+)\)", log.read_text())]

    def is_quiet():
        return ended.exists() and waits()[-3:] == [SOON] * 3

    script = f"{workload('storm')} 1500 >&2; >{ended}; read line"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader, \
         subprocess.Popen(["strace", "-e", "trace=poll", "-o", log, NSSCOPE, "run", "-m", "--only", "process", *options, "--",
                           "sh", "-c", script], stdin=subprocess.PIPE, stdout=reader.stdin, stderr=subprocess.DEVNULL) as nsscope:
        reader.stdin.close()
        poll(is_quiet, "the waits to be short again")
        nsscope.stdin.close()
    assert nsscope.returncode == 1  # of read
    assert SOON in waits()
    assert (LATER in waits()) == (output == "file")
