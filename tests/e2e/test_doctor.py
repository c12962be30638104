# SPDX-License-Identifier: GPL-2.0-or-later
"""nsscope doctor says what nsscope run can do. Witnesses: run itself, /proc, unshare, capsh, mount."""
import base64
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import nsscope_test as t

STATES = {"ok", "limited", "missing", "unknown"}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """nsscope where everybody can execute it."""
    out = tmp_path_factory.mktemp("public")
    for path in (out, *out.parents[:2]):
        path.chmod(0o755)
    shutil.copy(t.NSSCOPE, out / "nsscope")
    shutil.copy(t.workload("deny"), out / "deny")
    return out


def call(args, cwd="/", **env):
    return subprocess.run(args, capture_output=True, timeout=t.TIMEOUT, cwd=cwd, stdin=subprocess.DEVNULL,
                          env={**os.environ, **env})


class Doctor:
    """What doctor --json says; strict about its form."""

    def __init__(self, nsscope=t.NSSCOPE, prefix=()):
        done = call([*prefix, nsscope, "doctor", "--json"])
        assert done.returncode in (0, 1) and not done.stderr, done
        self.status = done.returncode
        line = done.stdout.decode("utf-8")
        assert line.count("\n") == 1 and line.endswith("\n") and line[:-1].isprintable()
        self.json = json.loads(line, object_pairs_hook=t._no_duplicates)
        assert set(self.json) == {"type", "schema", "version", "commands", "checks"}
        assert self.json["type"] == "doctor"
        for c in self.json["checks"]:
            assert {"subject", "check", "name", "state", "found", "why", "mend"} <= set(c)
            assert c["state"] in STATES and c["found"] and c["name"]
            assert c["state"] != "missing" or c["mend"], c
        self.checks = {c["name"]: c for c in self.json["checks"]}
        assert len(self.checks) == len(self.json["checks"])
        self.commands = self.json["commands"]
        assert set(self.commands) == {"run", "watch", "ps", "replay"} and self.commands["replay"] == "ok"
        assert (self.status == 0) == (self.commands["run"] == "ok")

    def state(self, name):
        return self.checks[name]["state"]

    def found(self, name):
        return self.checks[name]["found"]

    def bad(self):
        return {name for name, c in self.checks.items() if c["state"] == "missing"} - set(self.commands)


@pytest.fixture(scope="module")
def doctor():
    return Doctor()


def mounted(script):
    return ["unshare", "-m", "sh", "-c", f'{script} && exec "$0" "$@"']


def without(caps):
    return ["capsh", f"--drop={caps}", "--", "-c", 'exec "$0" "$@"']


