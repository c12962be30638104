# SPDX-License-Identifier: GPL-2.0-or-later
"""How far mounts reach: random operations in namespaces of mixed propagation, against mountinfo of every namespace."""
import collections
import errno
import json
import os
import pathlib

import pytest
from nsscope_test import SCALE, Stream

OPS = pathlib.Path(__file__).resolve().parents[1] / "lib/reach_ops.py"
# Of each kind of host.
SEEDS = int(os.environ.get("NSSCOPE_REACH_SEEDS", "150"))
OPERATIONS = 30
TICKS = os.sysconf("SC_CLK_TCK")
KINDS = ("mount", "umount", "move_mount")


def covered(host, ident, path):
    """Whether on the way from @path in the mount @ident of the host up to the root another mount is in between."""
    place, below = path, None
    while ident in host:
        for other, mount in host.items():
            if mount["parent"] == int(ident) and other not in (ident, below) and (
                    (place + "/").startswith(mount["target"].rstrip("/") + "/") and (below or mount["target"] != place)):
                return True
        place, below, ident = host[ident]["target"], ident, str(host[ident]["parent"])
    return False


def host_places(truth, parent, target):
    """Where the host has the directory that is called @target in the mount @parent: path -> whether it is to be seen."""
    inside = (parent["root"].rstrip("/") + target[len(parent["target"].rstrip("/")):]).rstrip("/") or "/"
    places = {}
    for ident, mount in truth["host"].items():
        root = mount["root"].rstrip("/")
        if mount["dev"] == parent["dev"] and (inside + "/").startswith(root + "/"):
            path = (mount["target"].rstrip("/") + inside[len(root):]).rstrip("/") or "/"
            places[path] = places.get(path, False) or not covered(truth["host"], ident, path)
    return places


def check_place(truth, payload, mount, table):
    parent = table.get(str(mount["parent"]))
    if not parent:
        return
    places = host_places(truth, parent, mount["target"])
    if payload["target_host"] is None:
        assert not any(places.values()) and payload["target_host_reason"], (truth, payload, places)
    else:
        assert payload["target_host"] in places and payload["target_host_reason"] is None, (truth, payload, places)


def stays(payload):
    """Whether the mount in question was there before, and stands where it stood."""
    return payload.get("op") in ("remount", "propagation") or "MOVE_MOUNT_SET_GROUP" in payload["flags"]


def check_mount(truth, event, payload):
    """Which mount it was, and where."""
    gone = event["type"] == "umount"
    table = truth["then"] if gone else truth["now"]
    own = str(truth["inum"])
    if stays(payload):
        ids = [int(i) for i, m in table.items() if m["target"] == payload.get("target_arg", payload.get("to"))]
    else:
        ids = truth["went"].get(own, []) if gone else truth["came"].get(own, []) + truth["moved"]
    assert payload["mnt_id"] in ids, (truth, payload)
    mount = table[str(payload["mnt_id"])]
    assert payload["target"] == mount["target"], (truth, payload)
    assert payload["target"] == payload.get("target_arg", payload.get("to")), (truth, payload)
    if not stays(payload):
        check_place(truth, payload, mount, table)


def check_told(truth, event, payload):
    """By what fanotify told of the same moment: who got or lost a mount, and its unique id."""
    which = 1 if event["type"] == "umount" else 0
    for inum, told in truth["told"].items():
        in_table = truth["went" if which else "came"].get(inum, []) or (inum == str(truth["inum"]) and truth["moved"])
        assert bool(told[which]) == bool(in_table), (truth, payload)
    ids = [told[which] for inum, told in truth["told"].items() if int(inum) == truth["inum"]][0]
    assert not ids or payload["mnt_id_unique"] in ids, (truth, payload)


def check(truth, event, host):
    payload = event[event["type"]]
    assert payload["error"] == errno.errorcode.get(truth["error"]), (truth, payload)
    reach = payload["reach"]
    if truth["error"]:
        assert (reach["verdict"], reach["total"], reach["ns"]) == ("none", 0, []), (truth, payload)
        return "none"
    got = truth["went" if event["type"] == "umount" else "came"]
    others = sorted(int(inum) for inum in got if int(inum) != truth["inum"])
    assert reach["ns"] == others and reach["total"] == len(others) and not reach["cut"], (truth, payload)
    assert reach["verdict"] == ("host" if host in others else "others" if others else "inside"), (truth, payload)
    check_mount(truth, event, payload)
    if all(truth["told"].values()):
        check_told(truth, event, payload)
    return reach["verdict"]


def events_of(stream):
    """Of each process; PIDs are used again, but not within a tick, in which /proc tells starts."""
    by_process = collections.defaultdict(list)
    for event in stream.of(*KINDS):
        by_process[event["host"]["pid"], event["start_ns"] * TICKS // 10 ** 9].append(event)
    return by_process


@pytest.mark.parametrize("host", ["shares", "alone"])
def test_random_operations(scratch, host):
    base, log, out = scratch.path / "base", scratch.path.parent / f"truth-{host}", scratch.path.parent / f"events-{host}"
    seeds = max(SEEDS // (2 * SCALE) if SCALE > 1 else SEEDS, 2)
    scratch(f"mkdir {base} && exec $NSSCOPE unshare -o json={out} --only mount --buffer 32M -m --propagation unchanged -- "
            f"{OPS} {base} {log} {1 if host == 'shares' else 100001} {seeds} {OPERATIONS} {host}")
    stream = Stream(out.read_bytes())
    assert stream.end["lost"]["total"] == 0, stream.end
    events, truths = events_of(stream), collections.defaultdict(list)
    for line in log.read_text().splitlines():
        truth = json.loads(line)
        truths[truth["pid"], truth["start"]].append(truth)
    verdicts = collections.Counter()
    for process, operations in truths.items():
        told = events[process][-len(operations):]  # before these, it prepares its namespace
        assert len(told) == len(operations)
        verdicts.update(check(*pair, stream.start["host"]["mnt_ns"]) for pair in zip(operations, told))
    assert sum(verdicts.values()) == seeds * OPERATIONS
    assert not stream.of("detach")  # all that went was told by these, or went with its namespace
    assert verdicts["inside"] and verdicts["none"] and (verdicts["others"] or seeds < 10 if host == "alone" else verdicts["host"])
