# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces: entering with what was really entered, whose they are, and their end; against /proc, stat(2) and ioctl_ns(2)."""
import json

import nsscope_test as t

# Says what it does and what /proc says of it. A child sits in new namespaces until it is told to end.
ENTER = r"""
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUTS, NEWPID, NEWNET = 0x20000, 0x4000000, 0x20000000, 0x40000000

def setns(fd, flags, what):
    result = libc.setns(fd, flags)
    inums = {n: os.stat(f"/proc/self/ns/{n}").st_ino for n in ("mnt", "uts", "net", "pid_for_children")}
    print(json.dumps({"fd": fd, "what": what, "error": ctypes.get_errno() if result else 0, "now": inums}))

r, w = os.pipe()
ready, go = os.pipe()
child = os.fork()
if not child:
    libc.unshare(NEWNS | NEWUTS | NEWNET)
    os.write(go, b"x")
    os.read(r, 1)
    os._exit(0)
os.read(ready, 1)
net, uts = (os.open(f"/proc/{child}/ns/{n}", os.O_RDONLY) for n in ("net", "uts"))
setns(net, 0, ["net"])
setns(uts, NEWNS, [])
setns(uts, NEWUTS, ["uts"])
setns(99, 0, [])
setns(0, 0, [])
libc.unshare(NEWNS)
pidfd = libc.syscall(434, child, 0)
setns(pidfd, NEWNS | NEWNET, ["mnt", "net"])
setns(pidfd, 0, [])
print(json.dumps({"child": child}))
os.write(w, b"x")
"""


def test_setns_tells_what_was_entered(run, backend):
    result = run("-m", "--only", "ns", "--backend", backend, "--", "/usr/bin/python3", "-c", ENTER)
    said = [json.loads(line) for line in result.stdout.splitlines()]
    calls, child = said[:-1], said[-1]["child"]
    events = [e["setns"] for e in result.of("setns")]
    assert [e["fd"] for e in events] == [c["fd"] for c in calls]
    assert [bool(e["error"]) for e in events] == [bool(c["error"]) for c in calls]
    for event, call in zip(events, calls):
        if not call["error"]:
            assert event["entered"] == [{"type": name, "inum": call["now"][name]} for name in sorted(call["what"])]
    assert events[1]["entered"] == events[2]["entered"]  # failed: what the file meant
    assert not events[3]["entered"] and not events[4]["entered"]
    assert [e["target"] for e in events] == [None] * 5 + [child] * 2


def test_who_owns_and_what_is_below(run):
    script = ("echo $(stat -Lc %i /proc/self/ns/pid /proc/self/ns/user); unshare -U -r -p -f sh -c "
              "'echo $(stat -Lc %i /proc/self/ns/pid /proc/self/ns/user)'; unshare -m sh -c 'wc -l </proc/self/mountinfo'")
    result = run("--", "sh", "-c", script)
    outer, inner, mounts = result.stdout.decode().splitlines()
    (pid, user), (below_pid, below_user) = map(int, outer.split()), map(int, inner.split())
    made = {(e["ns_create"]["type"], e["ns_create"]["inum"]): e["ns_create"] for e in result.of("ns_create")}
    assert made["pid", below_pid]["parent"] == pid and made["pid", below_pid]["owner"] == below_user
    assert made["user", below_user]["parent"] == user
    last = [e["ns_create"] for e in result.of("ns_create") if e["ns_create"]["type"] == "mnt"][-1]
    # mountinfo leaves out what is beyond the root: the kernel's first file system, if it was left by a move.
    assert 0 <= last["mounts"] - int(mounts) <= 2 and last["parent"] is None
    assert made["pid", pid]["mounts"] is None


# So long it is seen to be held, also on a slow machine.
HOLD = {"HOLD": "0.5" if t.SCALE == 1 else "2"}

LIVES = r"""
import ctypes, json, os, subprocess, sys, time
libc = ctypes.CDLL(None)
def made(*flags):
    child = subprocess.Popen(["unshare", *flags, "sh", "-c", "read x"], stdin=subprocess.PIPE)
    while os.readlink(f"/proc/{child.pid}/exe") == os.readlink("/proc/self/exe") or b"unshare" in open(f"/proc/{child.pid}/comm", "rb").read():
        time.sleep(.01)
    return child, {n: os.stat(f"/proc/{child.pid}/ns/{n}").st_ino for n in ("uts", "ipc", "net")}
def end(child):
    child.communicate(b"\n")
def say(**what):
    print(json.dumps({"at": time.clock_gettime_ns(time.CLOCK_MONOTONIC), **what}), flush=True)
open("/tmp/kept", "w").close()
held, inums = made("--uts", "--ipc", "--net")
fd = os.open(f"/proc/{held.pid}/ns/ipc", os.O_RDONLY)
libc.mount(f"/proc/{held.pid}/ns/uts".encode(), b"/tmp/kept", None, ctypes.c_ulong(4096), None)
end(held)
say(gone="process", inums=inums)
time.sleep(float(os.environ["HOLD"]))
say(before="umount")
libc.umount2(b"/tmp/kept", 0)
say(gone="mount")
time.sleep(float(os.environ["HOLD"]))
say(before="close")
os.close(fd)
say(gone="file")
time.sleep(float(os.environ["HOLD"]))
os.unlink("/tmp/kept")
"""


