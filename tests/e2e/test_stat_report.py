# SPDX-License-Identifier: GPL-2.0-or-later
"""stat: what it shows, of whom, and that a log of the events and strace tell the same."""
import collections
import fcntl
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios

import nsscope_test
import pytest
from nsscope_test import NSSCOPE, PID_NS_NUMBER_TWICE, poll, scaled, workload
from stat_report import Report, Stat, counted, waits_missed


@pytest.fixture
def stat(tmp_path):
    return lambda *args, **more: Stat(tmp_path, *args, **more)


def test_calls_as_strace_counts_them(stat, tmp_path):
    """unshare, setns, mount, umount, and those that fail: by strace, in another run."""
    script = (f"for i in 1 2 3; do unshare -m mount -t tmpfs none {tmp_path}; done; nsenter -t $$ -u true; "
              "mount --bind / /nonexistent; umount /nonexistent")
    names = {"unshare": "unshare", "setns": "setns", "mount": "mount", "umount2": "umount"}
    log = tmp_path / "strace"
    subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", f"trace={','.join(names)}", "sh", "-c", script],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    want = collections.Counter(names[name] + "_failed" * (result == "-1")
                               for name, result in re.findall(r"^\d+ +(\w+)\(.* = (\S+)", log.read_text(), re.M))
    phases = stat("--", "sh", "-c", script, status=32 if want["umount_failed"] else 1).report.phases()
    assert want["unshare"] == 3 and want["mount"] >= 6 and want["setns"] == 1 and want["mount_failed"] == 1
    told = {name: phases[name]["count"] for base in names.values() for name in (base, f"{base}_failed") if name in phases}
    assert told == want


