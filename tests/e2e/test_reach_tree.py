# SPDX-License-Identifier: GPL-2.0-or-later
"""How far mounts reach in a tree that is too large to look at all of it."""
from nsscope_test import Stream


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
