# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees of mounts with random options and propagation: what becomes of each by --propagation, --bind and --bind-ro, by the
rules of mount_namespaces(7), against mountinfo before and inside."""
import os
import random
import subprocess

import pytest
from nsscope_test import NSSCOPE, TIMEOUT
from test_sandbox import QUIET, ROOTS, root, unescaped  # noqa: F401 (root is a fixture)

OPTIONS = ["nosuid", "nodev", "noexec", "ro", "noatime"]


def random_tree(rng):
    """Commands that make one below the present directory, a mount that is private."""
    dirs, lines = ["."], []
    for i in range(rng.randint(4, 9)):
        path = f"{rng.choice(dirs)}/{i}"
        lines.append(f"mkdir {path}")
        if rng.random() < 0.35:
            lines.append(f"mount --bind {rng.choice(dirs)} {path} 2>/dev/null || mount -t tmpfs {i} {path}")
            if rng.random() < 0.7:
                lines.append(f"mount --make-slave {path}")
        else:
            lines.append(f"mount -t tmpfs {i} {path}")
        if rng.random() < 0.8:
            lines.append(f"mount --make-{rng.choice(['shared', 'shared', 'private', 'unbindable'])} {path}")
        dirs.append(path)
    rng.shuffle(dirs)
    for path in dirs:  # last: what is read-only takes no more directories
        options = rng.sample(OPTIONS, rng.randint(0, 3))
        if path != "." and options:
            lines.append(f"mount -o remount,bind,{','.join(options)} {path}")
    return "set -e\n" + "\n".join(lines)


class Mount:
    def __init__(self, line):
        fields = line.split()
        end = fields.index("-")
        self.ident, self.parent, self.root, self.point = fields[0], fields[1], fields[3], unescaped(fields[4])
        self.options = frozenset(fields[5].split(","))
        # A copy of an unbindable mount is none on some kernels.
        tags = dict(tag.partition(":")[::2] for tag in fields[6:end])
        self.tags = {name: tags[name] for name in ("shared", "master") if name in tags}


def mounts(text, top):
    """That on @top and those below, in an order that a copy of the tree has too."""
    table = [Mount(line) for line in text.splitlines()]

    def below(mount):
        children = sorted((m for m in table if m.parent == mount.ident), key=lambda m: m.point)
        return [mount] + [m for child in children for m in below(child)]
    return below(next(m for m in table if m.point == str(top)))


def in_a_tree(tmp_path, rng, *command):
    """Runs @command where a random tree is; it, mountinfo before, and what the command printed."""
    top = tmp_path / "tree"
    top.mkdir()
    script = f"""mount -t tmpfs top {top} && cd {top}
                 {random_tree(rng)}
                 cat /proc/self/mountinfo; echo =; cd /; "$@" """
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *map(str, command)], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0 and "=\n" in done.stdout, (script, done)
    before, inside = done.stdout.split("=\n", 1)
    return top, mounts(before, top), inside


def propagated(tags, how, less_privileged):
    """What becomes of @tags; the number of a new group is "new"."""
    shared, master = tags.get("shared"), tags.get("master")
    if less_privileged and shared:
        shared, master = None, shared
    kept = {name: group for name, group in (("shared", shared), ("master", master)) if group}
    if how == "private":
        return {}
    if how == "slave":
        return {"master": shared} if shared else kept
    if how == "shared":
        return {**kept, "shared": shared or "new"}
    return kept


@pytest.mark.parametrize("user", [[], ["-U", "-r"]], ids=["root", "user namespace"])
@pytest.mark.parametrize("how", ["private", "slave", "shared", "unchanged"])
@pytest.mark.parametrize("seed", range(8))
def test_propagation(tmp_path, seed, how, user):
    _, before, inside = in_a_tree(tmp_path, random.Random(seed), NSSCOPE, "unshare", "-m", *user, "--propagation", how, "--",
                                  "cat", "/proc/self/mountinfo")
    after = mounts(inside, tmp_path / "tree")
    groups = {m.tags["shared"] for m in before if "shared" in m.tags}
    assert len(before) >= 5 and len(after) == len(before)
    for was, now in zip(before, after):
        assert (was.point, was.root, was.options) == (now.point, now.root, now.options)
        if now.tags.get("shared") not in groups | {None}:
            now.tags["shared"] = "new"
        assert now.tags == propagated(was.tags, how, bool(user)), (was.point, was.tags, now.tags)


@ROOTS
@pytest.mark.parametrize("option", ["--bind", "--bind-ro"])
@pytest.mark.parametrize("seed", range(100, 112))
def test_binds_keep_options(root, tmp_path, seed, option, user):  # noqa: F811
    """All comes along, as run makes all private first: unbindable no more."""
    top, before, inside = in_a_tree(tmp_path, random.Random(seed), NSSCOPE, "run", *QUIET, *user, "-R", root, "--overlay",
                                    option, f"{tmp_path}/tree:/data", "--", "/bin/cat", "/proc/self/mountinfo")
    expected = []
    for m in before:
        options = m.options - {"rw"} | {"ro"} if option == "--bind-ro" else m.options
        expected.append(("/data" + m.point[len(str(top)):], m.root, sorted(options), {}))
    shown = [(m.point, m.root, sorted(m.options), m.tags) for m in mounts(inside, "/data")]
    assert len(shown) > 1 and shown == expected
