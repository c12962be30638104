# SPDX-License-Identifier: GPL-2.0-or-later
"""Many processes on all CPUs: the number of events is the truth, or the missing ones are counted."""
import collections
import json
import subprocess

import pytest
from nsscope_test import NSSCOPE, Stream, of_process, poll, scaled, workload


def truth(result):
    said, = result.said("truth")
    spawned, forked = said["spawned"], said["forked"]
    return {"fork": 1 + forked + spawned, "exec": 1 + spawned, "exit": 1 + forked + spawned}


def check_gaps(stream):
    """What the gaps tell adds up to what the end tells."""
    total = collections.Counter()
    for gap in stream.of("lost"):
        total.update(gap["lost"])
    assert {k: v for k, v in total.items() if v} == {k: v for k, v in stream.end["lost"].items() if v}


def count(result):
    return collections.Counter(e["type"] for e in result.events)


@pytest.mark.parametrize("n, options", [(500, ["--only", "process"]), (8000, ["--only", "process"]), (4000, [])],
                         ids=["few", "many", "with calls"])
def test_nothing_is_lost(run, n, options):
    n = scaled(n)
    result = run("-m", *options, "--", workload("storm"), str(n))
    want = truth(result)
    assert want["exec"] == n + 1
    assert {name: count(result)[name] for name in want} == want
    lives = collections.Counter((e["host"]["pid"], e["start_ns"], e["type"]) for e in result.of(*want))
    assert set(lives.values()) == {1}


@pytest.mark.parametrize("size", ["4K", "64K"])
def test_what_is_lost_is_counted(run, size):
    result = run("-m", "--only", "process", "--buffer", size, "--", workload("storm"), str(scaled(3000)), lossless=False)
    got, stream = count(result), result.stream
    assert {name: got[name] + stream.lost(name) for name in ("fork", "exec", "exit")} == truth(result)
    check_gaps(stream)
    assert stream.lost() == sum(v for k, v in stream.end["lost"].items() if k != "total")


def test_big_arguments_through_a_small_buffer(run):
    """Pieces of arguments are lost: then the exec says so, or is counted itself."""
    script = 'i=0; while [ $i -lt 50 ]; do /bin/true "$0" "$0" "$0" "$0"; i=$((i+1)); done'
    result = run("-m", "--only", "process", "--buffer", "16K", "--", "sh", "-c", script, "z" * 100000, lossless=False)
    events = result.of("exec")
    assert len(events) + result.stream.lost("exec") == 51
    for event in events:
        argv = event["exec"]["argv"]
        if event["exec"]["argv_truncated"]:
            continue
        assert argv[-1] == "z" * 100000 and len(argv) in (4, 5)
    assert result.stream.lost("args") or not any(e["exec"]["argv_truncated"] for e in events)
    assert all(of_process(result, e)[0]["host"] for e in events)
    assert result.stream.lost("args")  # the buffer is too small for them
    check_gaps(result.stream)


def test_a_reader_that_stands_still(tmp_path):
    """More events than the ring buffer has room for wait in memory while nobody takes the output."""
    n, said = scaled(8000), tmp_path / "said"
    script = f"{workload('storm')} {n} >{said}.new; mv {said}.new {said}"
    with subprocess.Popen([NSSCOPE, "run", "-m", "--only", "process", "--buffer", "1M", "-o", "json=-", "--", "sh", "-c", script],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as nsscope:
        poll(said.exists, "the storm to end")
        stream = Stream(nsscope.stdout.read()).complete()
    assert nsscope.returncode == 0
    assert json.loads(said.read_text())["spawned"] == n
    assert collections.Counter(e["type"] for e in stream.events)["exec"] == n + 3
