# SPDX-License-Identifier: GPL-2.0-or-later
"""Which mount a call names that changes one where it stands, and where that is: relative, through ".", "..", links and an open
directory; against fdinfo of what the kernel finds at the same path."""
import json


CALLS = r"""
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
base = sys.argv[1]
proc = os.open("/proc", os.O_PATH)
os.chdir(base)
for name in ("a", "a/b", "dir"):
    os.mkdir(name)
os.symlink("a", "link")
libc.mount(b"a", b"a", b"tmpfs", ctypes.c_ulong(0), None)
os.mkdir("a/b")
libc.mount(b"b", b"a/b", b"tmpfs", ctypes.c_ulong(0), None)
os.mkdir("a/b/c" + "c" * 200)
dfd = os.open("dir", os.O_PATH)
def truth(path, at=None):
    fd = os.open(path, os.O_PATH, dir_fd=at)
    with open(os.open(f"self/fdinfo/{fd}", os.O_RDONLY, dir_fd=proc)) as f:
        ident = [int(line.split()[1]) for line in f if line.startswith("mnt_id:")][0]
    place = os.readlink(f"self/fd/{fd}", dir_fd=proc)
    os.close(fd)
    return {"path": path, "id": ident, "place": place}
def change(path, flags):
    told = truth(path)
    result = libc.mount(None, path.encode(), None, ctypes.c_ulong(flags), None)
    print(json.dumps({**told, "call": "mount", "error": errno.errorcode[ctypes.get_errno()] if result else None}), flush=True)
def setattr(at, path):
    told = truth(path, at if at >= 0 else None)
    attr = (ctypes.c_uint64 * 4)(0, 0, 1 << 18, 0)
    result = libc.syscall(442, at, path.encode(), 0, ctypes.byref(attr), 32)
    print(json.dumps({**told, "call": "mount_setattr", "error": errno.errorcode[ctypes.get_errno()] if result else None}), flush=True)
PRIVATE, REMOUNT = 1 << 18, 32 | 4096 | 2
for flags in (PRIVATE, REMOUNT):
    for path in ("a", "./a", "a/", ".//a//./b/.", "link", "link/b", "dir/../a", base + "/a/b", "//" + base + "//a/./b/", "a/b/../b",
                 "dir", "."):
        change(path, flags)
os.chdir("a/b")
for path in (".", "..", "../b", "../../a", "../.././a/b", "./..", "../" * 40 + base[1:] + "/a", "c" + "c" * 200, base):
    change(path, PRIVATE)
os.chdir("/")
change(".", PRIVATE)
change("..", PRIVATE)
change("../../proc", PRIVATE)
os.chdir(base)
for at, path in ((-100, "a"), (dfd, "../a"), (dfd, ".././link/b"), (dfd, base + "/a/b"), (-100, "a/b/"), (dfd, "../dir")):
    setattr(at, path)
os.chroot("a")
os.chdir("/")
for path in ("b", "/b", "/", "../../b"):
    change(path, PRIVATE)
"""


def test_which_mount(run, tmp_path, backend):
    """Never another; by tracepoints, and of mount_setattr, it may be unknown where a link, or what may be one, is on the way."""
    base = tmp_path / "base"
    base.mkdir()
    result = run("-m", "--backend", backend, "--", "/usr/bin/python3", "-c", CALLS, str(base))
    truths = [truth for truth in map(json.loads, result.stdout.splitlines()) if truth["error"] != "ENOSYS"]
    calls = [e[e["type"]] for e in result.of("mount", "mount_setattr") if e[e["type"]].get("op") not in ("new", "bind")]
    calls = [c for c in calls if "MS_REC" not in c.get("flags", []) and c["error"] != "ENOSYS"]
    assert len(calls) == len(truths)
    known = 0
    for truth, call in zip(truths, calls):
        assert call["error"] == truth["error"] and (call["target_arg"] == truth["path"])
        if truth["error"]:
            continue
        if call["mnt_id"] is None:
            assert backend == "tracepoint" or truth["call"] == "mount_setattr"
            assert ("link" in truth["path"] or "/.." in truth["path"].lstrip("./")), truth
            continue
        assert (call["mnt_id"], call["target"]) == (truth["id"], truth["place"]), (truth, call)
        known += 1
    assert known >= 22
