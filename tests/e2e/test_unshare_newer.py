# SPDX-License-Identifier: GPL-2.0-or-later
"""What unshare(1) of Debian 12 lacks, or has wrong, and its messages; /proc is the witness."""
import fcntl
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess

import pytest
from nsscope_test import TIMEOUT, Stream, status_field
from unshare_test import (NOBODY, UTIL_LINUX, about, base, extents, finish, held,  # noqa: F401 (base is a fixture)
                          in_mount_namespace, ours, pairs, run, split, told)


def test_environment(base):
    env = {"PATH": "/usr/bin:/bin", "A": "1", "B": "2", "AB": "3", "C": "a=b\nc", "SHELL": "/bin/sh"}

    def environ(*options):
        return sorted(about(ours(base, *options, base / "about", env=env))["environ"])
    assert environ("--clear-env") == []
    assert environ("--whitelist-env", "A") == ["A=1"]
    assert environ("--whitelist-env", "A,C,none") == ["A=1", "C=a=b\nc"]
    assert environ("--whitelist-env", "A", "--clear-env", "--whitelist-env=B,", "-f") == ["A=1", "B=2"]
    assert environ("--whitelist-env", "") == []
    # The search of the command is that of an empty environment, and so is the shell.
    assert ours(base, "--clear-env", "true", env=env).returncode == 0
    assert ours(base, "--clear-env", "true", env={"PATH": "/nonexistent"}).returncode == 0
    assert ours(base, "--whitelist-env", "PATH", "true", env={"PATH": "/nonexistent"}).returncode == 127


def test_shell(base):
    shell = base / "root/about"
    done = about(ours(base, env={"SHELL": str(shell)}))
    assert done["argv"] == ["-about"]
    etc = base / "etc-shell"
    shutil.copytree(base / "etc", etc)
    (etc / "passwd").write_text(f"root:x:0:0:root:/:{shell}\nnobody:x:65534:65534::/:/bin/false\n"
                                f"user:x:77:77::/:{base}/about\n")
    for env in ({"PATH": "/bin"}, {"PATH": "/bin", "SHELL": ""}):
        assert about(ours(base, etc=etc, env=env))["argv"] == ["-about"]
    assert about(ours(base, "--clear-env", etc=etc, env={"SHELL": "/bin/false"}))["argv"] == ["-about"]
    # Who it is inside decides, as where the passwd is looked up after all else.
    assert about(ours(base, "-r", etc=etc, env={"PATH": "/bin"}, user=NOBODY))["argv"] == ["-about"]
    assert ours(base, "-c", etc=etc, env={"PATH": "/bin"}, user=NOBODY).returncode == 1
    assert about(ours(base, "-S", "77", etc=etc, env={"PATH": "/bin"}))["status"].count("Uid:\t77")


# By whom, and the user IDs that are mapped then: /etc/subuid gives root 1000 from 200000 on, nobody 65536 from 100000.
MAPPED = [
    (0, ["--map-users=0:100000:10"], [(0, 100000, 10)]),
    (0, ["--map-users=5:100000:10", "--map-users=20:100010:1"], [(5, 100000, 10), (20, 100010, 1)]),
    (0, ["--map-users=auto", "-r"], [(0, 0, 1), (1, 200000, 1000)]),
    (0, ["--map-auto", "--map-user=3"], [(3, 0, 1), (0, 200000, 3), (4, 200003, 997)]),
    (0, ["--map-subids"], [(200000, 200000, 1000)]),
    (NOBODY, ["--map-users=100000,5,10"], [(5, 100000, 10)]),
    (NOBODY, ["--map-users=5:100000:10", "--map-users=20:100010:1"], [(5, 100000, 10), (20, 100010, 1)]),
    (NOBODY, ["--map-users=auto", "-r"], [(0, NOBODY, 1), (1, 100000, 65536)]),
    (NOBODY, ["--map-auto", "-c"], [(NOBODY, NOBODY, 1), (0, 100000, NOBODY), (65535, 100000 + NOBODY, 2)]),
    (NOBODY, ["--map-auto", "--map-user=70000"], [(0, 100000, 65536), (70000, NOBODY, 1)]),
    (NOBODY, ["--map-users=subids"], [(100000, 100000, 65536)]),
    (NOBODY, ["--map-subids", "-r"], [(0, NOBODY, 1), (100000, 100000, 65536)]),
    (NOBODY, ["--map-users=10:100000:5", "--map-user=15"], [(15, NOBODY, 1), (10, 100000, 5)]),
    (NOBODY, ["--map-users=10:100000:5", "--map-user=14"], [(14, NOBODY, 1), (10, 100000, 4)]),
    (NOBODY, ["--map-users=10:100000:5", "--map-user=9"], [(9, NOBODY, 1), (10, 100000, 5)]),
    (NOBODY, ["--map-users=10:100000:5", "--map-user=12"], [(12, NOBODY, 1), (10, 100000, 2), (13, 100002, 2)]),
    (NOBODY, ["--map-user=0", "--map-user=1"], [(1, NOBODY, 1)]),
]


