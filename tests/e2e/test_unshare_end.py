# SPDX-License-Identifier: GPL-2.0-or-later
"""What unshare(1) has wrong: signals, persistent namespaces, what is left behind."""
import json
import signal
import time
import uuid

import pytest
from nsscope_test import TIMEOUT, poll, processes_with, status_field
from unshare_test import (NOBODY, NSFS, about, base, finish, held, in_mount_namespace, ours,  # noqa: F401 (a fixture)
                          run, start)

@pytest.mark.parametrize("options", [["-S", "1"], ["-G", "1"], ["-S", "1", "-G", "1"], ["-p", "-S", "1"], []],
                         ids=" ".join)
def test_kill_child_survives_credentials(base, options):
    assert about(ours(base, "--kill-child=USR1", *options, base / "about"))["death_signal"] == signal.SIGUSR1
    mark = uuid.uuid4().hex
    process = held([base / "nsscope", "unshare", "--kill-child", *options, "sh", "-c", "echo ready; exec sleep 1000"],
                   env={"PATH": "/usr/bin:/bin", "MARK": mark})
    process.kill()
    process.communicate(timeout=TIMEOUT)
    poll(lambda: not processes_with(mark), "no process is left")


@pytest.mark.parametrize("options", [
    "-f --uts=$D/a", "--uts=$D/a", "-f --pid=$D/a", "-rf --uts=$D/a --user=$D/b", "-r --user=$D/b",
    "-f --mount=$D/a --ipc=$D/b --net=$D/c", "--mount=$D/a", "-T -f --time=$D/a", "--cgroup=$D/a"])
@pytest.mark.parametrize("command", ["unshare", "run -o text=/dev/null"])
def test_persistent_before_the_command(base, options, command):
    """The command finds them there, also when it is looked at from the old mount namespace; afterwards they stay."""
    if command != "unshare":
        options = options.replace("-f ", "").replace("-rf", "-r")
    n = options.count("=")
    enter = "nsenter --mount=/proc/self/fd/8" if "--mount" in options else ""
    script = f"""
        exec 8</proc/$$/ns/mnt
        for i in 1 2 3 4 5; do
            $N {command} {options} -- {enter} grep -c " nsfs " /proc/self/mounts || exit
            {NSFS}; umount $(awk '$3 == "nsfs" {{ print $2 }}' /proc/self/mounts)
        done"""
    done = in_mount_namespace(base, script)
    assert done.stdout.split() == [str(n).encode()] * 10, done


FAILING = ["--uts=$D/a --ipc=$D/none", "-r --uts=$D/a --ipc=$D/none", "--pid=$D/none", "-m --uts=$D/a --ipc=$D/none",
           "--uts=$D/a -R $D/none", "-r --uts=$D/a -w $D/none"]


@pytest.mark.parametrize("command, options", [
    *(("unshare", o) for o in [*FAILING, "-U --uts=$D/a -S 5"]), *(("unshare -f", o) for o in FAILING),
    *(("run -o text=/dev/null", o) for o in FAILING)])
def test_nothing_persists_without_the_command(base, options, command):
    script = f"$N {command} {options} -- touch $D/ran; echo $?; test -e $D/ran && echo ran; {NSFS}"
    done = in_mount_namespace(base, script)
    status = b"125" if command.startswith("run") else b"1"
    assert done.stdout.split() == [status, b"0"] and done.stderr.count(b"\n") == 1, done


@pytest.mark.parametrize("command", ["unshare", "unshare -f", "unshare -U", "unshare -rf", "run -o text=/dev/null"])
def test_nothing_persists_where_exec_fails(base, command):
    for name, status in (("$D/nothing", b"127"), ("$D/a", b"126")):
        done = in_mount_namespace(base, f"$N {command} --uts=$D/b --ipc=$D/c -- {name}; echo $?; {NSFS}")
        assert done.stdout.split() == [status, b"0"] and done.stderr.count(b"\n") == 1, done


def test_persistent_pid_namespace_without_fork(base):
    """Before Linux 7 it cannot be bound while it has no process."""
    done = in_mount_namespace(base, f"$N unshare --pid=$D/a true; echo $?; {NSFS}")
    theirs = in_mount_namespace(base, f"unshare --pid=$D/a true; echo $?; {NSFS}")
    assert done.stdout == theirs.stdout, (done, theirs)
    assert done.stdout.split() == [b"0", b"1"] or b"--fork" in done.stderr, done


def test_persistent_mount_namespace_on_shared(base):
    done = in_mount_namespace(base, f"mount --make-shared $D; $N unshare --mount=$D/a true; echo $?; {NSFS}")
    assert done.stdout.split() == [b"1", b"0"] and b"shared" in done.stderr and done.stderr.count(b"\n") == 1, done


@pytest.mark.parametrize("options", [["-f"], ["-pf"], ["-rpf", "--mount-proc"]], ids=" ".join)
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_forward_signals(base, options, sig):
    script = f'trap "echo got; exit 44" {sig.name[3:]}; echo ready; while :; do sleep 0.01; done'
    process = held([base / "nsscope", "unshare", *options, "--forward-signals", "sh", "-c", script])
    process.send_signal(sig)
    assert process.communicate(timeout=TIMEOUT)[0] == b"got\n" and process.returncode == 44


