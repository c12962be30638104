# SPDX-License-Identifier: GPL-2.0-or-later
"""How long nsscope waits before it looks at the events again, as strace sees it."""
import re
import signal
import subprocess

import pytest
from nsscope_test import NSSCOPE, poll, workload

SOON, LATER = 40, 200  # ms, as the README has it


@pytest.mark.parametrize("outputs, reader", [(["json=out"], False), (["json=-"], False), (["json=out", "json=-"], True),
                                             (["json=/dev/null"], True)],
                         ids=["file", "redirected", "file and pipe", "null device"])
def test_longer_while_many_events_go_to_files(tmp_path, outputs, reader):
    """Not where some reader may see them come. Many come at once: nsscope is stopped while they are made."""
    log, ended = tmp_path / "log", tmp_path / "ended"

    def waits():
        return [int(ms) for ms in re.findall(r"\], \d+, (-?\d+)\)", log.read_text())] if log.exists() else []

    script = f"read line; {workload('storm')} 100 >&2; >{ended}; read line"
    argv = [NSSCOPE, "run", "-m", "--only", "process", *(word for output in outputs for word in ("-o", output)),
            "--", "sh", "-c", script]
    with open(tmp_path / "redirected", "wb") as file, \
         subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as cat, \
         subprocess.Popen(argv, cwd=tmp_path, stdin=subprocess.PIPE, stdout=cat.stdin if reader else file,
                          stderr=subprocess.DEVNULL) as nsscope, \
         subprocess.Popen(["strace", "-e", "trace=poll", "-o", log, "-p", str(nsscope.pid)], stderr=subprocess.DEVNULL):
        cat.stdin.close()
        poll(waits, "strace to see it wait")
        nsscope.send_signal(signal.SIGSTOP)
        nsscope.stdin.write(b"\n")
        nsscope.stdin.flush()
        poll(ended.exists, "the processes to be made")
        before = len(waits())
        nsscope.send_signal(signal.SIGCONT)
        poll(lambda: len(waits()) > before + 3 and waits()[-3:] == [SOON] * 3, "the waits to be short again")
        nsscope.stdin.close()
    assert nsscope.returncode == 1  # of read
    assert (LATER in waits()) == ("json=-" not in outputs or not reader)
