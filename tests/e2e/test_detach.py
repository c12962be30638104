# SPDX-License-Identifier: GPL-2.0-or-later
"""Mounts that go by no call that is told: told once, with what mountinfo had of them; and no others."""
import json
import os
import subprocess

import pytest

import nsscope_test as t

HOW = ["rmdir", "unlink", "rename", "busy", "long"]
# In a mount namespace of its own a child mounts; the mount point is removed from the parent's. Says what mountinfo had, and
# who did it.
REMOVE = r"""
import ctypes, json, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
how, base = sys.argv[1:]
libc.mount(b"b", base.encode(), b"tmpfs", ctypes.c_ulong(0), None)
point = base + "/" + "p" * (240 if how == "long" else 5)
if how == "unlink":
    open(point, "w").close()
else:
    os.mkdir(point)
def table(pid):
    with open(f"/proc/{pid}/mountinfo") as f:
        return {line.split()[4]: int(line.split()[0]) for line in f}
down, up = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.close(down[1])
    libc.unshare(0x20000)
    libc.mount(None, b"/", None, ctypes.c_ulong(0x40000 | 0x4000), None)
    if how == "unlink":
        libc.mount(b"/proc/version", point.encode(), None, ctypes.c_ulong(4096), None)
    else:
        libc.mount(b"m", point.encode(), b"tmpfs", ctypes.c_ulong(0), None)
    if how == "busy":
        kept = os.open(point, os.O_RDONLY)
    os.write(up[1], b"x")
    os.read(down[0], 1)
    os._exit(0)
os.close(up[1])
os.read(up[0], 1)
before = table(child)
begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
if how == "unlink":
    os.unlink(point)
elif how == "rename":
    os.mkdir(base + "/other")
    os.rename(base + "/other", point)
else:
    os.rmdir(point)
end = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
assert point in before and point not in table(child)
told = {"how": how, "id": before[point], "ns": os.stat(f"/proc/{child}/ns/mnt").st_ino, "point": point, "begin": begin, "end": end,
        "pid": os.getpid()}
os.close(down[1])
os.waitpid(child, 0)
time.sleep(.2)  # a look finds it
print(json.dumps({**told, "over": time.clock_gettime_ns(time.CLOCK_MONOTONIC)}), flush=True)
"""


def check_removed(result, truth, backend):
    event, = [e for e in result.of("detach") if e["detach"]["mnt_ns"] == truth["ns"] and e["mono_ns"] >= truth["begin"]
              and e["mono_ns"] < truth["over"]]
    payload = event["detach"]
    assert payload["mnt_id"] == truth["id"]
    mount = [e["mount"] for e in result.of("mount") if e["mount"]["mnt_id"] == truth["id"] and e["mono_ns"] < truth["begin"]][-1]
    assert payload["mnt_id_unique"] == mount["mnt_id_unique"] and mount["target"] == truth["point"]
    cut = payload.get("target_truncated", False)
    assert cut == (truth["how"] == "long")
    assert truth["point"].startswith(payload["target"]) if cut else payload["target"] == truth["point"]
    assert event["mono_ns"] - payload["late_ns"] <= truth["end"]
    if backend == "tracepoint":
        assert payload["remover"] is None
    else:
        assert payload["remover"] == truth["pid"] and not payload["late_ns"] and event["mono_ns"] <= truth["end"]


def test_mount_point_is_removed(run, tmp_path, backend):
    """Also where the child, and so its namespace, ends at once."""
    for how in HOW:
        (tmp_path / how).mkdir()
    script = 'for how in $1; do /usr/bin/python3 -c "$0" $how "$2/$how" || exit; done'
    result = run("-m", "--backend", backend, "--", "sh", "-c", script, REMOVE, " ".join(HOW), str(tmp_path))
    truths = [json.loads(line) for line in result.stdout.splitlines()]
    assert [truth["how"] for truth in truths] == HOW and len(result.of("detach")) == len(HOW)
    for truth in truths:
        check_removed(result, truth, backend)


def test_unmounted_by_another(tmp_path):
    """By one that is not observed. What is told of a umount that is, is told once."""
    point = tmp_path / "point"
    point.mkdir()
    script = f"mount -t tmpfs a {point}; echo $$; read x; mount -t tmpfs b {point}; umount {point}; echo done; read x"
    out = tmp_path / "events"
    with subprocess.Popen([t.NSSCOPE, "run", "-m", "--only", "mount", "-o", f"json={out}", "--", "sh", "-c", script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        pid = int(p.stdout.readline())
        subprocess.run(["nsenter", "-m", "-t", str(pid), "umount", str(point)], check=True, timeout=t.TIMEOUT)
        inum = os.stat(f"/proc/{pid}/ns/mnt").st_ino
        p.stdin.write(b"\n")
        p.stdin.flush()
        assert p.stdout.readline() == b"done\n"
        p.communicate(timeout=t.TIMEOUT)
    stream = t.Stream(out.read_bytes())
    first, second = [e["mount"] for e in stream.of("mount") if e["mount"]["fstype"] == "tmpfs"]
    gone = [e["detach"] for e in stream.of("detach")]
    assert [(g["mnt_id"], g["mnt_ns"], g["target"], g["remover"]) for g in gone] == [(first["mnt_id"], inum, str(point), None)]
    assert [e["umount"]["mnt_id"] for e in stream.of("umount")] == [second["mnt_id"]]


# Each with a directory $B of its own, in a mount namespace of its own.
TOLD_OTHERWISE = [
    "mount -t tmpfs a $B; umount $B",
    "mount -t tmpfs a $B; mkdir $B/c; mount -t tmpfs c $B/c; umount -l $B",
    "mount -t tmpfs a $B; mkdir $B/c $B/d; mount -t tmpfs c $B/c; mount --move $B/c $B/d; mount --bind $B/d $B/c; umount -R $B",
    # it goes from the other namespace as well
    "mount -t tmpfs a $B; mount --make-shared $B; mkdir $B/c; unshare -m --propagation unchanged sh -c 'mount -t tmpfs c $B/c'; umount $B/c",
    "unshare -m sh -c 'mount -t tmpfs a $B'",
    "mount -t tmpfs a $B; mkdir $B/c; cd $B; pivot_root . c; umount -l /c",
]


def test_what_is_told_otherwise(run, tmp_path, backend):
    script = ""
    for number, case in enumerate(TOLD_OTHERWISE):
        (tmp_path / str(number)).mkdir()
        script += f"B={tmp_path}/{number} unshare -m sh -c '{case.replace(chr(39), chr(34))}; exit 0'; sleep 0.2; "
    result = run("-m", "--backend", backend, "--", "sh", "-c", script)
    assert len(result.of("mount")) > 2 * len(TOLD_OTHERWISE) and not result.of("detach")


def test_in_text(tmp_path):
    """A name of the sandbox does not reach the terminal as it is."""
    base = tmp_path / "b\x1b[31m"
    base.mkdir()
    done = subprocess.run([t.NSSCOPE, "run", "-m", "--only", "mount", "--", "/usr/bin/python3", "-c", REMOVE, "rmdir", str(base)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, timeout=t.TIMEOUT)
    truth = json.loads(done.stdout)
    line, = [line for line in done.stderr.splitlines() if b" detach " in line]
    assert b"\x1b" not in line and b"/ppppp' gone from %d" % truth["ns"] in line
