# SPDX-License-Identifier: GPL-2.0-or-later
"""What users of unshare, nsenter and bwrap ask most, each by its name, and where they asked: what we do or say."""
import errno
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, poll, processes_with, scaled, status_field, workload
from test_info import NOBODY, Held, ns_link, public, user_namespaces_work  # noqa: F401
from test_limits import IN_V2, V2


def ask(*args, prefix=(), **kwargs):
    return subprocess.run([*prefix, NSSCOPE, *map(str, args)], capture_output=True, text=True, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, **kwargs)


def answer(*args, status, words, **kwargs):
    """One line, and these words in it."""
    done = ask(*args, **kwargs)
    assert (done.returncode, done.stdout) == (status, ""), done
    line, = done.stderr.splitlines()
    assert all(word in line for word in words), line


def failing(call, error):
    """A prefix under which each of these calls fails."""
    return [workload("fail"), str(error), "-1", call]


COMMANDS = pytest.mark.parametrize("command, status", [(["unshare"], 1), (["run", "--no-observe"], 125)], ids=["unshare", "run"])


@COMMANDS
def test_what_is_wrong_with_eperm_of_unshare_p(public, command, status):  # noqa: F811
    """util-linux #3851"""
    done = subprocess.run([*NOBODY, public, *command, "-p", "true"], capture_output=True, text=True, timeout=TIMEOUT, cwd="/")
    line, = done.stderr.splitlines()
    assert done.returncode == status
    assert "Operation not permitted" in line and "root" in line and "-U (with -r)" in line and "pid" in line.replace("namespaces", "pid")
    # And what it says to do is what helps.
    if user_namespaces_work():
        helped = subprocess.run([*NOBODY, public, *command, "-p", "-U", "-r", "true"], capture_output=True, timeout=TIMEOUT, cwd="/")
        assert (helped.returncode, helped.stderr) == (0, b"")


def test_which_pid_has_the_command_itself_and_is_it_still_the_same():
    """bubblewrap #553"""
    held = Held("--no-observe", argv=["sleep", "1000"])
    pid, ref = held.ready["host"]["pid"], held.ready["ref"]
    os.write(held.go, b"x")
    poll(lambda: status_field(pid, "Name") == "sleep", "that PID is the command's, no wrapper's")
    assert held.ready["inside"]["pid"] == 1 and status_field(pid, "NSpid").split()[-1] == "1"
    assert ask("enter", "--no-observe", "--ref", ref, "--", "readlink", "/proc/self/ns/pid").stdout == f"pid:[{held.ready['ns']['pid']}]\n"
    os.kill(pid, signal.SIGKILL)
    held.finish(b"")
    answer("enter", "--no-observe", "--ref", ref, "true", status=125, words=["ended"])


def test_did_the_setup_fail_or_the_command(tmp_path):
    """bubblewrap #257, #701"""
    told = []
    for options, script in ((["-w", "/nonexistent"], "exit 0"), ([], "exit 125"), ([], "exit 1")):
        info = tmp_path / "info"
        done = ask("run", "--no-observe", "--info-file", info, *options, "--", "sh", "-c", script)
        last = json.loads(info.read_text().splitlines()[-1])
        told.append((done.returncode, last["type"], last.get("code"), last.get("stage"), last.get("errno")))
    assert told == [(125, "failed", None, "setup", "ENOENT"), (125, "ended", 125, None, None), (1, "ended", 1, None, None)]
    assert ask("run", "--no-observe", "no-such-command").returncode == 127
    assert ask("run", "--no-observe", "/etc/passwd").returncode == 126