@pytest.mark.parametrize("user, options, uid_map", MAPPED, ids=[f"{user} {' '.join(o)}" for user, o, _ in MAPPED])
def test_maps(base, options, uid_map, user):
    env = {"PATH": f"{base}/helpers:/usr/bin:/bin"}
    if os.statvfs(base).f_flag & os.ST_NOSUID:
        pytest.skip(f"{base} is nosuid")
    done = about(ours(base, *options, base / "about", user=user, etc=base / "etc", env=env))
    assert pairs(extents(done["uid_map"])) == pairs(uid_map)


def test_map_all(base):
    """All that the present namespace has, the same inside."""
    assert extents(about(ours(base, "--map-users=all", base / "about"))["uid_map"]) == [(0, 0, 4294967295)]
    within = about(ours(base, "--map-users=0:100000:10", "--map-users=20:300000:10", "--map-groups=3:300:4", "-S", "0",
                        "-G", "3", base / "nsscope", "unshare", "--map-users=all", "--map-groups=all", base / "about"))
    assert sorted(extents(within["uid_map"])) == [(0, 0, 10), (20, 20, 10)]
    assert extents(within["gid_map"]) == [(3, 3, 4)]


def test_map_all_with_one(base):
    done = about(ours(base, "--map-users=all", "--map-user=7", base / "about"))
    # 7 is root, and the others make way in order: one less is mapped.
    assert sorted(extents(done["uid_map"])) == [(0, 1, 7), (7, 0, 1), (8, 8, 4294967287)]


@pytest.mark.parametrize("seed", range(24))
def test_random_maps(base, seed):
    """Against the definition, by lists: both sides without the one ID, paired in order; the kernel has the verdict."""
    rng = random.Random(seed)
    ranges = [(rng.randrange(60), 1000 + rng.randrange(60), rng.randrange(1, 20)) for _ in range(rng.randrange(1, 5))]
    options = [f"--map-groups={i}:{o}:{n}" for i, o, n in ranges]
    one = rng.randrange(70) if rng.random() < 0.6 else None
    user = rng.choice([0, 1000 + rng.randrange(60)])
    expected = [] if one is None else [(one, user)]
    options += [] if one is None else [f"--map-group={one}"]
    for inner, outer, n in ranges:
        inners = [x for x in range(inner, inner + n) if x != one]
        outers = [x for x in range(outer, outer + n) if one is None or x != user]
        expected += zip(inners, outers)
    overlap = len({i for i, _ in expected}) < len(expected) or len({o for _, o in expected}) < len(expected)
    # Root in all but the group.
    script = ["setpriv", "--regid", str(user), "--clear-groups", base / "nsscope", "unshare", *options]
    done, dry = run([*script, base / "about"]), run([*script, "--dry-run", base / "about"])
    assert done.returncode == dry.returncode == int(overlap), (done, dry, expected)
    if overlap:
        assert done.stderr.count(b"\n") == 1 and b"overlap" in done.stderr
        return
    assert pairs(extents(json.loads(done.stdout)["gid_map"])) == set(expected)
    printed = dry.stdout.decode().split("gid_map:\n")[1].splitlines()
    assert pairs(extents("\n".join(line for line in printed if ".." not in line))) == set(expected)
    holes = [tuple(int(n) for n in line.split()[0].split("..")) for line in printed if ".." in line]
    inside = sorted({i for i, _ in expected})
    free = [x for x in range(200) if x not in inside]
    assert [x for first, last in holes for x in range(first, min(last, 199) + 1)] == free
    assert holes[-1][1] == 4294967294


