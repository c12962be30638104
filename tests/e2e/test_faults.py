# SPDX-License-Identifier: GPL-2.0-or-later
"""Each system call of a launch made to fail in turn, and ends of all kinds: one line, the right status, nothing left.

A launch whose call failed either did all the same what it was asked for, by what its command then sees of itself; or it
says in one line what could not be done, and its command did not run.

To add the steps of another option: a line in LINES. A call that its steps make and that is not there: in STEPS (and in
tests/workload/fail.c) with words of which the message must have one.
"""
import concurrent.futures
import errno
import functools
import json
import os
import pathlib
import pty
import random
import resource
import shutil
import signal
import struct
import subprocess
import time
import uuid

import pytest
from nsscope_test import NSSCOPE, SCALE, TIMEOUT, poll, processes_with, scaled, status_field, workload
from test_enter import Target
from test_info import Held, public, user_namespaces_work  # noqa: F401
from test_launcher import reader_of
from unshare_test import told

WORKERS = 3
LIMIT = 10 * SCALE  # seconds; a launch takes some milliseconds

# Command lines whose steps are made to fail. %P: a process in namespaces of its own; %R: a root; %H: a directory of the
# host; %F: a seccomp filter; %D: a directory for this run, with empty files a, b, c, d.
SANDBOX = ["-n", "-p", "-m", "--mount-proc", "-R", "%R", "--overlay", "--dev", "--sys", "--tmpfs", "/tmp:1M", "--bind", "%H:/data/x/y",
           "--bind-ro", "%H/file:/etc/x", "--hostname", "x", "--env", "A=b", "--rlimit", "nofile=64:64", "--cap-drop", "net_raw",
           "--cap-add", "chown", "--seccomp", "%F", "-w", "/data"]
MAPS = ["-r", "--map-users=1:100000:10", "--map-groups=1:100000:10"]
LINES = {
    "run": ["run"],
    "run in a root": ["run", "-m", "-R", "/", "-w", "/usr"],
    "run with tmpfs and binds": ["run", "-m", "--tmpfs", "%H", "--bind", "%R:%H/a/b", "--no-new-privs"],
    "run as root of a user namespace": ["run", "-U", "-r", "-p", "-m", "--mount-proc"],
    "run with persistent namespaces": ["run", "-i", "--uts=%D/a", "--net=%D/b", *MAPS, "--user=%D/c"],
    "sandbox": ["run", *SANDBOX, "--uid", "1000", "--gid", "1000"],
    "sandbox of a user namespace": ["run", *MAPS, "--setgroups", "allow", *SANDBOX, "--uid", "3", "--gid", "3"],
    "sandbox that shows the host's sys": ["run", "-r", "-p", "-m", "--mount-proc", "-R", "%R", "--overlay=%D/keep", "--sys"],
    "enter": ["enter", "-t", "%P", "-a", "-S", "0", "-r", "-w"],
    "enter outside the PID namespace": ["enter", "-t", "%P", "-m", "-n", "-W", "/usr", "-e", "-G", "5", "-S", "5"],
    "enter with capabilities": ["enter", "-t", "%P", "-U", "-p", "--keep-caps"],
    "unshare": ["unshare", "-f", "-p", "-m", "-u", "-n", "-i", "-C", "--mount-proc", "--kill-child", "-w", "/usr", "-S", "5", "-G", "5"],
    "unshare in a root": ["unshare", "-rmR", "%R", "-w", "/data", "--propagation", "slave", "--keep-caps", "--whitelist-env", "A"],
    "unshare with maps and clocks": ["unshare", *MAPS, "--setgroups", "allow", "-T", "--monotonic", "5", "--boottime", "6", "-f", "-S",
                                     "0", "-G", "0", "--mount-proc", "-p", "--propagation", "shared"],
    "unshare for another owner": ["unshare", "--owner", "1000:1000", "-u", "--map-users=0:1000:1", "--map-groups=0:1000:1"],
    "unshare with persistent namespaces": ["unshare", "-f", "--pid=%D/a", "--mount=%D/b", "--uts=%D/c", "--net=%D/d"],
}