@pytest.mark.parametrize("options", [["-f"], ["-pf"]], ids=" ".join)
def test_no_forwarded_signal_is_lost(base, options):
    """At any moment: it ends nsscope, or the command, or the command's handler sees it."""
    mark = uuid.uuid4().hex
    script = 'trap "exit 44" TERM; while :; do sleep 0.01; done'
    seen = set()
    for i in range(60):
        process = start([base / "nsscope", "unshare", *options, "--forward-signals", "sh", "-c", script],
                        env={"PATH": "/usr/bin:/bin", "MARK": mark})
        time.sleep(i * 0.0002)
        process.terminate()
        process.communicate(timeout=TIMEOUT)
        seen.add(process.returncode)
    assert seen <= {44, -signal.SIGTERM} and -signal.SIGTERM in seen
    poll(lambda: not processes_with(mark), "no process is left")


def test_terminate_is_not_forwarded_by_itself(base):
    process = held([base / "nsscope", "unshare", "-f", "sh", "-c", "echo ready; sleep 0.2; exit 3"])
    process.terminate()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 3


@pytest.mark.parametrize("sig", [signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT, signal.SIGALRM])
@pytest.mark.parametrize("options", [["-f"], ["-pf"], ["-rpf", "--mount-proc"]], ids=" ".join)
def test_no_orphan(base, options, sig):
    """What ends unshare ends its command with it."""
    mark = uuid.uuid4().hex
    process = held([base / "nsscope", "unshare", *options, "sh", "-c", "ulimit -c 0; echo ready; exec sleep 1000"],
                   env={"PATH": "/usr/bin:/bin", "MARK": mark}, start_new_session=True)
    poll(lambda: any(status_field(p, "Name") == "sleep" for p in processes_with(mark)), "it sleeps")
    process.send_signal(sig)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == -sig
    poll(lambda: not processes_with(mark), "no process is left")


def test_hangup_is_ignored_with_nohup(base):
    process = held(["nohup", base / "nsscope", "unshare", "-f", "sh", "-c", "echo ready; sleep 0.2; exit 3"])
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 3


@pytest.mark.parametrize("options", [["-f"], ["-rpf", "--mount-proc"]], ids=" ".join)
def test_stops_with_its_child(base, options):
    script = "echo ready; " + ("kill -STOP $$" if options == ["-f"] else "sleep 1000 & wait") + "; exit 5"
    process = held([base / "nsscope", "unshare", *options, "--kill-child", "sh", "-c", script], process_group=0)
    if options != ["-f"]:
        process.send_signal(signal.SIGTSTP)
    poll(lambda: status_field(process.pid, "State")[0] == "T", "it is stopped")
    process.send_signal(signal.SIGCONT)
    if options == ["-f"]:
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == 5
    else:
        poll(lambda: status_field(process.pid, "State")[0] == "S", "it goes on")
        finish(process)


def test_killed_by_sigkill(base):
    assert ours(base, "-f", "sh", "-c", "kill -9 $$").returncode == -signal.SIGKILL


def test_leaves_nothing(base):
    """Neither a process nor a child that is not its own, whatever fails."""
    mark = uuid.uuid4().hex
    for options in ([], ["-f"], ["--map-users=0:0:5"], ["--map-users=0:0:5", "-f", "-R", "/none"], ["--mount=/none"],
                    ["--owner=1:1", "-r"]):
        done = ours(base, *options, base / "about", env={"MARK": mark})
        assert done.returncode or json.loads(done.stdout)["childless"] == 1
        assert done.returncode or json.loads(done.stdout)["fds"] == [0, 1, 2, 9]
    poll(lambda: not processes_with(mark), "no process is left")
    process = start([base / "nsscope", "unshare", "--mount=/none", base / "about"], user=NOBODY)  # where 2.38.1 hangs
    assert process.communicate(timeout=TIMEOUT)[0] == b"" and process.returncode == 1


@pytest.mark.parametrize("options", ["-rf", "-rpf --mount-proc", "-f"])
def test_no_processes_left(base, options):
    """Where fork(2) fails: one line, and nothing else."""
    done = run(["prlimit", "--nproc=0", base / "nsscope", "unshare", *options.split(), base / "about"], user=NOBODY)
    assert (done.returncode, done.stdout) == (1, b"") and done.stderr.count(b"\n") == 1 and b"fork" in done.stderr, done


@pytest.mark.parametrize("options", ["-f --uts=$D/a", "-rf --map-users=0:0:5 --uts=$D/a -m"])
def test_killed_at_any_moment(base, options):
    """What is bound then is that of a command that ran, and no process is left that waits for anything."""
    mark = uuid.uuid4().hex
    script = f"""
        for i in $(seq 100 98 5000); do
            timeout --foreground --signal=KILL 0.00$i $N unshare {options} -- touch $D/ran
            tries=0
            while grep -q ' nsfs ' /proc/self/mounts && ! test -e $D/ran; do
                tries=$((tries + 1)) && test $tries -lt 500 || {{ echo bound; break; }}
                sleep 0.01
            done
            umount $D/a 2>/dev/null; rm -f $D/ran
        done"""
    done = in_mount_namespace(base, f"MARK={mark}; export MARK; {script}")
    assert done.stdout == b"", done
    poll(lambda: not processes_with(mark), "no process is left")