@pytest.mark.parametrize("options", [
    ["--map-users=0:100000:10", "--map-users=9:200000:1"], ["--map-users=0:100000:10", "--map-users=20:100009:1"],
    ["--map-users=0:0:0"], ["--map-users=1:1:4294967295"], ["--map-users=4294967295:1:1"],
    ["--map-users=1:99999999999:1"],
    ["--map-users=1:1:1:1"], ["--map-users=1:1,1"], ["--map-users=-1:1:1"], ["--map-user=4294967295"],
    ["--map-user=4294967296"], ["--owner=1"], ["--owner=1:x"], ["--owner", "root:root"], ["-S", "4294967296"],
    ["--map-users=auto"], ["--map-subids"], ["--kill-child=0"]], ids=" ".join)
def test_bad_values(base, options):
    """Where /etc/subuid has no line for the user, or does not exist."""
    done = ours(base, *options, base / "about", etc=base / "etc" if "--map-users=auto" not in options else None, user=2)
    assert (done.returncode, done.stdout) == (1, b"") and done.stderr.count(b"\n") == 1, done


def test_many_ranges(base):
    """340 is the kernel's limit, and 4 KiB of text."""
    def options(n, first=0):
        return [f"--map-users={first + 2 * i}:{first + 2 * i}:1" for i in range(n)]
    done = about(ours(base, *options(300), base / "about"))
    assert len(extents(done["uid_map"])) == 300
    for bad in (options(341), options(200, 1000000000)):
        done = ours(base, *bad, base / "about")
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1, done


def test_helper_fails(base):
    env = {"PATH": f"{base}/helpers:/usr/bin:/bin"}
    if os.statvfs(base).f_flag & os.ST_NOSUID:
        pytest.skip(f"{base} is nosuid")
    done = ours(base, "--map-users=0:5:10", base / "about", user=NOBODY, env=env)
    assert (done.returncode, done.stdout) == (5, b"") and done.stderr.startswith(b"newuidmap: 5 may not be mapped\n")
    done = ours(base, "--map-users=0:5:10", base / "about", user=NOBODY, env={"PATH": "/nonexistent"})
    assert (done.returncode, done.stdout) == (127, b"") and done.stderr.count(b"\n") == 1


def owner_of(pid):
    with open(f"/proc/{pid}/ns/user", "rb") as file:
        return struct.unpack("I", fcntl.ioctl(file, 0xb704, struct.pack("I", 0)))[0]  # NS_GET_OWNER_UID


def test_owner(base):
    process = held([base / "nsscope", "unshare", "--owner", "1000:1001", "-r", "sh", "-c",
                    "echo ready; exec sleep 1000"])
    try:
        assert owner_of(process.pid) == 1000
        # Mapped is who called, as util-linux has it; who owns is another.
        assert extents(pathlib.Path(f"/proc/{process.pid}/uid_map").read_text()) == [(0, 0, 1)]
        assert status_field(process.pid, "Uid").split() == ["1000"] * 4
        assert status_field(process.pid, "Gid").split() == ["1001"] * 4
        assert status_field(process.pid, "Groups") == ""
    finally:
        finish(process)
    done = ours(base, "--owner", "1000:1001", base / "about", user=NOBODY)
    assert done.returncode == 1 and b"root" in done.stderr and done.stderr.count(b"\n") == 1


