# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command gets, what the caller gets, and what is left when nsscope is killed."""
import concurrent.futures
import contextlib
import os
import pathlib
import pty
import random
import re
import select
import signal
import subprocess
import termios
import threading
import time
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, Stream, poll, processes_with, scaled, status_field

QUIET = ["-o", "text=/dev/null"]


def nsscope(*args, **kwargs):
    return subprocess.run([NSSCOPE, "run", *QUIET, "--", *args], capture_output=True, timeout=TIMEOUT, **kwargs)


@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["sh", "-c", "exit 3"], 3), (["sh", "-c", "exit 255"], 255), (["/nonexistent"], 127),
    (["no-such-command"], 127), (["/etc/passwd"], 126), (["/"], 126)])
def test_exit_status(command, status):
    done = nsscope(*command)
    assert done.returncode == status
    assert done.stdout == b"" and len(done.stderr.splitlines()) == (status in (126, 127))


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR1, signal.SIGINT])
def test_killed_by_signal(sig):
    # Not in a PID namespace: its init cannot kill itself.
    done = subprocess.run([NSSCOPE, "run", "-m", *QUIET, "--", "sh", "-c", f"ulimit -c 0; kill -{sig.value} $$"],
                          timeout=TIMEOUT)
    assert done.returncode == 128 + sig


def test_stdin_and_stdout(tmp_path):
    data = random.Random(1).randbytes(1 << 20)
    done = nsscope("sh", "-c", "echo problem >&2; exec cat", input=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"problem\n")
    with open(tmp_path / "in", "wb+") as file:
        file.write(b"one\ntwo\n")
        file.seek(0)
        assert nsscope("sh", "-c", "read line; echo $line", stdin=file).stdout == b"one\n"
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) in (4, 8)


def test_closed_standard_fds():
    done = subprocess.run(["sh", "-c", 'exec "$0" run -o text=/dev/null -- sh -c "exit 6" <&- >&- 2>&-', NSSCOPE],
                          timeout=TIMEOUT)
    assert done.returncode == 6


def test_no_fd_leaks(tmp_path):
    outputs = [x for kind in ("text", "json", "record") for x in ("-o", f"{kind}={tmp_path / kind}")]
    show = ["sh", "-c", "ls -l /proc/$$/fd"]
    inside = subprocess.run([NSSCOPE, "run", *outputs, "--", *show], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            timeout=TIMEOUT, check=True).stdout
    plain = subprocess.run(show, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT, check=True).stdout

    def fds(listing):
        return [line.split(" -> ")[0].split()[-1] for line in listing.decode().splitlines() if " -> " in line]
    assert fds(inside) == fds(plain)


def test_signal_state_is_the_callers():
    """Blocked and ignored signals, and the parent-death signal's absence of effect on the command's own state."""
    show = ["grep", "-E", "^(Sig(Blk|Ign|Cgt)|NoNewPrivs|Seccomp|Umask|Groups|Cap.*):", "/proc/self/status"]
    assert nsscope(*show).stdout == subprocess.check_output(show)
    limits = ["cat", "/proc/self/limits"]
    assert nsscope(*limits).stdout == subprocess.check_output(limits)
    env = ["env"]
    assert nsscope(*env, env={"A": "b", "PATH": os.environ["PATH"]}).stdout == f"A=b\nPATH={os.environ['PATH']}\n".encode()


def reader_of(process):
    """Waits for the line "ready" of the command."""
    assert process.stdout.readline() == b"ready\n"


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
                                 signal.SIGUSR2])
def test_signals_are_forwarded(sig):
    script = f'trap "echo got; exit 40" {sig.name[3:]}; echo ready; while :; do sleep 0.01; done'
    process = subprocess.Popen([NSSCOPE, "run", *QUIET, "--", "sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    reader_of(process)
    process.send_signal(sig)
    out, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 40 and out == b"got\n"


@pytest.mark.parametrize("options", [["-m"], ["-p", "-m"]], ids=" ".join)
def test_signal_that_kills(options):
    mark = uuid.uuid4().hex
    process = subprocess.Popen([NSSCOPE, "run", *options, *QUIET, "--", "sh", "-c", "trap : TERM; echo ready; exec sleep 1000"],
                               stdout=subprocess.PIPE, env={**os.environ, "MARK": mark})
    reader_of(process)
    poll(lambda: "sleep" in states(mark), "it sleeps")
    process.send_signal(signal.SIGTERM)
    # The kernel drops it where the target is PID 1 of its namespace without a handler: nsscope does what it asks for.
    assert process.wait(TIMEOUT) == 128 + signal.SIGTERM
    poll(lambda: not processes_with(mark), "no process is left")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP])
