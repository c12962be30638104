#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""reach_ops.py BASE OUT FIRST SEEDS OPERATIONS [alone]

Random operations on mounts below BASE, by processes in mount namespaces of mixed propagation; what each did is written to
OUT as mountinfo of every namespace has it, a JSON object a line. BASE stands on a shared mount that the parent process, the
host, shares; alone: first made private, so that the host gets nothing.
"""
import ctypes
import itertools
import json
import os
import random
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC = 32, 4096, 8192, 16384
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 17, 1 << 18, 1 << 19, 1 << 20
MNT_FORCE, MNT_DETACH, MNT_EXPIRE = 1, 2, 4
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
AT_FDCWD, AT_RECURSIVE, OPEN_TREE_CLONE, FSCONFIG_CMD_CREATE, EMPTY_PATH = -100, 0x8000, 1, 6, 4
CALLS = {"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432}
# fanotify(7) of mounts, Linux 6.14
FAN_NONBLOCK, FAN_REPORT_MNT, FAN_MARK_ADD, FAN_MARK_MNTNS = 2, 0x4000, 1, 0x110
FAN_MNT_ATTACH, FAN_MNT_DETACH, FAN_EVENT_INFO_TYPE_MNT = 0x1000000, 0x2000000, 7
NAMES = "abc"


MAGIC = itertools.cycle([0, 0xc0ed0000])  # MS_MGC_VAL: without flags of the same bits it says nothing


def call(name, *args):
    """[result, errno]"""
    args = [arg.encode() if isinstance(arg, str) else arg for arg in args]
    ctypes.set_errno(0)
    if name == "mount":
        result = LIBC.mount(*args[:3], ctypes.c_ulong(args[3] or next(MAGIC)), args[4])
    elif name == "umount":
        result = LIBC.umount2(*args)
    elif name in CALLS:
        result = LIBC.syscall(CALLS[name], *args)
    else:
        result = getattr(LIBC, name)(*args)
    return [result, ctypes.get_errno() if result < 0 else 0]


def must(name, *args):
    result, error = call(name, *args)
    assert result >= 0, (name, args, os.strerror(error))
    return result


def attach(fd, target):
    """The last step of the new API: what is told of is this call."""
    result = call("move_mount", fd, "", AT_FDCWD, target, EMPTY_PATH)
    if fd >= 0:
        os.close(fd)
    return result


def new_tmpfs(target):
    fs = must("fsopen", "tmpfs", 0)
    must("fsconfig", fs, FSCONFIG_CMD_CREATE, None, None, 0)
    fd = must("fsmount", fs, 0, 0)
    os.close(fs)
    return attach(fd, target)


def clone_tree(source, target, flags):
    return attach(call("open_tree", AT_FDCWD, source, OPEN_TREE_CLONE | flags)[0], target)


def move_tree(source, target):
    return attach(call("open_tree", AT_FDCWD, source, 0)[0], target)


STEPS = {"new_tmpfs": new_tmpfs, "clone_tree": clone_tree, "move_tree": move_tree}  # what is not one call alone


def do(operation):
    name, *args = operation
    return STEPS[name](*args) if name in STEPS else call(name, *args)


def unescape(text):
    return text.encode().decode("unicode_escape") if "\\" in text else text


def mounts(text):
    """By the mount's id."""
    table = {}
    for line in text.splitlines():
        ident, parent, dev, root, target = line.split(" ")[:5]
        table[int(ident)] = {"parent": int(parent), "dev": dev, "root": unescape(root), "target": unescape(target)}
    return table


def inum_of(pid):
    return os.stat(f"/proc/{pid}/ns/mnt").st_ino


class Place:
    """A mount namespace, with the process @pid in it."""

    def __init__(self, pid):
        self.pid, self.inum = pid, inum_of(pid)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            self.start = int(f.read().rpartition(")")[2].split()[19])  # ticks: PIDs are used again
        self.fanotify = LIBC.fanotify_init(FAN_REPORT_MNT | FAN_NONBLOCK, os.O_RDONLY)
        if self.fanotify >= 0:
            marked = LIBC.fanotify_mark(self.fanotify, FAN_MARK_ADD | FAN_MARK_MNTNS,
                                        ctypes.c_uint64(FAN_MNT_ATTACH | FAN_MNT_DETACH), AT_FDCWD, f"/proc/{pid}/ns/mnt".encode())
            assert marked == 0, os.strerror(ctypes.get_errno())

    def told(self):
        """What the kernel tells of the namespace since the last time: unique ids attached and detached; None: it cannot."""
        attached, detached = [], []
        if self.fanotify < 0:
            return None
        while True:
            try:
                data = os.read(self.fanotify, 65536)
            except BlockingIOError:
                return attached, detached
            while data:
                length, _, _, head, mask = struct.unpack_from("=IBBHQ", data)
                kind, _, _, ident = struct.unpack_from("=BBHxxxxQ", data, head)
                assert kind == FAN_EVENT_INFO_TYPE_MNT
                if mask & FAN_MNT_ATTACH:
                    attached.append(ident)
                if mask & FAN_MNT_DETACH:
                    detached.append(ident)
                data = data[length:]

    def table(self):
        with open(f"/proc/{self.pid}/mountinfo") as f:
            return mounts(f.read())