def test_histograms_agree_with_a_log(tmp_path):
    """Of the same processes: nsscope run logs what stat -p adds up; each reads the clock for itself, some us apart."""
    n, file, log = scaled(2000), tmp_path / "stat.json", tmp_path / "log.json"
    run = subprocess.Popen([NSSCOPE, "run", "-m", "--only", "process", "-o", f"json={log}", "--", "sh", "-c",
                            f"echo $$; read go; exec {workload('storm')} {n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(run.stdout.readline())
    stat = subprocess.Popen([NSSCOPE, "stat", "-p", str(pid), "-i", "1", "-o", f"json={file}"])
    poll(lambda: file.exists() and b"\n" in file.read_bytes(), "stat to begin")
    run.communicate(b"\n", timeout=nsscope_test.TIMEOUT)
    stat.send_signal(signal.SIGINT)
    assert (run.returncode, stat.wait(nsscope_test.TIMEOUT)) == (0, 0)
    report = Report(file.read_bytes().splitlines()[-1])
    stream = nsscope_test.Stream(log.read_bytes()).complete()
    times = collections.defaultdict(dict)
    for e in stream.events:
        times[e["host"]["pid"]][e["type"]] = e["mono_ns"]
    times.pop(pid)
    times = times.values()
    assert report.counts["forks"] == n + 2
    check_phase(report.phases()["life"], [t["exit"] - t["fork"] for t in times])
    check_phase(report.phases()["fork_exec"], [t["exec"] - t["fork"] for t in times if "exec" in t])


def check_phase(phase, logged):
    """Of each bar's end: as many are below it by the log, but for those that the clocks' distance may have moved over it."""
    assert phase["count"] == len(logged)
    below, apart, strays = 0, 50000 * nsscope_test.SCALE, max(2, len(logged) // 50)
    for bar in phase["histogram"]:
        below += bar["count"]
        assert sum(ns < bar["to_ns"] - apart for ns in logged) - strays <= below
        assert below <= sum(ns < bar["to_ns"] + apart for ns in logged) + strays
    assert abs(phase["sum_ns"] - sum(logged)) <= len(logged) * apart


def test_by_comm(stat):
    report = stat("--by", "comm", "--", "sh", "-c", "/bin/true; /bin/true; exec /bin/true").report
    assert [g.get("name") for g in report.groups if g["is"] == "one"][:1] == ["true"]
    assert report.one(name="true")["life"]["count"] == 3
    assert report.one(name="sh")["exec"]["count"] == 1
    assert {s["comm"]: s["made"] for s in report.all["most_spawning"]} == {"sh": 2, "nsscope": 1}
    assert {s["comm"]: s["count"] for s in report.all["shortest_lived"]} == {"true": 3}
    assert {s["is"] for s in report.all["shortest_lived"]} == {"one"}


def ticks(ns):
    """As /proc/PID/stat has it."""
    return ns * os.sysconf("SC_CLK_TCK") // 10**9


def test_parents_with_one_pid_and_name(stat):
    """Three, one after the other, in a PID namespace where nobody else takes numbers: told apart by when they were started."""
    done = stat("--by", "parent", "--", workload("pidns"), "parents", prefix=["unshare", "-p", "-f", "--mount-proc"])
    started, report = [int(line) for line in done.stdout.splitlines()], done.report
    groups = [g for g in report.groups if g.get("id") == 4242]
    assert [(ticks(g["start_ns"]), g["name"], report.named(g)["fork"]["count"]) for g in groups] == [
        (at, "pidns", made) for at, made in zip(reversed(started), (3, 2, 1))]
    assert len({g["start_ns"] for g in groups}) == 3
    most = [(s["made"], s["pid"], s["comm"], s["start_ns"]) for s in report.all["most_spawning"] if s["pid"] == 4242]
    assert most == [(made, 4242, "pidns", g["start_ns"]) for made, g in zip((3, 2, 1), groups)]
    text = subprocess.run(["unshare", "-p", "-f", "--mount-proc", NSSCOPE, "stat", "--by", "parent", "--", workload("pidns"), "parents"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, timeout=nsscope_test.TIMEOUT, text=True).stderr
    assert sorted(set(re.findall("4242.*pidns$", text, re.M)) - {"4242  pidns"}) == ["4242 pidns", "4242#2 pidns", "4242#3 pidns"]


def test_namespaces_with_one_number(stat):
    """The kernel soon gives the number of a PID namespace that has ended to a new one."""
    done = stat("--by", "ns", "--", "sh", "-c", PID_NS_NUMBER_TWICE)
    inums = [int(line[5:-1]) for line in done.stdout.splitlines()]
    groups = [g["id"] for g in done.report.groups if g.get("id") in inums]
    assert len(set(inums)) == len(inums) - 1 and sorted(groups) == sorted(inums)


def test_by_ns(stat):
    done = stat("--by", "ns", "--", "sh", "-c", "readlink /proc/self/ns/pid; unshare -pf --mount-proc readlink /proc/self/ns/pid")
    outer, inner = (int(line[5:-1]) for line in done.stdout.splitlines())
    report = done.report
    assert outer != inner and {g.get("id") for g in report.groups[1:]} == {outer, inner}
    assert report.one(id=inner)["life"]["count"] == 1 and report.one(id=outer)["life"]["count"] == 3
    assert "mount" in report.one(id=inner)


def test_by_image(stat, tmp_path):
    """What exec was given; of a path of more than 47 bytes only the end."""
    script, copy = tmp_path / ("s" * 20), tmp_path / ("c" * 100)
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    shutil.copy("/bin/true", copy)
    exact, longer = (pathlib.Path("/tmp/" + c * n) for c, n in (("e", 42), ("f", 43)))
    try:
        for path in (exact, longer):
            path.symlink_to("/bin/true")
        report = stat("--by", "image", "--", "/bin/sh", "-c", f"{script}; {copy}; {exact}; {longer}; (exit 3); :").report
    finally:
        exact.unlink()
        longer.unlink()
    for path in (script, copy, exact, longer):
        assert report.one(name=shown(str(path)))["life"]["count"] == 1
    assert len(shown(str(exact))) == 47 and shown(str(longer)).startswith(".../fff")
    assert report.one(name="/bin/sh")["life"]["count"] == 2


def shown(path):
    """A path as --by image shows it."""
    return path if len(path) < 48 else "..." + path[-44:]


def cgroup2():
    """Where cgroup2 is mounted here."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, target, fstype, *_ = line.split()
        if fstype == "cgroup2":
            return pathlib.Path(target)
    return None


@pytest.fixture
def cgroup():
    if not cgroup2():
        pytest.skip("no cgroup2 is mounted")
    path = cgroup2() / f"nsscope-test-{os.getpid()}"
    path.mkdir()
    yield path
    path.rmdir()


def test_by_cgroup(stat, cgroup):
    script = f"sh -c 'echo $$ > {cgroup}/cgroup.procs; /bin/true; /bin/true; :'"
    report = stat("--by", "cgroup", "--", "sh", "-c", script + "; :").report
    assert report.one(name=str(cgroup))["life"]["count"] == 3
    assert report.one(id=cgroup.stat().st_ino)["life"]["count"] == 3
    assert report.phases()["life"]["count"] == 4


def test_by_a_cgroup_that_is_gone(stat):
    """By the name that it had in the one above, which is no path."""
    if not cgroup2():
        pytest.skip("no cgroup2 is mounted")
    name = f"nsscope-gone-{os.getpid()}"
    path = cgroup2() / name
    script = f"mkdir {path}; sh -c 'echo $$ > {path}/cgroup.procs; /bin/true; :'; rmdir {path}"
    assert stat("--by", "cgroup", "--", "sh", "-c", script).report.one(name=name)["life"]["count"] == 2


def test_only_a_cgroup(stat, cgroup):
    script = f"/bin/true; sh -c 'echo $$ > {cgroup}/cgroup.procs; /bin/true; /bin/true; :'; :"
    report = stat("--cgroup", str(cgroup), "--by", "image", "--", "sh", "-c", script).report
    assert report.counts["forks"] == 2 and report.one(name="/bin/true")["life"]["count"] == 2


def test_more_groups_than_there_is_room_for(stat):
    """The rest is of one more group, and nothing of it is lost."""
    done = stat("--by", "comm", "--", workload("spawns"), "names", "2000")
    report = done.report
    rest, = [g for g in report.groups if g["is"] == "rest"]
    assert len(report.groups) > 1000 and Report.named(rest)["life"]["count"] > 0
    assert report.counts["missed"] == waits_missed(done)
    lives = report.all["shortest_lived"]
    assert sum(s["count"] for s in lives) == 2001 and [s["is"] for s in lives].count("rest") == 1
    for phase in ("clone", "fork", "life", "exit_reaped"):
        assert report.phases()[phase]["count"] == 2001
        assert sum(Report.named(g)[phase]["count"] for g in report.groups[1:] if phase in Report.named(g)) == 2001


def test_hostile_names(stat, tmp_path):
    name = os.fsencode(tmp_path) + b"/\x1b[31m\n\"\xff"
    pathlib.Path(os.fsdecode(name)).write_text("#!/bin/sh\n")
    os.chmod(name, 0o755)
    report = stat("--by", "image", "--", name).report
    assert [g for g in report.groups[1:] if "name_raw" in g or "\x1b" in g["name"]]
    for by in ("image", "comm"):
        text = subprocess.run([NSSCOPE, "stat", "--by", by, "--hist", "--", name], stderr=subprocess.PIPE, timeout=60).stderr
        assert b"\\x1b[31m" in text and not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", text)


def test_the_command_is_as_without(stat):
    """Same namespaces; what it leaves behind stays; standard output is its own; nothing of it is in the environment."""
    done = stat("--", "sh", "-c", "readlink /proc/self/ns/pid /proc/self/ns/mnt; env | sort; sleep 1000 >/dev/null 2>&1 & echo $! >&2")
    sleep = int(done.stderr)
    assert pathlib.Path(f"/proc/{sleep}/comm").read_text() == "sleep\n"
    os.kill(sleep, signal.SIGKILL)
    plain = subprocess.check_output(["sh", "-c", "readlink /proc/self/ns/pid /proc/self/ns/mnt; env | sort"])
    assert done.stdout == plain


@pytest.mark.parametrize("command, status", [(["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137)])
def test_the_status_is_the_commands(stat, command, status):
    assert stat("--", *command, status=status).report.counts["exits"] == 1


@pytest.mark.parametrize("command, status", [("/nonexistent", 127), ("/etc/passwd", 126)])
def test_no_report_without_a_command(stat, command, status):
    done = stat("--", command, status=status)
    assert done.reports == [] and done.stderr.count(b"\n") == 1


def test_reports_again_and_again(stat):
    """-i: each has what the one before had, and the rates are of the time between."""
    reports = stat("-i", "1", "--", "sh", "-c", "i=0; while [ $i -lt 8 ]; do sleep 0.3; i=$((i+1)); done").reports
    assert len(reports) >= 3 and [r.all["final"] for r in reports] == [False] * (len(reports) - 1) + [True]
    forks, times = ([f(r) for r in reports] for f in (lambda r: r.counts["forks"], lambda r: r.all["elapsed_ns"]))
    assert forks == sorted(forks) and forks[-1] == 9 and times == sorted(times)
    for before, after in zip(reports[:-1], reports[1:-1]):
        rate = (after.counts["forks"] - before.counts["forks"]) / (after.all["elapsed_ns"] - before.all["elapsed_ns"]) * 1e9
        assert after.all["per_second"]["forks"] == pytest.approx(rate, abs=0.01)
    last = reports[-1]
    assert last.all["per_second"]["forks"] == pytest.approx(9e9 / last.all["elapsed_ns"], abs=0.01)


def test_redrawn_on_a_terminal_only():
    args = [NSSCOPE, "stat", "-i", "1", "--", "sleep", "1.5"]
    piped = subprocess.run(args, stderr=subprocess.PIPE, timeout=60).stderr
    assert b"\x1b" not in piped and piped.count(b"processes made") == 2
    ours, theirs = pty.openpty()
    subprocess.run(args, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65536)
    assert shown.count(b"\x1b[H\x1b[J") == shown.count(b"processes made") == 2
    os.close(ours)


def test_as_much_as_a_terminal_has_room_for():
    """All but the last table; nothing scrolls away."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 80, 0, 0))
    subprocess.run([NSSCOPE, "stat", "-i", "1", "--", "sh", "-c", "/bin/true; sleep 1.5; unshare -m true"], stderr=theirs, timeout=60)
    os.close(theirs)
    passing, last = os.read(ours, 65536).split(b"\x1b[H\x1b[J")[1:]
    assert passing.count(b"\n") == 11 and re.search(rb"\.\.\. \d+ more lines", passing)
    assert last.count(b"\n") > 20 and b"more lines" not in last
    os.close(ours)


@pytest.mark.parametrize("order", [1, -1])
def test_other_outputs_go_on(tmp_path, order):
    outputs = ["text=/dev/full", f"json={tmp_path}/out"][::order]
    done = subprocess.run([NSSCOPE, "stat", *(w for o in outputs for w in ("-o", o)), "--", "true"], capture_output=True, timeout=60)
    assert done.returncode == 125 and done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr
    assert Report((tmp_path / "out").read_bytes().rstrip(b"\n")).counts["execs"] == 1


class Machine:
    """nsscope stat of no command, ready."""

    def __init__(self, tmp_path, *args):
        self.file = tmp_path / "machine.json"
        self.process = subprocess.Popen([NSSCOPE, "stat", "-i", "1", "-o", f"json={self.file}", *args])
        poll(lambda: self.file.exists() and b"\n" in self.file.read_bytes(), "stat to begin")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        assert self.process.wait(60) == 0
        report = Report(self.file.read_bytes().splitlines()[-1])
        assert report.all["final"]
        return report


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_machine(tmp_path, how):
    machine = Machine(tmp_path, "--by", "image")
    subprocess.check_call([workload("spawns"), "fork", "50"], stdout=subprocess.DEVNULL)
    assert machine.end(how).one(name=shown(workload("spawns")))["life"]["count"] == 51


def test_only_a_subtree(tmp_path):
    with subprocess.Popen(["sh", "-c", "read go; /bin/true; /bin/true; read go"], stdin=subprocess.PIPE) as ours, \
            subprocess.Popen(["sh", "-c", "read go; /bin/true; read go"], stdin=subprocess.PIPE) as other:
        machine = Machine(tmp_path, "-p", str(ours.pid))
        for shell in (ours, other):
            shell.stdin.write(b"\n\n")
            shell.stdin.close()
            assert shell.wait(60) == 0
    counts = counted(machine.end())
    assert counts.pop("missed", 0) <= 1 and counts == {"forks": 2, "execs": 2, "exits": 3, "reaped": 3}


WAITS = """
import os, sys, time
sys.stdin.readline()
child, begun = os.fork(), time.monotonic_ns()
if not child:
    os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
ended = time.monotonic_ns()
sys.stdin.readline()
os.waitpid(child, 0)
print(time.monotonic_ns() - ended, flush=True)
sys.stdin.readline()
"""


def test_a_tracer_is_no_reaper(tmp_path):
    """It waits for the process as well, and before its parent does."""
    with subprocess.Popen(["/usr/bin/python3", "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ours, \
            subprocess.Popen(["strace", "-f", "-o", tmp_path / "log", "-p", str(ours.pid)], stderr=subprocess.PIPE) as strace:
        assert b"attached" in strace.stderr.readline()
        machine = Machine(tmp_path, "-p", str(ours.pid))
        ours.stdin.write(b"\n")
        ours.stdin.flush()
        poll(lambda: "exited with 0" in (tmp_path / "log").read_text(), "the child to end")
        ours.stdin.write(b"\n")
        ours.stdin.flush()
        waited = int(ours.stdout.readline())
        ours.stdin.close()
        assert ours.wait(60) == 0
    reaped = machine.end().phases()["exit_reaped"]
    assert waited <= reaped["max_ns"]


IGNORES = """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for i in range(100):
    if not os.fork():
        os._exit(0)
try:
    os.wait()
except ChildProcessError:
    pass
"""


def test_nobody_waits(stat):
    """The kernel frees such processes later than it takes us to end."""
    counts = stat("--", "/usr/bin/python3", "-c", IGNORES).report.counts
    assert (counts["exits"], counts["reaped"], counts["unreaped"]) == (101, 1, 100)


def test_only_a_name(stat):
    """What an exec has made another is not one that failed."""
    report = stat("--comm", "sh", "--", "sh", "-c", "/bin/true; /bin/true; :").report
    assert (report.counts["execs"], report.counts["execs_failed"], report.counts["exits"]) == (1, 0, 1)
    report = stat("--comm", "true", "--", "sh", "-c", "/bin/true; /bin/false; unshare -u true").report
    assert report.counts["execs"] == 2 and report.phases()["exec_exit"]["count"] == 2


def test_only_a_namespace(stat):
    inum = int(os.readlink("/proc/self/ns/pid")[5:-1])
    report = stat("--ns", f"pid:{inum}", "--", "sh", "-c", "/bin/true; unshare -pf true; :").report
    assert report.counts["exits"] == 3, "sh, true and unshare, not what is inside"


@pytest.mark.parametrize("options, says", [
    (["-p", "1", "--", "true"], "give one of them"), (["-p", "4194303"], "no process 4194303"), (["-c", "/tmp"], "cgroup v2"),
    (["--by", "pid"], "not comm, ns, cgroup, parent or image"), (["-i", "0"], "seconds"), (["--samples", "3"], "--namespaces"),
    (["--backend", "fentry"], "not for stat"), (["-o", "svg=/nonexistent/x"], "give text or json"),
    (["-o", "json=/nonexistent/x"], "No such file"), (["--namespaces", "--hist"], "by itself"),
    (["-o", "text=/dev/full", "--", "true"], "No space left")])
def test_refusals(options, says):
    done = subprocess.run([NSSCOPE, "stat", *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 125 and done.stderr.count("\n") == 1 and says in done.stderr, done.stderr


def test_a_backend_that_is_for_others(stat, monkeypatch):
    """Of the environment, which says it to all commands."""
    monkeypatch.setenv("NSSCOPE_BACKEND", "fentry")
    assert stat("--", "true").report.counts["execs"] == 1


def test_without_rights():
    done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", NSSCOPE, "stat", "--", "true"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 125 and done.stderr.count("\n") == 1 and "root" in done.stderr
