# SPDX-License-Identifier: GPL-2.0-or-later
"""How far mounts reach where there is too much to look at all of it, or to tell it in one piece."""
import json

from nsscope_test import Stream, scaled


def test_tree_that_doubles(scratch):
    """Each bind of a shared tree below itself doubles it; what cannot be told for certain is said to be cut."""
    out, counts = scratch.path.parent / "doubling", scratch.path.parent / "counts"
    binds = "for i in $(seq 15); do mount --rbind $B $B/r; done"
    scratch(f"mkdir $B/r; exec $NSSCOPE unshare -o json={out} --only mount -m --propagation unchanged -- "
            f'sh -c "{binds} 2>/dev/null; wc -l </proc/self/mountinfo >{counts}; umount -l \\$B/r"'.replace("$(", "\\$("),
            B=str(scratch.path))
    stream = Stream(out.read_bytes())
    assert int(counts.read_text()) > 10000
    binds = [e["mount"] for e in stream.of("mount") if not e["mount"]["error"]]
    assert len(binds) >= 9
    for bind in binds:
        assert bind["reach"]["verdict"] == "host" and bind["reach"]["ns"] == [stream.start["host"]["mnt_ns"]]
    gone = stream.of("umount")[-1]["umount"]
    assert gone["error"] is None
    assert gone["reach"]["verdict"] == "host" or (gone["reach"]["verdict"] == "unknown" and gone["reach"]["cut"])


# Namespaces that only descriptors keep. What is mounted is the host's and theirs; says which of them mountinfo has it in.
MANY = r"""
import ctypes, json, os, resource, sys
libc = ctypes.CDLL(None, use_errno=True)
base, count = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
def there():
    return any(line.split()[4] == f"{base}/m" for line in open("/proc/thread-self/mountinfo"))
def enter(fd):
    assert not libc.setns(fd, 0x20000)
def those_with_it():
    with_it = []
    for fd in others:
        enter(fd)
        if there():
            with_it.append(os.fstat(fd).st_ino)
    enter(own)
    return with_it
own, others = os.open("/proc/self/ns/mnt", os.O_RDONLY), []
for _ in range(count):
    assert not libc.unshare(0x20000)
    others.append(os.open("/proc/self/ns/mnt", os.O_RDONLY))
    enter(own)
os.mkdir(f"{base}/m")
assert not libc.mount(b"m", f"{base}/m".encode(), b"tmpfs", 0, None)
made = those_with_it()
assert not libc.umount2(f"{base}/m".encode(), 0)
print(json.dumps([made, those_with_it()]))
"""


def test_many_receivers(scratch):
    """More than fit into one piece of the record."""
    out, truth, count = scratch.path.parent / "many", scratch.path.parent / "truth", max(scaled(5000), 100)
    scratch('exec $NSSCOPE unshare -o json=$OUT --only mount -m --propagation unchanged -- /usr/bin/python3 -c "$MANY" $B $COUNT >$TRUTH',
            OUT=str(out), MANY=MANY, B=str(scratch.path), COUNT=str(count), TRUTH=str(truth))
    stream, (made, left) = Stream(out.read_bytes()), json.loads(truth.read_text())
    assert len(made) == count and not left
    for event in stream.of("mount", "umount"):
        reach = event[event["type"]]["reach"]
        assert (reach["verdict"], reach["total"]) == ("host", count + 1)
        assert not reach["cut"] and reach["ns"] == sorted([*made, stream.start["host"]["mnt_ns"]])
    assert len(stream.of("mount", "umount")) == 2 and stream.end["lost"]["total"] == 0
