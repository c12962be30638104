# SPDX-License-Identifier: GPL-2.0-or-later
"""nsscope watch and ps: the snapshot, its two sources, the filters in the kernel. Witness: /proc."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

import nsscope_test as t

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def ps(*args, status=0):
    done = subprocess.run([t.NSSCOPE, "ps", "-o", "json=-", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=t.TIMEOUT)
    assert done.returncode == status, done.stderr
    return t.Stream(done.stdout, snapshot=True) if status == 0 else done.stderr


@pytest.fixture
def sleeper():
    """A process in two nested PID namespaces and a user namespace, and its PID here."""
    launcher = subprocess.Popen(["unshare", "-pf", "--mount-proc", "unshare", "-Urpf", "--kill-child", "sleep", "1000"])
    children = lambda pid: [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def deepest():
        pid = launcher.pid
        while children(pid):
            pid = children(pid)[0]
        return pid if pathlib.Path(f"/proc/{pid}/comm").read_text() == "sleep\n" else None

    pid = t.poll(deepest, "the sleeper")
    yield pid
    for child in children(launcher.pid):
        os.kill(child, signal.SIGKILL)
    launcher.wait()


def nstgid(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NStgid:"):
            return [int(n) for n in line.split()[1:]]


def ns_of(pid, name):
    return int(os.readlink(f"/proc/{pid}/ns/{name}").split("[")[1][:-1])


def stable(record):
    """What both sources can tell alike: /proc has start times in ticks, and gives kernel threads longer names."""
    keep = {k: record[k] for k in ("host", "inside", "pids", "cgroup_id", "ns", "process")}
    keep["start"] = record["start_ns"] // TICK
    if not record["process"]["kthread"]:
        keep["comm"] = record["comm"]
    return keep


def test_iterator_and_proc_agree(sleeper):
    by_iter, by_proc = ({r["host"]["pid"]: r for r in ps(f"--snapshot={source}").of("process")}
                        for source in ("iter", "proc"))
    lasting = [pid for pid in by_iter if pid in by_proc and by_iter[pid]["comm"] != "nsscope" and
               os.path.exists(f"/proc/{pid}")]
    assert sleeper in lasting and 1 in lasting and len(lasting) > 20
    for pid in lasting:
        a, b = stable(by_iter[pid]), stable(by_proc[pid])
        if a != b:  # it changed between the two: the second look must agree with itself
            again = [stable({r["host"]["pid"]: r for r in ps(f"--snapshot={s}").of("process")}[pid])
                     for s in ("iter", "proc")]
            assert again[0] == again[1]


@pytest.mark.parametrize("source", ["iter", "proc"])
def test_ps_against_proc(sleeper, source):
    found = {r["host"]["pid"]: r for r in ps(f"--snapshot={source}").of("process")}[sleeper]
    assert t.chain(found) == nstgid(sleeper) and len(found["pids"]) == 3
    assert found["pids"][-1]["ns"] == ns_of(sleeper, "pid")
    assert found["ns"]["user"] == ns_of(sleeper, "user")
    assert found["inside"] == {"pid": 1, "tid": 1, "ppid": 0, "uid": 0, "gid": 0}


def test_ps_translates(sleeper):
    here, middle, inner = nstgid(sleeper)
    inum = ns_of(sleeper, "pid")
    assert [r["host"]["pid"] for r in ps("--pid", str(here)).of("process")] == [here]
    assert [r["host"]["pid"] for r in ps("--pid", str(inner), "--in", str(inum)).of("process")] == [here]
    assert b"no process" in ps("--pid", str(inner + 1), "--in", str(inum), status=125)
    text = subprocess.check_output([t.NSSCOPE, "ps", "--pid", str(here)], text=True)
    assert [int(line.split()[1]) for line in text.splitlines()[1:]] == [here, middle, inner]


def test_ps_tree_has_every_process_once():
    lines = subprocess.check_output([t.NSSCOPE, "ps", "-T"], text=True).splitlines()[1:]
    pids = [int(line.split()[0]) for line in lines]
    assert len(pids) == len(set(pids))
    assert {1, os.getpid()} <= set(pids)
    depth = {int(line.split()[0]): line.find("\\_") for line in lines}
    assert depth[os.getpid()] > depth[os.getppid()] or os.getppid() == 0


def test_ps_text_to_a_file(tmp_path):
    file = tmp_path / "ps.txt"
    subprocess.run([t.NSSCOPE, "ps", "-o", f"text={file}"], check=True)
    assert os.getpid() in [int(line.split()[0]) for line in file.read_text().splitlines()[1:]]


def test_watch_has_all_ancestors(tmp_path):
    watch = t.Watch(tmp_path)
    subprocess.run(["unshare", "-pf", "--mount-proc", "sh", "-c", "true | cat; (true; true)"], check=True)
    stream = watch.end()
    known = {r["host"]["pid"] for r in stream.of("process")} | {0}
    taken = max(r["mono_ns"] for r in stream.of("process"))
    for event in stream.events:
        if event["type"] == "fork":
            known.add(event["host"]["pid"])
        if event["mono_ns"] < taken or event["type"] == "ns_destroy":
            continue  # of a process that was gone before the snapshot came to it; or of none
        assert event["host"]["pid"] in known, event
        assert event["host"]["ppid"] in known, event
    execs = [e["exec"]["argv"] for e in stream.of("exec")]
    assert ["unshare", "-pf", "--mount-proc", "sh", "-c", "true | cat; (true; true)"] in execs


def test_watch_pid_subtree(tmp_path):
    shell = subprocess.Popen(["sh", "-c", "read go; sh -c 'true; true'; exit 7"], stdin=subprocess.PIPE)
    watch = t.Watch(tmp_path, "--pid", str(shell.pid))
    subprocess.run(["true"], check=True)
    shell.communicate(b"go\n")
    stream = watch.end()
    ours = {shell.pid}
    for event in stream.events:
        if event["type"] == "fork":
            assert event["fork"]["parent"]["host_pid"] in ours
            ours.add(event["host"]["pid"])
        assert event["host"]["pid"] in ours
    exits = {e["host"]["pid"]: e["exit"]["code"] for e in stream.of("exit")}
    assert exits[shell.pid] == 7 and set(exits) == ours and len(ours) >= 2


def test_watch_ns(tmp_path, sleeper):
    inum = ns_of(sleeper, "pid")
    watch = t.Watch(tmp_path, "--ns", f"pid:{inum}")
    subprocess.run(["true"], check=True)
    subprocess.run(["nsenter", "-t", str(sleeper), "-U", "-p", "sh", "-c", "true; true; exit 0"], check=True)
    stream = watch.end()
    assert stream.of("fork") and {e["ns"]["pid"] for e in stream.events} == {inum}


def test_watch_comm_and_uid(tmp_path):
    watch = t.Watch(tmp_path, "--comm", "true")
    subprocess.run(["sh", "-c", "true; cat /dev/null; /bin/true; echo"], check=True, stdout=subprocess.DEVNULL)
    stream = watch.end()
    assert stream.events and {e["comm"] for e in stream.events} == {"true"}
    watch = t.Watch(tmp_path, "--uid", "nobody")
    subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "true"], check=True)
    stream = watch.end()
    assert [e["type"] for e in stream.events] == ["exec", "exit"]
    assert {e["host"]["uid"] for e in stream.events} == {65534}


def test_watch_cgroup(tmp_path):
    root = next(line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
                if " - cgroup2 " in line)
    group = pathlib.Path(root) / f"nsscope-test-{os.getpid()}"
    below = group / "below"
    below.mkdir(parents=True)
    try:
        watch = t.Watch(tmp_path, "--cgroup", str(group))
        subprocess.run(["true"], check=True)
        subprocess.run(["sh", "-c", f"echo $$ >{below}/cgroup.procs; true & wait; cat /dev/null"], check=True)
        stream = watch.end()
        assert {e["cgroup_id"] for e in stream.events} == {below.stat().st_ino}
        assert len(stream.of("fork")) == 2
    finally:
        below.rmdir()
        group.rmdir()


def test_only_processes_attaches_no_syscall_tracepoint(tmp_path):
    result = t.run("--only", "process", "--", "sh", "-c", "mount -t tmpfs t /mnt", out=tmp_path)
    assert {e["type"] for e in result.events} == {"fork", "exec", "exit"}
    assert set(result.stream.start["backend"]) == {"fork", "exec", "exit"}


def test_in_a_container(tmp_path):
    """nsscope that is itself in a nested PID namespace: that one is the host, and its numbers hold."""
    file = tmp_path / "inner.json"
    script = f"{t.NSSCOPE} run -o json={file} -- sh -c 'true; exit 4'; echo $?; {t.NSSCOPE} ps --pid $$ -o json=-"
    out = subprocess.check_output(["unshare", "-pf", "--mount-proc", "unshare", "-pf", "--mount-proc", "sh", "-c", script])
    status, *lines = out.splitlines()
    assert status == b"4"
    stream = t.Stream(file.read_bytes()).complete()
    assert len(stream.of("exec")) == 2 or len(stream.of("exec")) == 1
    events = [e for e in stream.events if e["type"] != "ns_destroy"]  # that is of no process
    assert {len(e["pids"]) for e in events} == {2}
    assert {e["pids"][0]["ns"] for e in events} == {stream.start["host"]["pid_ns"]}
    own = t.Stream(b"\n".join(lines) + b"\n", snapshot=True).of("process")
    assert [t.chain(r) for r in own] == [[1]]


def test_bad_filters():
    for args in (["--pid", "0"], ["--pid", "x"], ["--ns", "pid"], ["--ns", "foo:1"], ["--uid", "no-such-user"],
                 ["--comm", "sixteen-bytes-xx"], ["--cgroup", "/nonexistent"], ["--pid", "4194304"], ["operand"]):
        done = subprocess.run([t.NSSCOPE, "watch", "-o", "json=/dev/null", *args], capture_output=True, text=True,
                              timeout=t.TIMEOUT)
        assert done.returncode == 125, args
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("nsscope"), done.stderr


@pytest.mark.parametrize("command", [["ps"], ["replay", "/dev/null"]])
def test_needs_no_rights(command):
    done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", t.NSSCOPE, *command],
                          capture_output=True, text=True, timeout=t.TIMEOUT)
    assert "BPF" not in done.stderr
    assert done.returncode == (0 if command == ["ps"] else 125)
    if command == ["ps"]:
        assert any(line.split()[0] == "1" for line in done.stdout.splitlines()[1:])
