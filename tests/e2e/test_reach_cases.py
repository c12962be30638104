# SPDX-License-Identifier: GPL-2.0-or-later
"""How far mounts reach: every operation from and to mounts of every propagation, by the rules of shared subtrees."""
import collections
import json
import pathlib

from nsscope_test import Stream
from test_reach import check, events_of

CASES = pathlib.Path(__file__).resolve().parents[1] / "lib/reach_cases.py"


def test_rules_of_shared_subtrees(scratch):
    base, log, out = scratch.path / "base", scratch.path.parent / "truth", scratch.path.parent / "events"
    scratch(f"mkdir {base} && exec $NSSCOPE unshare -o json={out} --only mount --buffer 32M -m --propagation unchanged -- "
            f"{CASES} {base} {log}")
    stream = Stream(out.read_bytes())
    assert stream.end["lost"]["total"] == 0
    events, truths = events_of(stream), collections.defaultdict(list)
    for line in log.read_text().splitlines():
        truth = json.loads(line)
        truths[truth["pid"], truth["start"]].append(truth)
    assert sum(map(len, truths.values())) > 500
    for process, operations in truths.items():
        told = events[process][-len(operations):]  # before these, it prepares its namespace
        assert len(told) == len(operations)
        for truth, event in zip(operations, told):
            verdict = check(truth, event, stream.start["host"]["mnt_ns"])
            assert truth["want"] in (verdict, event[event["type"]]["error"]), (truth, event)
