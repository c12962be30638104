# SPDX-License-Identifier: GPL-2.0-or-later
"""Each bpf(2) call of nsscope made to fail in turn: it does without and tells the same, or says in one line what it cannot do."""
import errno
import json
import subprocess

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, workload

# What must be the same each time, of each line of JSON. (The kernel may let go of a namespace after nsscope has ended.)
COMMANDS = {
    "run": (["run", "--only", "process,mount,unshare", "-o", "json=%", "--", "true"], lambda r: r["type"]),
    "stat": (["stat", "-o", "json=%", "--", "true"],
             lambda r: [[p["phase"] for p in g["phases"]] for g in r["groups"]] + [len(r["most_spawning"]), len(r["shortest_lived"])]),
    "ps": (["ps", "-o", "json=%", "--pid", "1"], sorted),
}


def run(args, out, nth, count):
    """@nth: which of the calls fails; 0: none. @count: file that gets how many there were."""
    out.unlink(missing_ok=True)
    args = [workload("fail"), str(errno.EPERM), str(nth), "bpf", NSSCOPE, *[arg.replace("%", str(out)) for arg in args]]
    return subprocess.run(args, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, env={"FAIL_COUNT": str(count)})


@pytest.mark.parametrize("name", COMMANDS)
def test_each_call(name, tmp_path):
    count, out, (args, what) = tmp_path / "count", tmp_path / "out", COMMANDS[name]
    done = run(args, out, 0, count)
    assert not done.returncode, done
    whole = [what(json.loads(line)) for line in out.read_text().splitlines()]
    calls, refused = int(count.read_text().split()[1]), 0
    for nth in range(1, calls + 1):
        done = run(args, out, nth, count)
        lines = done.stderr.splitlines()
        if done.returncode:
            assert done.returncode == 125 and len(lines) == 1 and lines[0].startswith("nsscope: cannot "), (nth, done)
            refused += 1
        else:
            assert [what(json.loads(line)) for line in out.read_text().splitlines()] == whole, (nth, done)
    assert 20 < calls and refused < calls and (refused or name == "ps")  # it can do without BPF
