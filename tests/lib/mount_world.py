# SPDX-License-Identifier: GPL-2.0-or-later
"""Random mount namespaces; for each mount in them: what nsscope mounts says would reach where, and what then does.

usage: unshare -m --propagation private mount_world.py NSSCOPE DIRECTORY SEED
Prints how many mounts were tried and what was predicted. The witness: mountinfo of each namespace, before and after.
"""
import collections
import ctypes
import json
import os
import random
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER = 0x20000, 0x10000000
BIND, REC, DETACH = 4096, 16384, 2
PROPAGATION = {"private": 1 << 18, "slave": 1 << 19, "shared": 1 << 20, "unbindable": 1 << 17}


def check(result):
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind=None, flags=0):
    check(libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None))


def probe(place):
    """Mounts a tmpfs; a descriptor of it, since the path need not lead there any more: a copy may be on the way."""
    fs = libc.syscall(430, b"tmpfs", 0)  # fsopen
    check(fs < 0)
    check(libc.syscall(431, fs, 6, None, None, 0))  # fsconfig, FSCONFIG_CMD_CREATE
    fd = libc.syscall(432, fs, 0, 0)  # fsmount
    check(fd < 0)
    os.close(fs)
    check(libc.syscall(429, fd, b"", -100, place.encode(), 4))  # move_mount, MOVE_MOUNT_F_EMPTY_PATH
    return fd


def remove(fd):
    check(libc.umount2(f"/proc/self/fd/{fd}".encode(), DETACH))
    os.close(fd)


class Namespace:
    """Kept by a descriptor alone; its mountinfo can be read from outside."""

    def __init__(self, fd):
        self.fd, self.inum = fd, os.fstat(fd).st_ino
        self.enter()
        self.mountinfo = os.open("/proc/self/mountinfo", os.O_RDONLY)

    def enter(self):
        check(libc.setns(self.fd, NEWNS))

    def mounts(self):
        text = b""
        os.lseek(self.mountinfo, 0, 0)
        while piece := os.read(self.mountinfo, 1 << 16):
            text += piece
        return {int(line.split()[0]): line.split()[4].decode() for line in text.splitlines()}


def new_namespace(parent, user):
    """A copy of the namespace @parent, whose maker is gone; owned by a new user namespace if @user."""
    ready, go_on = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        try:
            parent.enter()
            check(libc.unshare(NEWNS | (NEWUSER if user else 0)))
            os.write(ready[1], b"!")
            os.read(go_on[0], 1)
        finally:
            os._exit(0)
    os.close(ready[1])
    try:
        if not os.read(ready[0], 1):
            raise RuntimeError("no new namespace")
        return Namespace(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY))
    finally:
        os.write(go_on[1], b"!")
        os.waitpid(pid, 0)
        for fd in (ready[0], *go_on):
            os.close(fd)


def places(ns, base):
    """Directories in which to mount: of each mount below @base its own, and two below that."""
    targets = [target for target in ns.mounts().values() if target.startswith(base)]
    return sorted({place for target in targets for place in (target, f"{target}/a", f"{target}/b", f"{target}/a/c")
                   if os.path.isdir(place)})


def fill(target):
    for name in ("a/c", "b"):
        os.makedirs(f"{target}/{name}", exist_ok=True)


def change(rng, all_ns, base):
    """One random change of the world; what the kernel refuses is none."""
    ns = rng.choice(all_ns)
    what = rng.choice(["new", "tmpfs", "bind", "bind", "rbind", "propagation", "propagation", "propagation"])
    if what == "new" and len(all_ns) < 6:
        all_ns.append(new_namespace(ns, rng.random() < 0.3))
        return
    ns.enter()
    here = places(ns, base)
    place = rng.choice(here)
    try:
        if what == "tmpfs":
            mount("t", place, "tmpfs")
            fill(place)
        elif what in ("bind", "rbind"):
            mount(rng.choice(here), place, None, BIND | (REC if what == "rbind" and len(ns.mounts()) < 40 else 0))
        elif what == "propagation":
            place = rng.choice([t for t in ns.mounts().values() if t.startswith(base)])
            mount("none", place, None, PROPAGATION[rng.choice([*PROPAGATION, "shared", "shared", "slave"])] |
                  (REC if rng.random() < 0.3 else 0))
    except OSError:
        pass


def mount_at(place):
    fd = os.open(place, os.O_PATH)
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
            return next(int(line.split()[1]) for line in info if line.startswith("mnt_id:"))
    finally:
        os.close(fd)


def predicted(shown, place):
    """What nsscope says of a mount at @place: the mount that is there decides."""
    found, = (m for m in shown["mounts"] if m["id"] == mount_at(place))
    inside = [m for m in shown["mounts"] if not m["covered"] and
              (m["target"] == "/" or place == m["target"] or place.startswith(m["target"] + "/"))]
    assert found is max(inside, key=lambda m: len(m["target"])), (place, found, inside)
    only = collections.defaultdict(list)
    for part in found["reach"]["only_below"]:
        only[part["ns"]].append(part["path"])
    assert found["reach"]["total"] == len(found["reach"]["ns"]) and shown["ns"] not in found["reach"]["ns"]
    return found["reach"], {ns for ns in found["reach"]["ns"]
                            if ns not in only or any(place == p or place.startswith(p + "/") for p in only[ns])}


def verdict_of(reached, own, host):
    return "host" if host in reached - {own} else "others" if reached - {own} else "inside"


def examine(nsscope, home, ns, all_ns, base, seen):
    home.enter()
    done = subprocess.run([nsscope, "mounts", "--json", f"--ns={ns.inum}"], stdout=subprocess.PIPE, check=True)
    shown = json.loads(done.stdout)
    assert shown["host"]["mnt_ns"] == home.inum and shown["ns"] == ns.inum
    targets = ns.mounts()
    assert {m["id"]: m["target"] for m in shown["mounts"]} == targets, "not its mountinfo"
    ns.enter()
    for place in places(ns, base):
        before = [other.mounts() for other in all_ns]
        reach, want = predicted(shown, place)
        fd = probe(place)
        got = {other.inum for other, was in zip(all_ns, before) if other.mounts().keys() - was.keys()}
        remove(fd)
        assert [other.mounts() for other in all_ns] == before, "the probe did not leave without a trace"
        assert got - {ns.inum} == want, (ns.inum, place, got, want, reach)
        if not reach["only_below"]:
            assert reach["verdict"] == verdict_of(got, ns.inum, home.inum), (place, reach, got)
        seen[verdict_of(got, ns.inum, home.inum)] += 1


def main():
    nsscope, base, seed = sys.argv[1:]
    rng = random.Random(int(seed))
    seen = collections.Counter()
    mount("base", base, "tmpfs")
    mount("none", base, None, PROPAGATION["shared"])
    fill(base)
    home = Namespace(os.open("/proc/self/ns/mnt", os.O_RDONLY))
    all_ns = [home]
    for _ in range(40):
        change(rng, all_ns, base)
        if max(len(ns.mounts()) for ns in all_ns) > 150:
            break
    for ns in all_ns:
        examine(nsscope, home, ns, all_ns, base, seen)
    print(json.dumps({"namespaces": len(all_ns), **seen}))


main()
