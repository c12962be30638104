# SPDX-License-Identifier: GPL-2.0-or-later
"""PIDs at every level, against the NSpid of the host's /proc."""
import os
import subprocess

import pytest
from nsscope_test import NSSCOPE, Stream, Result, chain, check_marks, check_task, of_process, workload


def births(result):
    return [(r, e) for r, e in check_marks(result) if r["at"] in ("birth", "first", "second", "init", "member")]


@pytest.mark.parametrize("levels", [1, 2, 5, 32])
def test_nested(run, levels):
    extra = ["limit"] if levels == 32 else []
    result = run("-p", "--", workload("nest"), str(levels - 1), *extra)
    deepest = result.said("exec")[0]
    assert len(deepest["nspid"]) == levels + 1
    if extra:
        assert result.said("limit")[0]["error"] != "none"
    born = births(result)
    assert len(born) == levels + 1
    # Nothing but the processes that told of themselves was told of, and each wholly.
    for kind, execs in (("fork", None), ("exit", None), ("exec", [result.said("birth")[0], deepest])):
        want = [r["nstgid"] for r, _ in born] if execs is None else [r["nstgid"] for r in execs]
        assert sorted(chain(e) for e in result.of(kind)) == sorted(want)
    for report, event in born:
        history = of_process(result, event)
        assert history[0]["type"] == "fork" and history[-1]["type"] == "exit"
        for e in history:
            assert chain(e) == chain(e, "tid") == report["nstgid"]
            assert [p["ns"] for p in e["pids"]] == [p["ns"] for p in event["pids"]]
            assert e["inside"]["pid"] == report["pid"]
            if e["type"] != "exit":
                assert e["inside"]["ppid"] == report["ppid"]
    # A chain of namespaces is a prefix of the next one's: each level is another namespace.
    chains = sorted(([p["ns"] for p in e["pids"]] for _, e in born), key=len)
    for outer, inner in zip(chains, chains[1:]):
        assert inner[:len(outer)] == outer and len(set(inner)) == len(inner)
    assert [e["inside"]["ppid"] for e in result.of("fork")] == [0] * levels + [1]


def test_parents(run):
    result = run("-p", "--", workload("nest"), "3")
    born = births(result)
    forks = {e["host"]["pid"]: e for e in result.of("fork")}
    for (parent, _), (report, _) in zip(born, born[1:]):
        fork = forks[report["nstgid"][0]]
        assert fork["host"]["ppid"] == fork["fork"]["parent"]["host_pid"] == parent["nstgid"][0]
        assert fork["fork"]["parent"]["inside_pid"] == report["ppid"]


def test_unshare_without_fork(run):
    result = run("-p", "--", workload("pidns"), "unshare")
    pairs = check_marks(result)
    ns = {r["at"]: (r, e) for r, e in pairs}
    before, after, first, second = (ns[at] for at in ("before", "after", "first", "second"))
    assert before[1]["pids"] == after[1]["pids"]
    assert after[1]["ns"]["pid"] == before[1]["ns"]["pid"] != after[1]["ns"]["pid_for_children"]
    assert after[1]["ns"]["pid_for_children"] == first[0]["ns"]["pid"] == ns["parent"][0]["ns"]["pid_for_children"]
    assert [first[0]["pid"], second[0]["pid"]] == [1, 2]
    created = [e["ns_create"] for e in result.of("ns_create") if e["ns_create"]["by"] == "unshare"]
    assert [(c["type"], c["inum"]) for c in created] == [("pid", first[0]["ns"]["pid"])]
    call, = result.of("unshare")
    assert call["unshare"]["flags"] == ["CLONE_NEWPID"] and call["unshare"]["error"] is None


def test_setns(run):
    result = run("-- ".strip(), workload("pidns"), "setns")
    ns = {r["at"]: (r, e) for r, e in check_marks(result)}
    assert ns["joined"][1]["ns"]["pid_for_children"] == ns["init"][0]["ns"]["pid"] != ns["joined"][0]["ns"]["pid"]
    assert ns["member"][0]["pid"] == 2 and ns["member"][0]["ns"]["pid"] == ns["init"][0]["ns"]["pid"]
    fork = [e for e in result.of("fork") if e["host"]["pid"] == ns["member"][0]["nstgid"][0]][0]
    # Its parent is real, but cannot be seen from the namespace that the child is in.
    assert fork["inside"]["ppid"] == fork["fork"]["parent"]["inside_pid"] == 0
    assert fork["fork"]["parent"]["host_pid"] == ns["joined"][0]["nstgid"][0]


def test_reuse_inside(run):
    result = run("-p", "--", workload("pidns"), "reuse")
    pairs = check_marks(result)
    assert [r["pid"] for r, _ in pairs] == [4242] * 4
    assert len({e["start_ns"] for _, e in pairs}) == 4
    for code, (report, event) in enumerate(pairs):
        history = of_process(result, event)
        assert [e["type"] for e in history] == ["fork", "umount", "exit"]
        assert history[-1]["exit"]["code"] == code


def in_container(tmp_path, *command):
    """nsscope run as the init's child of a PID namespace: that namespace is the host then."""
    script = 'exec 9</proc; HOSTPROC=9 exec "$@"'
    file = tmp_path / "events.json"
    done = subprocess.run(
        ["unshare", "-p", "-m", "-f", "--mount-proc", "sh", "-c", script, "sh",
         NSSCOPE, "run", "-p", "-o", f"json={file}", "--", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=True)
    stream = Stream(file.read_bytes()).complete()
    return Result(done, done.stdout, done.stderr, stream)


def test_host_is_a_container(tmp_path):
    result = in_container(tmp_path, workload("nest"), "1")
    for report, event in check_marks(result):
        check_task(event, report)
    assert result.stream.start["observer_pid"] == 1
    assert result.stream.start["host"]["pid_ns"] != int(os.readlink("/proc/self/ns/pid")[5:-1])
    assert {e["pids"][0]["ns"] for e in result.events if "pids" in e} == {result.stream.start["host"]["pid_ns"]}


def test_reuse_on_both_sides(tmp_path):
    result = in_container(tmp_path, workload("pidns"), "reuse", "2")
    pairs = check_marks_by_order(result)
    assert [r["nstgid"] for r, _ in pairs] == [[24242, 4242]] * 4
    assert len({e["start_ns"] for _, e in pairs}) == 4
    for code, (report, event) in enumerate(pairs):
        check_task(event, report)
        history = of_process(result, event)
        assert [e["type"] for e in history] == ["fork", "umount", "exit"]
        assert history[-1]["exit"]["code"] == code


def check_marks_by_order(result):
    """The marks are alike here, as the PIDs are: the first report is of the first mark."""
    events = [e for e in result.of("umount") if e["umount"]["target"].startswith("mark:")]
    reports = [r for r in result.reports if "mark" in r]
    assert len(events) == len(reports)
    return list(zip(reports, events))