class Actor(Place):
    """A child in a namespace of its own, that does what it is told."""

    def __init__(self, setup):
        answers, to_parent = os.pipe()
        from_parent, self.orders = os.pipe()
        pid = os.fork()
        if pid == 0:
            self.serve(setup, from_parent, to_parent)
        os.close(from_parent)
        os.close(to_parent)
        self.answers = os.fdopen(answers)
        assert self.answers.readline() == "ready\n"
        super().__init__(pid)
        self.ns = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
        self.lives = True

    @staticmethod
    def serve(setup, orders, answers):
        try:
            setup()
            os.write(answers, b"ready\n")
            for line in os.fdopen(orders):
                order = json.loads(line)
                if not order:
                    break
                os.write(answers, json.dumps(do(order)).encode() + b"\n")
        finally:
            os._exit(0)

    def do(self, operation):
        os.write(self.orders, json.dumps(operation).encode() + b"\n")
        return json.loads(self.answers.readline())

    def end(self):
        """No process is in the namespace then; a file descriptor keeps it."""
        if self.lives:
            os.write(self.orders, b"null\n")
            os.waitpid(self.pid, 0)
            os.close(self.orders)
            self.answers.close()
            self.lives = False

    def table(self):
        if self.lives:
            return super().table()
        assert LIBC.setns(self.ns, CLONE_NEWNS) == 0
        with open("/proc/thread-self/mountinfo") as f:
            table = mounts(f.read())
        assert LIBC.setns(OWN, CLONE_NEWNS) == 0
        return table


def random_setup(rng, others):
    """A namespace made in ME's, or in that of one of the @others; below the latter's user namespace it may be another's."""
    kind = rng.choice(["as it is", "slave", "private", "shared and slave"])
    flags = CLONE_NEWNS | (CLONE_NEWUSER if rng.random() < .15 else 0)
    outer = rng.choice(others) if others and rng.random() < .4 else None

    def setup():
        assert not outer or LIBC.setns(outer.ns, CLONE_NEWNS) == 0
        assert LIBC.unshare(flags) == 0
        if kind != "as it is":
            must("mount", None, "/", None, (MS_PRIVATE if kind == "private" else MS_SLAVE) | MS_REC, None)
        if kind == "shared and slave":
            must("mount", None, BASE, None, MS_SHARED | MS_REC, None)
    return setup


def random_path(rng):
    return "/".join([BASE] + [rng.choice(NAMES) for _ in range(rng.choice([1, 2, 3, 3]))])


def random_operation(rng):
    one, two = random_path(rng), random_path(rng)
    change = rng.choice([MS_SHARED, MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE]) | rng.choice([0, MS_REC])
    return rng.choices([
        ["mount", f"t{rng.randrange(99)}", one, "tmpfs", 0, None],
        ["mount", one, two, None, MS_BIND, None],
        ["mount", one, two, None, MS_BIND | MS_REC, None],
        ["mount", one, two, None, MS_MOVE, None],
        ["mount", None, rng.choice([one, BASE]), None, change, None],
        ["mount", None, one, None, MS_REMOUNT | MS_BIND | rng.choice([0, 1]), None],
        ["umount", one, rng.choice([0, 0, MNT_FORCE, MNT_DETACH, MNT_DETACH, MNT_EXPIRE])],
        ["new_tmpfs", one],
        ["clone_tree", one, two, rng.choice([0, AT_RECURSIVE])],
        ["move_mount", AT_FDCWD, one, AT_FDCWD, two, rng.choice([0, EMPTY_PATH])],
        ["move_tree", one, two],
    ], [22, 14, 10, 8, 12, 4, 18, 4, 4, 4, 3])[0]


def stands(mount):
    return mount["parent"], mount["target"]


def what_it_did(actor, tables, before):
    """Of each namespace the ids that came and that went; of the actor's, those that stand elsewhere."""
    came = {inum: sorted(set(tables[inum]) - set(before[inum])) for inum in tables}
    went = {inum: sorted(set(before[inum]) - set(tables[inum])) for inum in tables}
    now, then = tables[actor.inum], before[actor.inum]
    return {"came": {i: ids for i, ids in came.items() if ids}, "went": {i: ids for i, ids in went.items() if ids},
            "moved": [i for i in now if i in then and stands(now[i]) != stands(then[i])], "now": now, "then": then}


def run_seed(seed, operations, out):
    rng = random.Random(seed)
    must("mount", "top", BASE, "tmpfs", 0, None)
    must("mount", None, BASE, None, MS_SHARED, None)
    for path in (f"{BASE}/{a}/{b}/{c}" for a in NAMES for b in NAMES for c in NAMES):
        os.makedirs(path)
    actors = []
    for _ in range(rng.choice([2, 3, 4, 6]) if seed % 25 else 20):
        actors.append(Actor(random_setup(rng, actors)))
    if rng.random() < .5:
        rng.choice(actors).end()
    places = [HOST, ME, *actors]
    before = {place.inum: place.table() for place in places}
    for place in places:
        place.told()
    for _ in range(operations):
        actor = rng.choice([a for a in actors if a.lives])
        operation = random_operation(rng)
        result, error = actor.do(operation)
        tables = {place.inum: place.table() for place in places}
        json.dump({"seed": seed, "pid": actor.pid, "start": actor.start, "inum": actor.inum, "operation": operation,
                   "error": error if result < 0 else 0,
                   "told": {place.inum: place.told() for place in places}, **what_it_did(actor, tables, before),
                   "host": before[HOST.inum]}, out)
        out.write("\n")
        before = tables
    for actor in actors:
        actor.end()
        os.close(actor.ns)
        if actor.fanotify >= 0:
            os.close(actor.fanotify)
    while not call("umount", BASE, MNT_DETACH)[1]:
        pass


if __name__ == "__main__":
    BASE, FIRST, SEEDS, OPERATIONS = sys.argv[1], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    OWN = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    ME, HOST = Place(os.getpid()), Place(os.getppid())
    if "alone" in sys.argv[6:]:
        must("mount", None, os.path.dirname(BASE), None, MS_PRIVATE, None)
    with open(sys.argv[2], "w") as log:
        for number in range(FIRST, FIRST + SEEDS):
            run_seed(number, OPERATIONS, log)
