# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces, users and cgroups, against readlink, the owners of files and the inodes of cgroup directories."""
import os
import pathlib
import subprocess
import uuid

import pytest
from nsscope_test import check_marks, of_process, poll, workload

FLAGS = {"cgroup": "CLONE_NEWCGROUP", "ipc": "CLONE_NEWIPC", "mnt": "CLONE_NEWNS", "net": "CLONE_NEWNET",
         "pid": "CLONE_NEWPID", "time": "CLONE_NEWTIME", "user": "CLONE_NEWUSER", "uts": "CLONE_NEWUTS"}


def test_every_kind_by_clone_and_unshare(run):
    result = run("-m", "--", workload("nsmake"))
    pairs = {r["at"]: (r, e) for r, e in check_marks(result)}
    start = pairs["start"][0]["ns"]
    for kind in [*FLAGS, "all"]:
        types = sorted(FLAGS) if kind == "all" else [kind]
        for by in ("clone", "unshare"):
            report, event = pairs[f"{by}:{kind}"]
            history = of_process(result, event)
            created = [e["ns_create"] for e in history if e["type"] == "ns_create"]
            assert sorted(c["type"] for c in created) == types
            for c in created:
                name = c["type"] + "_for_children" if c["type"] in ("pid", "time") and by == "unshare" else c["type"]
                assert c["inum"] == report["ns"][name] not in (0, start[c["type"]])
                assert c["by"] == by
                # A namespace made with a user namespace is that one's; a user namespace is its parent's.
                assert c["owner"] == (start["user"] if c["type"] == "user" else report["ns"]["user"])
            ids = [c["id"] for c in created]
            assert None in ids or len(set(ids)) == len(ids)
            if by == "clone":
                assert history[0]["type"] == "fork"
                assert sorted(history[0]["fork"]["new_ns"]) == types
                assert sorted(history[0]["fork"]["flags"]) == sorted(FLAGS[t] for t in types)
            else:
                call, = [e for e in history if e["type"] == "unshare"]
                assert sorted(call["unshare"]["flags"]) == sorted(FLAGS[t] for t in types)
                below = pairs[f"below:{kind}"][0]["ns"]
                for t in types:
                    assert below[t] == [c for c in created if c["type"] == t][0]["inum"]


@pytest.mark.parametrize("options", [[], ["-p"], ["-U"], ["-U", "-r"], ["-U", "-r", "-p", "-m"], ["-n", "-u"], ["-T"],
                                     ["-i", "-C"], ["-p", "-m", "-u", "-i", "-n", "-C", "-U", "-T"]],
                         ids=lambda options: "".join(options).replace("-", "") or "default")
def test_run_options(run, options):
    result = run(*options, "--", workload("nest"), "0")
    letters = {"p": "pid", "m": "mnt", "u": "uts", "i": "ipc", "n": "net", "C": "cgroup", "U": "user", "T": "time"}
    new = {letters[o[1]] for o in options if o != "-r"} or {"pid", "mnt", "uts", "ipc", "cgroup"}
    for report, event in check_marks(result):
        assert event["host"]["uid"] == os.getuid() and event["host"]["gid"] == os.getgid()
        if "-U" in options:
            assert report["uid"] == (0 if "-r" in options else 65534)
        for name in FLAGS:
            own = int(os.readlink(f"/proc/self/ns/{name}").split("[")[1][:-1])
            assert (event["ns"][name] != own) == (name in new)
    made = {e["ns_create"]["type"]: e["ns_create"]["inum"] for e in result.of("ns_create")}
    assert set(made) == new
    for name, inum in made.items():
        assert inum == result.reports[0]["ns"][name]
    assert sum(e["ns_create"]["type"] in new for e in result.of("ns_create")) == len(new)


@pytest.mark.parametrize("extents", [1, 5, 6, 40])
def test_id_map(run, tmp_path, extents):
    here = tmp_path / "files"
    here.mkdir()
    here.chmod(0o1777)
    result = run(workload("idmap"), str(extents), cwd=here)
    pairs = check_marks(result)
    assert len(pairs) == extents
    for report, event in pairs:
        owner = (here / str(report["uid"])).stat()
        assert (event["host"]["uid"], event["host"]["gid"]) == (owner.st_uid, owner.st_gid)
        assert (event["inside"]["uid"], event["inside"]["gid"]) == (report["uid"], report["gid"])
        assert owner.st_uid > 100000


def test_plain_user(run):
    result = run("--", "setpriv", "--reuid", "1234", "--regid", "2345", "--clear-groups", workload("nest"), "-1",
                 status=7)
    (_, event), = check_marks(result)
    for side in ("host", "inside"):
        assert (event[side]["uid"], event[side]["gid"]) == (1234, 2345)


@pytest.fixture
def cgroups():
    root = pathlib.Path("/sys/fs/cgroup/unified")
    if not root.is_dir():
        root = pathlib.Path("/sys/fs/cgroup")
    assert (root / "cgroup.procs").exists()
    dirs = [root / f"nsscope-{uuid.uuid4().hex}" for _ in range(2)]
    for path in dirs:
        path.mkdir()
    yield dirs
    for path in dirs:
        path.rmdir()


def test_cgroup_id(run, cgroups):
    first, second = cgroups
    result = run("sh", "-c", f"echo $$ >{second}/cgroup.procs && exec true",
                 prefix=["sh", "-c", f'echo $$ >{first}/cgroup.procs && exec "$0" "$@"'])
    assert [e["cgroup_id"] for e in result.of("exec")] == [first.stat().st_ino, second.stat().st_ino]
    assert result.of("fork")[0]["cgroup_id"] == first.stat().st_ino
    assert result.of("exit")[-1]["cgroup_id"] == second.stat().st_ino
    # With fentry, a process of nsscope's lets go of the hooks meanwhile.
    poll(lambda: subprocess.check_output(["cat", first / "cgroup.procs"]) == b"", "an empty cgroup")