CAPS = {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"}
BPF = {"ring buffer", "observer"}
# A root directory that is no mount point, as after a plain chroot.
CHROOT = """
mount -t tmpfs none /mnt && mkdir /mnt/root && cd /mnt/root && ln -s usr/bin usr/lib usr/lib64 usr/sbin . &&
for d in usr etc proc sys dev tmp; do mkdir $d && mount --rbind /$d $d || exit; done &&
touch nsscope && mount --bind "$0" nsscope && exec chroot . /nsscope "$@"
"""

# How nsscope is started, what is told of it, and what else is missing for it to be so.
SETTINGS = {
    "root": ([], {"run": "ok", "ps": "ok"}, set()),
    "unprivileged": (["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
                     {"run": "missing", "CAP_SYS_PTRACE": "limited", "pid": "limited", "ps": "limited"},
                     {*CAPS, *BPF, "launcher"}),
    "no CAP_BPF": (without("cap_bpf"), {"run": "ok", "CAP_BPF": "ok"}, set()),
    "no CAP_PERFMON": (without("cap_perfmon"), {"run": "ok", "CAP_PERFMON": "ok"}, set()),
    "no CAP_SYS_ADMIN": (without("cap_sys_admin"), {"run": "missing", "watch": "ok", "pid": "limited"},
                         {"CAP_SYS_ADMIN", "launcher"}),
    "no CAP_BPF, no CAP_SYS_ADMIN": (without("cap_bpf,cap_sys_admin"), {"CAP_PERFMON": "ok"},
                                     {"CAP_BPF", "CAP_SYS_ADMIN", "launcher", *BPF}),
    "no CAP_PERFMON, no CAP_SYS_ADMIN": (without("cap_perfmon,cap_sys_admin"), {"CAP_BPF": "ok", "ring buffer": "ok"},
                                         {"CAP_PERFMON", "CAP_SYS_ADMIN", "launcher", "observer"}),
    "no CAP_SYS_PTRACE": (without("cap_sys_ptrace"), {"CAP_SYS_PTRACE": "limited"}, set()),
    "no capability": (["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"], {}, {*CAPS, *BPF, "launcher"}),
    "user namespace": (["unshare", "-U", "-r"], {"pid": "ok", "launcher": "ok"}, {"user namespace", *CAPS, *BPF}),
    "no more user namespaces": (
        ["unshare", "-U", "-r", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" "$@"'],
        {"user": "limited", "user.max_user_namespaces": "limited", "rights by -U": "limited", "pid": "ok"},
        {"user namespace", *CAPS, *BPF}),
    "no more UTS namespaces": (
        ["unshare", "-U", "-r", "sh", "-c", 'echo 0 >/proc/sys/user/max_uts_namespaces && exec "$0" "$@"'],
        {"pid": "ok"}, {"uts", "user.max_uts_namespaces", "user namespace", "launcher", *CAPS, *BPF}),
    "PID namespace": (["unshare", "-p", "-f", "--mount-proc"], {"run": "ok", "PID namespace": "limited", "/proc": "ok"},
                      set()),
    "PID namespace, /proc of another": (["unshare", "-p", "-f"], {"PID namespace": "limited", "/proc": "limited"},
                                        set()),
    "no BTF": (mounted("mount -t tmpfs none /sys/kernel/btf"), {"ring buffer": "ok", "launcher": "ok"},
               {"BTF", "observer"}),
    "no /proc": (mounted("mount -t tmpfs none /proc"),
                 {"user namespace": "unknown", "configuration": "unknown", "hierarchy": "unknown"},
                 {"/proc", "observer"}),
    "/proc subset=pid": (mounted("mount -t proc -o subset=pid none /proc"), {"visibility": "limited"}, set()),
    "/proc hidepid=2": (mounted("mount -t proc -o hidepid=2 none /proc"), {"visibility": "ok"}, set()),
    "/proc hidepid=2, no CAP_SYS_PTRACE": (mounted("mount -t proc -o hidepid=2 none /proc") + without("cap_sys_ptrace"),
                                           {"visibility": "limited"}, set()),
    "/proc covered": (mounted("mount -t tmpfs none /proc/irq && mount --bind /dev/null /proc/interrupts"),
                      {"mounts below /proc": "limited", "/proc by -U": "limited", "run": "ok"}, set()),
    "/proc covered where it is empty": (mounted("mount -t tmpfs none /proc/sys/fs/binfmt_misc || exit 77"),
                                        {"mounts below /proc": "ok", "/proc by -U": "ok"}, set()),
    "/ is no mount point": (["unshare", "-m", "sh", "-c", CHROOT],
                            {"/proc by -U": "limited"}, {"launcher"}),
    "no programs": (["./deny", "1", "5"], {"ring buffer": "ok", "seccomp": "limited"}, {"observer"}),
    "no maps": (["./deny", "1", "0"], {"seccomp": "limited"}, BPF),
    "no bpf(2)": (["./deny", "38", "all"], {"launcher": "ok"}, BPF),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_agrees_with_run(public, name):
    """Each setting: what is missing is named, and the exit status is what run does there."""
    prefix, states, missing = SETTINGS[name]
    prefix = [str(public / "deny") if word == "./deny" else word for word in prefix]
    nsscope = public / "nsscope"
    d = Doctor(nsscope, prefix)
    assert {n: s for n, s in states.items() if s and d.state(n) != s} == {}
    assert {n for n in d.bad() if ":" not in n} - {"BTF"} == set(missing) - {"BTF"}
    assert (d.state("BTF") == "missing") == ("BTF" in missing)
    ran = call([*prefix, nsscope, "run", "-o", "json=/dev/null", "--", "true"])
    assert (ran.returncode, d.status) in ((0, 0), (125, 1)), (ran, d.checks["run"])
    if d.status:
        assert d.found("run") in ran.stderr.decode(), ran
    listed = call([*prefix, nsscope, "ps", "-o", "json=/dev/null"])
    assert (listed.returncode == 0) == (d.commands["ps"] != "missing"), (listed, d.checks["ps"])


# Witnesses for what is found here.

def text_of(path):
    try:
        return pathlib.Path(path).read_text()
    except FileNotFoundError:
        return None


def test_kernel(doctor):
    uname = os.uname()
    assert doctor.found("release") == uname.release and doctor.found("architecture") == uname.machine
    with open("/sys/kernel/btf/vmlinux", "rb") as f:
        assert (f.read(2) == b"\x9f\xeb") == (doctor.state("BTF") == "ok")


def test_configuration(doctor):
    try:
        config = gzip.decompress(pathlib.Path("/proc/config.gz").read_bytes()).decode()
    except FileNotFoundError:
        pytest.skip("no /proc/config.gz")
    rows = [c for c in doctor.checks.values() if c["check"] == "configuration"]
    assert len(rows) > 15
    for c in rows:
        assert (c["state"] == "ok") == bool(re.search(f"^{c['name']}=[ym]$", config, re.M)), c


@pytest.mark.parametrize("name,row", [("lockdown", "lockdown"), ("lsm", "security modules")])
def test_security_files(doctor, name, row):
    """securityfs, mounted where nobody sees it."""
    shown = call(["unshare", "-m", "sh", "-c",
                  f"mount -t securityfs none /sys/kernel/security; cat /sys/kernel/security/{name}"]).stdout.decode()
    if not shown:
        pytest.skip("no securityfs")
    chosen = re.search(r"\[(\w+)\]", shown)
    assert doctor.found(row) == (chosen[1] if chosen else shown.strip())


@pytest.mark.parametrize("name,row", [("lockdown", "lockdown"), ("lsm", "security modules")])
def test_security_files_unread(public, name, row):
    """Without the right to mount securityfs, what is not mounted is not known: not 'none'."""
    prefix = SETTINGS["no CAP_SYS_ADMIN"][0]
    if pathlib.Path("/sys/kernel/security", name).exists():
        prefix = mounted("umount /sys/kernel/security") + prefix
    assert Doctor(public / "nsscope", prefix).state(row) == "unknown"


def test_rights(doctor):
    effective = int(t.status_field("self", "CapEff"), 16)
    for name, bit in {"CAP_BPF": 39, "CAP_PERFMON": 38, "CAP_SYS_ADMIN": 21, "CAP_SYS_PTRACE": 19}.items():
        assert (doctor.found(name) == "held") == bool(effective >> bit & 1)
    assert (doctor.found("seccomp") == "no filter") == (t.status_field("self", "Seccomp") == "0")


@pytest.mark.parametrize("check", ["sysctl", "limits"])
def test_sysctls(doctor, check):
    rows = [c for c in doctor.checks.values() if c["check"] == check]
    assert rows
    for c in rows:
        value = text_of("/proc/sys/" + c["name"].replace(".", "/"))
        assert c["found"] == (value.strip() if value else "not in this kernel")


@pytest.mark.parametrize("name,option", [("mnt", "-m"), ("uts", "-u"), ("ipc", "-i"), ("net", "-n"), ("cgroup", "-C"),
                                         ("pid", "-pf"), ("user", "-U"), ("time", "-Tf")])
@pytest.mark.parametrize("who", ["root", "unprivileged"])
def test_namespaces(public, name, option, who):
    prefix = SETTINGS[who][0]
    made = call([*prefix, "unshare", option, "true"]).returncode == 0
    assert (Doctor(public / "nsscope", prefix).state(name) == "ok") == made


@pytest.mark.parametrize("setting", ["root", "unprivileged", "/proc covered", "/proc covered where it is empty",
                                     "no more user namespaces"])
def test_proc_in_user_namespace(public, setting):
    prefix = SETTINGS[setting][0]
    mount = call([*prefix, "unshare", "-Urpmf", "--mount-proc", "true"])
    assert (Doctor(public / "nsscope", prefix).state("/proc by -U") == "ok") == (mount.returncode == 0), mount.stderr


def test_covers_are_named(public):
    d = Doctor(public / "nsscope", SETTINGS["/proc covered"][0])
    assert d.found("mounts below /proc") == "2: /proc/irq, /proc/interrupts"


def test_cgroup(doctor):
    lines = [line.split() for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    types = {line[line.index("-") + 1] for line in lines}
    v2 = [line[4] for line in lines if line[line.index("-") + 1] == "cgroup2"]
    if not v2:
        pytest.skip("no cgroup version 2")
    assert (doctor.state("hierarchy") == "ok") == ("cgroup" not in types)
    assert v2[0] in doctor.found("hierarchy")
    own = re.search("^0::(.*)", pathlib.Path("/proc/self/cgroup").read_text(), re.M)[1]
    controllers = pathlib.Path(v2[0] + own, "cgroup.controllers").read_text().split()
    for name in ("memory", "pids", "cpu"):
        assert (doctor.state(name) == "ok") == (name in controllers)


def test_id_maps(public):
    """What /etc/subuid gives to the user who runs it."""
    files = ("printf 'nobody:100000:65536\\n65534:300000:10\\nx:1:5\\n' >{0}/u && mount --bind {0}/u /etc/subuid && "
             "mount --bind /dev/null /etc/subgid").format(public)
    prefix = mounted("touch /etc/subuid /etc/subgid; " + files) + SETTINGS["unprivileged"][0]
    before = [pathlib.Path(p).exists() for p in ("/etc/subuid", "/etc/subgid")]
    if not all(before):
        pytest.skip("no /etc/subuid to mount over")
    d = Doctor(public / "nsscope", prefix)
    assert d.found("/etc/subuid") == "65546 IDs for nobody" and d.state("/etc/subgid") == "limited"


def test_id_tools(public, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for path in (tmp_path, *tmp_path.parents[:2], tools):
        path.chmod(0o755)
    for name, mode in (("newuidmap", 0o4755), ("newgidmap", 0o755)):
        (tools / name).touch()
        (tools / name).chmod(mode)
    prefix = [*SETTINGS["unprivileged"][0], "env", f"PATH={tools}:{os.environ['PATH']}"]
    d = Doctor(public / "nsscope", prefix)
    assert d.found("newuidmap") == f"{tools}/newuidmap" and d.state("newuidmap") == "ok"
    assert d.state("newgidmap") == "limited" and "setuid" in d.found("newgidmap")
    assert "no_new_privs" in Doctor(public / "nsscope", ["setpriv", "--no-new-privs", *prefix]).found("newuidmap")


# Its own conduct.

def test_nothing_is_left():
    def seen():
        tree = pathlib.Path("/sys/fs/cgroup")
        return (pathlib.Path("/proc/self/mountinfo").read_text(), sorted(os.listdir("/tmp")),
                sorted(str(p) for p in tree.rglob("*") if p.is_dir()), text_of("/proc/sys/user/max_user_namespaces"))

    before = seen()
    done = call([t.NSSCOPE, "doctor"], DOCTOR_MARKER="4711-left")
    assert done.returncode == 0 and seen() == before
    assert not t.processes_with("DOCTOR_MARKER=4711-left")


def test_ignored_sigchld():
    done = call(["sh", "-c", 'trap "" CHLD; exec "$0" "$@"', t.NSSCOPE, "doctor"])
    assert done.returncode == 0, done


def test_text(public):
    """Every row is there, and what is wrong has its mend below it."""
    nsscope, prefix = public / "nsscope", SETTINGS["unprivileged"][0]
    text = call([*prefix, nsscope, "doctor"]).stdout.decode()
    assert text.isascii() and "\x1b" not in text
    for c in Doctor(nsscope, prefix).checks.values():
        assert c["name"] in text and c["found"] in text
        assert c["state"] == "ok" or not c["mend"] or f"\n           mend  {c['mend']}\n" in text
    assert text.endswith("\nrun: does not work; watch: does not work; ps: works in part; replay: works\n")
    assert "\x1b[31mmissing" in call([*prefix, nsscope, "doctor", "--color=always"]).stdout.decode()


def test_hostile_mount_point(tmp_path):
    """A path that would clear the screen and forge a row."""
    name = b"\x1b[2J\n  ok       \xff \xe2\x80\xaex"
    path = os.fsencode(tmp_path) + b"/" + name
    os.mkdir(path)
    prefix = ["unshare", "-m", "sh", "-c",
              'umount -R /sys/fs/cgroup && mount -t cgroup2 none "$0" && exec "$@"', path]
    row = Doctor(prefix=prefix).checks["hierarchy"]
    assert base64.b64decode(row["found_raw"], validate=True) == b"version 2 on " + path
    text = call([*prefix, t.NSSCOPE, "doctor"], LC_ALL="C.UTF-8").stdout
    assert b"\x1b" not in text and b"/\\x1b[2J\\n  ok       \\xff \\u202ex\n" in text


@pytest.mark.parametrize("args", [["x"], ["--no-such-option"], ["--json=1"], ["--only", "mount"]], ids=" ".join)
def test_bad_arguments(args):
    done = call([t.NSSCOPE, "doctor", *args])
    assert (done.returncode, done.stdout) == (125, b"") and done.stderr.count(b"\n") == 1


def test_output_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([t.NSSCOPE, "doctor"], stdout=full, stderr=subprocess.PIPE, timeout=t.TIMEOUT)
    assert done.returncode == 125 and b"No space left" in done.stderr


def test_documented():
    assert "doctor: 0 if run works" in " ".join(call([t.NSSCOPE, "--man"]).stdout.decode().split())
