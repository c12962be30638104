# SPDX-License-Identifier: GPL-2.0-or-later
"""nsscope ns. Witnesses: lsns, /proc, ioctl_ns(2) through Python."""
import contextlib
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

import nsscope_test as t

TYPES = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]
NS_GET_USERNS, NS_GET_PARENT = 0xb701, 0xb702


def listing(*args, prefix=()):
    done = subprocess.run([*prefix, t.NSSCOPE, "ns", "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=t.TIMEOUT, check=True)
    assert done.stdout.count(b"\n") == 1 and done.stdout.endswith(b"\n")
    found = t.parse_line(done.stdout.rstrip(b"\n"))
    assert found["type"] == "namespaces" and found["schema"] == 1
    assert len({ns["inum"] for ns in found["namespaces"]}) == len(found["namespaces"])
    assert done.stderr.count(b"\n") == bool(any(found["missing"].values())), done.stderr
    return {ns["inum"]: ns for ns in found["namespaces"]}


def gone(ns):
    """Workers of the kernel free some types, and others' namespaces get the number soon."""
    def ended():
        now = listing().get(ns["inum"])
        return not now or now["id"] != ns["id"]
    t.poll(ended, "the end of the namespace")


def inum(path):
    return os.stat(path).st_ino


def relative(path, what):
    """inum of what NS_GET_USERNS or NS_GET_PARENT leads to; None where that is refused."""
    fd = os.open(path, os.O_RDONLY)
    try:
        other = fcntl.ioctl(fd, what)
    except OSError:
        return None
    finally:
        os.close(fd)
    try:
        return os.fstat(other).st_ino
    finally:
        os.close(other)


@contextlib.contextmanager
def holder(*options):
    """A sleep in new namespaces: its PID."""
    with subprocess.Popen(["unshare", *options, "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE) as p:
        pid = p.pid
        try:
            p.stdout.readline()
            while pathlib.Path(f"/proc/{pid}/comm").read_text() == "unshare\n":
                pid = int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
            t.poll(lambda: pathlib.Path(f"/proc/{pid}/comm").read_text() == "sleep\n", "the sleep")
            yield pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def bound(tmp_path, kind):
    """A namespace that only a bind mount keeps: its inum and its path."""
    path = tmp_path / f"a {kind}\n\x1b[31m\udcff"
    path.touch()
    try:
        with holder(f"--{kind}") as pid:
            subprocess.run(["mount", "--bind", f"/proc/{pid}/ns/{kind.replace('mount', 'mnt')}", path], check=True)
        yield inum(path), path
    finally:
        subprocess.run(["umount", path], check=True)
        path.unlink()


@pytest.fixture
def slave(tmp_path):
    """A private mount, below which mount namespaces can be bound."""
    subprocess.run(["mount", "--bind", tmp_path, tmp_path], check=True)
    subprocess.run(["mount", "--make-private", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def lsns():
    rows = json.loads(subprocess.check_output(["lsns", "-J", "-o", "NS,TYPE,NPROCS,PID"]))["namespaces"]
    return {int(row["ns"]): (row["type"], int(row["nprocs"]), int(row["pid"])) for row in rows}


def test_as_lsns():
    """What lsns says before and after alike, nsscope says as well."""
    hidden = {}
    with holder("-UrmuinCTpf", "--mount-proc") as pid:
        for name in TYPES:
            hidden[name] = inum(f"/proc/{pid}/ns/{name}")
        before, ours, after = lsns(), listing(), lsns()
        for name, number in hidden.items():
            assert before[number] == after[number] == (name, ours[number]["nprocs"], ours[number]["pid"])
        same = [n for n in before if before[n] == after.get(n) and before[n][2] != os.getpid()]
        assert len(same) >= 8  # of the others, processes come and go
        for n in same:
            assert ours[n]["type"] == before[n][0]
            if ours[n]["nprocs"] == before[n][1]:
                assert ours[n]["pid"] == before[n][2]


def test_relations_and_pids():
    with holder("-UrmuinCTpf", "--mount-proc") as pid:
        ours = listing()
        status = t.status_field(pid, "NStgid").split()
        for name in TYPES:
            path = f"/proc/{pid}/ns/{name}"
            ns = ours[inum(path)]
            assert ns["owner"] == relative(path, NS_GET_USERNS)
            assert ns["parent"] == (relative(path, NS_GET_PARENT) if name in ("pid", "user") else None)
            assert ns["owner_uid"] == 0 and ns["creator"] == ({"uid": 0} if name == "user" else None)
            assert any(k["inum"] for k in ours.values() if k["inum"] == ns["owner"])
        ns = ours[inum(f"/proc/{pid}/ns/pid")]
        assert [str(level["pid"]) for level in ns["pids"]] == status
        assert ns["pid"] == int(status[0]) and ns["inside_pid"] == int(status[-1]) == 1
        assert ns["command"] == "sleep 1000"
        user = ours[inum(f"/proc/{pid}/ns/user")]
        assert {inum(f"/proc/{pid}/ns/{n}") for n in TYPES if n != "user"} <= set(user["kept_by"]["owned"])
        assert user["inum"] in ours[user["parent"]]["kept_by"]["children"]


def test_age_is_a_bound():
    """A PID namespace is at least as old as its first process; none is older than the machine, or younger than 0."""
    with holder("-pf") as pid:
        begun = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        ns = listing()[inum(f"/proc/{pid}/ns/pid")]
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        since = now - begun * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        assert ns["age"]["is"] == "at_least"
        assert 0 < ns["age"]["ns"] <= since


@pytest.mark.parametrize("kind", ["net", "uts", "ipc", "mount", "user"])
def test_bound_only(slave, kind):
    with bound(slave, kind) as (number, path):
        ours = listing()
        ns = ours[number]
        assert ns["nprocs"] == 0 and ns["pid"] is None and ns["command"] is None
        assert ns["owner"] == relative(path, NS_GET_USERNS)
        binds = [b for b in ns["kept_by"]["binds"] if b["mnt_ns"] == inum("/proc/self/ns/mnt")]
        assert [t.raw(b, "path") for b in binds] == [os.fsencode(path)]
        text = subprocess.run([t.NSSCOPE, "ns", "--wide"], stdout=subprocess.PIPE, check=True, stderr=subprocess.DEVNULL)
        line, = [row for row in text.stdout.splitlines() if row.startswith(b"%d " % number)]
        assert b"bound to" in line and b"\x1b" not in line and b"\\n" in line and b"\xff" not in line
    gone(ns)


def test_open_file_only():
    with holder("-nm") as pid:
        fds = {name: os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in ("net", "mnt")}
        numbers = {name: os.fstat(fd).st_ino for name, fd in fds.items()}
    try:
        ours = listing()
        for name, fd in fds.items():
            ns = ours[numbers[name]]
            assert ns["nprocs"] == 0
            assert {"pid": os.getpid(), "fd": fd} in ns["kept_by"]["fds"]
    finally:
        for fd in fds.values():
            os.close(fd)


def test_owner_and_parent_only(slave):
    """The user namespaces around the one that owns a bound network namespace: no process, no file, no descriptor."""
    path = slave / "net"
    path.touch()
    with subprocess.Popen(["unshare", "-Ur", "unshare", "-Urn", "sh", "-c", "echo; exec sleep 1000"],
                          stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        inner, outer = inum(f"/proc/{p.pid}/ns/user"), relative(f"/proc/{p.pid}/ns/user", NS_GET_PARENT)
        subprocess.run(["mount", "--bind", f"/proc/{p.pid}/ns/net", path], check=True)
        p.kill()
    try:
        ours = listing()
        net = ours[inum(path)]
        assert net["owner"] == inner and not net["nprocs"]
        assert ours[inner]["kept_by"]["owned"] == [net["inum"]] and not ours[inner]["nprocs"]
        assert ours[inner]["parent"] == outer
        assert ours[outer]["kept_by"]["children"] == [inner] and not ours[outer]["nprocs"]
    finally:
        subprocess.run(["umount", path], check=True)


def test_bound_within_another_mount_namespace(tmp_path):
    """A namespace whose file is bound where only another mount namespace, itself without a process, can see it."""
    with holder("-m") as pid:
        enter = ["nsenter", f"--mount=/proc/{pid}/ns/mnt"]
        subprocess.run([*enter, "mount", "-t", "tmpfs", "t", tmp_path], check=True)
        subprocess.run([*enter, "sh", "-c", f"touch {tmp_path}/n && unshare --net={tmp_path}/n true"], check=True)
        number = int(subprocess.check_output([*enter, "stat", "-c", "%i", tmp_path / "n"]))
        fd = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    try:
        found = listing()
        assert found[number]["kept_by"]["binds"] == [{"mnt_ns": os.fstat(fd).st_ino, "path": f"{tmp_path}/n"}]
        assert found[number]["owner"] == relative("/proc/self/ns/net", NS_GET_USERNS)
        assert not found[os.fstat(fd).st_ino]["nprocs"]
    finally:
        os.close(fd)
    gone(found[number])


CHILD = """
import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
ready = threading.Event()
def thread():
    assert not libc.unshare(0x04000000)
    print(threading.get_native_id(), os.stat("/proc/thread-self/ns/uts").st_ino, flush=True)
    ready.set()
    threading.Event().wait()
here = os.open("/proc/self/ns/net", os.O_RDONLY)
assert not libc.unshare(0x40000000)
s = socket.socket()
print(s.fileno(), os.stat("/proc/self/ns/net").st_ino, flush=True)
assert not libc.setns(here, 0)
threading.Thread(target=thread, daemon=True).start()
ready.wait()
sys.stdin.read()
"""


def test_thread_and_socket_only():
    with subprocess.Popen(["/usr/bin/python3", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        fd, net = map(int, p.stdout.readline().split())
        tid, uts = map(int, p.stdout.readline().split())
        ours = listing()
        p.stdin.close()
    assert not ours[net]["nprocs"] and {"pid": p.pid, "fd": fd} in ours[net]["kept_by"]["sockets"]
    assert not ours[uts]["nprocs"] and ours[uts]["kept_by"]["threads"] == [{"pid": p.pid, "tid": tid}]


def test_a_zombie_is_not_complained_of():
    """It has no namespaces any more, and whoever asks is refused."""
    child = "import os, subprocess, sys; p = os.fork() or os._exit(0); os.waitid(os.P_PID, p, os.WEXITED | os.WNOWAIT); " \
            "print(p, flush=True); sys.stdin.read()"
    with subprocess.Popen(["/usr/bin/python3", "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        zombie = int(p.stdout.readline())
        hidden = "setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urpmf --kill-child --mount-proc sh -c"
        assert t.status_field(zombie, "State").startswith("Z")
        alone = subprocess.run([*hidden.split(), f"sh -c 'exit 0' & sleep 0.1; {t.NSSCOPE} ns"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, check=True)
        whole = subprocess.run([t.NSSCOPE, "ns"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        p.stdin.close()
    assert b"may not look into" not in alone.stderr, alone.stderr
    assert f"process {zombie} ".encode() not in whole.stderr


def test_folded_unless_wide(tmp_path):
    """Lists are folded and command lines cut where nobody asked for all of them; JSON is whole."""
    command = "sleep 1000 " + "1 " * 500
    with subprocess.Popen(["unshare", "-u", *command.split()]) as p:
        t.poll(lambda: pathlib.Path(f"/proc/{p.pid}/comm").read_text() == "sleep\n", "the sleep")
        number, user = inum(f"/proc/{p.pid}/ns/uts"), inum("/proc/self/ns/user")
        rows = {}
        for args in ((), ("--wide",)):
            text = subprocess.run([t.NSSCOPE, "ns", *args], stdout=subprocess.PIPE, text=True, check=True,
                                  stderr=subprocess.DEVNULL).stdout
            rows[args] = {int(line.split()[0]): line for line in text.splitlines()[1:]}
        ours = listing()
        p.kill()
    assert len(rows[()][number]) < 300 and len(rows[("--wide",)][number]) > 1000
    assert ours[number]["command"].rstrip() == command.rstrip()
    assert rows[("--wide",)][user].count("owner of") == len(ours[user]["kept_by"]["owned"]) > 1
    assert rows[()][user].count("owner of") == 1 and " more" in rows[()][user]


def test_for_children_only():
    with subprocess.Popen(["unshare", "-p", "sh", "-c", "sleep 0.01 & echo; wait; read x"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        t.poll(lambda: os.path.exists(f"/proc/{p.pid}/ns/pid_for_children"), "its PID 1")
        number = inum(f"/proc/{p.pid}/ns/pid_for_children")
        ours = listing()
        p.stdin.close()
    assert number != inum("/proc/self/ns/pid")
    assert p.pid in ours[number]["kept_by"]["for_children"]


def test_filters_and_tree():
    with holder("-UrmnTpf") as pid:
        own = {inum(f"/proc/{pid}/ns/{name}") for name in TYPES}
        assert set(listing("-p", str(pid))) == own
        assert {ns["type"] for ns in listing("-t", "net", "-t", "user").values()} == {"net", "user"}
        text = subprocess.run([t.NSSCOPE, "ns", "-T", "--wide"], stdout=subprocess.PIPE, text=True, check=True,
                              stderr=subprocess.DEVNULL).stdout
        rows = [line.replace("\\_", "  ", 1) for line in text.splitlines()[1:]]
        order = [int(row.split()[0]) for row in rows]
        depth = dict(zip(order, (len(row) - len(row.lstrip()) for row in rows)))
        assert len(order) == len(set(order)) and own <= set(order)
        user = inum(f"/proc/{pid}/ns/user")
        for name in ("mnt", "net", "time", "pid"):
            number = inum(f"/proc/{pid}/ns/{name}")
            assert depth[number] == depth[user] + 3 and order.index(number) > order.index(user)


def test_without_rights():
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run([*prefix, t.NSSCOPE, "ns"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    assert len(done.stderr.splitlines()) == 1 and b"run nsscope as root" in done.stderr
    first = int(done.stderr.split(b"process ")[1].split()[0])  # named, and rightly
    assert subprocess.run([*prefix, "ls", f"/proc/{first}/ns/"], stdout=subprocess.DEVNULL, check=False).returncode
    shown = [int(line.split()[0]) for line in done.stdout.splitlines()[1:]]
    assert inum("/proc/self/ns/mnt") in shown


@pytest.mark.parametrize("args", [["-t", "nothing"], ["-p", "0"], ["-p", "4194303"], ["-o", "record=/dev/null"], ["x"],
                                  ["--watch", "-p", "1"], ["--watch", "-o", "json"]])
def test_refusals(args):
    done = subprocess.run([t.NSSCOPE, "ns", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 125 and not done.stdout and len(done.stderr.splitlines()) == 1


@contextlib.contextmanager
def watching(*args):
    with subprocess.Popen([t.NSSCOPE, "ns", "--watch", *args], stdout=subprocess.PIPE) as p:
        limit = threading.Timer(t.TIMEOUT, p.kill)  # the tests wait for what it says
        limit.start()
        yield p
        limit.cancel()
        p.send_signal(signal.SIGINT)
        p.stdout.read()
    assert p.returncode == 0


def test_watch():
    """First all that are there; then each that is made or ends, also of those that were there before."""
    with contextlib.ExitStack() as stack:
        pid = stack.enter_context(holder("-u"))
        old = inum(f"/proc/{pid}/ns/uts")
        with watching("--json", "-t", "uts", "-t", "ipc") as p:
            table = t.parse_line(p.stdout.readline().rstrip(b"\n"))
            assert table["type"] == "namespaces" and {ns["type"] for ns in table["namespaces"]} == {"uts", "ipc"}
            ids = {ns["inum"]: ns["id"] for ns in table["namespaces"] if ns["inum"] == old}
            assert t.parse_line(p.stdout.readline().rstrip(b"\n"))["type"] == "start"
            with subprocess.Popen(["unshare", "-un", "stat", "-Lc", "%i", "/proc/self/ns/uts"], stdout=subprocess.PIPE) as maker:
                new = int(maker.communicate()[0])
            stack.close()  # not before: its number would be used again
            made, ends = None, {}
            while not {old, new} <= ends.keys():  # others' namespaces come and go, and numbers are used again
                event = t.parse_line(p.stdout.readline().rstrip(b"\n"))
                payload = event[event["type"]]
                assert payload["type"] in ("uts", "ipc")
                if event["type"] == "ns_destroy" and ids.get(payload["inum"], 0) == payload["id"]:
                    ends.setdefault(payload["inum"], payload)
                elif event["type"] == "ns_create" and payload["inum"] == new and event["host"]["pid"] == maker.pid:
                    made, ids[new] = payload, payload["id"]
    assert made["owner"] == inum("/proc/self/ns/user")
    assert ends[old]["lifetime_ns"] is None and ends[new]["lifetime_ns"] > 0


def test_watch_as_text():
    with holder("-i") as pid:
        old = inum(f"/proc/{pid}/ns/ipc")
        with watching("-t", "ipc") as p:
            lines = iter(p.stdout.readline, b"")
            table = list(iter(lambda: next(lines).split()[0], b"TIME"))
            assert table[0] == b"NS" and str(old).encode() in table
            os.kill(pid, signal.SIGKILL)
            assert any(f"ns_destroy ipc {old} gone".encode() in line for line in lines)
