# SPDX-License-Identifier: GPL-2.0-or-later
"""--info-fd, --info-file, --hold: what was started, against /proc while the command is held."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import uuid

import pytest
from nsscope_test import NS_TYPES, NSSCOPE, TIMEOUT, Stream, poll, processes_with, status_field

HZ = os.sysconf("SC_CLK_TCK")


class Held:
    """A command that nsscope holds, all set up; its info comes through a pipe."""

    def __init__(self, *options, argv=("true",), prefix=(), command="run", **popen):
        hold, self.go = os.pipe()
        self.info, told = os.pipe()
        self.process = subprocess.Popen(
            [*prefix, NSSCOPE, command, *options, "--hold-fd", str(hold), "--info-fd", str(told), "--", *argv],
            pass_fds=[hold, told], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        os.close(hold)
        os.close(told)
        self.lines = os.fdopen(self.info, "rb")
        self.ready = json.loads(self.lines.readline())

    def finish(self, how=b"x"):
        """Lets it go; the rest of what was told."""
        if how:
            os.write(self.go, how)
        os.close(self.go)
        self.stdout, self.stderr = self.process.communicate(timeout=TIMEOUT)
        with self.lines:
            return [json.loads(line) for line in self.lines]


def stat_field(pid, number):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[number - 3])


def ns_link(pid, name):
    return int(os.readlink(f"/proc/{pid}/ns/{name}").split("[")[1][:-1])


def check_ready(ready, euid=0):
    """Everything that was told of a held command against /proc."""
    pid = ready["host"]["pid"]
    assert ready["type"] == "ready"
    assert [level["pid"] for level in ready["pids"]] == [int(p) for p in status_field(pid, "NSpid").split()]
    assert ready["inside"]["pid"] == int(status_field(pid, "NSpid").split()[-1])
    assert ready["host"]["ppid"] == int(status_field(pid, "PPid"))
    assert ready["host"]["uid"] == int(status_field(pid, "Uid").split()[1]) == euid
    assert ready["start_ticks"] == stat_field(pid, 22)
    if ready["start_ns"] is not None:
        assert ready["start_ns"] * HZ // 10**9 == ready["start_ticks"]
    assert ready["ns"] == {name: ns_link(pid, name) for name in NS_TYPES}
    assert ready["pids"][-1]["ns"] == ready["ns"]["pid"] and ready["pids"][0]["ns"] == ns_link("self", "pid")
    cgroup, = [line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line[:3] == "0::"]
    assert ready["cgroup"] == cgroup
    assert ready["boot_id"] == pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    fd = os.pidfd_open(pid)
    pidfs = os.stat(fd).st_ino
    fd2 = os.pidfd_open(os.getpid())
    assert ready["pidfd_inode"] == (pidfs if pidfs != os.stat(fd2).st_ino else None)
    os.close(fd)
    os.close(fd2)
    assert ready["ref"] == f"{ready['boot_id']}:{pid}:{ready['start_ticks']}:{ready['pidfd_inode'] or 0}"


OPTIONS = [[], ["-p"], ["-m"], ["-U", "-r"], ["-U", "-r", "-p", "-m", "--mount-proc"], ["-T", "-n", "-u", "-i", "-C"],
           ["-R", "/"]]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "".join(o).replace("-", "") or "default")
@pytest.mark.parametrize("observe", [["-o", "text=/dev/null"], ["--no-observe"]], ids=["observed", "not observed"])
def test_ready_is_the_truth(options, observe):
    held = Held(*options, *observe, argv=["sh", "-c", "exit 7"])
    pid = held.ready["host"]["pid"]
    check_ready(held.ready)
    assert (held.ready["start_ns"] is None) == (observe == ["--no-observe"])
    # Held means before its first instruction: it is still nsscope.
    assert os.readlink(f"/proc/{pid}/exe") == os.path.realpath(NSSCOPE)
    assert held.finish() == [{"type": "ended", "code": 7, "signal": None, "status": 7}]
    assert held.process.returncode == 7 and held.stderr == b""


def test_same_process_as_in_the_events(tmp_path):
    held = Held("-o", f"json={tmp_path / 'events'}")
    held.finish()
    fork, = Stream((tmp_path / "events").read_bytes()).complete().of("fork")
    for key in ("start_ns", "ns", "cgroup_id"):
        assert held.ready[key] == fork[key]
    assert [(p["ns"], p["pid"]) for p in held.ready["pids"]] == [(p["ns"], p["pid"]) for p in fork["pids"]]


def test_all_is_set_up_when_held():
    held = Held("--no-observe", "-p", "-m", "--mount-proc", "-w", "/usr")
    pid = held.ready["host"]["pid"]
    assert os.readlink(f"/proc/{pid}/cwd") == "/usr"
    mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    assert mounts[-1].split(" ")[4] == "/proc" and " - proc proc " in mounts[-1]
    held.finish(b"")  # the end of the file lets it go too
    assert held.process.returncode == 0


def test_the_command_inherits_neither_descriptor():
    held = Held("--no-observe", "-m", argv=["sh", "-c", "ls /proc/$$/fd"])
    held.finish()
    assert held.stdout.split() == [b"0", b"1", b"2"]


def test_info_file(tmp_path):
    file = tmp_path / "info"
    file.write_text("old " * 1000)
    done = subprocess.run([NSSCOPE, "run", "--no-observe", "--info-file", file, "-m", "--", "sh", "-c", f"cat {file}; kill -9 $$"],
                          capture_output=True, timeout=TIMEOUT)
    assert json.loads(done.stdout)["type"] == "ready"
    ready, ended = map(json.loads, file.read_text().splitlines())
    assert ready["type"] == "ready"
    assert ended == {"type": "ended", "code": None, "signal": "SIGKILL", "status": 137} and done.returncode == 137


def test_hold_until_sigcont(tmp_path):
    mark = uuid.uuid4().hex
    process = subprocess.Popen([NSSCOPE, "run", "--no-observe", "-m", "--hold", "--info-file", tmp_path / "info", "--", "sh", "-c",
                                "echo $$"], stdout=subprocess.PIPE, env={**os.environ, "MARK": mark})
    poll(lambda: (tmp_path / "info").exists() and (tmp_path / "info").read_text(), "the info")
    ready = json.loads((tmp_path / "info").read_text())
    check_ready(ready)
    process.send_signal(signal.SIGCONT)
    assert int(process.communicate(timeout=TIMEOUT)[0]) == ready["host"]["pid"]
    assert process.returncode == 0


@pytest.mark.parametrize("options", [["-m"], ["-p"]], ids=" ".join)
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ends_while_held(options, sig):
    mark = uuid.uuid4().hex
    held = Held("--no-observe", *options, env={**os.environ, "MARK": mark}, argv=["echo", "ran"])
    held.process.send_signal(sig)
    assert held.process.wait(TIMEOUT) == (-sig if sig == signal.SIGKILL else 128 + sig)
    rest = held.finish(b"")
    assert held.stdout == b""
    assert rest == ([] if sig == signal.SIGKILL else
                    [{"type": "ended", "code": None, "signal": sig.name, "status": 128 + sig}])
    poll(lambda: not processes_with(mark), "no process is left")


FAILURES = [
    (["-R", "/nonexistent"], ["true"], 125, None, {"stage": "setup", "step": "prepare the new root /nonexistent", "errno": "ENOENT"}),
    (["-w", "/nonexistent"], ["true"], 125, None, {"stage": "setup", "errno": "ENOENT"}),
    (["--mount-proc=/etc/passwd"], ["true"], 125, None, {"stage": "setup", "errno": "ENOTDIR"}),
    ([], ["no-such-command"], 127, "ready", {"stage": "exec", "step": "execute no-such-command", "errno": "ENOENT"}),
    ([], ["/etc/passwd"], 126, "ready", {"stage": "exec", "errno": "EACCES"}),
    ([], ["/"], 126, "ready", {"stage": "exec", "errno": "EACCES"}),
]


@pytest.mark.parametrize("options, argv, status, before, failed", FAILURES, ids=str)
def test_failure(tmp_path, options, argv, status, before, failed):
    info = tmp_path / "info"
    done = subprocess.run([NSSCOPE, "run", "--no-observe", *options, "--info-file", info, "--", *argv],
                          capture_output=True, timeout=TIMEOUT)
    lines = [json.loads(line) for line in info.read_text().splitlines()]
    assert [line["type"] for line in lines] == ([before] if before else []) + ["failed"]
    assert failed.items() <= lines[-1].items() and lines[-1]["status"] == done.returncode == status
    assert set(lines[-1]) == {"type", "stage", "step", "errno", "error", "hint", "status"}
    message, = done.stderr.decode().splitlines()
    assert message == "nsscope: cannot {step}: {error}".format(**lines[-1]) + (
        "; " + lines[-1]["hint"] if lines[-1]["hint"] else "")


def test_info_that_cannot_be_written():
    """Who cannot be told of the command must not be left with it."""
    mark = uuid.uuid4().hex
    for target in ("/dev/full", None):
        if target:
            fd = os.open(target, os.O_WRONLY)
        else:
            reader, fd = os.pipe()
            os.close(reader)
        done = subprocess.run([NSSCOPE, "run", "--no-observe", "--info-fd", str(fd), "echo", "ran"], pass_fds=[fd],
                              capture_output=True, timeout=TIMEOUT, env={**os.environ, "MARK": mark})
        os.close(fd)
        assert done.returncode == 125 and done.stdout == b"" and len(done.stderr.splitlines()) == 1
    poll(lambda: not processes_with(mark), "no process is left")


@pytest.mark.parametrize("args", [
    ["--info-fd", "77", "true"], ["--hold-fd", "77", "true"], ["--info-fd", "x", "true"], ["--info-fd=-1", "true"],
    ["--info-file", "/nonexistent/info", "true"], ["--info-fd", "1", "--info-file", "x", "true"],
    ["--hold", "--hold-fd", "0", "true"], ["--no-observe", "-o", "text", "true"], ["--no-observe", "-o", "json=x", "true"]],
    ids=" ".join)
def test_refused(tmp_path, args):
    done = subprocess.run([NSSCOPE, "run", *args], capture_output=True, timeout=TIMEOUT, cwd=tmp_path)
    assert done.returncode == 125 and done.stdout == b"" and len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


# Without rights.

@pytest.fixture(scope="module")
def public():
    """nsscope where everybody can execute it."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield shutil.copy(NSSCOPE, directory)


