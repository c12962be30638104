# SPDX-License-Identifier: GPL-2.0-or-later
"""nsscope mounts. Witnesses: findmnt, mountinfo, and what a mount that is then made does (tests/lib/mount_world.py)."""
import collections
import ctypes
import json
import os
import pathlib
import subprocess

import pytest

import nsscope_test as t

WORLD = str(t.REPO / "tests/lib/mount_world.py")


def mounts(*args, prefix=()):
    done = subprocess.run([*prefix, t.NSSCOPE, "mounts", "--json", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=t.TIMEOUT, check=True)
    assert done.stdout.count(b"\n") == 1
    return t.parse_line(done.stdout.rstrip(b"\n"))


def text(*args, prefix=()):
    return subprocess.run([*prefix, t.NSSCOPE, "mounts", *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          timeout=t.TIMEOUT, check=True).stdout


@pytest.fixture
def holder(tmp_path):
    """A process in a mount namespace of its own, and how to run something there."""
    with subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", "echo; exec sleep 1000"],
                          stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        yield p.pid, lambda *args: subprocess.run(["nsenter", f"--mount=/proc/{p.pid}/ns/mnt", *args], check=True)
        p.kill()


def inum(path):
    return os.stat(path).st_ino


def test_as_findmnt(holder):
    pid, _ = holder
    ours = mounts("--pid", str(pid))
    assert ours["ns"] == inum(f"/proc/{pid}/ns/mnt") and ours["host"]["mnt_ns"] == inum("/proc/self/ns/mnt")
    columns = "TARGET,SOURCE,FSTYPE,OPTIONS,PROPAGATION,ID,PARENT"
    theirs = json.loads(subprocess.check_output(["findmnt", "-J", "-l", "-v", "-N", str(pid), "-o", columns]))
    theirs = {row["id"]: row for row in theirs["filesystems"]}
    assert theirs.keys() == {m["id"] for m in ours["mounts"]}
    for m in ours["mounts"]:
        row = theirs[m["id"]]
        assert (m["target"], m["fstype"], m["parent"]) == (row["target"], row["fstype"], row["parent"])
        assert m["source"] == row["source"]
        assert set(row["options"].split(",")) == set(f"{m['options']},{m['super_options']}".split(","))
        assert row["propagation"].startswith("private") and not m["shared"] and m["reach"]["verdict"] == "inside"


def test_unique_ids():
    """As statx(2) tells them, of those that a path leads to."""
    libc, seen = ctypes.CDLL(None), 0
    found = mounts()["mounts"]
    for m in found:
        buffer = ctypes.create_string_buffer(256)
        if m["covered"] or libc.statx(-100, os.fsencode(m["target"]), 0x100, 0x4000, buffer):
            continue
        if not int.from_bytes(buffer[:4], "little") & 0x4000:
            assert tuple(map(int, os.uname().release.split(".")[:2])) < (6, 8)
            continue
        assert m["unique_id"] == int.from_bytes(buffer[144:152], "little"), m
        seen += 1
    assert seen or not any(m["unique_id"] for m in found)


@pytest.mark.parametrize("seed", range(max(2, t.scaled(8))))
def test_prediction_comes_true(tmp_path, seed):
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "/usr/bin/python3", WORLD, t.NSSCOPE, tmp_path,
                           str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert not done.returncode, done.stderr.decode()
    assert json.loads(done.stdout)["namespaces"] >= 1


def test_peers_are_named(holder, tmp_path):
    """A mount that is shared with another namespace: both sides of who is there, and what would reach it."""
    pid, within = holder
    within("mount", "-t", "tmpfs", "one", tmp_path)
    within("mount", "--make-shared", tmp_path)
    with subprocess.Popen(["nsenter", f"--mount=/proc/{pid}/ns/mnt", "unshare", "-mpf", "--propagation", "unchanged", "sh",
                           "-c", "echo; sleep 1000"], stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        child = int(pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split()[0])
        subprocess.run(["nsenter", f"--mount=/proc/{child}/ns/mnt", "mount", "--make-rslave", tmp_path], check=True)
        other = inum(f"/proc/{child}/ns/mnt")
        ours, theirs = mounts("--pid", str(pid)), mounts("--ns", str(other))
        shown = text("--pid", str(pid), "--wide").decode()
        os.kill(child, 9)
    one, = (m for m in ours["mounts"] if m["source"] == "one")
    assert one["slaves"] == [{"ns": other, "mounts": 1}] and one["peers"] == [] and one["masters"] == []
    assert one["reach"] == {"verdict": "others", "ns": [other], "total": 1, "only_below": []}
    named = {ns["inum"]: ns for ns in ours["namespaces"]}
    assert min(p.pid, child) == named[other]["pid"]
    one, = (m for m in theirs["mounts"] if m["source"] == "one")
    assert one["masters"] == [{"ns": ours["ns"], "mounts": 1}]
    assert one["reach"] == {"verdict": "inside", "ns": [], "total": 0, "only_below": []}
    line, = (row for row in shown.splitlines() if " one " in row)
    assert f"slaves {other}; reaches {other}" in line
    assert any(row.strip().startswith(f"{other}: process {min(p.pid, child)}") for row in shown.splitlines())


def test_what_only_a_bound_file_keeps(tmp_path):
    """Its mounts can be shown, and it is among those that are reached."""
    script = f"""
        set -e
        mount -t tmpfs home {tmp_path}; cd {tmp_path}; touch ns
        mkdir shared; mount -t tmpfs inside shared; mount --make-shared shared
        unshare --mount=ns --propagation unchanged true
        {t.NSSCOPE} mounts --json
        {t.NSSCOPE} mounts --json --ns $(stat -c %i ns)
    """
    # On one CPU: Linux 6.18 numbers namespaces by CPU, and takes the one with the lower number for the older.
    cpu = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(["taskset", "-c", cpu, "unshare", "-m", "--propagation", "private", "sh", "-c", script],
                          stdout=subprocess.PIPE, check=True, stderr=subprocess.PIPE)
    here, there = map(json.loads, done.stdout.splitlines())
    (a,), (b,) = ([m for m in shown["mounts"] if m["source"] == "inside"] for shown in (here, there))
    assert a["shared"] == b["shared"] and a["id"] != b["id"]
    assert a["reach"]["ns"] == [there["ns"]] and a["reach"]["verdict"] == "others"
    assert b["reach"]["ns"] == [here["ns"]] and b["reach"]["verdict"] == "host"
    assert [ns["pid"] for ns in here["namespaces"] if ns["inum"] == there["ns"]] == [None]


def test_hostile_paths(holder, tmp_path):
    pid, within = holder
    directory = tmp_path / "a b\n\x1b[2J\u202e\udcff#\\040"
    directory.mkdir()
    within("mount", "-t", "tmpfs", "so\nurce \x1b[31m", directory)
    found, = (m for m in mounts("--pid", str(pid))["mounts"] if m["source"].startswith("so"))
    assert t.raw(found, "target") == os.fsencode(directory)
    assert found["source"] == "so\nurce \x1b[31m" and "source_raw" not in found
    for args in ((), ("-T",), ("--wide",)):
        shown = text("--pid", str(pid), *args)
        assert b"\x1b" not in shown and b"\xff" not in shown and "\u202e".encode() not in shown
        line, = (row for row in shown.splitlines() if b"so\\nurce" in row)
        assert (b"\\n\\x1b[2J" in line) or b"..." in line


def test_unbindable_and_covered(holder, tmp_path):
    pid, within = holder
    for _ in range(2):
        within("mount", "-t", "tmpfs", "layer", tmp_path)
    within("mount", "--make-unbindable", tmp_path)
    below, above = (m for m in mounts("--pid", str(pid))["mounts"] if m["source"] == "layer")
    assert (below["covered"], above["covered"]) == (True, False) and above["parent"] == below["id"]
    assert (below["unbindable"], above["unbindable"]) == (False, True)


def test_tree(holder, tmp_path):
    pid, within = holder
    within("mount", "-t", "tmpfs", "outer", tmp_path)
    within("mkdir", tmp_path / "x")
    within("mount", "-t", "tmpfs", "inner", tmp_path / "x")
    lines = text("--pid", str(pid), "-T", "--wide").decode().splitlines()
    rows = [line for line in lines[1:] if line.strip()]
    outer, inner = (next(i for i, row in enumerate(rows) if f" {name} " in row) for name in ("outer", "inner"))
    assert inner == outer + 1 and rows[inner].index("\\_") == rows[outer].index("\\_") + 3
    ids = [int(row.split()[0]) for row in rows]
    with open(f"/proc/{pid}/mountinfo", encoding="ascii") as f:
        assert sorted(ids) == sorted(int(line.split()[0]) for line in f)


def test_doubling_tree(tmp_path):
    """A shared mount that is bound into itself, which doubles it each time: all of them are there."""
    script = f"""
        set -e
        mount -t tmpfs t {tmp_path}; mount --make-shared {tmp_path}; cd {tmp_path}
        for i in 1 2 3 4 5 6 7 8 9 10 11; do mkdir d$i; mount --bind {tmp_path} d$i; done
        wc -l </proc/self/mountinfo
        timeout 20 {t.NSSCOPE} mounts --json
    """
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True)
    count, shown = done.stdout.split(b"\n", 1)
    found = json.loads(shown)["mounts"]
    assert len(found) == int(count) > 2000
    assert collections.Counter(m["reach"]["verdict"] for m in found) == {"inside": len(found)}


def test_without_rights():
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run([*prefix, t.NSSCOPE, "mounts", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=True)
    assert len(done.stderr.splitlines()) == 1 and b"run nsscope as root" in done.stderr
    found = json.loads(done.stdout)
    with open("/proc/self/mountinfo", encoding="ascii") as f:
        assert {m["id"] for m in found["mounts"]} == {int(line.split()[0]) for line in f}
    for m in found["mounts"]:
        assert m["reach"]["verdict"] in (("inside",) if not m["shared"] else ("unknown", "host"))


@pytest.mark.parametrize("args", [["--ns", "0"], ["--ns", "5"], ["--pid", "4194303"], ["--ns", "5", "--pid", "1"], ["x"]])
def test_refusals(args):
    done = subprocess.run([t.NSSCOPE, "mounts", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 125 and not done.stdout and len(done.stderr.splitlines()) == 1
