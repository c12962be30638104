# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that user namespaces allow, by a user who is nobody else here and has no rights; inside and /proc agree."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, processes_with, workload
from test_info import user_namespaces_work
from unshare_test import extents

UID = random.Random(os.getpid()).randrange(1 << 20, 1 << 30)
USER = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups"]
TIME = os.path.exists("/proc/self/ns/time")


@pytest.fixture(scope="module")
def place():
    """nsscope, about, a root and a directory of the user's own, on the way to which everybody may go."""
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        top.chmod(0o755)
        shutil.copy(NSSCOPE, top / "nsscope")
        shutil.copy(workload("about"), top / "about")
        for path in ("root/proc", "root/sys", "root/dev", "root/tmp", "root/data", "host/dir"):
            (top / path).mkdir(parents=True)
        shutil.copy(workload("about"), top / "root/about")
        (top / "host/file").write_text("of the host\n")
        for path in [top / "root", top / "host", *(top / "root").rglob("*"), *(top / "host").rglob("*")]:
            os.chown(path, UID, UID)
        yield top


def user(place, *args, **kwargs):
    args = [str(arg).replace("%", str(place)) for arg in args]
    # Its /proc on descriptor 9, for about.
    return subprocess.run([*USER, "/bin/sh", "-c", 'exec 9</proc && exec "$@"', "sh", place / "nsscope", *args],
                          capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, cwd="/", **kwargs)


def told(done):
    assert (done.returncode, done.stderr) == (7, ""), done
    out = json.loads(done.stdout)
    out["status"] = dict(line.split(":\t", 1) for line in out["status"].splitlines())
    out["mounts"] = [line.split()[4:6] + line.split(" - ")[1].split()[:1] for line in out["mountinfo"].splitlines()]
    out["new"] = {name for name, link in out["ns"].items() if link and link != os.readlink(f"/proc/self/ns/{name}")}
    return out


def can_proc(place):
    """The kernel lets a new user namespace mount proc: nothing of the present one is covered."""
    return not subprocess.run([*USER, "unshare", "-r", "-p", "-f", "--mount-proc", "true"], capture_output=True, cwd="/").returncode


pytestmark = pytest.mark.skipif(not user_namespaces_work(), reason="user namespaces are not for everybody here")
BOTH = pytest.mark.parametrize("launch", [["run", "--no-observe"], ["unshare"]], ids=["run", "unshare"])
LETTERS = {"-u": {"uts"}, "-i": {"ipc"}, "-n": {"net"}, "-m": {"mnt"}, "-C": {"cgroup"}, "-p": {"pid", "pid_for_children"}}


@BOTH
@pytest.mark.parametrize("letter", LETTERS)
def test_each_namespace(place, launch, letter):
    fork = ["-f"] if letter == "-p" and launch == ["unshare"] else []
    assert told(user(place, *launch, "-U", letter, *fork, "--", "%/about", "7"))["new"] == LETTERS[letter] | {"user"}


@BOTH
def test_clocks(place, launch):
    if not TIME:
        pytest.skip("no time namespaces")
    new = told(user(place, *launch, "-U", "-T", *(["-f"] if launch == ["unshare"] else []), "--", "%/about", "7"))["new"]
    assert new == {"user", "time", "time_for_children"}
    if launch == ["unshare"]:
        done = user(place, *launch, "-r", "-T", "-f", "--boottime", "1000000", "--", "/bin/cat", "/proc/uptime")
        assert float(done.stdout.split()[0]) > 1000000


@BOTH
@pytest.mark.parametrize("options, uid_map, gid_map", [
    ([], [], []), (["-r"], [(0, UID, 1)], [(0, UID, 1)]), (["--map-user=5"], [(5, UID, 1)], []),
    (["--map-group=6"], [], [(6, UID, 1)]), (["--map-users=3:%d:1" % UID], [(3, UID, 1)], []),
    (["-c"], [(UID, UID, 1)], [(UID, UID, 1)])], ids=lambda x: " ".join(x) if x and isinstance(x[0], str) else "")
def test_maps(place, launch, options, uid_map, gid_map):
    if options == ["-c"] and launch[0] == "run":
        options = [f"--map-user={UID}", f"--map-group={UID}"]
    shown = told(user(place, *launch, "-U", *options, "--", "%/about", "7"))
    assert (extents(shown["uid_map"]), extents(shown["gid_map"])) == (uid_map, gid_map)
    inside = uid_map[0][0] if uid_map else 65534
    assert shown["status"]["Uid"].split() == [str(inside)] * 4
    assert shown["setgroups"] == ("deny\n" if gid_map else "allow\n")