def test_the_end_of_namespaces(run, backend):
    """Not while a mount or a file holds it, and at most as late as is said: where the kernel tells it, not late at all."""
    result = run("-m", "--only", "ns,process", "--backend", backend, "--", "/usr/bin/python3", "-c", LIVES, env=HOLD)
    said = [json.loads(line) for line in result.stdout.splitlines()]
    inums = said[0]["inums"]
    ends = {(e["ns_destroy"]["type"], e["ns_destroy"]["inum"]): e for e in result.of("ns_destroy")}
    made = {(e["ns_create"]["type"], e["ns_create"]["inum"]): e for e in result.of("ns_create")}
    for name, begin, done, kept in (("net", 0, 1, []), ("uts", 1, 2, ["bind mount"]), ("ipc", 3, 4, ["file descriptor"])):
        event = ends[name, inums[name]]
        payload = event["ns_destroy"]
        assert payload["kept"] == kept
        assert payload["processes"] == 1
        if name != "net":  # it goes with the process, whose end is before what it says
            assert said[begin]["at"] <= event["mono_ns"]
        assert event["mono_ns"] - payload["late_ns"] <= said[done]["at"]
        assert backend == "tracepoint" or name == "ipc" or not payload["late_ns"]
        assert payload["id"] == made[name, inums[name]]["ns_create"]["id"]
        assert 0 <= event["mono_ns"] - made[name, inums[name]]["mono_ns"] - payload["lifetime_ns"] < 10 ** 9


KEEP = r"""
import os, subprocess, time
for flags in (os.O_RDONLY, os.O_PATH):
    child = subprocess.Popen(["unshare", "--uts", "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    fd = os.open(f"/proc/{child.pid}/ns/uts", flags)
    print(os.stat(f"/proc/{child.pid}/ns/uts").st_ino)
    child.communicate(b"\n")
    time.sleep(float(os.environ["HOLD"]))
    os.close(fd)
    time.sleep(float(os.environ["HOLD"]))
"""


def test_an_open_file_keeps_it(run):
    result = run("--only", "ns", "--", "/usr/bin/python3", "-c", KEEP, env=HOLD)
    ends = [e["ns_destroy"] for e in result.of("ns_destroy")]
    for inum in map(int, result.stdout.split()):
        # The second may have the number of the first.
        assert {tuple(e["kept"]) for e in ends if (e["type"], e["inum"]) == ("uts", inum)} == {("file descriptor",)}


def test_mounts_go_with_their_namespace(run, backend):
    """As many as mountinfo had at the end; the kernel counts what is beyond the root as well."""
    script = "for i in 1 2 3; do mount -t tmpfs t /mnt; done; umount /mnt; wc -l </proc/self/mountinfo; stat -Lc %i /proc/self/ns/mnt"
    result = run("-m", "--only", "ns", "--backend", backend, "--", "sh", "-c", f"unshare -m sh -c '{script}; sleep 0.5'; sleep 0.5")
    count, inum = map(int, result.stdout.split())
    ends = {e["ns_destroy"]["inum"]: e["ns_destroy"] for e in result.of("ns_destroy")}
    made = {e["ns_create"]["inum"]: e["ns_create"] for e in result.of("ns_create")}
    beyond = ends[inum]["mounts"] - count
    assert 0 <= beyond <= 2 and ends[inum]["mounts"] == made[inum]["mounts"] + 2
    assert all(end["mounts"] is None for end in ends.values() if end["type"] != "mnt")


# One in two is there long enough to be looked at, with the number and the memory of the one before it, perhaps.
SHORT = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
for i in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        assert not libc.unshare(0x20000)  # CLONE_NEWNS
        time.sleep(i % 2 / 5)
        for _ in range(3):
            assert not libc.mount(b"t", b"/mnt", b"tmpfs", 0, None)
        os.write(1, b"%d\\n" % len(open("/proc/self/mountinfo").readlines()))
        os._exit(0)
    assert not os.waitpid(child, 0)[1]
"""


def test_mounts_go_with_a_namespace_of_a_moment(run, backend):
    """It does not live long enough to be looked at, or its like ends just before."""
    n = 10
    result = run("-m", "--only", "ns", "--backend", backend, "--", "/usr/bin/python3", "-c", SHORT, str(n))
    count, = set(map(int, result.stdout.split()))
    made = [e["ns_create"]["mounts"] for e in result.of("ns_create") if e["ns_create"]["by"] == "unshare"]
    assert len(made) == n and len(set(made)) == 1 and 0 <= made[0] - (count - 3) <= 2
    ends = [e["ns_destroy"]["mounts"] for e in result.of("ns_destroy") if e["ns_destroy"]["type"] == "mnt"]
    assert len(ends) >= n and ends.count(made[0] + 3) >= n


def test_every_namespace_ends_once(run):
    n = t.scaled(40)
    result = run("--", "sh", "-c", f"for i in $(seq {n}); do unshare -m -u -i -n true; done; sleep 0.3")
    made = [(e["ns_create"]["type"], e["ns_create"]["id"], e["ns_create"]["inum"]) for e in result.of("ns_create")]
    ended = [(e["ns_destroy"]["type"], e["ns_destroy"]["id"], e["ns_destroy"]["inum"]) for e in result.of("ns_destroy")]
    assert all(ended.count(one) <= made.count(one) for one in set(ended))
    assert len([one for one in ended if one[0] in ("mnt", "uts", "ipc")]) >= 3 * n
