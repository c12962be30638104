# SPDX-License-Identifier: GPL-2.0-or-later
"""Mount calls of several threads at a time: each event is of its own call's mount, and tells how far that one reached."""
import collections
import os
import pathlib
import subprocess

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, Stream, Watch, poll, scaled, workload

# Each thread mounts and unmounts in turn where the host has it too, and where only the sandbox does.
STORM = r"""
import ctypes, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
base, count, places = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def storm(i):
    for k in range(count):
        paths = [f"{base}/{area}{i if places == 'own' else 0}" for area in ("shared/s", "private/p")]
        for path in paths:
            libc.mount(f"{path}.{k}".encode(), path.encode(), b"tmpfs", 0, None)
        for path in paths[:: 1 if k % 2 else -1]:
            libc.umount2(path.encode(), 2 * (k % 3 == 0))
threads = [threading.Thread(target=storm, args=(i,)) for i in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]
"""

# A path through a link names no mount, and the one that is let go of is still held by a file.
BY_LINK = r"""
import ctypes, os, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
base, count = sys.argv[1] + "/private", int(sys.argv[2])
done = False
def other():
    while not done:
        libc.mount(b"other", f"{base}/p1".encode(), b"tmpfs", 0, None)
        libc.umount2(f"{base}/p1".encode(), 0)
os.symlink("p0", f"{base}/link")
thread = threading.Thread(target=other)
thread.start()
for _ in range(count):
    libc.mount(b"ours", f"{base}/p0".encode(), b"tmpfs", 0, None)
    fd = os.open(f"{base}/p0", os.O_RDONLY)
    libc.umount2(f"{base}/link".encode(), 2)
    os.close(fd)
done = True
thread.join()
"""

# The host shares what stands in the middle of a tree, and so loses what stands on that only.
TREE = r"""
import ctypes, os, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
base, count = sys.argv[1], int(sys.argv[2])
done = False
def other():
    while not done:
        libc.mount(b"other", f"{base}/private/p1".encode(), b"tmpfs", 0, None)
        libc.umount2(f"{base}/private/p1".encode(), 0)
thread = threading.Thread(target=other)
thread.start()
tree = f"{base}/private/p0"
for _ in range(count):
    libc.mount(b"top", tree.encode(), b"tmpfs", 0, None)
    os.mkdir(f"{tree}/peer")
    libc.mount(f"{base}/shared".encode(), f"{tree}/peer".encode(), None, 4096, None)
    libc.mount(b"leaf", f"{tree}/peer/s0".encode(), b"tmpfs", 0, None)
    libc.umount2(tree.encode(), 2)
done = True
thread.join()
"""

PREPARE = """
mount -t tmpfs base "$BASE" && mkdir "$BASE/shared" "$BASE/private" && cd "$BASE" &&
mount -t tmpfs shared shared && mount --make-shared shared && mkdir shared/s0 shared/s1 shared/s2 &&
mount -t tmpfs private private && mount --make-private private && mkdir private/p0 private/p1 private/p2 &&
exec "$NSSCOPE" unshare -m --propagation unchanged --only mount -o json="$OUT" -- /usr/bin/python3 -c "$STORM" "$BASE" "$COUNT" "$PLACES"
"""


def storm(tmp_path, places, workload=STORM):
    (tmp_path / "base").mkdir()
    env = {**os.environ, "BASE": str(tmp_path / "base"), "OUT": str(tmp_path / "json"), "NSSCOPE": NSSCOPE, "STORM": workload,
           "COUNT": str(scaled(400)), "PLACES": places}
    subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", PREPARE], check=True, timeout=TIMEOUT, env=env,
                   stdin=subprocess.DEVNULL)
    stream = Stream((tmp_path / "json").read_bytes()).complete()
    return [e[e["type"]] for e in stream.of("mount", "umount") if e["comm"].startswith("python3") and not e[e["type"]]["error"]], stream


def check_reach(payloads):
    """None is wrong; a few cannot be told, where another thread takes a mount away before its call has ended."""
    verdicts = collections.Counter((("host" if "/shared/s" in p["target_arg"] else "inside"), p["reach"]["verdict"]) for p in payloads)
    unknown = sum(n for (_, told), n in verdicts.items() if told == "unknown")
    assert all(told in (true, "unknown") for true, told in verdicts), verdicts
    return unknown


def test_each_call_has_its_own(tmp_path):
    payloads, stream = storm(tmp_path, "own")
    assert len(payloads) == 3 * 4 * scaled(400)
    assert check_reach(payloads) <= len(payloads) // 100
    assert [p["target"] for p in payloads] == [p["target_arg"] for p in payloads]
    mounts = [p for p in payloads if "source" in p]
    assert all(p["source"].rsplit(".")[0] == p["target"] for p in mounts)
    ids = collections.Counter(p["mnt_id_unique"] or p["mnt_id"] for p in mounts if p["mnt_id_unique"])
    assert not ids or max(ids.values()) == 1
    made = {}
    for p in payloads:  # those of one place are one thread's, in their order
        if "source" in p:
            made[p["target"]] = p["mnt_id_unique"]
        elif made[p["target_arg"]]:
            assert p["mnt_id_unique"] in (None, made[p["target_arg"]]), p
    assert not stream.of("detach")


def test_by_a_link(tmp_path):
    """Where it cannot be told which mount it is, none is named: not another thread's."""
    payloads, _ = storm(tmp_path, "", BY_LINK)
    ours, seen = None, 0
    for p in payloads:
        if p.get("source") == "ours":
            ours = p["mnt_id_unique"]
        elif p["target_arg"].endswith("/link") and ours:
            assert p["mnt_id_unique"] in (None, ours), p
        seen += p["target_arg"].endswith("/link")
    assert seen == scaled(400)


def test_a_tree(tmp_path):
    """That the host lost a part of it is told, or that it cannot be told: never that it stayed inside."""
    payloads, _ = storm(tmp_path, "", TREE)
    told = collections.Counter(p["reach"]["verdict"] for p in payloads if p["target_arg"].endswith("/p0") and "source" not in p)
    assert told["host"] + told["unknown"] == told.total() == scaled(400), told


def test_in_one_place(tmp_path):
    """Which of them a umount takes is another thread's doing too."""
    payloads, _ = storm(tmp_path, "same")
    assert len(payloads) > 4 * scaled(400)
    check_reach(payloads)


@pytest.mark.parametrize("whom", ["both", "one"])
@pytest.mark.parametrize("how", ["private", "elsewhere", "umount", "move"])
def test_undone_at_once(tmp_path, how, whom):
    """What another namespace got it is soon rid of, or does not share any more, by a process that is observed or is not."""
    (tmp_path / "base").mkdir()
    command = ["unshare", "-m", workload("undo"), how, str(tmp_path / "base"), str(scaled(300))]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as p:
        poll(lambda: pathlib.Path(f"/proc/{p.pid}/comm").read_text() == "undo\n", "the workload")
        watch = Watch(tmp_path, "--only", "mount", *(["--comm", "undo"] if whom == "one" else ["--pid", str(p.pid)]))
        p.communicate(b"\n", timeout=TIMEOUT)
        assert p.returncode == 0
    told = [e["mount"]["reach"] for e in watch.end().of("mount") if e["mount"]["source"] == "x"]
    assert len(told) == scaled(300)
    assert all((r["verdict"], r["total"]) == ("others", 1) or r["verdict"] == "unknown" for r in told), told
