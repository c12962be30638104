# SPDX-License-Identifier: GPL-2.0-or-later
"""run's limits by cgroup: what the cgroup says, what it does, and that none is left."""
import os
import pathlib
import signal
import subprocess
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, poll, processes_with
from test_sandbox import QUIET, inside, nsscope, refused


def cgroup_controllers():
    """Those that a cgroup2 mounted here would have."""
    out = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t cgroup2 none /mnt && cat /mnt/cgroup.controllers"],
                         capture_output=True, text=True, timeout=TIMEOUT)
    return out.stdout.split()


V2 = {"memory", "pids", "cpu"} <= set(cgroup_controllers())
# The only one that nsscope can find there.
IN_V2 = ["unshare", "-m", "sh", "-c", 'umount -R /sys/fs/cgroup 2>/dev/null; mount -t tmpfs t /mnt && mkdir /mnt/c && '
         'mount -t cgroup2 none /mnt/c && "$@"; status=$?; find /mnt/c -name "nsscope-*" >&2; exit $status', "sh"]


@pytest.mark.skipif(V2, reason="cgroup v2 has the controllers here")
@pytest.mark.parametrize("option", [["--memory", "64M"], ["--pids", "10"], ["--cpu", "50"]], ids=" ".join)
def test_no_controllers(option):
    refused(*option, words=[option[0][2:], "cgroup v2"])


@pytest.mark.skipif(not V2, reason="cgroup v2 has no controllers here")
def test_cgroup_limits():
    script = "read x <&9; cat /proc/self/cgroup"
    file = "d=/mnt/c$(sed -n 's/^0:://p' /proc/self/cgroup); cat $d/memory.max $d/pids.max $d/cpu.max"
    limits = ["--memory", "64M", "--pids", "10", "--cpu", "50"]
    assert inside("-m", *limits, script=file, prefix=IN_V2) == f"{64 << 20}\n10\n50000 100000\n", script
    assert inside(*limits, script="grep ^0: /proc/self/cgroup", prefix=IN_V2) == "0::/\n"


@pytest.mark.skipif(not V2, reason="cgroup v2 has no controllers here")
def test_cgroup_limits_hold():
    done = nsscope("--pids", "5", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all", prefix=IN_V2)
    assert done.stdout == "" and "fork" in done.stderr.lower() and "nsscope-" not in done.stderr
    done = nsscope("--memory", "32M", "--", "python3", "-c", "x = bytearray(256 << 20)", prefix=IN_V2)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGKILL, "", "")


@pytest.mark.skipif(not V2, reason="cgroup v2 has no controllers here")
@pytest.mark.parametrize("victim", ["nsscope", "supervisor"])
def test_cgroup_is_removed(victim):
    """Also with cgroups that the command made in it, and with what still runs there."""
    mark = uuid.uuid4().hex
    script = ("d=/mnt/c$(sed -n 's/^0:://p' /proc/self/cgroup); mkdir -p $d/a/b; "
              "(echo 0 >$d/a/b/cgroup.procs; exec setsid sleep 1000) & echo ready; wait")
    process = subprocess.Popen([*IN_V2, NSSCOPE, "run", "-m", *QUIET, "--pids", "20", "--", "sh", "-c", script],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "MARK": mark})
    assert process.stdout.readline() == "ready\n"
    top, = [p for p in processes_with(mark) if pathlib.Path(f"/proc/{p}/exe").resolve() == pathlib.Path(NSSCOPE)
            and pathlib.Path(f"/proc/{int(pathlib.Path(f'/proc/{p}/stat').read_text().split()[3])}/exe").resolve()
            != pathlib.Path(NSSCOPE)]
    below = int(pathlib.Path(f"/proc/{top}/task/{top}/children").read_text().split()[0])
    os.kill(top if victim == "nsscope" else below, signal.SIGKILL)
    if victim == "nsscope":
        # The supervisor does it, after nsscope has ended: look again.
        poll(lambda: not processes_with(mark) or processes_with(mark) == [process.pid], "no process is left")
    _, err = process.communicate(timeout=TIMEOUT)
    if victim == "supervisor":
        assert "nsscope-" not in err.replace("nsscope:", "")
    probe = subprocess.run([*IN_V2, "true"], capture_output=True, text=True, timeout=TIMEOUT)
    assert "nsscope-" not in probe.stderr
