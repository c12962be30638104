#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""reach_cases.py BASE OUT

Every way to mount, from and to mounts of every propagation, and the cases that random operations seldom come to. What each
operation did is written to OUT, as reach_ops.py does, with the outcome that the rules of shared subtrees demand of it: who
gets it, or the error. BASE stands on a shared mount that the parent process, the host, shares.
"""
import ctypes
import errno
import json
import os
import struct
import sys

import reach_ops as ops
from reach_ops import (AT_FDCWD, AT_RECURSIVE, CLONE_NEWNS, CLONE_NEWUSER, EMPTY_PATH, LIBC, MNT_DETACH, MNT_EXPIRE, MS_BIND,
                       MS_MOVE, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, Actor, Place, call, must)

MOUNT_SETATTR, MOVE_MOUNT_BENEATH, MOVE_MOUNT_SET_GROUP = 442, 0x200, 0x100
CHANGES = {"private": [MS_PRIVATE], "shared": [], "slave": [MS_SLAVE], "shared and slave": [MS_SLAVE, MS_SHARED],
           "unbindable": [MS_UNBINDABLE]}
# Who gets what is mounted below such a mount: all are slaves or peers of the host's. The others are copies of its namespace.
REACHES = {"private": "inside", "shared": "host", "slave": "inside", "shared and slave": "others", "unbindable": "inside"}


def set_propagation(path, change, flags):
    """By mount_setattr: [result, errno]"""
    attr = struct.pack("=QQQQ", 0, 0, change, 0)
    ctypes.set_errno(0)
    result = LIBC.syscall(MOUNT_SETATTR, AT_FDCWD, path.encode(), flags, attr, len(attr))
    return [result, ctypes.get_errno() if result < 0 else 0]


def tmpfs(path, *directories):
    must("mount", "t", path, "tmpfs", 0, None)
    for name in directories:
        os.makedirs(f"{path}/{name}")


def bind(source, target, flags=0):
    return ["mount", source, target, None, MS_BIND | flags, None]


def move(source, target):
    return ["mount", source, target, None, MS_MOVE, None]


def umount(target, flags=0):
    return ["umount", target, flags]


class World:
    """The namespaces of a case: the host's, this one's, and of actors, which end with it."""

    def __init__(self, label, out):
        self.label, self.out, self.actors = label, out, []
        self.places = [HOST, ME]

    def add(self, setup=lambda: None, of=None, flags=CLONE_NEWNS):
        """Another namespace, as ME's is, or the actor's @of."""
        def prepare():
            assert not of or LIBC.setns(of.ns, CLONE_NEWNS) == 0
            assert LIBC.unshare(flags) == 0, os.strerror(ctypes.get_errno())
            setup()
        actor = Actor(prepare)
        self.actors.append(actor)
        self.places.append(actor)
        self.begin()
        return actor

    def begin(self):
        """What was done until now is not looked at."""
        self.before = {place.inum: place.table() for place in self.places}
        for place in self.places:
            place.told()

    def do(self, actor, operation, want):
        """@want: the verdict, or the name of the error."""
        result, error = actor.do(operation)
        tables = {place.inum: place.table() for place in self.places}
        json.dump({"label": self.label, "want": want, "seed": 0, "pid": actor.pid, "start": actor.start, "inum": actor.inum,
                   "operation": operation, "error": error if result < 0 else 0, "told": {place.inum: place.told() for place in self.places},
                   **ops.what_it_did(actor, tables, self.before), "host": self.before[HOST.inum]}, self.out)
        self.out.write("\n")
        self.before = tables

    def end(self):
        for actor in self.actors:
            actor.end()
            os.close(actor.ns)
            if actor.fanotify >= 0:
                os.close(actor.fanotify)
        while not call("umount", BASE, MNT_DETACH)[1]:
            pass


def prepare(kind_of_source, kind_of_target):
    """BASE/s is private, and BASE/s/m with BASE/s/m/sub in it the source; BASE/d the target."""
    must("mount", None, f"{BASE}/s", None, MS_PRIVATE, None)
    for path, kind in (f"{BASE}/s/m", kind_of_source), (f"{BASE}/d", kind_of_target):
        for change in CHANGES[kind]:
            must("mount", None, path, None, change, None)


def tree(base):
    tmpfs(base, "s", "d")
    must("mount", None, base, None, MS_SHARED, None)
    tmpfs(f"{base}/s", "m")
    tmpfs(f"{base}/s/m", "sub", "x")
    tmpfs(f"{base}/s/m/sub")
    tmpfs(f"{base}/d", "t", "u")


def furthest(*verdicts):
    return max(verdicts, key=["inside", "others", "host"].index)


def binds(world, a, unbindable, reach, of_tree):
    """@of_tree: who loses what is on the source, too, with a copy of the whole tree: it is a peer."""
    source, target = f"{BASE}/s/m", f"{BASE}/d/t"
    error, of_clone = ("EINVAL", "EBADF") if unbindable else (reach, reach)
    for operation, want in [(bind(source, target), error), (bind(f"{source}/x", target), error),
                            (bind(f"{source}/sub", target), reach), (["clone_tree", source, target, 0], of_clone),
                            (["clone_tree", source, target, AT_RECURSIVE], of_clone), (bind(source, target, MS_REC), error)]:
        world.do(a, operation, want)
        if want == reach:
            world.do(a, umount(target, MNT_DETACH), furthest(reach, of_tree) if AT_RECURSIVE in operation else reach)


def news(world, a, reach):
    target = f"{BASE}/d/t"
    world.do(a, ["mount", "new", target, "tmpfs", 0, None], reach)
    world.do(a, ["new_tmpfs", target], reach)
    world.do(a, umount(target), reach)
    world.do(a, umount(target), reach)


def moves(world, a, unbindable, reach):
    """Not from below a shared mount, nor what is unbindable to below one."""
    source, target, shared = f"{BASE}/s/m", f"{BASE}/d/t", reach != "inside"
    if unbindable and shared:
        world.do(a, move(source, target), "EINVAL")
        world.do(a, ["move_mount", AT_FDCWD, source, AT_FDCWD, target, 0], "EINVAL")
        return
    world.do(a, move(source, target), reach)
    world.do(a, move(target, source), "EINVAL" if shared else "inside")
    if not shared:
        world.do(a, ["move_mount", AT_FDCWD, source, AT_FDCWD, target, 0], "inside")
    world.do(a, umount(target, MNT_DETACH), reach)


def case_of(kind_of_source, kind_of_target):
    def case(world):
        tree(BASE)
        other = world.add()
        a = world.add(lambda: prepare(kind_of_source, kind_of_target))
        world.add(of=a)
        reach = REACHES[kind_of_target]
        binds(world, a, kind_of_source == "unbindable", reach, REACHES[kind_of_source])
        news(world, a, reach)
        moves(world, a, kind_of_source == "unbindable", reach)
        world.do(other, ["mount", "new", f"{BASE}/d/u", "tmpfs", 0, None], "host")
        world.do(other, umount(f"{BASE}/d/u"), "host")
    return case


def unbindable_below(world):
    """A recursive bind leaves it out; a move to below a shared mount is refused."""
    def setup():
        prepare("private", "shared")
        must("mount", None, f"{BASE}/s/m/sub", None, MS_UNBINDABLE, None)
    tree(BASE)
    a = world.add(setup)
    world.do(a, bind(f"{BASE}/s/m", f"{BASE}/d/t", MS_REC), "host")
    world.do(a, umount(f"{BASE}/d/t"), "host")
    world.do(a, move(f"{BASE}/s/m", f"{BASE}/d/t"), "EINVAL")


def bound_on_itself(world):
    """Each bind of a shared tree below itself doubles it."""
    tree(BASE)
    a = world.add()
    for _ in range(4):
        world.do(a, bind(BASE, f"{BASE}/d/t", MS_REC), "host")


def peers_in_one_namespace(world):
    """What is mounted in one of two peers comes to the other, also of the caller's namespace; here the host has a third."""
    tree(BASE)
    a = world.add(lambda: must("mount", None, f"{BASE}/d", None, MS_SLAVE, None))
    world.do(a, ["mount", None, f"{BASE}/d", None, MS_SHARED, None], "inside")
    world.do(a, bind(f"{BASE}/d", f"{BASE}/s"), "host")
    world.do(a, ["mount", "new", f"{BASE}/s/u", "tmpfs", 0, None], "host")
    world.do(a, umount(f"{BASE}/d/u"), "host")