def user_namespaces_work():
    return subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "-U", "true"],
                          capture_output=True).returncode == 0


NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def test_says_how_to_go_on_without_rights(public):
    done = subprocess.run([*NOBODY, public, "run", "-U", "-r", "--", "echo", "ran"], capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 125 and done.stdout == b""
    line, = done.stderr.splitlines()
    assert b"--no-observe" in line


@pytest.mark.parametrize("options", [["-U", "-r"], ["-r"], ["-U", "-r", "-p", "-m", "--mount-proc"], ["-U", "-m", "-n", "-i", "-u"]],
                         ids=lambda o: "".join(o).replace("-", ""))
def test_unprivileged(public, options):
    if not user_namespaces_work():
        pytest.skip("user namespaces are not for everybody here")
    if "-p" in options or options == ["-r"]:
        probe = subprocess.run([*NOBODY, "unshare", "-U", "-r", "-p", "-f", "-m", "--mount-proc", "true"], capture_output=True)
        if probe.returncode:
            pytest.skip("proc cannot be mounted by everybody here")
    shown = os.memfd_create("info", 0)
    script = "readlink /proc/self/ns/user; id -u; exit 9"
    done = subprocess.run([*NOBODY, public, "run", "--no-observe", *options, "--info-fd", str(shown), "--", "sh", "-c", script],
                          capture_output=True, timeout=TIMEOUT, pass_fds=[shown])
    assert done.returncode == 9 and done.stderr == b""
    user, uid = done.stdout.decode().split()
    ready = json.loads(os.pread(shown, 65536, 0).splitlines()[0])
    os.close(shown)
    assert user == f"user:[{ready['ns']['user']}]" and ready["ns"]["user"] != ns_link("self", "user")
    assert int(uid) == ready["inside"]["uid"] == (0 if "-r" in options else 65534) and ready["host"]["uid"] == 65534
    assert all(ready["ns"].values())


def test_no_bpf_is_touched():
    trace = subprocess.run(["strace", "-f", "-qq", "-e", "trace=bpf,perf_event_open", NSSCOPE, "run", "--no-observe", "true"],
                           capture_output=True, timeout=TIMEOUT)
    assert trace.returncode == 0 and trace.stderr == b""