def binfmt_in_user_namespaces():
    release = tuple(int(n) for n in os.uname().release.split(".")[:2])
    return release >= (6, 7) and "binfmt_misc" in pathlib.Path("/proc/filesystems").read_text()


@pytest.mark.skipif(not binfmt_in_user_namespaces(), reason="no binfmt_misc in user namespaces")
def test_binfmt(base):
    spec = f":test:M::MAGIC::{base}/about:"
    (base / "magic").write_text("MAGIC and more")
    (base / "magic").chmod(0o755)
    for user in (0, NOBODY):
        done = about(ours(base, "-r", "-pf", "-l", spec, base / "magic", user=user))
        assert done["argv"] == [str(base / "about"), str(base / "magic")]
        assert any("/proc/sys/fs/binfmt_misc" in line for line in done["mountinfo"].splitlines())
        done = about(ours(base, "-rpf", "--mount-proc", "--mount-binfmt", base / "about", user=user))
        assert sum(" - binfmt_misc " in line for line in done["mountinfo"].splitlines()) == 1
    assert ours(base, "-rpf", "-l", "nonsense", base / "about").returncode == 1


def test_setgroups_deny_with_maps(base):
    """The manual says that -r implies it; 2.38.1 says EPERM if it is said too."""
    for options in (["-r"], ["-c"], ["--map-groups=0:0:10"], ["--map-groups=0:0:10", "--map-group=3"]):
        assert about(ours(base, *options, "--setgroups=deny", base / "about"))["setgroups"] == "deny\n"
    assert about(ours(base, "--map-groups=0:0:10", base / "about"))["setgroups"] == "allow\n"


# Messages.

def test_hints(base):
    def hint(*options, user=NOBODY):
        done = ours(base, *options, "true", user=user)
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1, done
        return done.stderr.decode()
    assert "root, or -U" in hint("-p")
    assert "root, or -U" in hint("-m")
    assert "-p -f" in hint("-r", "--mount-proc")
    assert "touch" in hint("--uts=/none", user=0)
    assert "not mapped" in hint("-U", "-S", "7", user=0)


def test_hint_of_masked_proc(base):
    done = in_mount_namespace(base, "mount -t tmpfs t /proc/sys/kernel && exec setpriv --reuid 65534 --regid 65534 "
                              "--clear-groups $N unshare -rpf --mount-proc true")
    assert done.returncode == 1 and b"masked" in done.stderr and done.stderr.count(b"\n") == 1, done


def test_hint_of_limit(base):
    done = run([UTIL_LINUX, "-r", "sh", "-c", 'echo 0 >/proc/sys/user/max_uts_namespaces && exec "$@"', "sh",
                base / "nsscope", "unshare", "-u", "true"])
    assert done.returncode == 1 and b"max_*_namespaces" in done.stderr and b"uts" in done.stderr, done


def test_help_and_version(base):
    for option in ("--help", "-h", "--version", "-V"):
        done = ours(base, option)
        assert done.returncode == 0 and done.stdout and not done.stderr
        with open("/dev/full", "wb") as full:
            done = subprocess.run([base / "nsscope", "unshare", option], stdout=full, stderr=subprocess.PIPE,
                                  timeout=TIMEOUT)
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1


# Observed.

OBSERVED = ["-u", "-Ur", "-rpf --mount-proc", "-uinmCT -pf", "-c --keep-caps", "-f -S 1 -G 1",
            "-rR {base}/root -w /w -- /about", "-w {base}/none", "-x", "-- /nonexistent", "-f -- {base}/not-executable",
            "-f -- {base}/about 7", "-- {base}/about 125", "-f -- sh -c 'kill -TERM $$'", "-- sh -c 'kill -HUP $$'",
            "--uts={base}/none", "--boottime 1", "-f --kill-child", "-UrTf --boottime=86400 --monotonic=1000", "-m --propagation slave",
            "-rpf -- sh -c 'echo out; exit 9'"]