def kept_by_others(world):
    """A umount does not take from the others what they have mounted something on."""
    tree(BASE)
    b = world.add(lambda: must("mount", None, BASE, None, MS_SLAVE | MS_REC, None))
    a = world.add()
    world.do(a, ["mount", "new", f"{BASE}/d/t", "tmpfs", 0, None], "host")
    os.mkdir(f"{BASE}/d/t/on")
    world.do(b, ["mount", "own", f"{BASE}/d/t/on", "tmpfs", 0, None], "inside")
    world.do(a, umount(f"{BASE}/d/t"), "host")


def expires(world):
    tree(BASE)
    a = world.add(lambda: prepare("private", "private"))
    world.do(a, umount(f"{BASE}/s/m/sub", MNT_EXPIRE), "EAGAIN")
    world.do(a, umount(f"{BASE}/s/m/sub", MNT_EXPIRE), "inside")
    b = world.add()
    world.do(b, umount(f"{BASE}/s/m/sub", MNT_EXPIRE), "EAGAIN")
    world.do(b, umount(f"{BASE}/s/m/sub", MNT_EXPIRE), "host")


def of_a_user_namespace(world):
    """Its mounts are slaves of those that it was made from, and what came with them is locked."""
    tree(BASE)
    outer = world.add()
    u = world.add(flags=CLONE_NEWNS | CLONE_NEWUSER)
    world.do(u, umount(f"{BASE}/d"), "EINVAL")
    world.do(u, umount(f"{BASE}/d", MNT_DETACH), "EINVAL")
    world.do(u, bind(f"{BASE}/s", f"{BASE}/d/t"), "EINVAL")
    world.do(u, move(f"{BASE}/d", f"{BASE}/s"), "EINVAL")
    world.do(u, ["mount", "own", f"{BASE}/d/t", "tmpfs", 0, None], "inside")
    world.do(u, bind(f"{BASE}/s", f"{BASE}/d/u", MS_REC), "inside")
    world.do(u, umount(f"{BASE}/d/u", MNT_DETACH), "inside")
    world.do(outer, ["mount", "new", f"{BASE}/d/u", "tmpfs", 0, None], "host")
    world.do(u, umount(f"{BASE}/d/u"), "inside")
    world.do(outer, umount(f"{BASE}/d/u"), "host")
    world.do(outer, bind(f"{BASE}/s", f"{BASE}/d/u", MS_REC), "host")
    world.do(u, umount(f"{BASE}/d/u/m"), "EINVAL")  # it is locked to what it came with
    world.do(u, umount(f"{BASE}/d/u", MNT_DETACH), "inside")