# Calls of steps, and what the message must have one of; none: these belong to so many steps that any will do.
STEPS = {
    "mount": ["mount", "proc", "persistent", "bind"], "pivot_root": ["pivot_root"], "chroot": ["chroot", "root"], "umount2": ["overlay", "pivot_root"],
    "chdir": ["directory", "root"], "fchdir": ["directory", "root", "overlay"], "sethostname": ["host name"],
    "setns": ["namespace"], "unshare": ["namespaces"], "setgroups": ["groups"], "setgid": ["group ID", "owner"], "setuid": ["user ID", "owner"],
    "setresgid": ["group ID"], "setresuid": ["user ID"], "clone": ["supervisor", "process", "namespaces"],
    "clone3": ["supervisor", "process", "namespaces", "fork"], "prctl": ["prctl", "supervisor", "capabilities", "user ID", "group ID", "signal", "privs"],
    "capset": ["capabilities"], "capget": ["capabilities"], "seccomp": ["seccomp"], "prlimit64": ["limit"], "execve": ["execute"],
    "openat2": ["/"], "open_tree": ["/"], "move_mount": ["/"], "fsopen": ["/"], "fsconfig": ["/"], "fsmount": ["/"], "mount_setattr": ["/"],
    "symlinkat": ["/dev"], "mkdirat": ["/"], "mkdir": ["overlay", "keep", "/dev"], "chmod": ["overlay"], "chown": ["overlay"], "fchmodat": ["/"],
    "getcwd": ["overlay", "directory"], "ioctl": ["loopback"], "socket": ["loopback"],
}

# Calls of the machinery between the steps, and of many steps: any clear line will do.
MACHINERY = ["socketpair", "pidfd_open", "sendmsg", "recvmsg", "sendto", "signalfd4", "rt_sigprocmask", "rt_sigaction", "close_range",
             "poll", "ppoll", "wait4", "waitid", "fcntl", "openat", "readlinkat", "readlink", "write", "read", "pipe2", "newfstatat",
             "setxattr", "timerfd_create"]


def allow_all():
    return struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)