def test_a_root_of_ones_own(place):
    proc = ["-p", "-m", "--mount-proc"] if can_proc(place) else ["-p", "-m"]
    shown = told(user(place, "run", "--no-observe", "-r", *proc, "-n", "-R", "%/root", "--bind", "%/host:/data", "--tmpfs", "/tmp:1M",
                      "--bind-ro", "%/host/file:/tmp/deep/file", "--hostname", "x", "--wd", "/data", "--", "/about", "7"))
    assert shown["new"] == {"user", "pid", "pid_for_children", "mnt", "net", "uts"}
    assert shown["cwd"] == "/data"
    points = {point: (flags.split(",")[0], kind) for point, flags, kind in shown["mounts"]}
    assert set(points) == {"/", "/data", "/tmp", "/tmp/deep/file"} | ({"/proc"} if len(proc) > 2 else set())
    assert points["/tmp"] == ("rw", "tmpfs") and points["/tmp/deep/file"][0] == "ro"
    assert sorted(p.name for p in (place / "root").iterdir()) == ["about", "data", "dev", "proc", "sys", "tmp"]
    assert not list((place / "root/tmp").iterdir())


def test_dev(place):
    shown = told(user(place, "run", "--no-observe", "-r", "-m", "-R", "%/root", "--dev", "--", "/about", "7"))
    assert {"/dev", "/dev/null", "/dev/pts", "/dev/urandom"} <= {point for point, _, _ in shown["mounts"]}


def test_overlay(place):
    done = user(place, "run", "--no-observe", "-r", "-m", "-R", "%/root", "--overlay", "--", "/about", "7")
    kernel = [int(n) for n in os.uname().release.split(".")[:2]]
    if kernel < [5, 11]:
        line, = done.stderr.splitlines()
        assert done.returncode == 125 and "Linux 5.11" in line
    else:
        assert [point for point, _, kind in told(done)["mounts"] if kind == "overlay"] == ["/"]


def test_hostname_loopback_and_rights(place):
    script = ("hostname; cat /proc/net/fib_trie | grep -c 127.0.0.1; ulimit -n; grep -E 'NoNewPrivs|CapBnd' /proc/self/status")
    done = user(place, "run", "--no-observe", "-r", "-u", "-n", "--hostname", "in", "--rlimit", "nofile=33:33", "--no-new-privs",
                "--cap-drop", "ALL", "--", "/bin/sh", "-c", script)
    assert done.returncode == 0, done
    name, addresses, files, bound, privs = [line.split()[-1] for line in done.stdout.splitlines()]
    assert (name, files, int(bound, 16), privs) == ("in", "33", 0, "1") and int(addresses) > 0


@BOTH
def test_proc(place, launch):
    if not can_proc(place):
        pytest.skip("proc cannot be mounted by everybody here")
    fork = ["-f"] if launch == ["unshare"] else []
    done = user(place, *launch, "-r", "-p", *fork, "--mount-proc", "--", "/bin/sh", "-c", "cd /proc; echo $$ [0-9]*")
    assert (done.returncode, done.stdout) == (0, "1 1\n"), done


def test_unshare_with_chroot_propagation_and_capabilities(place):
    shown = told(user(place, "unshare", "-r", "-m", "--propagation", "slave", "-R", "%/root", "-w", "/data", "--keep-caps", "--", "/about", "7"))
    assert shown["cwd"] == "/data" and int(shown["status"]["CapAmb"], 16) and shown["new"] == {"user", "mnt"}


@pytest.mark.parametrize("options", [[], ["-U", "-r"], ["-R", "%/root"], ["-U", "-n"]], ids=lambda o: " ".join(o) or "default")
def test_observing_takes_rights(place, options):
    """It says so in one line and stops."""
    mark = uuid.uuid4().hex
    done = user(place, "run", *options, "--", "echo", "ran", env={**os.environ, "MARK": mark})
    line, = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (125, "") and line.startswith("nsscope: ") and "--no-observe" in line
    assert not processes_with(mark)


def test_observed_unshare_without_rights(place):
    """It has no --no-observe to be told of."""
    done = user(place, "unshare", "-o", "text", "-r", "echo", "ran")
    line, = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "") and "without -o" in line and "--no-observe" not in line


@pytest.mark.parametrize("options, words", [
    (["-m"], ["root", "-U"]), (["-R", "%/root"], ["root", "-U"]), (["--hostname", "x"], ["root", "-U"]),
    (["-r", "--map-users=1:100000:5"], ["map"]), (["-U", "--uid", "5"], ["5", "not mapped"]), (["-r", "--uid", "5"], ["5", "not mapped"]),
    (["-r", "--net=%/host/file"], ["persistent", "root"]), (["-r", "--rlimit", "nofile=unlimited"], ["limit", "CAP_SYS_RESOURCE"])],
    ids=lambda x: " ".join(x))
def test_what_user_namespaces_do_not_allow(place, options, words):
    done = user(place, "run", "--no-observe", *options, "--", "echo", "ran")
    line, = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (125, "") and all(word in line for word in words), line
