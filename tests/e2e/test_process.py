# SPDX-License-Identifier: GPL-2.0-or-later
"""fork, exec and exit, against what the processes say and against wait statuses."""
import os
import signal

import pytest
from nsscope_test import check_marks, check_task, of_process, workload


def test_fork_flags(run):
    result = run(workload("forks"), "flags")
    forks = {e["inside"]["pid"]: e["fork"] for e in result.of("fork")}
    made = result.said("made")
    assert len(forks) == len(made) + 1 == len(result.of("exit"))
    for line in made:
        assert sorted(forks[line["pid"]]["flags"]) == line["how"].split()
        assert forks[line["pid"]]["parent"]["inside_pid"] == 1


def test_threads_are_no_forks(run):
    result = run(workload("forks"), "threads")
    assert result.said("threads")[0]["count"] == 50
    assert [len(result.of(t)) for t in ("fork", "exec", "exit")] == [1, 1, 1]


def test_exec_by_thread(run):
    result = run("-m", "--", workload("forks"), "exec-by-thread")
    marks = {r["at"]: (r, e) for r, e in check_marks(result)}
    leader, thread, after = (marks[at][0] for at in ("leader", "thread", "self"))
    assert thread["nspid"] != thread["nstgid"] and after["nspid"] == leader["nspid"]
    first, second = result.of("exec")
    assert first["exec"]["old_tid"] == 0
    assert second["exec"]["old_tid"] == thread["nspid"][0]
    assert second["exec"]["argv"] == ["forks", "self", "from a thread"]
    check_task(second, after)
    assert first["start_ns"] == second["start_ns"]
    assert len(result.of("fork")) == len(result.of("exit")) == 1


def test_exec_by_thread_in_a_pid_namespace(run):
    result = run("-p", "-m", "--", workload("nest"), "2", prefix=[])
    assert len(result.of("exit")) == 4
    result = run("-p", "--", workload("forks"), "exec-by-thread")
    marks = {r["at"]: r for r, _ in check_marks(result)}
    assert [e["exec"]["old_tid"] for e in result.of("exec")] == [0, marks["thread"]["nspid"][0]]
    assert marks["thread"]["tid"] != marks["thread"]["nspid"][0]


def test_execveat(run):
    result = run(workload("forks"), "execveat")
    name = result.said("execfn")[0]["name"]
    assert name.startswith("/dev/fd/")
    event = result.of("exec")[-1]
    assert event["exec"]["argv"] == ["of an fd", "self", "x"] and event["exec"]["filename"] == name


def test_exec_without_arguments(run):
    result = run(workload("forks"), "no-args")
    said = result.said("execfn")[0]
    event = result.of("exec")[-1]["exec"]
    # Linux 5.18 and later: one empty string.
    assert len(event["argv"]) == said["argc"] and set(event["argv"]) <= {""}
    assert event["filename"] == said["name"] and event["argv_truncated"] is False


def test_script(run, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh -e\nexit 4\n")
    script.chmod(0o755)
    result = run(workload("forks"), "script", cwd=tmp_path, status=4)
    assert len(result.of("exec")) == 2
    assert result.of("exec")[-1]["exec"]["argv"] == ["/bin/sh", "-e", "./script", "an argument"]


def test_failed_exec_is_no_exec(run):
    result = run(workload("forks"), "failed-exec")
    assert len(result.of("exec")) == 1 and result.of("exit")[0]["exit"]["code"] == 0


def test_leader_exits_first(run):
    result = run("-m", "--", workload("forks"), "leader-first")
    (survivor, event), = check_marks(result)
    assert survivor["nspid"] != survivor["nstgid"]
    history = of_process(result, event)
    assert [e["type"] for e in history] == ["fork", "umount", "exit"]
    said = result.said("wait")[0]
    assert (said["code"], said["signal"]) == (5, 0)
    assert (history[-1]["exit"]["code"], history[-1]["exit"]["signal"]) == (5, None)


@pytest.mark.parametrize("limit", [0, -1], ids=["no core", "core"])
def test_exit_status(run, tmp_path, limit):
    prefix = ["prlimit", f"--core={'unlimited' if limit else 0}"]
    result = run(workload("forks"), "exits", cwd=tmp_path, prefix=prefix)
    exits = {e["inside"]["pid"]: e["exit"] for e in result.of("exit")}
    said = result.said("exit")
    assert len(exits) == len(said) + 1 and len(said) == 14
    for line in said:
        told = exits[line["child"]]
        assert told["code"] == (None if line["signal"] else line["code"])
        assert told["core_dumped"] == bool(line["core"])
        if line["signal"] == 0:
            assert told["signal"] is None
        elif line["signal"] < 32:
            assert told["signal"] == signal.Signals(line["signal"]).name
        else:
            assert told["signal"] == f"SIGRTMIN+{line['signal'] - int(signal.SIGRTMIN)}"
        assert told["runtime_ns"] > 0
    assert os.path.isdir(tmp_path)


def test_order_and_times(run):
    result = run("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (true | true) & done; wait; exit 9", status=9)
    assert len(result.of("fork")) == len(result.of("exit"))
    for fork in result.of("fork"):
        history = of_process(result, fork)
        kinds = [e["type"] for e in history]
        assert kinds[0] == "fork" and kinds[-1] == "exit" and kinds.count("fork") == kinds.count("exit") == 1
        times = [e["mono_ns"] for e in history]
        assert times == sorted(times)