class Scene:
    """Where it happens: a mount namespace that nobody else touches, and all that the command lines name."""

    def __init__(self, directory):
        self.directory, self.root, self.host, self.filter = (directory / name for name in (".", "root", "host", "filter"))
        for path in ("root/proc", "root/sys", "root/dev", "root/etc", "root/tmp", "root/data", "host"):
            (directory / path).mkdir(parents=True)
        shutil.copy(workload("about"), self.root / "about")
        (self.host / "file").touch()
        self.filter.write_bytes(allow_all())
        os.chmod(directory, 0o755)
        # Linux 6.18 orders mount namespaces by IDs from a pool of each CPU, and binds only later ones to a file.
        self.cpu = str(min(os.sched_getaffinity(0)))
        script = "for d in /var/tmp /dev/shm /run; do mount -t tmpfs none $d || exit; done; mkdir /run/mount; echo ready; exec cat"
        self.holder = subprocess.Popen(["taskset", "-c", self.cpu, "unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        reader_of(self.holder)
        self.target = Target("-U", "-r", "-m", "-u", "-i", "-n", "-p", "-f", "--mount-proc")

    def end(self):
        self.target.end()
        self.holder.communicate(timeout=TIMEOUT)

    def mounts(self):
        lines = pathlib.Path(f"/proc/{self.holder.pid}/mountinfo").read_text().splitlines()
        return sorted(line.split(" ", 2)[2] for line in lines)

    def files(self):
        return sorted(str(path) for top in ("root", "host") for path in (self.directory / top).rglob("*")) + [
            sorted(os.listdir(f"/proc/{self.holder.pid}/root{d}")) for d in ("/var/tmp", "/dev/shm", "/run")]

    def everything(self):
        return self.mounts(), self.files()

    def inside(self, *argv):
        return ["nsenter", "-t", str(self.holder.pid), "-m", *argv]

    def words(self, line, directory):
        names = {"%P": self.target.pid, "%R": self.root, "%H": self.host, "%F": self.filter, "%D": directory}
        out = list(line)
        for name, value in names.items():
            out = [word.replace(name, str(value)) for word in out]
        return out


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("scene"))
    yield made
    made.end()


class Fault:
    """One launch with the nth of these calls failing; fail itself says if a process is left."""

    def __init__(self, scene, line, calls, nth, error, prefix=(), observe=False):
        self.scene, self.calls, self.error = scene, calls, error
        self.directory = scene.directory / uuid.uuid4().hex
        self.directory.mkdir()
        for name in "abcd":
            (self.directory / name).touch()
        args = scene.words(line, self.directory)
        self.command, info = args[0], self.directory / "info"
        about = "/about" if any("root" in word and word.startswith(str(scene.root)) for word in args) and "--bind" not in args[:6] \
            else workload("about")
        if self.command != "unshare":
            args[1:1] = ["--info-file", str(info), *(["-o", "text=/dev/null"] if observe else ["--no-observe"])]
        pinned = ["taskset", "-c", scene.cpu] if "--mount=" in "".join(args) else []
        self.what = f"{calls} {nth} {errno.errorcode.get(error)} of {' '.join(args)}"
        process = subprocess.Popen(
            scene.inside(*pinned, *prefix, "sh", "-c", 'exec 9</proc && exec "$@"', "sh", workload("fail"), str(error), str(nth), calls,
                         NSSCOPE, *args, "--", about, "7"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "A": "B", "FAIL_COUNT": str(self.directory / "counts")})
        try:
            stdout, stderr = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            for pid in processes_with(self.directory.name):
                os.kill(pid, signal.SIGKILL)
            process.communicate()
            raise AssertionError(f"hangs: {self.what}") from None
        self.status, self.lines = process.returncode, stderr.decode().splitlines()
        self.about = self.normal(told(stdout))
        self.counts = {name: int(n) for name, n in (row.split() for row in (self.directory / "counts").read_text().splitlines())}
        self.info = [json.loads(row) for row in info.read_text().splitlines()] if info.exists() else []
        self.mounts = [row for row in scene.mounts() if self.directory.name in row]
        self.tidy()

    def normal(self, about):
        """Without what belongs to one run alone: its directory, inodes of new file systems; nor namespaces that others keep."""
        if isinstance(about, dict):
            about["mounts"] = [(d, rest.replace(self.directory.name, "")) for d, rest in about["mounts"] if " nsfs " not in rest]
            about["environ"] = [e for e in about["environ"] if not e.startswith("FAIL_COUNT=")]
            about.pop("pid", None)
            about["at_root"] = about.pop("root") == about.pop("cwd_id")
        return about

    def tidy(self):
        """Namespaces that were to stay are there, and have to go."""
        if self.mounts:
            subprocess.run(self.scene.inside("umount", *(row.split()[2] for row in self.mounts)), check=True)

    def is_of_the_linker(self):
        return self.status == 127 and any("shared librar" in line or "shared object" in line for line in self.lines)

    def went_well(self, as_in=None):
        """As if nothing had failed: with @as_in, the same in all that the command sees."""
        if (self.status, self.lines) != (7, []) or not isinstance(self.about, dict):
            return False
        # read(2) of what the command said last: then they go with it, as it cannot be told that they were to stay.
        return not as_in or (self.about == as_in.about and (self.calls == "read" or self.mounts_at() == as_in.mounts_at()))

    def mounts_at(self):
        return sorted(pathlib.Path(row.split()[2]).name for row in self.mounts)

    def check(self, plain):
        """It worked nevertheless, or failed with one line; never a hang, never a process (98) or a mount left."""
        if self.went_well():
            assert self.went_well(plain), (self.what, self.about, plain.about)
            return
        failed = (1, 126) if self.command == "unshare" else (125, 126)
        assert self.status in failed, (self.what, self.status, self.lines)
        assert len(self.lines) == 1 and self.lines[0].startswith("nsscope"), (self.what, self.lines)
        # Its end could not be told; else the command did not run, and no namespace stays.
        if "supervisor was killed" not in self.lines[0] and "command's end" not in self.lines[0]:
            assert self.about == b"" and not self.mounts, (self.what, self.lines, self.mounts)

    def check_step(self, words, plain):
        self.check(plain)
        if self.went_well():
            return
        assert any(word in self.lines[0] for word in words), (self.what, self.lines)
        assert os.strerror(self.error) in self.lines[0], (self.what, self.lines)
        if self.command == "unshare":
            return
        failed = self.info[-1]
        assert failed["type"] == "failed" and failed["errno"] == errno.errorcode[self.error], (self.what, failed)
        assert failed["status"] == self.status and failed["step"] in self.lines[0], (self.what, failed)
        assert (failed["stage"] == "exec") == (self.status == 126), (self.what, failed)


def fault(x, scene, line, plain):
    call, nth, error = x
    made = Fault(scene, line, call, nth, error)
    if made.is_of_the_linker():
        return
    if call in STEPS:
        made.check_step(STEPS[call], plain)
    else:
        made.check(plain)


def count(scene, line, **kwargs):
    """The launch as it should be, and how often it makes each call."""
    plain = Fault(scene, line, ",".join([*STEPS, *MACHINERY]), 0, 0, **kwargs)
    assert plain.went_well(), (plain.what, plain.status, plain.lines)
    return plain


@pytest.mark.parametrize("name", LINES)
def test_each_call(scene, name):
    line = LINES[name]
    before = scene.everything()
    plain = count(scene, line)
    assert plain.counts["execve"] == 1
    cases = [(call, nth, error) for call, n in plain.counts.items() for nth in range(1, n + 1, 1 if call in STEPS else SCALE)
             for error in ([errno.EPERM, errno.ENOMEM] if call in STEPS else [errno.ENOMEM])
             # The first three ask if standard descriptors are open: only EBADF could be the answer.
             if call != "fcntl" or nth > 3]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(functools.partial(fault, scene=scene, line=line, plain=plain), cases))
    assert scene.everything() == before