@pytest.mark.parametrize("options", [["-p"], ["-m"]], ids=" ".join)
@pytest.mark.parametrize("trap", ["trap 'exit 9' INT TERM;", ""], ids=["caught", "default"])
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_do_ctrl_c_and_term_reach_the_program(options, trap, sig):
    """bubblewrap #369; util-linux #1086, #3909"""
    mark = uuid.uuid4().hex
    pid, fd = pty.fork()
    if pid == 0:
        # A shell of its own, as users have it: nsscope is then not the session leader.
        os.execve("/bin/sh", ["sh", "-c", 'trap : INT; "$@"; echo status=$?', "sh", NSSCOPE, "run", "--no-observe", *options, "--", "sh", "-c",
                              f"{trap} echo ready; while :; do sleep 0.01; done"], {**os.environ, "MARK": mark})
    seen = b""

    def until(word):
        nonlocal seen
        while not re.search(word, seen):
            seen += os.read(fd, 4096)
    until(rb"ready")
    if sig == signal.SIGINT:
        os.write(fd, b"\x03")
    else:
        nsscope, = [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        os.kill(nsscope, sig)
    until(rb"status=\d+\r")
    assert re.search(rb"status=(\d+)", seen).group(1) == (b"9" if trap else b"%d" % (128 + sig))
    os.waitpid(pid, 0)
    os.close(fd)
    poll(lambda: not processes_with(mark), "no process is left")


def test_does_kill_child_win_each_race():
    """util-linux #1490"""
    for _ in range(scaled(30)):
        mark = uuid.uuid4().hex
        process = subprocess.Popen([NSSCOPE, "unshare", "-f", "-p", "-m", "--kill-child", "-S", "5", "-G", "5", "sleep", "1000"],
                                   env={**os.environ, "MARK": mark})
        poll(lambda: len(processes_with(mark)) > 1 or process.poll() is not None, "it has forked")  # noqa: B023
        process.kill()
        process.wait(TIMEOUT)
        poll(lambda: not processes_with(mark), "no process is left")  # noqa: B023


# Of Ubuntu, which takes the rights that a user namespace gives, and of Debian, which refuses it: and the call that fails.
SYSCTLS = [("apparmor_restrict_unprivileged_userns", "1", "write", ["AppArmor", "apparmor_restrict_unprivileged_userns=0"]),
           ("apparmor_restrict_unprivileged_userns", "1", "mount", ["AppArmor", "apparmor_restrict_unprivileged_userns=0"]),
           ("unprivileged_userns_clone", "0", "unshare,clone3", ["unprivileged_userns_clone=1"])]


@COMMANDS
@pytest.mark.parametrize("name, value, calls, words", SYSCTLS, ids=["AppArmor map", "AppArmor mount", "sysctl"])
def test_who_forbids_user_namespaces(command, status, name, value, calls, words):
    """bubblewrap #632; nsjail #236, #243"""
    script = f'mount -t tmpfs t /proc/sys/kernel && echo {value} >/proc/sys/kernel/{name} && exec "$@"'
    answer(*command, "-U", "-r", "-m", "true", status=status, words=["Operation not permitted", *words],
           prefix=["unshare", "-m", "sh", "-c", script, "sh", *failing(calls, errno.EPERM)])


@COMMANDS
def test_is_the_disk_full(command, status):
    """bubblewrap #465, #371: ENOSPC of a limit of namespaces."""
    limit = ["unshare", "-r", "sh", "-c", 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"', "sh"]
    answer(*command, "-n", "-u", "true", prefix=limit, status=status,
           words=["No space left", "limit of namespaces", "not of the disk", "max_*_namespaces", "net,uts"])


@COMMANDS
def test_why_can_proc_not_be_mounted_in_a_container(command, status):
    """bubblewrap #505; runc #1658; podman #20453: "mount too revealing" """
    masked = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs t /proc/sys/kernel && exec "$@"', "sh"]
    fork = ["-f"] if command == ["unshare"] else []
    answer(*command, "-U", "-r", "-p", *fork, "--mount-proc", "true", prefix=masked, status=status,
           words=["mount proc on /proc", "masked", "would show more"])
    answer(*command, "-U", "-r", *fork, "--mount-proc", "true", status=status, words=["mount proc on /proc", "add -p"])


@pytest.mark.parametrize("launcher", [["unshare"], [NSSCOPE, "unshare"], [NSSCOPE, "run", "--no-observe"]],
                         ids=["unshare", "nsscope unshare", "nsscope run"])
def test_how_to_enter_the_child_of_unshare_and_not_unshare(launcher):
    """util-linux #935, #1510: PID is that of the launcher, as $! has it."""
    mark = uuid.uuid4().hex
    fork = [] if "run" in launcher else ["-f"]
    process = subprocess.Popen([*launcher, "-p", "-m", *fork, "--mount-proc", "sh", "-c", "echo ready; exec sleep 1000"],
                               stdout=subprocess.PIPE, env={**os.environ, "MARK": mark})
    try:
        assert process.stdout.readline() == b"ready\n"
        pid, = poll(lambda: [p for p in processes_with(mark) if status_field(p, "Name") == "sleep"], "it sleeps")
        done = ask("enter", "--no-observe", "--run", process.pid, "--", "sh", "-c", "readlink /proc/self/ns/pid; ps -e -o comm=")
        assert done.stdout.splitlines() == [f"pid:[{ns_link(pid, 'pid')}]", "sleep", "sh", "ps"], done
        # ps shows the host after nsenter -p: util-linux #660. Where nothing is named, all is entered; and --help says it.
        done = ask("enter", "--no-observe", "-t", pid, "--", "ps", "-e", "-o", "comm=")
        assert done.stdout.split() == ["sleep", "ps"], done
    finally:
        for left in processes_with(mark):
            os.kill(left, signal.SIGKILL)
        process.communicate()
    assert re.search(r"--pid.*ps.*-m", ask("enter", "--help").stdout)


def test_which_maps_overlap():
    """util-linux #3838: names both; what does not overlap is printed with its holes before it is done."""
    for command, status in (("unshare", 1), ("run", 125)):
        answer(command, "--map-users=0:1000:5", "--map-users=3:5000:4", "true", status=status, words=["0:1000:5", "3:5000:4", "overlap"])
        dry = ask(command, "--dry-run", "--map-users=0:1000:10", "--map-user=4", "true").stdout
        assert "not mapped" in dry and "uid_map:" in dry


@COMMANDS
def test_why_einval_for_a_persistent_mount_namespace(tmp_path, command, status):
    """util-linux #289: the file is on a shared mount."""
    script = 'mount --bind "$0" "$0" && mount --make-shared "$0" && touch "$0/ns" && "$@"; s=$?; umount "$0/ns" 2>/dev/null; exit $s'
    shared = ["unshare", "-m", "sh", "-c", script, tmp_path]
    answer(*command, f"--mount={tmp_path}/ns", "true", prefix=shared, status=status,
           words=["persistent", "Invalid argument", "not shared", "--make-private"])


def test_which_pid_has_it_on_the_host():
    """criu #1188; lxd #3485; bpftrace #1462"""
    held = Held("--no-observe", argv=["sleep", "1000"])
    out = ask("ps", "--pid", "1", "--in", held.ready["ns"]["pid"]).stdout.splitlines()
    assert [line.split()[1] for line in out[1:]] == [str(level["pid"]) for level in held.ready["pids"]]
    held.process.kill()
    held.finish(b"")


def test_what_did_the_sandbox_do(tmp_path):
    """bubblewrap #321; moby #41779: a record that is read later, without rights."""
    record = tmp_path / "record"
    done = ask("run", "-o", f"record={record}", "--", "sh", "-c", "mount -t tmpfs t /mnt; true 'an argument'; exit 4")
    assert (done.returncode, done.stderr) == (4, "")
    events = [json.loads(line) for line in ask("replay", "-o", "json", record, prefix=["setpriv", "--bounding-set", "-all"]).stdout.splitlines()]
    assert ["t", "/mnt"] in [[e["mount"]["source"], e["mount"]["target"]] for e in events if e["type"] == "mount"]
    assert any(e["exec"]["argv"][0] == "mount" for e in events if e["type"] == "exec")
    assert [e["exit"]["code"] for e in events if e["type"] == "exit"][-1] == 4


@pytest.mark.parametrize("option", [["--memory", "16M"], ["--pids", "3"]], ids=" ".join)
def test_how_to_limit_memory_and_processes(option):
    """bubblewrap #233, #299; nsjail #196"""
    if not V2:
        answer("run", "--no-observe", *option, "true", status=125, words=[option[0][2:], "cgroup v2"])
    elif option[0] == "--pids":
        done = ask("run", "--no-observe", *option, "--", "sh", "-c", "sleep 9 & sleep 9 & sleep 9 & sleep 9 & echo all", prefix=IN_V2)
        assert done.stdout == "" and done.returncode, done
    else:
        done = ask("run", "--no-observe", *option, "--", "python3", "-c", "x = bytearray(256 << 20)", prefix=IN_V2)
        assert done.returncode == 128 + signal.SIGKILL, done