def test_signal_while_it_is_blocked(sig):
    """As shells block all while they start something; at its end the kernel drops what is for PID 1."""
    script = ("import signal, time; s = signal.Signals(%d); signal.pthread_sigmask(signal.SIG_BLOCK, [s]); print('ready', flush=True)\n"
              "while s not in signal.sigpending(): pass\n"
              "signal.pthread_sigmask(signal.SIG_UNBLOCK, [s]); time.sleep(1000)" % sig)
    process = subprocess.Popen([NSSCOPE, "run", "-p", *QUIET, "--", "/usr/bin/python3", "-c", script], stdout=subprocess.PIPE)
    reader_of(process)
    process.send_signal(sig)
    try:
        assert process.wait(TIMEOUT) == 128 + sig
    finally:
        process.kill()


def test_signal_while_it_is_blocked_again_and_again():
    script = ("import signal; s = {signal.SIGTERM}; print('ready', flush=True)\n"
              "while True: signal.pthread_sigmask(signal.SIG_BLOCK, s), signal.pthread_sigmask(signal.SIG_UNBLOCK, s)")
    for _ in range(scaled(50)):
        process = subprocess.Popen([NSSCOPE, "run", "-p", *QUIET, "--", "/usr/bin/python3", "-c", script], stdout=subprocess.PIPE)
        reader_of(process)
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(TIMEOUT) == 128 + signal.SIGTERM
        finally:
            process.kill()


# What a run could leave behind.

@pytest.fixture
def place(tmp_path):
    """A mount namespace that no other test touches; nsscope runs there, and what it leaves there can be seen."""
    script = "for d in /var/tmp /dev/shm /run; do mount -t tmpfs none $d || exit; done; mkdir /run/mount; echo ready; exec cat"
    holder = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    reader_of(holder)
    temp = tmp_path / "temp"
    temp.mkdir()
    yield holder.pid, temp
    holder.communicate(timeout=TIMEOUT)


def listing(place):
    holder, temp = place
    mounts = pathlib.Path(f"/proc/{holder}/mountinfo").read_text()
    root = pathlib.Path("/sys/fs/cgroup/unified")
    root = root if root.is_dir() else pathlib.Path("/sys/fs/cgroup")
    where = [f"/proc/{holder}/root{d}" for d in ("/var/tmp", "/dev/shm", "/run", "/sys/fs/bpf")] + [str(temp)]
    return {"mounts": sorted(line.split()[4] for line in mounts.splitlines()),
            "files": {d: sorted(os.listdir(d)) for d in where if os.path.isdir(d)},
            "cgroups": [p.name for p in root.iterdir() if p.is_dir() and "nsscope" in p.name and len(p.name) != 40]}


def kill_once(seed, place, command, longest):
    options = [["-m"], [], ["-U", "-r", "-p", "-m"]][seed % 3]
    rng = random.Random(seed)
    mark = uuid.uuid4().hex
    process = subprocess.Popen(["nsenter", "-t", str(place[0]), "-m", NSSCOPE, "run", *options, *QUIET, "--", *command],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "MARK": mark, "TMPDIR": str(place[1])})
    time.sleep(rng.random() * longest)  # any moment will do
    process.kill()
    assert process.wait(TIMEOUT) == -signal.SIGKILL
    poll(lambda: not processes_with(mark), f"no process of run {seed} {options} is left")


BUSY = ["sh", "-c", "mount -t tmpfs t /mnt; (setsid sleep 1000 &); unshare -p -f sleep 1000 & while :; do /bin/true; done"]


def seconds_to_run():
    begin = time.monotonic()
    nsscope("true")
    return time.monotonic() - begin


def test_killed_at_any_moment(place):
    before = listing(place)
    longest = 1.5 * min(seconds_to_run() for _ in range(3))  # so most kills fall into the start, some after it
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: kill_once(seed, place, BUSY, longest), range(scaled(200))))
    assert listing(place) == before