def without_processes(world):
    """Namespaces that a descriptor keeps, or a bind mount of its file."""
    tree(BASE)
    a, b = world.add(), world.add()
    must("mount", "keep", f"{BASE}/s/m/x", "tmpfs", 0, None)
    must("mount", None, f"{BASE}/s/m/x", None, MS_PRIVATE, None)
    open(f"{BASE}/s/m/x/ns", "w").close()
    c = world.add()
    while call("mount", f"/proc/{c.pid}/ns/mnt", f"{BASE}/s/m/x/ns", None, MS_BIND, None)[1]:
        c = world.add()  # 6.18: only one with a greater id, and each CPU has ids of its own to give
    b.end()
    c.end()
    os.close(c.ns)
    c.ns = os.open(f"{BASE}/s/m/x/ns", os.O_RDONLY)
    world.begin()
    world.do(a, ["mount", "new", f"{BASE}/d/t", "tmpfs", 0, None], "host")
    world.do(a, umount(f"{BASE}/d/t"), "host")


def chrooted(world):
    tree(BASE)
    a = world.add(lambda: must("chroot", f"{BASE}/d"))
    world.do(a, ["mount", "new", "/t", "tmpfs", 0, None], "host")
    world.do(a, bind("/u", "/t"), "host")
    world.do(a, umount("/t"), "host")
    world.do(a, umount("/t", MNT_DETACH), "host")


def pivoted(world):
    """The new root is private, and what is on it is nowhere on the host; what was bound into it is."""
    def setup():
        must("mount", None, "/", None, MS_PRIVATE | MS_REC, None)
        tmpfs(f"{BASE}/d/u", "old", "in", "own")
        must("mount", f"{BASE}/s", f"{BASE}/d/u/in", None, MS_BIND, None)
        must("pivot_root", f"{BASE}/d/u", f"{BASE}/d/u/old")
        must("chdir", "/")
    tree(BASE)
    a = world.add(setup)
    world.do(a, ["mount", "new", "/own", "tmpfs", 0, None], "inside")
    world.do(a, ["mount", "new", "/in/m", "tmpfs", 0, None], "inside")
    world.do(a, ["mount", "new", f"/old{BASE}/d/t", "tmpfs", 0, None], "inside")
    world.do(a, umount("/old", MNT_DETACH), "inside")
    world.do(a, umount("/in/m"), "inside")


def on_overlay(world):
    tree(BASE)
    for name in "lower/d", "upper", "work":
        os.makedirs(f"{BASE}/s/m/x/{name}")
    options = ",".join(f"{name}dir={BASE}/s/m/x/{name}" for name in ("lower", "upper", "work"))
    a = world.add()
    world.do(a, ["mount", "over", f"{BASE}/d/u", "overlay", 0, options], "host")
    world.do(a, ["mount", "new", f"{BASE}/d/u/d", "tmpfs", 0, None], "host")
    world.do(a, umount(f"{BASE}/d/u", MNT_DETACH), "host")


