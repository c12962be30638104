# SPDX-License-Identifier: GPL-2.0-or-later
"""enter: against util-linux's nsenter on the same command line, and against /proc where nsenter cannot do it."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, Stream, poll, processes_with, status_field
from test_info import NOBODY, Held, check_ready, ns_link, public, user_namespaces_work  # noqa: F401

NAMES = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]
LETTERS = {"m": "mnt", "u": "uts", "i": "ipc", "n": "net", "p": "pid", "C": "cgroup", "U": "user", "T": "time"}
TIME = os.path.exists("/proc/self/ns/time")

PROBE = r"""
for n in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$n; done
readlink /proc/self/cwd; stat -Lc 'root %d:%i' /proc/self/root; stat -Lc 'cwd %d:%i' .
id; grep -E '^(Cap|Groups|Sig(Blk|Ign)|NoNewPrivs)' /proc/self/status; hostname; env | grep -v '^_=' | sort
grep NSpid /proc/self/status | wc -w
exit 21
"""


class Target:
    """A process in namespaces of its own, with a shell's child that sleeps in them."""

    def __init__(self, *options, prefix=(), command="cd /usr; hostname inside 2>/dev/null; echo ready; exec sleep 1000"):
        self.mark = uuid.uuid4().hex
        # Where the PID namespace is new, unshare stays outside: the target is the one that printed.
        self.process = subprocess.Popen(
            ["unshare", *options, *prefix, "sh", "-c", command], stdout=subprocess.PIPE, start_new_session=True,
            env={"MARK": self.mark, "INSIDE": "yes", "ODD": "a\nb=c", "PATH": os.environ["PATH"]})
        assert self.process.stdout.readline() == b"ready\n"
        self.pid, = poll(lambda: [p for p in processes_with(self.mark) if status_field(p, "Name") == "sleep"], "it sleeps")
        self.inside = int(status_field(self.pid, "NSpid").split()[-1])
        self.ns = {name: ns_link(self.pid, name) for name in NAMES if TIME or name != "time"}

    def end(self):
        for pid in processes_with(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.kill()
        self.process.communicate()
        poll(lambda: not processes_with(self.mark), "the target has ended")


KINDS = {
    "all": ["-U", "-r", "-m", "-u", "-i", "-n", "-p", "-C", *(["-T"] if TIME else []), "-f", "--mount-proc"],
    "root": ["-m", "-u", "-i", "-n", "-p", "-C", "-f", "--mount-proc"],
    "user": ["-U", "-r"],
    "net": ["-n"],
}


@pytest.fixture(scope="module")
def targets():
    made = {name: Target(*options) for name, options in KINDS.items()}
    made["other user"] = Target("-m", "-u", "-p", "-f", "--mount-proc",
                                prefix=["setpriv", "--reuid", "1234", "--regid", "2345", "--clear-groups"])
    yield made
    for target in made.values():
        target.end()


def run_both(args, **popen):
    out = []
    for prefix in (["nsenter"], [NSSCOPE, "enter", "--no-observe"]):
        done = subprocess.run([*prefix, *args], capture_output=True, timeout=TIMEOUT, cwd="/var", stdin=subprocess.DEVNULL, **popen)
        status = done.returncode
        if prefix == ["nsenter"]:
            status = {1: 125}.get(status, 128 - status if status < 0 else status)
        out.append((status, done.stdout.decode(), done.stderr.decode()))
    return out


# Options, with %P the target's PID.
T = ["-T"] if TIME else []
SAME = [
    ("all", ["-t", "%P", "-a"]), ("all", ["-a", "-t%P"]), ("all", ["--target", "%P", "--all"]), ("all", ["--target=%P", "-a"]),
    ("all", ["-t", "%P", "-U"]), ("all", ["-t", "%P", "-U", "-m"]), ("all", ["-t", "%P", "-U", "-p"]),
    ("all", ["-t", "%P", "-m", "-u", "-i", "-n", "-p", "-C", *T]), ("all", ["-t", "%P", "-m"]), ("all", ["-t", "%P", "-p"]),
    ("all", ["-t", "%P", "-p", "-m"]), ("all", ["-t", "%P", "-p", "-m", "-F"]), ("all", ["-t", "%P", "-p", "--no-fork"]),
    ("all", ["-t", "%P", "-muinpCU"]), ("all", ["-t", "%P", "-n", "-u"]), ("all", ["-t", "%P", *T, "-i"]),
    ("all", ["-t", "%P", "-U", "--preserve-credentials"]), ("all", ["-t", "%P", "-a", "--preserve-credentials"]),
    ("all", ["-t", "%P", "-a", "-S", "0"]), ("all", ["-t", "%P", "-a", "-S", "5"]), ("all", ["-t", "%P", "-a", "-G", "5"]),
    ("all", ["-t", "%P", "-a", "-w"]), ("all", ["-t", "%P", "-a", "-W", "/usr/bin"]), ("all", ["-t", "%P", "-a", "-W", "/nonexistent"]),
    ("all", ["-t", "%P", "-a", "-r", "-w"]), ("all", ["-t", "%P", "-m", "-w/etc"]), ("all", ["-t", "%P", "-m", "--wd=/etc"]),
    ("all", ["-t", "%P", "-m", "-w/nonexistent"]), ("all", ["-t", "%P", "-m", "-r/nonexistent"]),
    ("root", ["-t", "%P", "-a"]), ("root", ["-t", "%P", "-m", "-p", "-S", "1000", "-G", "1000"]),
    ("root", ["-t", "%P", "-m", "-S", "1000"]), ("root", ["-t", "%P", "-m", "-G", "1000"]), ("root", ["-t", "%P", "-m", "-w"]),
    ("root", ["-t", "%P", "-m", "-W", "bin"]), ("root", ["-t", "%P", "-u", "-S", "0", "-G", "0"]),
    ("root", ["-m/proc/%P/ns/mnt"]), ("root", ["--mount=/proc/%P/ns/mnt", "--pid=/proc/%P/ns/pid"]),
    ("root", ["-t", "%P", "-m", "-n/proc/%P/ns/net"]), ("root", ["-u/proc/%P/ns/uts"]),
    ("root", ["--net=/proc/self/ns/net"]), ("root", ["--net=/nonexistent"]), ("root", ["--net=/etc/passwd"]),
    ("root", ["--net=/proc/%P/ns/uts"]), ("root", ["-t", "%P", "--user"]), ("root", ["--root=/usr", "-w", "-t", "%P", "-u"]),
    ("user", ["-t", "%P", "-U"]), ("user", ["-t", "%P", "-U", "-S", "0", "-G", "0"]), ("user", ["--user=/proc/%P/ns/user"]),
    ("user", ["--user=/proc/%P/ns/user", "--preserve-credentials"]), ("user", ["-t", "%P", "-U", "-S", "1"]),
    ("net", ["-t", "%P", "-n"]), ("net", ["-t", "%P", "-n", "-u", "-i"]), ("net", ["-t", "%P", "-n", "-w"]),
    ("other user", ["-t", "%P", "-m", "-p"]), ("other user", ["-t", "%P", "-m", "-r", "-w"]),
    ("all", ["-t", "%P", "-a", "--net=/proc/self/ns/net"]), ("all", ["-t", "%P", "-a", "--pid=/proc/self/ns/pid", "--mount=/proc/self/ns/mnt"]),
    ("user", ["-t", "%P", "-U", "--uts=/proc/self/ns/uts", "--ipc=/proc/self/ns/ipc", "-C"]),
    ("all", ["-t", "99999999", "-a"]), ("all", ["-t", "0", "-a"]), ("all", ["-t", "x", "-a"]), ("all", ["-a"]), ("all", ["-m"]),
    ("all", ["-t", "%P", "-S", "x", "-a"]), ("all", ["-t", "4194303", "-m"]), ("all", ["-t", "%P", "-t", "%P", "-x"]),
]


@pytest.mark.parametrize("kind, options", SAME, ids=lambda x: x if isinstance(x, str) else " ".join(x))
def test_as_nsenter(targets, kind, options):
    options = [o.replace("%P", str(targets[kind].pid)) for o in options]
    theirs, ours = run_both([*options, "--", "sh", "-c", PROBE])
    assert ours[:2] == theirs[:2], ours[2]
    if ours[0] != 21:
        assert ours[0] == 125 and len(ours[2].splitlines()) == 1 and ours[2].startswith("nsscope")


@pytest.mark.parametrize("command", [["/nonexistent"], ["no-such-command"], ["/etc/passwd"], ["sh", "-c", "ulimit -c 0; kill -9 $$"],
                                     ["sh", "-c", "kill -TERM $$"], ["true"], ["sh", "-c", "exit 255"], ["cat"]], ids=" ".join)
@pytest.mark.parametrize("options", [["-m"], ["-a"]], ids=" ".join)
def test_statuses_as_nsenter(targets, options, command):
    theirs, ours = run_both(["-t", str(targets["all"].pid), *options, *command])
    assert ours[:2] == theirs[:2]


def enter(*args, status=0, **popen):
    done = subprocess.run([NSSCOPE, "enter", "--no-observe", *args], capture_output=True, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, **popen)
    assert done.returncode == status, done
    return done.stdout.decode() if not status else done.stderr.decode()


def links(text):
    return {name: int(inum) for name, inum in re.findall(r"(\w+):\[(\d+)\]", text)}


SHOW = ["sh", "-c", "for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done"]


def where_is(target):
    return {name: inum for name, inum in target.ns.items() if name != "time"}


# Who is the target.

def test_pid_inside(targets):
    for kind in ("all", "root"):
        target = targets[kind]
        shown = links(enter("--target", str(target.inside), "--in", str(target.ns["pid"]), "-a", "--", *SHOW))
        assert shown == where_is(target)
    assert "PID namespace" in enter("--target", "4000000", "--in", str(targets["all"].ns["pid"]), "true", status=125)
    assert len(enter("--target", "1", "--in", "1", "true", status=125).splitlines()) == 1


def test_no_namespace_named_is_all(targets):
    assert links(enter("-t", str(targets["all"].pid), "--", *SHOW)) == where_is(targets["all"])


@pytest.mark.parametrize("options", [["-p", "-m", "--mount-proc"], ["-U", "-r", "-n"], ["-m", "-u"]], ids=" ".join)
def test_own_runs(options):
    """By reference and by the PID of nsscope, the command is the target: neither nsscope nor its supervisor."""
    held = Held("--no-observe", *options, argv=["sh", "-c", "kill -STOP $$; exit 0"])
    ready = held.ready
    want = {name: inum for name, inum in ready["ns"].items() if name in NAMES and name != "time"}
    assert links(enter("--ref", ready["ref"], "--", *SHOW)) == want
    assert links(enter("--run", str(held.process.pid), "--", *SHOW)) == want
    if ready["pidfd_inode"]:
        assert links(enter("--target", f"{ready['host']['pid']}:{ready['pidfd_inode']}", "-a", "--", *SHOW)) == want
        assert "inode" in enter("--target", f"{ready['host']['pid']}:{ready['pidfd_inode'] + 1}", "true", status=125)
    held.process.kill()
    held.finish(b"")
    poll(lambda: not os.path.exists(f"/proc/{ready['host']['pid']}"), "the command has ended")
    assert "ended" in enter("--ref", ready["ref"], "true", status=125)
    assert len(enter("--run", str(held.process.pid), "true", status=125).splitlines()) == 1


def test_reference_to_another_process(targets):
    """The same PID, but it began at another time, or is of another boot."""
    held = Held("--no-observe", "-m")
    boot, pid, ticks, inode = held.ready["ref"].split(":")
    enter("--ref", held.ready["ref"], "true")
    for other in (f"{boot}:{pid}:{int(ticks) + 1}:{inode}", f"{boot}:{pid}:{ticks}:{int(inode) + 1}",
                  f"{str(uuid.uuid4())}:{pid}:{ticks}:{inode}"):
        assert "ended" in enter("--ref", other, "true", status=125)
    for bad in ("", "x", ":::", f"{boot}:{pid}:{ticks}", f"{boot}:-{pid}:{ticks}:{inode}", f"{boot}: {pid}:{ticks}:{inode}",
                f"{boot}:{pid}:{ticks}:{inode}:"):
        assert "reference" in enter("--ref", bad, "true", status=125)
    held.finish()


def test_run_of_what_is_no_nsscope():
    assert "no nsscope" in enter("--run", str(os.getpid()), "true", status=125)
    assert len(enter("--run", "1", "true", status=125).splitlines()) == 1


@pytest.mark.parametrize("args", [[], ["true"], ["-e", "true"], ["--in", "5", "true"], ["-t", "1", "--run", "1", "true"],
                                  ["-t", "1", "-w", "-W", "/", "true"], ["-t", "1", "-U", "-S", "0", "--preserve-credentials", "true"],
                                  ["-t", "1:0", "true"], ["-t", "-1", "true"], ["-S", "root", "-t", "1", "true"]], ids=" ".join)
def test_refused(args):
    assert len(enter(*args, status=125).splitlines()) == 1


# What nsenter 2.38 cannot.

def test_letter_with_equals_sign(targets):
    """As newer ones take it."""
    target = targets["root"]
    assert links(enter(f"-n=/proc/{target.pid}/ns/net", "--", *SHOW))["net"] == target.ns["net"]
    assert enter("-t", str(target.pid), "-m", "-w=/etc", "--", "pwd") == "/etc\n"


def test_environment(targets):
    theirs = pathlib.Path(f"/proc/{targets['all'].pid}/environ").read_bytes()
    shown = enter("-t", str(targets["all"].pid), "-a", "-e", "--", "cat", "/proc/self/environ", env={"OWN": "1"})
    assert sorted(shown.split("\0")) == sorted(theirs.decode().split("\0"))


def test_follow_ids(targets):
    show = ["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"]
    pid = str(targets["other user"].pid)
    assert enter("-t", pid, "-m", "-S", "follow", "-G", "follow", "--", *show) == "1234 2345 2345\n"
    assert enter("-t", pid, "-m", "-G", "follow", "--", *show) == "0 2345 2345\n"
    # In the numbers of the user namespace that is entered.
    assert enter("-t", str(targets["user"].pid), "-U", "-S", "follow", "-G", "follow", "--", *show) == "0 0 0\n"


def test_root_alone_leaves_nothing_outside_it(targets):
    """nsenter keeps a working directory outside the new root."""
    out = enter("-t", str(targets["net"].pid), "-n", "--root=/usr", "--", "/bin/pwd", cwd="/var")
    assert out == "/\n"


def test_keep_caps():
    show = ["grep", "CapAmb", "/proc/self/status"]
    target = Target("-U")
    for name in ("uid_map", "gid_map"):
        pathlib.Path(f"/proc/{target.pid}/{name}").write_text("0 100000 10\n")
    try:
        for options, some in (([], False), (["--keep-caps"], True)):
            shown = enter("-t", str(target.pid), "-U", "-S", "5", "-G", "5", *options, "--", *show)
            assert (int(shown.split()[1], 16) != 0) == some
    finally:
        target.end()


def test_user_parent():
    target = Target("-U", "-r", "unshare", "-U", "-r")
    try:
        shown = links(enter("-t", str(target.pid), "--user-parent", "--", *SHOW))
        assert shown["user"] not in (target.ns["user"], ns_link("self", "user"))
    finally:
        target.end()


def test_net_of_a_socket(targets):
    script = ("import socket, time; s = socket.socket(); import os; os.dup2(s.fileno(), 9); "
              "import ctypes; assert ctypes.CDLL(None).unshare(0x40000000) == 0; print('ready', flush=True); time.sleep(1000)")
    process = subprocess.Popen(["unshare", "-n", "/usr/bin/python3", "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        net = links(enter("-t", str(process.pid), "-N", "9", "--", *SHOW))["net"]
        assert net not in (ns_link(process.pid, "net"), ns_link("self", "net"))
        assert len(enter("-t", str(process.pid), "-N", "0", "true", status=125).splitlines()) == 1
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def cgroup():
    root = next(line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line)
    path = pathlib.Path(root) / f"nsscope-{uuid.uuid4().hex}"
    path.mkdir()
    yield path
    poll(lambda: not (path / "cgroup.procs").read_text(), "the cgroup is empty")
    path.rmdir()


@pytest.mark.parametrize("options", [["-u"], ["-m", "-p"]], ids=" ".join)
def test_join_cgroup(cgroup, options):
    target = Target("-m", "-u", "-p", "-f", "--mount-proc")
    try:
        (cgroup / "cgroup.procs").write_text(str(target.pid))
        want = pathlib.Path(f"/proc/{target.pid}/cgroup").read_text().splitlines()[-1]
        held = Held("--no-observe", "-t", str(target.pid), *options, "-c", command="enter")
        assert pathlib.Path(f"/proc/{held.ready['host']['pid']}/cgroup").read_text().splitlines()[-1] == want
        assert held.ready["cgroup"] == want[3:]
        held.finish()
    finally:
        target.end()


def test_cgroups_mounted_at_a_place_with_a_blank(cgroup, tmp_path):
    """mountinfo writes it as \\040."""
    target, place = Target("-u"), tmp_path / "c g"
    place.mkdir()
    script = f"mount --make-rprivate / && mount --move {cgroup.parent} '{place}' && exec \"$@\" -c -t {target.pid} cat /proc/self/cgroup"
    try:
        (cgroup / "cgroup.procs").write_text(str(target.pid))
        shown = subprocess.check_output(["unshare", "-m", "sh", "-c", script, "sh", NSSCOPE, "enter", "--no-observe", "-u"], timeout=TIMEOUT)
        assert shown.decode().splitlines()[-1] == pathlib.Path(f"/proc/{target.pid}/cgroup").read_text().splitlines()[-1]
    finally:
        target.end()


@pytest.mark.parametrize("kind, options", [("all", ["-a"]), ("all", ["-p"]), ("all", ["-p", "-F"]), ("root", ["-m", "-n"]),
                                           ("user", ["-U"]), ("other user", ["-m", "-p", "-S", "follow", "-G", "follow"])],
                         ids=lambda x: x if isinstance(x, str) else " ".join(x))
def test_info_of_what_entered(targets, kind, options):
    held = Held("--no-observe", "-t", str(targets[kind].pid), *options, command="enter")
    check_ready(held.ready, euid=1234 if kind == "other user" else 0)
    for name, inum in targets[kind].ns.items():
        if any(LETTERS.get(o[1:]) == name for o in options) and options != ["-p", "-F"]:
            assert held.ready["ns"][name] == inum
    assert (held.ready["ns"]["pid_for_children"] == targets[kind].ns["pid"]) == ("-p" in options or "-a" in options or
                                                                                kind in ("user", "net"))
    assert held.finish()[-1]["status"] == 0


# Observed like run.

def test_observed(targets, tmp_path):
    target = targets["all"]
    done = subprocess.run([NSSCOPE, "enter", "-o", f"json={tmp_path / 'events'}", "-t", str(target.pid), "-a", "--", "sh", "-c",
                           "true; exit 8"], capture_output=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (8, b"")
    stream = Stream((tmp_path / "events").read_bytes()).complete()
    entered, = stream.of("setns")
    assert entered["setns"]["error"] is None
    first, command = stream.of("fork")[:2]
    assert entered["host"]["pid"] == first["host"]["pid"]
    execs = stream.of("exec")
    assert execs[0]["host"]["pid"] == command["host"]["pid"]
    assert [level["ns"] for level in execs[0]["pids"]] == [ns_link("self", "pid"), target.ns["pid"]]
    assert {name: execs[0]["ns"][name] for name in target.ns} == target.ns
    # The process that entered and the command end in either order.
    assert [e["exit"]["code"] for e in stream.of("exit") if e["host"]["pid"] == command["host"]["pid"]] == [8]


# What cannot be entered.

def test_dead_pid_namespace(tmp_path):
    """Its file is bound somewhere; its init has ended."""
    file = tmp_path / "pidns"
    file.touch()
    # In a mount namespace of its own, where what is bound cannot be left behind.
    script = f"""
        unshare -p -f sh -c 'echo $$ >{tmp_path}/x; sleep 1000' & sleep 0.1
        until child=$(pgrep -P $!) && [ -n "$child" ]; do :; done
        mount --bind /proc/$child/ns/pid {file} && kill -9 $child; wait
        {NSSCOPE} enter --no-observe --pid={file} -- echo ran; echo status $?"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.stdout == "status 125\n", done
    message = [line for line in done.stderr.splitlines() if line.startswith("nsscope")]
    assert len(message) == 1 and "its init has ended" in message[0] and "nothing can be started in it" in message[0]


def test_target_that_has_ended():
    process = subprocess.Popen(["true"])
    poll(lambda: status_field(process.pid, "State").startswith("Z"), "a zombie")
    assert "ended" in enter("-t", str(process.pid), "-m", "true", status=125)
    process.wait()
    assert "no process" in enter("-t", str(process.pid), "-m", "true", status=125)


def test_a_thread_is_no_process():
    import threading
    go, there = threading.Event(), threading.Event()
    tid = []

    def body():
        tid.append(threading.get_native_id())
        there.set()
        go.wait()
    thread = threading.Thread(target=body)
    thread.start()
    there.wait()
    assert len(enter("-t", str(tid[0]), "-m", "true", status=125).splitlines()) == 1
    go.set()
    thread.join()


def test_without_rights(public, targets):  # noqa: F811
    done = subprocess.run([*NOBODY, public, "enter", "--no-observe", "-t", str(targets["root"].pid), "-m", "true"],
                          capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 125 and len(done.stderr.splitlines()) == 1


def test_unprivileged(public):  # noqa: F811
    """The own user namespace, and all that it owns."""
    if not user_namespaces_work():
        pytest.skip("user namespaces are not for everybody here")
    mark = uuid.uuid4().hex
    process = subprocess.Popen([*NOBODY, "unshare", "-U", "-r", "-m", "-u", "-n", "sh", "-c", "echo ready; exec sleep 1000"],
                               stdout=subprocess.PIPE, env={**os.environ, "MARK": mark})
    try:
        assert process.stdout.readline() == b"ready\n"
        want = {name: ns_link(process.pid, name) for name in NAMES if name != "time"}
        done = subprocess.run([*NOBODY, public, "enter", "--no-observe", "-t", str(process.pid), "--", "sh", "-c",
                               f"{SHOW[2]}; id -u"], capture_output=True, text=True, timeout=TIMEOUT, cwd="/")
        assert done.returncode == 0, done.stderr
        assert links(done.stdout) == want and done.stdout.splitlines()[-1] == "0"
    finally:
        process.kill()
        process.communicate()


# The end.

@pytest.mark.parametrize("options", [["-a"], ["-m"], ["-p"]], ids=" ".join)
@pytest.mark.parametrize("who", ["nsscope", "TERM"])
def test_nothing_is_left(targets, options, who):
    mark = uuid.uuid4().hex
    script = "sleep 1000 & (sleep 1000; :) & sh -c 'setsid sleep 1000; :' & echo ready; wait"
    process = subprocess.Popen([NSSCOPE, "enter", "--no-observe", "-t", str(targets["all"].pid), *options, "--", "sh", "-c", script],
                               stdout=subprocess.PIPE, env={**os.environ, "MARK": mark})
    assert process.stdout.readline() == b"ready\n"
    poll(lambda: len([p for p in processes_with(mark) if status_field(p, "Name") == "sleep"]) == 3, "they sleep")
    if who == "nsscope":
        process.kill()
        assert process.wait(TIMEOUT) == -signal.SIGKILL
        poll(lambda: not processes_with(mark), "no process is left")
    else:
        process.terminate()
        assert process.wait(TIMEOUT) == 128 + signal.SIGTERM
        # As docker exec: what the command leaves when it ends by itself goes on; the target itself is untouched.
        for pid in processes_with(mark):
            os.kill(pid, signal.SIGKILL)
    process.stdout.close()
    assert os.path.exists(f"/proc/{targets['all'].pid}")
