# SPDX-License-Identifier: GPL-2.0-or-later
"""stat --namespaces: what it says that it made, it made; what it could not, it says."""
import collections
import os
import pathlib
import re
import subprocess

from nsscope_test import NSSCOPE, parse_line, working_backends

SETS = {
    "none": set(), "cgroup": {"cgroup"}, "ipc": {"ipc"}, "mnt": {"mnt"}, "net": {"net"}, "pid": {"pid"}, "time": {"time"},
    "user": {"user"}, "uts": {"uts"}, "pid+mnt": {"pid", "mnt"}, "run": {"pid", "mnt", "uts", "ipc", "cgroup"},
    "container": {"pid", "mnt", "uts", "ipc", "cgroup", "net"},
    "rootless": {"pid", "mnt", "uts", "ipc", "cgroup", "net", "user", "time"},
}
FLAGS = {"CLONE_NEWNS": "mnt"} | {f"CLONE_NEW{name.upper()}": name for name in SETS["rootless"] - {"mnt"}}


def stat(*options, prefix=()):
    return subprocess.run([*prefix, NSSCOPE, "stat", "--namespaces", *options], capture_output=True, text=True, timeout=120)


def report(done):
    assert (done.returncode, done.stderr) == (0, "")
    out = parse_line(done.stdout.rstrip("\n").encode())
    assert out["release"] == os.uname().release and (out["cpu"] or "") == cpu_model()
    assert {s["name"]: set(s["namespaces"]) for s in out["sets"]} == SETS
    return {s["name"]: s for s in out["sets"]}


def test_each_sample_is_a_child(tmp_path):
    """strace counts the calls of clone3 that made a child, by the namespaces that they made."""
    trace = tmp_path / "trace"
    done = stat("--json", "--samples", "3", prefix=["strace", "-f", "--seccomp-bpf", "-e", "trace=clone3", "-o", trace])
    sets = report(done)
    again = 0 if parse_line(done.stdout.rstrip("\n").encode())["kernel"]["error"] else 3  # with hooks
    made = collections.Counter()
    for call in re.findall(r"clone3\(\{flags=([^,]*), .*? = \d+$", trace.read_text(), re.M):
        names = [FLAGS[flag] for flag in call.split("|") if flag != "0"]
        made[frozenset(names)] += 1
    # calls that strace saw the end of apart from their beginning
    made[None] = len(re.findall(r"<\.\.\. clone3 resumed>.*? = \d+$", trace.read_text(), re.M))
    told = 3 + again  # the first are not told: they are of cold caches
    for name, row in sets.items():
        for way, workers in (("alone", 1), ("parallel", row["parallel"]["workers"])):
            assert row[way]["error"] is None and row[way]["workers"] == workers >= (way == "parallel") + 1
            assert row[way]["make_ns"]["samples"] == row[way]["end_ns"]["samples"] == 3 * workers
            if name == "none":
                assert row[way]["gone_ns"] is None
            else:
                assert row[way]["gone_ns"]["samples"] == 3 * workers
            # one more makes the last but one gone
            told += 3 * workers + (4 * workers if name != "none" else 0)
            for measure in ("make_ns", "end_ns", "gone_ns"):
                if row[way][measure]:
                    m = row[way][measure]
                    assert 0 < m["p50"] <= m["p90"] <= m["p99"] <= m["max"]
        if not made[None]:
            assert made[frozenset(SETS[name])] == 3 + 3 * row["parallel"]["workers"] + \
                (4 + 4 * row["parallel"]["workers"] if name != "none" else 0) + (again if name == "rootless" else 0) + (3 if name == "none" else 0)
    assert sum(made.values()) == told


def cpu_model():
    """As the kernel names it; arm64 names none."""
    found = re.search(r"^model name\s*: *(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1][:71] if found else ""


def test_table_has_the_ground_and_every_row():
    done = stat("--samples", "2")
    assert (done.returncode, done.stderr) == (0, "")
    release = subprocess.check_output(["uname", "-r"], text=True).strip()
    head, ground, model, *lines = done.stdout.splitlines()
    assert release in head and re.match(r"\d+ CPUs?, load [\d.]+, \d{4}-\d\d-\d\dT[\d:]+Z", ground)
    assert model == cpu_model()
    rows = collections.Counter(line.split("|")[0].strip() for line in lines if line.count("|") == 2)
    assert {name: rows[name] for name in SETS} == {name: 3 - (name == "none") for name in SETS}
    assert max(map(len, done.stdout.splitlines())) < 80
    assert "2 samples of each worker" in done.stdout


def test_kernel_time_is_inside_the_call():
    """Where fentry is allowed: each function once for each child, and all of them in less time than the calls took."""
    done = stat("--json", "--samples", "5")
    kernel = parse_line(done.stdout.rstrip("\n").encode())["kernel"]
    if kernel["error"]:
        assert "fentry" not in working_backends()
        assert all(function["time_ns"] is None for function in kernel["functions"])
        return
    assert {function["namespace"] for function in kernel["functions"]} == SETS["rootless"]
    for function in kernel["functions"]:
        assert function["time_ns"]["samples"] == 5 and function["time_ns"]["p50"] > 0


def test_a_limit_is_said():
    """In a user namespace where no network namespace may be made."""
    sets = report(stat("--json", "--samples", "1", prefix=["unshare", "-Ur", "sh", "-c",
                       'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"', "sh"]))
    for name, row in sets.items():
        if "net" in SETS[name]:
            assert "No space left on device" in row["alone"]["error"] and "max_*_namespaces" in row["alone"]["error"]
            assert row["alone"]["make_ns"] is None
        else:
            assert row["alone"]["error"] is None


def test_no_rights_is_one_line():
    """Without rights, and where no user namespace may be made."""
    done = stat("--samples", "1", prefix=["unshare", "-Ur", "sh", "-c",
                'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -all --inh-caps -all "$@"', "sh",
                "setpriv", "--no-new-privs"])
    assert done.returncode == 125 and done.stdout == ""
    assert done.stderr.startswith("nsscope: no namespace can be made: ") and done.stderr.count("\n") == 1


def test_takes_no_command():
    done = stat("true")
    assert done.returncode == 125 and done.stderr.count("\n") == 1 and "give no command" in done.stderr