def of_files(world):
    tree(BASE)
    for name in "one", "two":
        open(f"{BASE}/d/{name}", "w").close()
    a = world.add()
    world.do(a, bind(f"{BASE}/d/one", f"{BASE}/d/two"), "host")
    world.do(a, umount(f"{BASE}/d/two"), "host")


def on_the_root_of_mounts(world):
    """Several on one another: the topmost is seen, and goes first."""
    tree(BASE)
    a = world.add(lambda: prepare("shared", "slave"))
    for path, reach in (f"{BASE}/d", "inside"), (f"{BASE}/s/m", "host"):
        for _ in range(3):
            world.do(a, ["mount", "new", path, "tmpfs", 0, None], reach)
        world.do(a, umount(BASE), "EBUSY")
        for _ in range(3):
            world.do(a, umount(path), reach)


def by_setattr(world):
    """The same changes of propagation by mount_setattr."""
    tree(BASE)
    a = world.add()
    for change, reach in (MS_SHARED, "host"), (MS_SLAVE, "inside"), (MS_SHARED, "inside"), (MS_PRIVATE, "inside"):
        result = a.do(["set_propagation", f"{BASE}/d", change, AT_RECURSIVE])
        assert result[0] == 0, os.strerror(result[1])
        world.do(a, ["new_tmpfs", f"{BASE}/d/t"], reach)
        world.do(a, umount(f"{BASE}/d/t"), reach)


def beneath(world):
    """Put below the topmost of a place: what was there stands on it afterwards."""
    tree(BASE)
    a = world.add()
    world.do(a, ["mount", "top", f"{BASE}/d/t", "tmpfs", 0, None], "host")
    world.do(a, ["beneath", f"{BASE}/s/m", f"{BASE}/d/t"], "host")
    world.do(a, umount(f"{BASE}/d/t"), "host")
    world.do(a, umount(f"{BASE}/d/t", MNT_DETACH), "host")


def set_group(world):
    """The one becomes a peer of the other: nothing is mounted by that, but then."""
    tree(BASE)
    a = world.add(lambda: prepare("private", "shared"))
    world.do(a, bind(f"{BASE}/d", f"{BASE}/s"), "inside")
    world.do(a, ["mount", None, f"{BASE}/s", None, MS_PRIVATE, None], "inside")
    world.do(a, ["move_mount", AT_FDCWD, f"{BASE}/d", AT_FDCWD, f"{BASE}/s", MOVE_MOUNT_SET_GROUP], "inside")
    world.do(a, ["mount", "new", f"{BASE}/s/t", "tmpfs", 0, None], "host")
    world.do(a, umount(f"{BASE}/d/t"), "host")


def moved_by_file(world):
    """Also where a file is given beside a path that is not empty: then the path says what moves, not the file."""
    tree(BASE)
    a = world.add(lambda: prepare("private", "shared"))
    for operation in ["move_tree", "move_flagged"]:
        world.do(a, [operation, f"{BASE}/s/m", f"{BASE}/d/t"], "host")
        world.do(a, umount(f"{BASE}/d/t", MNT_DETACH), "host")
        world.do(a, ["mount", "new", f"{BASE}/s/m", "tmpfs", 0, None], "inside")


def move_flagged(source, target):
    fd = os.open(BASE, os.O_PATH)
    result = call("move_mount", fd, source, AT_FDCWD, target, EMPTY_PATH)
    os.close(fd)
    return result


def put_beneath(source, target):
    fd = must("open_tree", AT_FDCWD, source, 1)
    result = call("move_mount", fd, "", AT_FDCWD, target, EMPTY_PATH | MOVE_MOUNT_BENEATH)
    os.close(fd)
    return result


CASES = {f"{source} to {target}": case_of(source, target) for source in CHANGES for target in CHANGES} | {
    case.__name__: case for case in (unbindable_below, bound_on_itself, peers_in_one_namespace, kept_by_others, expires,
                                     of_a_user_namespace, without_processes, chrooted, pivoted, on_overlay, of_files,
                                     on_the_root_of_mounts, moved_by_file)}
SINCE = {by_setattr: (5, 12), set_group: (5, 15), beneath: (6, 5)}
ops.STEPS.update(set_propagation=set_propagation, beneath=put_beneath, move_flagged=move_flagged)

if __name__ == "__main__":
    BASE = ops.BASE = sys.argv[1]
    ops.OWN = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    ME, HOST = Place(os.getpid()), Place(os.getppid())
    kernel = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])
    CASES |= {case.__name__: case for case, since in SINCE.items() if kernel >= since}
    only = sys.argv[3:]
    with open(sys.argv[2], "w") as log:
        for name, case in CASES.items():
            if only and name not in only:
                continue
            world = World(name, log)
            case(world)
            world.end()