@pytest.mark.parametrize("options", [["-p", "-m", "--mount-proc"], ["-m"], ["-u"]], ids=" ".join)
@pytest.mark.parametrize("command", [
    ["setpriv", "--reuid", "1000", "--clear-groups", "sleep", "1000"],
    ["sh", "-c", "setpriv --reuid 1000 --clear-groups sleep 1000 & setsid sleep 1000 & wait"],
    ["setpriv", "--reuid", "1000", "--clear-groups", "sh", "-c", "setsid setsid sleep 1000 & exec sleep 1000"]],
    ids=["itself", "child", "grandchild"])
def test_killed_after_change_of_user(options, command):
    mark = uuid.uuid4().hex
    process = subprocess.Popen([NSSCOPE, "run", *options, *QUIET, "--", *command], env={**os.environ, "MARK": mark})

    def sleepers():
        return [p for p in processes_with(mark) if status_field(p, "Name") == "sleep"]
    poll(lambda: len(sleepers()) == (1 if command[0] == "setpriv" and command[-1] == "1000" else 2), "they sleep")
    process.kill()
    process.wait(TIMEOUT)
    poll(lambda: not processes_with(mark), "no process is left")


ORPHANS = ["setsid sleep 1000 >/dev/null 2>&1 &",
           "for i in 1 2 3; do (trap '' TERM HUP; setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 &); done"]


@pytest.mark.parametrize("script", ORPHANS, ids=["one", "many"])
@pytest.mark.parametrize("options", [[], ["-u"], ["-u", "--no-observe"]],
                         ids=lambda x: " ".join(x) or "default")
