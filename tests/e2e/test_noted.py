# SPDX-License-Identifier: GPL-2.0-or-later
"""Mounts and namespaces that were told are noted, so that their end is told: each, as long as there is room for it at all."""
import contextlib
import os
import signal
import subprocess

import nsscope_test as t

# FEW: more than the places that are looked at in a row where mostly the next is free.
FEW, ROOM, SLOTS = 40, 1100, 8192
# While a umount waits for a file system that does not answer, FEW mounts go with their namespace; then there is one more.
WHILE_UNMOUNTING = r"""
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
base, few = sys.argv[1], int(sys.argv[2])
silent, point = base + "/silent", base + "/point"
os.mkdir(silent)
os.mkdir(point)
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0"
assert not libc.mount(b"s", silent.encode(), b"fuse", ctypes.c_ulong(0), options.encode())
waiting = os.fork()
if waiting == 0:
    os.close(fuse)
    os._exit(libc.umount2(f"{silent}/x".encode(), 0) == 0)
umount2 = "166" if os.uname().machine == "x86_64" else "39"
while open(f"/proc/{waiting}/syscall").read().split()[0] != umount2:
    time.sleep(.01)
child = os.fork()
if child == 0:
    libc.unshare(0x20000)
    libc.mount(None, b"/", None, ctypes.c_ulong(0x40000 | 0x4000), None)
    os._exit(any([libc.mount(point.encode(), point.encode(), None, ctypes.c_ulong(4096), None) for _ in range(few)]))
assert os.waitpid(child, 0)[1] == 0
time.sleep(.3)  # there is a look
assert not libc.mount(b"m", point.encode(), b"tmpfs", ctypes.c_ulong(0), None)
os.close(fuse)
assert os.waitpid(waiting, 0)[1] == 0
print(os.getpid(), flush=True)
sys.stdin.readline()
"""
# FEW mounts that stay; then as many as there are places, one after the other; then one more.
MOUNTS = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None)
base, few, slots = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
def mount():
    assert not libc.mount(base, base, None, ctypes.c_ulong(4096), None)
for _ in range(few):
    mount()
print(os.getpid(), flush=True)
sys.stdin.readline()
for _ in range(slots):
    mount()
    assert not libc.umount2(base, 2)
mount()
print("done", flush=True)
sys.stdin.readline()
"""
# ROOM namespaces that end at once, FEW that live behind them, which are gone back from; then so many again.
NAMESPACES = r"""
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
few, room = map(int, sys.argv[1:])
def make(count):
    for _ in range(count):
        assert not libc.unshare(0x4000000)
make(room)
held = []
for _ in range(few):
    make(1)
    held.append(os.open("/proc/self/ns/uts", os.O_RDONLY))
time.sleep(.3)  # there is a look
print(os.getpid(), flush=True)
sys.stdin.readline()
make(room + few)
print("done", flush=True)
sys.stdin.readline()
"""


@contextlib.contextmanager
def observed(out, options, script, *args):
    """nsscope with the script; what the test does in between is not observed."""
    command = [t.NSSCOPE, "unshare", *options, "--buffer", "32M", "-o", f"json={out}", "--", "/usr/bin/python3", "-c", script]
    with subprocess.Popen([*command, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        yield p, int(p.stdout.readline())
        p.communicate(timeout=t.TIMEOUT)
        assert p.returncode == 0


def go_on_unseen(p):
    """Nobody looks meanwhile, the reader being stopped."""
    os.kill(p.pid, signal.SIGSTOP)
    p.stdin.write(b"\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"done\n"
    os.kill(p.pid, signal.SIGCONT)


def unmount(pid, point):
    subprocess.run(["nsenter", "-m", "-t", str(pid), "umount", str(point)], check=True, timeout=t.TIMEOUT)


def stream_of(out):
    stream = t.Stream(out.read_bytes())
    assert stream.end["lost"]["total"] == 0, stream.end
    return stream


def check_last(out, base, count):
    """Of @count mounts in @base the last, and no other, was unmounted by one that is not observed."""
    stream = stream_of(out)
    mounts = [e["mount"]["mnt_id"] for e in stream.of("mount") if e["mount"]["target"].startswith(str(base))]
    assert len(mounts) == count
    assert [e["detach"]["mnt_id"] for e in stream.of("detach")] == mounts[-1:]


def test_mount_while_another_unmounts(tmp_path):
    out = tmp_path / "events"
    with observed(out, ["-m", "--only", "mount"], WHILE_UNMOUNTING, tmp_path, FEW) as (_, pid):
        unmount(pid, tmp_path / "point")
    check_last(out, tmp_path, FEW + 2)


def test_mount_after_many(tmp_path):
    out = tmp_path / "events"
    with observed(out, ["-m", "--only", "mount"], MOUNTS, tmp_path, FEW, SLOTS) as (p, pid):
        go_on_unseen(p)
        unmount(pid, tmp_path)
    check_last(out, tmp_path, FEW + SLOTS + 1)


def test_namespaces_before_those_that_live(tmp_path):
    out = tmp_path / "events"
    with observed(out, ["--only", "ns"], NAMESPACES, FEW, ROOM) as (p, _):
        go_on_unseen(p)
    stream = stream_of(out)
    made, ended = ([(e[kind]["id"], e[kind]["inum"]) for e in stream.of(kind)] for kind in ("ns_create", "ns_destroy"))
    assert len(made) == 2 * (ROOM + FEW) and sorted(made) == sorted(ended)