@pytest.mark.parametrize("case", OBSERVED)
def test_observed_is_the_same(base, case, tmp_path):
    words = split(case, base)
    file = tmp_path / "events.json"
    observed = ours(base, "-o", f"json={file}", *words)
    plain = ours(base, *words)
    assert observed.returncode == plain.returncode and observed.stderr == plain.stderr, (observed, plain)
    told_ = [told(observed.stdout), told(plain.stdout)]
    for each in told_:
        # The supervisor's belt: the command dies with nsscope.
        if isinstance(each, dict) and "-f" not in case and "-pf" not in case:
            each.pop("death_signal")
    assert told_[0] == told_[1]
    if case == "-x":
        return
    stream = Stream(file.read_bytes()).complete()
    asked = {"-u": {"CLONE_NEWUTS"}, "-Ur": {"CLONE_NEWUSER"},
             "-rpf --mount-proc": {"CLONE_NEWUSER", "CLONE_NEWPID", "CLONE_NEWNS"}}.get(case)
    if asked:
        assert [set(e["unshare"]["flags"]) for e in stream.of("unshare")] == [asked]
    if "--mount-proc" in case:
        assert [e["mount"]["fstype"] for e in stream.of("mount") if e["mount"]["op"] == "new"] == ["proc"]
    if "--propagation" in case:
        assert [e["mount"]["flags"] for e in stream.of("mount")] == [["MS_REC", "MS_SLAVE"]]


def test_observed_forwards_signals(base):
    process = held([base / "nsscope", "unshare", "-o", "json=/dev/null", "-pf", "--forward-signals", "sh", "-c",
                    'trap "exit 44" TERM; echo ready; while :; do sleep 0.01; done'])
    process.terminate()
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 44


# --dry-run.

def test_dry_run(base):
    done = ours(base, "--dry-run", "-rpf", "--mount-proc", "--map-users=0:100000:65536", "-R", "/nonexistent", "true")
    assert done.returncode == 0 and not done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "unshare the namespaces mnt,pid,user"
    order = [lines.index(x) for x in ("fork", "chroot to /nonexistent", "mount proc on /proc", "execute true")]
    assert order == sorted(order)
    maps = lines[lines.index("uid_map:"):]
    assert maps[:3] == ["uid_map:", "         0          0          1", "         1     100000      65535"]
    assert maps[3] == "65536..4294967294 not mapped"
    done = run([base / "nsscope", "run", "--dry-run", "-c", "--map-users=0:100000:10", "--uts=/none", "touch",
                base / "ran"])
    assert done.returncode == 0 and not (base / "ran").exists(), done
    assert done.stdout.startswith(b"clone into new namespaces: ")
    assert b"make a namespace persistent on /none\n" in done.stdout


def test_run_maps(base, tmp_path):
    """run takes the same options."""
    def uid_map(*options, **kwargs):
        done = run([base / "nsscope", "run", "-o", "text=/dev/null", *options, base / "about"], **kwargs)
        return about(done)
    done = uid_map("--map-users=0:100000:10", "--map-groups=0:200000:10", "-r")
    assert extents(done["uid_map"]) == [(0, 0, 1), (1, 100000, 9)] and done["setgroups"] == "allow\n"
    assert done["ns"]["user"] != os.readlink("/proc/self/ns/user")
    done = uid_map("-c", "--setgroups=deny")
    assert extents(done["uid_map"]) == [(0, 0, 1)] and done["setgroups"] == "deny\n"
    assert extents(uid_map("--map-auto", etc=base / "etc")["gid_map"]) == [(0, 200000, 1000)]
    for bad in (["--map-users=0:0:5", "--map-users=4:9:1"], ["--map-users=auto"], ["-r", "--setgroups=allow"]):
        done = run([base / "nsscope", "run", "-o", "text=/dev/null", *bad, base / "about"])
        assert done.returncode == 125 and done.stderr.count(b"\n") == 1 and not done.stdout, done
