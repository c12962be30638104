# SPDX-License-Identifier: GPL-2.0-or-later
"""stat: what it has added up is what the workload did, by its own count and clock."""
import nsscope_test
import pytest
from nsscope_test import scaled, workload
from stat_report import Report, Stat, check_histograms, counted, waits_missed

LIFE = ["fork", "fork_exec", "exec_exec", "exec_exit", "fork_exit", "exit_reaped"]  # these follow one another


@pytest.fixture
def stat(tmp_path):
    return lambda *args, **more: Stat(tmp_path, *args, **more)


def backends_of_stat():
    """fentry has no part in it: where that alone is asked for, what works."""
    asked, working = (set(names) - {"fentry"} for names in (nsscope_test.backends(), nsscope_test.working_backends()))
    return sorted(asked or working)


@pytest.fixture(params=backends_of_stat())
def calls(request):
    """What gives the system calls, as options."""
    return ["--backend", request.param]


# What one of the processes of the workload does: programs executed, exec calls that fail, whether it is waited for.
MODES = {"fork": (1, 0, 1), "vfork": (1, 0, 1), "fork2": (2, 0, 1), "exit": (0, 0, 1), "fail": (0, 1, 1), "unwaited": (1, 0, 0)}


@pytest.mark.parametrize("mode", MODES)
def test_counts_are_the_truth(stat, calls, mode):
    n = scaled(500)
    execs, failed, reaped = MODES[mode]
    done = stat(*calls, "--", workload("spawns"), mode, str(n))
    report, missed = done.report, waits_missed(done)
    truth = {"forks": n + 1, "execs": n * execs + 1, "execs_failed": n * failed, "exits": n + 1, "reaped": n * reaped + 1,
             "missed": missed}
    unreaped = report.counts["unreaped"]
    assert {k: v for k, v in counted(report).items() if k != "unreaped"} == {k: v for k, v in truth.items() if v}
    assert unreaped <= n * (not reaped)  # the last may not be gone yet
    phases = {name: p["count"] for name, p in report.phases().items()}
    assert phases["clone"] == phases["fork"] == phases["run_queue"] + missed == phases["life"] == n + 1
    assert phases["exit_reaped"] == n * reaped + 1
    assert phases["exec"] == n * execs + 1 and phases.get("exec_failed", 0) == n * failed
    assert phases.get("fork_exec", 0) == phases.get("exec_exit", 0) == n * bool(execs) + 1
    assert phases.get("exec_exec", 0) == n * (execs == 2)
    assert phases.get("fork_exit", 0) == n * (not execs)
    check_histograms(report)


@pytest.mark.parametrize("mode", ["fork", "vfork", "fork2", "exit"])
def test_phases_add_up_to_the_clock_of_the_workload(stat, calls, mode):
    """The documented error: 10 % and 20 us for each process, in which the calls are entered and left."""
    n = scaled(500)
    done = stat(*calls, "--by", "parent", "--", workload("spawns"), mode, str(n))
    truth, phases = done.truth(), done.report.one(id=done.truth()["pid"])
    total = sum(phases[name]["sum_ns"] for name in LIFE if name in phases)
    assert phases["fork"]["count"] == n
    assert total <= truth["ns"], "more than there was"
    assert total >= truth["ns"] * 0.9 - n * 20000 * nsscope_test.SCALE
    assert phases["life"]["sum_ns"] == sum(phases[p]["sum_ns"] for p in LIFE[1:-1] if p in phases)
    assert phases["exec"]["sum_ns"] <= phases["fork_exec"]["sum_ns"] + phases.get("exec_exec", {"sum_ns": 0})["sum_ns"] \
        if mode != "exit" else "exec" not in phases


def test_a_process_ends_once(stat, calls):
    """Though each of its threads finds itself the last."""
    n = scaled(3000)
    report = stat(*calls, "--", workload("spawns"), "threads", str(n)).report
    assert report.counts["forks"] == report.counts["exits"] == report.counts["reaped"] == n + 1
    assert {report.phases()[phase]["count"] for phase in ("life", "clone", "exit_reaped")} == {n + 1}


def test_calls_that_make_none(stat, calls):
    n = scaled(50)
    report = stat(*calls, "--", workload("spawns"), "refused", str(n)).report
    assert (report.counts["forks"], report.counts["forks_failed"]) == (1, n)
    assert (report.phases()["clone"]["count"], report.phases()["clone_failed"]["count"]) == (1, n)


LIVE = """
import os, sys, time
for i in range(int(sys.argv[1])):
    if not os.fork():
        os.close(1)
        os.close(2)
        time.sleep(2)
        os._exit(0)
"""


@pytest.mark.parametrize("by", ["comm", "ns", "parent"])
def test_processes_that_live_on(stat, calls, by):
    """What their making took is told, though they have executed nothing."""
    n = 20
    done = stat(*calls, "--by", by, "--", "/usr/bin/python3", "-c", LIVE, str(n))
    report, missed = done.report, done.report.counts["missed"]
    assert report.counts["forks"] == n + 1 and report.counts["exits"] == 1
    for phase in "clone", "fork":
        assert report.phases()[phase]["count"] == n + 1
        assert sum(Report.named(g)[phase]["count"] for g in report.groups[1:] if phase in Report.named(g)) == n + 1
    assert report.phases()["run_queue"]["count"] >= n + 1 - missed - done.from_init
    check_histograms(report)


def test_many_at_once(stat, calls):
    done = stat(*calls, "--", workload("storm"), str(scaled(8000)))
    truth = done.truth()
    forks = 1 + truth["spawned"] + truth["forked"]
    want = {"forks": forks, "execs": 1 + truth["spawned"], "exits": forks, "reaped": forks, "missed": waits_missed(done)}
    assert counted(done.report) == {name: count for name, count in want.items() if count}
    check_histograms(done.report)


def test_clone_calls_by_what_they_made(stat, calls):
    report = stat(*calls, "--", workload("spawns"), "ns", "30").report
    parts = {tuple(p["made"]): p["count"] for p in report.groups[0]["phases"] if "made" in p}
    assert parts == {(): 11, ("uts",): 10, ("ipc", "uts"): 10}
    assert report.phases()["clone"]["count"] == 31