def test_orphans_end_with_the_command(options, script):
    """With a PID namespace and without: when nsscope has ended there are none."""
    mark = uuid.uuid4().hex
    done = subprocess.run([NSSCOPE, "run", *options, "--", "sh", "-c", f"{script}\nexit 5"], capture_output=True,
                          timeout=TIMEOUT, env={**os.environ, "MARK": mark})
    left = processes_with(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert (done.returncode, left) == (5, [])


def test_no_search_where_nothing_is_left(tmp_path):
    """Without /proc children are found by asking for each PID: not when there are none."""
    script = 'mount -t tmpfs t /proc && exec strace -f -e trace=waitid -o "$0" "$@"'
    subprocess.run(["unshare", "-m", "sh", "-c", script, tmp_path / "trace", NSSCOPE, "run", "--no-observe", "-u", "--", "true"],
                   check=True, timeout=TIMEOUT)
    assert (tmp_path / "trace").read_text().count("waitid(P_PID") == 0


def test_ends_of_orphans_are_told(tmp_path):
    events = tmp_path / "events"
    subprocess.run([NSSCOPE, "run", "-u", "-o", f"json={events}", "--", "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & exit 0"],
                   check=True, timeout=TIMEOUT)
    stream = Stream(events.read_bytes())
    assert {e["host"]["pid"] for e in stream.of("fork")} == {e["host"]["pid"] for e in stream.of("exit")}
    assert [e["exit"]["signal"] for e in stream.of("exit")].count("SIGKILL") == 1


def test_no_zombies_of_orphans(tmp_path):
    """Children that the command leaves to their fate are reaped by somebody while it still runs."""
    script = "for i in 1 2 3 4 5; do (true & exec true) & done; wait; exit 0"
    assert nsscope("sh", "-c", script).returncode == 0


# A terminal.

class Terminal:
    """An interactive program on a terminal of its own."""

    def __init__(self, *argv, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, {**os.environ, "TERM": "dumb", **(env or {})})
        self.seen = b""
        self.lock = threading.Lock()

    def type(self, text):
        os.write(self.fd, text)

    def expect(self, pattern):
        """Reads until @pattern has come; what it consumed is forgotten."""
        end = time.monotonic() + TIMEOUT
        while not (found := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, f"never {pattern}: {self.seen}"
            self.seen += os.read(self.fd, 65536)
        self.seen = self.seen[found.end():]
        return found

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        return os.waitpid(self.pid, 0)[1]


@pytest.fixture
def shell():
    mark = uuid.uuid4().hex
    terminal = Terminal("bash", "--norc", "--noprofile", "-i",
                        env={"MARK": mark, "PS1": "prompt> ", "INPUTRC": "/dev/null", "HISTFILE": "/dev/null"})
    terminal.mark = mark
    terminal.expect(rb"prompt> ")
    terminal.type(b"bind 'set enable-bracketed-paste off'; PS1='PS''1> '\n")
    terminal.expect(rb"PS1> ")
    yield terminal
    terminal.close()
    poll(lambda: not processes_with(mark), "no process is left")


def states(mark):
    out = {}
    for pid in processes_with(mark):
        name, state = status_field(pid, "Name"), status_field(pid, "State")
        if name and state:
            out.setdefault(name, set()).add(state[0])
    return out


@pytest.mark.parametrize("options", ["", "-m"], ids=["pid namespace", "none"])
def test_job_control(shell, options):
    shell.type(f"'{NSSCOPE}' run {options} -o text=/dev/null -- sh -c 'echo re\"\"ady; exec cat'\n".encode())
    shell.expect(rb"ready\r\n")
    poll(lambda: "cat" in states(shell.mark), "cat runs")
    for _ in range(3):
        shell.type(b"\x1a")
        shell.expect(rb"Stopped")
        shell.expect(rb"PS1> ")
        poll(lambda: states(shell.mark)["cat"] == {"T"}, "cat is stopped")
        shell.type(b"fg\n")
        shell.expect(rb"fg\r\n[^\n]*nsscope[^\n]*\n")
        poll(lambda: states(shell.mark)["cat"] == {"S"}, "cat goes on")
        shell.type(b"hel\"lo\n")
        shell.expect(rb'hel"lo\r\nhel"lo\r\n')
    shell.type(b"\x03")
    shell.expect(rb"PS1> ")
    shell.type(b"echo status=$?\n")
    assert shell.expect(rb"status=(\d+)\r").group(1) == b"130"


def test_background(shell):
    shell.type(f"'{NSSCOPE}' run -o text=/dev/null -- sh -c 'read x; exit 11' &\n".encode())
    shell.expect(rb"\[1\] \d+")
    poll(lambda: states(shell.mark).get("sh") == {"T"}, "the reader is stopped")

    def job():
        shell.type(b"jobs\n")
        return shell.expect(rb"\[1\]\S* +(Running|Stopped)").group(1)
    poll(lambda: job() == b"Stopped", "the shell knows")
    shell.type(b"fg\n")
    shell.expect(rb"fg\r\n")
    poll(lambda: states(shell.mark).get("sh") == {"S"}, "the reader goes on")
    shell.type(b"x\n")
    shell.expect(rb"PS1> ")
    shell.type(b"echo status=$?\n")
    assert shell.expect(rb"status=(\d+)\r").group(1) == b"11"


@pytest.mark.parametrize("how", ["command", "nsscope"])
def test_terminal_is_restored(how):
    """The command changes the terminal and is killed, or nsscope is: then the terminal is as it was."""
    mark = uuid.uuid4().hex
    script = ("before=$(stty -g); \"$0\" run -m -o text=/dev/null -- sh -c "
              "'stty raw -echo; echo ready; kill -STOP 0; exec sleep 1000'; "
              "echo ended; read go; after=$(stty -g); [ \"$before\" = \"$after\" ] && echo same || echo differs")
    script = script.replace("kill -STOP 0; ", "")
    terminal = Terminal("sh", "-c", script, NSSCOPE, env={"MARK": mark})
    try:
        terminal.expect(rb"ready")
        sleeper, = poll(lambda: [p for p in processes_with(mark) if status_field(p, "Name") == "sleep"], "sleep runs")
        assert not termios.tcgetattr(terminal.fd)[3] & termios.ECHO
        if how == "command":
            os.kill(sleeper, signal.SIGKILL)
        else:
            process, = [int(p) for p in pathlib.Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children")
                        .read_text().split()]
            os.kill(process, signal.SIGKILL)
        terminal.expect(rb"ended")
        poll(lambda: termios.tcgetattr(terminal.fd)[3] & termios.ECHO, "echo is on again")
        terminal.type(b"go\n")
        assert terminal.expect(rb"same|differs").group() == b"same"
    finally:
        terminal.close()