# What need not be: whether something is a terminal, what it is that limits (only asked), whom the upper layer is to belong
# to, groups that a user namespace forbids to change, in place of clone3.
PASSED_OVER = {"ioctl", "prlimit64", "chown", "setgroups", "clone"}


@pytest.mark.parametrize("name", LINES)
def test_what_fails_for_good_is_not_passed_over(scene, name):
    line = LINES[name]
    plain = count(scene, line)
    calls = [call for call in STEPS if plain.counts[call] and call not in PASSED_OVER]

    def check(call):
        made = Fault(scene, line, call, -1, errno.EPERM)
        assert not made.went_well(), made.what
        made.check_step(STEPS[call], plain)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(check, calls))


def test_what_is_not_known_is_not_let_go(scene, tmp_path):
    """The process that made the command cannot say which it is. Some times, as it is a race between the two."""
    ran = tmp_path / "ran"
    enter = [NSSCOPE, *scene.words(LINES["enter with capabilities"], tmp_path), "--no-observe", "--", "/bin/sh", "-c", f"echo >{ran}"]
    for _ in range(max(60 // SCALE, 4)):
        done = subprocess.run([workload("fail"), str(errno.ENOMEM), "2", "sendmsg", *enter], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 125 and done.stderr.count("\n") == 1, done
        assert "have been entered" in done.stderr and not ran.exists(), done


def test_observed(scene):
    """With BPF in play: a step of each side, and BPF itself."""
    line = LINES["run as root of a user namespace"]
    plain = count(scene, line, observe=True)
    for call in ("clone3", "mount", "execve"):
        Fault(scene, line, call, 1, errno.EPERM, observe=True).check_step(STEPS[call], plain)
    refused = Fault(scene, line, "bpf", -1, errno.EPERM, observe=True)
    refused.check(plain)
    assert not refused.went_well() and "--no-observe" in refused.lines[0] and refused.info[-1]["stage"] == "observe"


# Limits.

def ended_well_or(done, words):
    """As it should, or not at all with one line that has all words."""
    lines = done.stderr.splitlines()
    assert (done.returncode, lines) == (7, []) or (
        done.returncode == 125 and len(lines) == 1 and all(word in lines[0] for word in words)), done
    return done.returncode == 7


@pytest.mark.parametrize("options", [["-U", "-r", "-m"], ["-U", "-r", "-p", "-m", "--mount-proc"]], ids=" ".join)
def test_no_more_processes(public, options):  # noqa: F811
    """Of an own user: nsscope, its supervisor, the command."""
    if not user_namespaces_work():
        pytest.skip("user namespaces are not for everybody here")
    uid = random.Random().randrange(100000, 2**31)
    worked = []
    for limit in range(1, 8):
        mark = uuid.uuid4().hex
        done = subprocess.run(
            ["setpriv", "--reuid", str(uid), "--regid", "65534", "--clear-groups", "prlimit", f"--nproc={limit}:{limit}", public, "run",
             "--no-observe", *options, "--", "sh", "-c", "exit 7"], capture_output=True, timeout=TIMEOUT, text=True,
            env={**os.environ, "MARK": mark}, cwd="/")
        worked.append(ended_well_or(done, [os.strerror(errno.EAGAIN), "limit"]))
        poll(lambda: not processes_with(mark), "no process is left")  # noqa: B023
    assert not worked[0] and worked[-1]


def controller(name):
    """A directory where this controller limits, or None."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        head, tail = line.split(" - ")
        root = pathlib.Path(head.split()[4])
        kind, _, options = tail.split(" ")
        if kind == "cgroup" and name in options.split(","):
            return root
        if kind == "cgroup2" and name in (root / "cgroup.subtree_control").read_text().split():
            return root
    return None


@pytest.fixture
def limited(request):
    """A cgroup under a limit: (controller, file in v1, file in v2)."""
    name, v1, v2 = request.param
    root = controller(name)
    path = root / f"nsscope-{uuid.uuid4().hex}" if root else None
    try:
        if path:
            path.mkdir()
    except OSError:
        path = None
    if not path:
        pytest.skip(f"no cgroup controller {name} to be had here")
    yield path, path / (v1 if (path / v1).exists() else v2)
    poll(lambda: not (path / "cgroup.procs").read_text(), "nobody is in the cgroup")
    path.rmdir()


def in_cgroup(path, args, mark):
    return subprocess.run(["sh", "-c", f'echo $$ >{path}/cgroup.procs && exec "$0" "$@"', NSSCOPE, *args], capture_output=True,
                          text=True, timeout=TIMEOUT, env={**os.environ, "MARK": mark})


@pytest.mark.parametrize("limited", [("pids", "pids.max", "pids.max")], indirect=True)
@pytest.mark.parametrize("name", ["run", "enter"])
def test_pids_of_the_cgroup(limited, name, scene):
    path, file = limited
    for limit in (1, 2, 3, 4, 5):
        mark = uuid.uuid4().hex
        file.write_text(str(limit))
        done = in_cgroup(path, [*scene.words(LINES[name], path), "--no-observe", "--", "/bin/sh", "-c", "exit 7"], mark)
        assert ended_well_or(done, ["limit"]) == (limit > (3 if name == "enter" else 2)), (limit, done)
        poll(lambda: not processes_with(mark), "no process is left")  # noqa: B023


@pytest.mark.parametrize("limited", [("memory", "memory.limit_in_bytes", "memory.max")], indirect=True)
def test_memory_of_the_cgroup(limited):
    path, file = limited
    worked = False
    for kib in (64, 128, 256, 512, 1024, 2048, 65536):
        mark = uuid.uuid4().hex
        file.write_text(str(kib * 1024))
        done = in_cgroup(path, ["run", "--no-observe", "--", "/bin/sh", "-c", "exit 7"], mark)
        # Who is killed for lack of memory says nothing; else one line.
        assert done.returncode in (7, 125, -signal.SIGKILL, 128 + signal.SIGKILL), done
        assert len(done.stderr.splitlines()) == (done.returncode == 125), done
        poll(lambda: not processes_with(mark), "no process is left")  # noqa: B023
        worked = done.returncode == 7
    assert worked


def test_no_descriptors(tmp_path):
    """Whatever the limit of descriptors."""
    worked = False
    for limit in range(3, 40):
        mark = uuid.uuid4().hex
        done = subprocess.run([NSSCOPE, "run", "--no-observe", "--info-file", tmp_path / "info", "--", "sh", "-c", "exit 7"],
                              capture_output=True, text=True, timeout=TIMEOUT, env={**os.environ, "MARK": mark},
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))  # noqa: B023
        if "shared libraries" in done.stderr:
            continue
        worked = worked or done.returncode == 7
        assert done.returncode == 7 or (done.returncode == 125 and not worked), (limit, done)
        assert len(done.stderr.splitlines()) == (done.returncode == 125), (limit, done)
        assert not processes_with(mark)
    assert worked


# Ends.

def kill_once(seed, args):
    rng = random.Random(seed)
    mark = uuid.uuid4().hex
    options = [] if args[0] == "unshare" else ["--no-observe"]
    process = subprocess.Popen([NSSCOPE, *args, *options, "--", "sh", "-c", "sleep 1000 & sleep 1000"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "MARK": mark})
    time.sleep(rng.random() * 0.02)  # any moment will do
    process.kill()
    assert process.wait(TIMEOUT) == -signal.SIGKILL
    poll(lambda: not processes_with(mark), f"no process of {seed} {args} is left")


@pytest.mark.parametrize("name", ["run in a root", "run as root of a user namespace", "enter", "enter outside the PID namespace",
                                  "enter with capabilities", "unshare"])
def test_killed_at_any_moment(name, scene, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(functools.partial(kill_once, args=scene.words(LINES[name], tmp_path)), range(scaled(20))))


@pytest.mark.parametrize("options", [[], ["-m"], ["-U", "-r", "-p", "-m"]], ids=lambda o: " ".join(o) or "default")
@pytest.mark.parametrize("when", ["held", "running"])
def test_supervisor_is_killed(options, when):
    mark = uuid.uuid4().hex
    held = Held("--no-observe", *options, argv=["sh", "-c", "sleep 1000 & (setsid sleep 1000 &); wait"],
                env={**os.environ, "MARK": mark})
    supervisor = held.ready["host"]["ppid"]
    if when == "running":
        os.write(held.go, b"x")
        poll(lambda: len([p for p in processes_with(mark) if status_field(p, "Name") == "sleep"]) == 2, "they sleep")
    os.kill(supervisor, signal.SIGKILL)
    assert held.process.wait(TIMEOUT) == 125
    held.finish(b"")
    assert len(held.stderr.splitlines()) == 1 and b"supervisor" in held.stderr
    poll(lambda: not processes_with(mark), "no process is left")


@pytest.mark.parametrize("options", [[], ["-m"]], ids=lambda o: " ".join(o) or "default")
def test_terminal_hangs_up(options):
    mark = uuid.uuid4().hex
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(NSSCOPE, [NSSCOPE, "run", "--no-observe", *options, "--", "sh", "-c", "echo ready; sleep 1000"],
                  {**os.environ, "MARK": mark})
    seen = b""
    while b"ready" not in seen:
        seen += os.read(fd, 4096)
    os.close(fd)
    status = os.waitpid(pid, 0)[1]
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    poll(lambda: not processes_with(mark), "no process is left")


# A full disk.

@pytest.mark.parametrize("options", [["--no-observe", "--info-file", "/dev/full"], ["-o", "json=/dev/full"], ["-o", "record=/dev/full"]],
                         ids=" ".join)
def test_full_disk_of_what_is_told(options):
    """What is told of the command before it runs; its events only cost their own loss."""
    done = subprocess.run([NSSCOPE, "run", *options, "--", "echo", "ran"], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 125 and done.stdout == ("" if "--info-file" in options else "ran\n"), done
    line, = done.stderr.splitlines()
    assert os.strerror(errno.ENOSPC) in line and "/dev/full" in line


@pytest.mark.parametrize("options", [["--overlay=%M/keep"], ["--overlay", "--bind", "%R/data:%M/new"]], ids=["overlay", "bind"])
@pytest.mark.parametrize("inodes", range(1, 6))
def test_full_disk_of_the_overlay(scene, tmp_path, options, inodes):
    """A tmpfs with few inodes, in a mount namespace that goes with it: %M."""
    script = f'mount -t tmpfs -o nr_inodes={inodes} t {tmp_path} && "$@"; s=$?; find {tmp_path} -mindepth 1 >&2; exit $s'
    args = [o.replace("%M", str(tmp_path)).replace("%R", str(scene.root)) for o in options]
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", NSSCOPE, "run", "--no-observe", "-R", scene.root, *args, "--",
                           "/about", "7"], capture_output=True, text=True, timeout=TIMEOUT)
    said = [line for line in done.stderr.splitlines() if line.startswith("nsscope")]
    assert done.returncode == 7 and not said or (
        done.returncode == 125 and len(said) == 1 and os.strerror(errno.ENOSPC) in said[0] and "disk" in said[0]), done
    assert options[0] == "--overlay" or inodes > 2 or done.returncode == 125
