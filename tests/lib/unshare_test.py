# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs nsscope unshare, and unshare(1), and reads what about(1), run by them, tells of itself."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, workload

UTIL_LINUX = shutil.which("unshare")
NOBODY = 65534


def put_etc(etc):
    """An /etc for a mount namespace: with subordinate IDs for nobody and root."""
    etc.mkdir()
    for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache"):
        if pathlib.Path("/etc", name).exists():
            shutil.copy(f"/etc/{name}", etc / name)
    subids = "root:200000:1000\nother:5000000:10\nnobody:100000:65536\nnobody:900000:5\n"
    (etc / "subuid").write_text(subids)
    (etc / "subgid").write_text(subids.replace("100000", "300000"))


def fill(path):
    path.chmod(0o755)
    shutil.copy(NSSCOPE, path / "nsscope")
    (path / "link").mkdir()
    (path / "link/unshare").symlink_to(path / "nsscope")
    shutil.copy(workload("about"), path / "about")
    (path / "helpers").mkdir()
    for name in ("newuidmap", "newgidmap"):
        shutil.copy(workload("newidmap"), path / "helpers" / name)
        (path / "helpers" / name).chmod(0o4755)
    for name in ("root/proc", "root/w", "root/bin", "dir"):
        (path / name).mkdir(parents=True)
    shutil.copy(workload("about"), path / "root/about")
    shutil.copy(workload("about"), path / "root/bin/about")
    (path / "not-executable").write_text("text")
    (path / "script").write_text("no shebang")
    (path / "script").chmod(0o755)
    put_etc(path / "etc")


@pytest.fixture(scope="module")
def base():
    """A directory that everybody may read: programs, an empty root, files."""
    with tempfile.TemporaryDirectory(prefix="nsscope-unshare-") as name:
        fill(pathlib.Path(name))
        yield pathlib.Path(name)


ENV = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "SHELL": "/bin/sh", "A": "1", "B": "2=3"}


def start(argv, user=0, groups=(), env=None, etc=None, cwd="/", **kwargs):
    """Starts @argv as @user with /proc on descriptor 9; @etc: bound over /etc."""
    argv = ["/bin/sh", "-c", 'exec 9</proc && exec "$@"', "sh", *argv]
    if etc:
        script = ('mount --bind "$0" /etc && user=$1 && shift && '
                  'exec setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"')
        argv = [UTIL_LINUX, "-m", "sh", "-c", script, str(etc), str(user), *argv]
    elif user or groups:
        kwargs |= {"user": user, "group": user, "extra_groups": list(groups)}
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                            env=env or ENV, **kwargs)


def run(argv, **kwargs):
    process = start(argv, **kwargs)
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def told(stdout):
    """What about(1) told, without what differs from one run to the next; or the output as it is, also if it was cut short."""
    if not (stdout.startswith(b'{"pid"') and stdout.endswith(b"}\n")):
        return stdout
    about = json.loads(stdout)
    status = dict(line.split(":\t", 1) for line in about.pop("status").splitlines())
    kept = ("Uid", "Gid", "Groups", "NoNewPrivs", "Umask", "Seccomp")
    about["status"] = {key: value.strip() for key, value in status.items()
                       if key.startswith(("Cap", "Sig")) or key in kept}
    about["status"].pop("SigQ")
    about["levels"] = len(status["NSpid"].split())
    if about["levels"] == 1:
        del about["pid"]
    # Same as outside, or new; and whether the children's are the own ones.
    about["ns_equal"] = (about["ns"]["pid"] == about["ns"]["pid_for_children"],
                         about["ns"]["time"] == about["ns"]["time_for_children"])
    about["ns"] = {name: value == os.readlink(f"/proc/self/ns/{name}") if value else value
                   for name, value in about["ns"].items()}
    mounts = []
    for line in about.pop("mountinfo").splitlines():
        _, _, dev, rest = line.split(" ", 3)
        rest = re.sub(r"\b(shared|master|propagate_from):\d+", r"\1", rest)
        rest = re.sub(r"nsfs (mnt|net|pid|user|uts|ipc|cgroup|time):\[\d+\]", r"nsfs \1", rest)
        mounts.append(("-" if dev.startswith("0:") else dev, re.sub(r":\[\d+\]", "", rest)))
    about["mounts"] = mounts
    return about


def ours(base, *words, **kwargs):
    return run([base / "nsscope", "unshare", *words], **kwargs)


def split(case, base):
    """Options and command; where none follows "--", about."""
    words = shlex.split(case.replace("{base}", str(base)))
    if "--" in words or str(base / "about") in words:
        return words
    return [*words, "--", str(base / "about")]


def about(done):
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def extents(text):
    return [tuple(int(n) for n in line.split()) for line in text.splitlines()]


def pairs(extents_):
    return {(inner + k, outer + k) for inner, outer, count in extents_ for k in range(count)}


def held(argv, **kwargs):
    """A process that runs @argv, and tells with a line that it does."""
    process = start(argv, **kwargs)
    assert process.stdout.readline() == b"ready\n", process.stderr.read()
    return process


def finish(process):
    process.kill()
    process.communicate(timeout=TIMEOUT)


def in_mount_namespace(base, script, **kwargs):
    """A shell script in a mount namespace of its own, where $N is nsscope and a directory $D is on a private mount."""
    env = {**ENV, "N": str(base / "nsscope"), "D": str(base / "dir")}
    script = f"mount -t tmpfs d $D && cd $D && touch a b c && {script}"
    # On one CPU: Linux 6.18 orders mount namespaces by IDs that it takes from a pool of each CPU, and binds only later
    # ones to a file.
    cpu = str(min(os.sched_getaffinity(0)))
    return run(["taskset", "-c", cpu, UTIL_LINUX, "-m", "sh", "-c", script], env=env, **kwargs)


NSFS = "{ grep -c ' nsfs ' /proc/self/mounts || :; }"
