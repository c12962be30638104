# SPDX-License-Identifier: GPL-2.0-or-later
"""What run's sandbox options make, seen from inside by busybox and /proc, and that the host has nothing of it."""
import contextlib
import hashlib
import os
import pathlib
import platform
import pty
import random
import select
import shutil
import struct
import subprocess
import time
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, Stream, poll, processes_with

QUIET = ["-o", "text=/dev/null"]
APPLETS = ["sh", "cat", "ls", "touch", "mkdir", "rm", "mount", "stat", "head", "sleep", "hostname", "env", "id", "echo", "dd"]
ROOTS = pytest.mark.parametrize("user", [[], ["-r"]], ids=["root", "user namespace"])


def make_root(root):
    busybox = shutil.which("busybox")
    if not busybox:
        pytest.skip("no busybox")
    for name in ("bin", "proc", "sys", "dev", "etc", "tmp", "data"):
        (root / name).mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    for name in APPLETS:
        (root / "bin" / name).symlink_to("busybox")
    (root / "data/file").write_text("of the root\n")
    return root


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path / "root")


@pytest.fixture
def host(tmp_path):
    """A directory of the host, beside the root."""
    out = tmp_path / "host"
    (out / "sub").mkdir(parents=True)
    (out / "file").write_text("of the host\n")
    return out


def tree(top):
    """All there is to know of a tree, but for access times."""
    out = {}
    for path in [top, *pathlib.Path(top).rglob("*")]:
        st = path.lstat()
        content = os.readlink(path) if path.is_symlink() else \
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        out[str(path)] = (st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, st.st_ctime_ns, content)
    return out


@contextlib.contextmanager
def unchanged(*tops):
    before = [tree(top) for top in tops]
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    yield
    assert [tree(top) for top in tops] == before
    assert pathlib.Path("/proc/self/mountinfo").read_text() == mounts


def nsscope(*args, prefix=(), **kwargs):
    return subprocess.run([*prefix, NSSCOPE, "run", *QUIET, *map(str, args)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=TIMEOUT, **kwargs)


def inside(*args, script, status=0, **kwargs):
    """What the shell script prints; it must end with @status and be silent on standard error."""
    done = nsscope(*args, "--", "/bin/sh", "-c", script, **kwargs)
    assert (done.returncode, done.stderr) == (status, ""), done
    return done.stdout


def refused(*args, words, status=125, **kwargs):
    done = nsscope(*args, "--", "/bin/sh", "-c", "echo ran", **kwargs)
    assert (done.returncode, done.stdout) == (status, ""), done
    line, = done.stderr.splitlines()
    assert line.startswith("nsscope") and all(word in line for word in words), line


def unescaped(path):
    return path.encode().decode("unicode_escape")


def mounts_of(text):
    """Of mountinfo: mount point, filesystem, read-only."""
    out = []
    for line in text.splitlines():
        fields = line.split()
        out.append((unescaped(fields[4]), fields[fields.index("-") + 1], "ro" in fields[5].split(",")))
    return out


def status_of(text, field):
    return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(field + ":"))


# The root.

@ROOTS
@pytest.mark.parametrize("overlay", [[], ["--overlay"]], ids=["plain", "overlay"])
def test_old_root_is_gone(root, user, overlay):
    with unchanged(root):
        out = inside(*user, "-R", root, *overlay,
                     script="cat /proc/self/mountinfo; echo; ls -id / /.. /../..; pwd; ls /")
    mounts, rest = out.split("\n\n")
    inodes = {line.split()[0] for line in rest.splitlines()[:3]}
    assert len(inodes) == 1 and rest.splitlines()[3] == "/"
    assert rest.splitlines()[4:] == sorted(p.name for p in root.iterdir())
    shown = mounts_of(mounts)
    assert [m[0] for m in shown] == ["/", "/proc"] and shown[1][1] == "proc"
    assert (shown[0][1] == "overlay") == bool(overlay)


def test_slash_as_root():
    """The same tree, but of mounts of its own; they are as many as the host's, as none lies under another."""
    shown = inside("-R", "/", script="cat /proc/self/mountinfo; pwd").splitlines()
    ours = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    assert shown.pop() == "/"
    assert sorted(line.split()[4] for line in shown) == sorted([line.split()[4] for line in ours] + ["/proc"])
    assert not {line.split()[0] for line in shown} & {line.split()[0] for line in ours}


def test_root_is_relative_and_has_any_name(tmp_path):
    name = "a b,c:d\\e\n="
    make_root(tmp_path / name)
    for more in ([], ["--overlay"], [f"--overlay={tmp_path}/k,:e"]):
        assert inside("-R", name, *more, script="cat /data/file", cwd=tmp_path) == "of the root\n"


@ROOTS
def test_overlay_drops_changes(root, user):
    with unchanged(root):
        out = inside(*user, "-R", root, "--overlay",
                     script="echo new >/new; echo more >>/data/file; rm /bin/dd; mkdir /a; cat /new /data/file; ls / /bin")
    assert out.startswith("new\nof the root\nmore\n/:\na\n") and "\nnew\n" in out and "\ndd\n" not in out


def test_overlay_keeps_changes(root, tmp_path):
    keep = tmp_path / "keep"
    with unchanged(root):
        inside("-R", root, f"--overlay={keep}", script="echo new >/data/new; rm /data/file")
        assert (keep / "upper/data/new").read_text() == "new\n"
        assert sorted(p.name for p in keep.iterdir()) == ["upper", "work"]
        assert inside("-R", root, f"--overlay={keep}", script="cat /data/new; ls /data") == "new\nnew\n"
        assert inside("-R", root, script="ls /data") == "file\n"


def test_overlay_over_the_host(tmp_path, host):
    """Without -R: the host's files, to be changed at will, and the working directory stays."""
    with unchanged(host):
        out = inside("--overlay", script="pwd; echo changed >file; touch /etc/new; rm -r sub; cat file; ls", cwd=host)
    assert out == f"{host}\nchanged\nfile\n"
    assert not os.path.exists("/etc/new")


BELOW = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs t "$0" && echo host >"$0/file" && mkdir "$0/sub" && mount -t tmpfs u "$0/sub" &&'
         ' "$@"; status=$?; { ls "$0" "$0/sub"; cat "$0/file"; } >"$AFTER"; exit $status']


def with_mounts_below(place, *args, script):
    """Runs where a tmpfs is on @place and one on its sub; what the command prints, and what is there after it."""
    after = place.parent.parent / "after"
    done = nsscope(*args, "--", "/bin/sh", "-c", script, prefix=[*BELOW, place], env={**os.environ, "AFTER": str(after)})
    return done, after.read_text()


@pytest.mark.parametrize("keep", [False, True], ids=["dropped", "kept"])
def test_overlay_covers_what_is_mounted_below(root, tmp_path, keep):
    option = f"--overlay={tmp_path}/keep" if keep else "--overlay"
    done, after = with_mounts_below(root / "data", "-R", root, option,
                                    script="cd /data; cat file; echo x >file; echo y >sub/new; cat file sub/new")
    assert (done.returncode, done.stdout, done.stderr) == (0, "host\nx\ny\n", "")
    assert after.split() == [f"{root}/data:", "file", "sub", f"{root}/data/sub:", "host"]
    if keep:
        assert (tmp_path / "keep/upper%2Fdata/file").read_text() == "x\n"
        assert (tmp_path / "keep/upper%2Fdata%2Fsub/new").read_text() == "y\n"


# Binds and tmpfs.

@ROOTS
def test_bind(root, host, user):
    (root / "data/dir").mkdir()
    with unchanged(root):
        out = inside(*user, "-R", root, "--bind", f"{host}:/data/dir", "--bind", f"{host}/file:/data/file",
                     script="cat /data/file /data/dir/file; echo from inside >/data/dir/new")
    assert out == "of the host\n" * 2 and (host / "new").read_text() == "from inside\n"


def test_bind_without_root(root, host):
    with unchanged(root, host):
        assert inside("--bind", f"{host}:{root}/data", script=f"cat {root}/data/file") == "of the host\n"


def test_read_only_bind_is_recursive(root, host):
    done, after = with_mounts_below(host, "-R", root, "--bind-ro", f"{host}:/data",
                                    script="cd /data; for f in new file sub/new; do echo x >$f; done 2>/tmp/err;"
                                           "rm -f file 2>/tmp/err; ls . sub; cat /proc/self/mountinfo")
    assert done.returncode == 0 and done.stdout.startswith(".:\nfile\nsub\n\nsub:\n"), done
    shown = [m for m in mounts_of(done.stdout.split("sub:\n")[1]) if m[0].startswith("/data")]
    assert shown == [("/data", "tmpfs", True), ("/data/sub", "tmpfs", True)]
    assert after.split() == [f"{host}:", "file", "sub", f"{host}/sub:", "host"]


def test_sources_are_the_hosts(root, host):
    """Also where the new root, an overlay, or another bind covers them."""
    (root / "mnt").mkdir()
    with unchanged(host):
        inside("-R", root, "--overlay", "--bind", f"{root}/data:/mnt", "--tmpfs", "/data", script="echo x >/mnt/through; ls /data")
    assert (root / "data/through").read_text() == "x\n"


@ROOTS
def test_tmpfs(root, user):
    with unchanged(root):
        out = inside(*user, "-R", root, "--tmpfs", "/data:1M", "--tmpfs", "/tmp",
                     script="ls /data; dd if=/bin/busybox of=/data/big bs=1024 count=4000 2>/tmp/err; stat -c %s /data/big;"
                            "echo x >/tmp/x; stat -c %a /tmp")
    assert out == f"{1 << 20}\n1777\n"


@ROOTS
def test_destinations_are_made_in_the_sandbox_only(root, host, user):
    with unchanged(root, host):
        out = inside(*user, "-R", root, "--overlay", "--bind", f"{host}:/new/deep/dir", "--bind", f"{host}/file:/new/one",
                     "--tmpfs", "/tmp/t", "--bind-ro", f"{host}:/tmp/t/in/tmpfs", script="cat /new/deep/dir/file /new/one /tmp/t/in/tmpfs/file")
        assert out == "of the host\n" * 3
        for option in ("--bind", "--bind-ro"):
            refused(*user, "-R", root, option, f"{host}:/missing", words=["/missing", "No such file", "--overlay"])
        refused(*user, "-R", root, "--bind", f"{host}:/data", "--tmpfs", "/data/missing", words=["/data/missing"])
        refused(*user, "-R", root, "--tmpfs", "/missing", words=["/missing"])


def test_escapes(root, host, tmp_path):
    """Links in a hostile root lead to places in it, or nowhere; never to the host."""
    away = tmp_path / "away"
    away.mkdir()
    shutil.rmtree(root / "etc")
    (root / "etc").symlink_to("/../../../../../../../.." + str(away))
    (root / "up").symlink_to("../../../../../../../../../.." + str(away))
    (root / "abs").symlink_to(away)
    (root / "magic").symlink_to("/proc/1/root" + str(away))
    (root / "self").symlink_to("/proc/self/root/../.." + str(away))
    (root / "loop").symlink_to("loop")
    with unchanged(root, away, host, tmp_path):
        for link in ("etc", "up", "abs", "magic", "self", "loop"):
            for target in (f"/{link}", f"/{link}/new"):
                for more in ([], ["--overlay"]):
                    for option in (["--tmpfs", target], ["--bind", f"{host}:{target}"], [f"--dev={target}"], [f"--sys={target}"],
                                   [f"--mount-proc={target}"])[:2 if more else 5]:
                        refused("-m", "-p", "-R", root, *more, "--bind-ro", "/proc:/proc", *option, words=[target])
        refused("-R", root, "--wd", "/abs", words=["/abs"])
    # Where the way exists in the root as well, that is where it leads.
    lead = root / str(away)[1:]
    lead.mkdir(parents=True)
    with unchanged(root, away, host):
        for link in ("etc", "up", "abs"):
            assert inside("-R", root, "--bind", f"{host}:/{link}", script=f"cat {away}/file /{link}/file") == "of the host\n" * 2


@pytest.mark.parametrize("seed", range(12))
def test_mounts_are_the_plans(root, tmp_path, seed):
    """Random binds and tmpfs: what mountinfo says inside is what a model says, or the run is refused where it must be."""
    rng = random.Random(seed)
    trees = {"none": set(), "a": {"a", "a/b"}, "b": {"b", "b/a", "b/a/b"}}
    for name, dirs in trees.items():
        (tmp_path / name).mkdir()
        for path in sorted(dirs):
            (tmp_path / name / path).mkdir()
    for _ in range(4):
        options, mounts, works = [], [], True
        for _ in range(rng.randint(1, 6)):
            target = "/" + "/".join(rng.choice("ab") for _ in range(rng.randint(1, 3)))
            kind = rng.choice(["tmpfs", "bind", "bind-ro"])
            name = rng.choice(list(trees))
            options += [f"--{kind}", target if kind == "tmpfs" else f"{tmp_path}/{name}:{target}"]
            # On top of which mount the target lies; where that is a bind, the directory must be there.
            on = next((m for m in reversed(mounts) if target == m[0] or target.startswith(m[0] + "/")), None)
            rest = target[len(on[0]) + 1:] if on else ""
            works = works and (not on or on[1] == "tmpfs" or not rest or rest in trees[on[1]])
            mounts.append((target, "tmpfs" if kind == "tmpfs" else name, kind == "bind-ro"))
        before = [tree(tmp_path / name) for name in trees]
        done = nsscope("-R", root, "--overlay", *options, "--", "/bin/cat", "/proc/self/mountinfo")
        assert (done.returncode == 0) == works, (options, done)
        if works:
            fstype = subprocess.check_output(["stat", "-f", "-c", "%T", tmp_path], text=True).strip()
            fstype = {"ext2/ext3": "ext4", "overlayfs": "overlay"}.get(fstype, fstype)
            shown = [m for m in mounts_of(done.stdout) if m[0] not in ("/", "/proc")]
            assert sorted(shown) == sorted((p, "tmpfs" if k == "tmpfs" else fstype, ro) for p, k, ro in mounts), options
        assert [tree(tmp_path / name) for name in trees] == before


# /dev and /sys.

@ROOTS
def test_dev(root, user):
    out = inside(*user, "-R", root, "--dev",
                 script="cd /dev; ls; for n in null zero full random urandom tty; do stat -c '%n %F %t:%T' $n; done;"
                        "echo x >null; head -c 3 zero | cat -v; (echo x >full) 2>&1; head -c 8 urandom >/tmp/x || echo no;"
                        "stat -c '%a' shm; for n in fd stdin stdout stderr ptmx; do stat -c %N $n; done")
    lines = out.splitlines()
    assert lines[:14] == ["core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom",
                          "zero"]
    assert lines[14:20] == [f"{name} character special file {numbers}" for name, numbers in
                            [("null", "1:3"), ("zero", "1:5"), ("full", "1:7"), ("random", "1:8"), ("urandom", "1:9"), ("tty", "5:0")]]
    assert lines[20].startswith("^@^@^@") and "No space left" in lines[20]
    assert lines[21] == "1777"
    assert [line.split("'")[-2] if "'" in line else line.split()[-1] for line in lines[22:]] == [
        "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"]


def test_pseudo_terminals():
    """By the host's Python, inside: the new devpts is the only one that it reaches."""
    script = "import os, pty; a, b = pty.openpty(); print(os.ttyname(b)); os.write(b, b'x'); print(os.read(a, 1))"
    out = nsscope("--overlay", "--dev", "--", "python3", "-c", script)
    assert (out.returncode, out.stdout) == (0, "/dev/pts/0\nb'x'\n"), out


def test_console_is_the_terminal(root):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(NSSCOPE, [NSSCOPE, "run", *QUIET, "-R", str(root), "--dev", "--", "/bin/sh", "-c",
                           "stat -c '%t:%T' /dev/console; echo to the console >/dev/console; stat -Lc '%t:%T' /proc/self/fd/0"])
    data = b""
    with contextlib.suppress(OSError):
        while select.select([fd], [], [], TIMEOUT)[0]:
            data += os.read(fd, 4096)
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, data
    console, text, terminal = data.decode().splitlines()
    assert text == "to the console" and console == terminal and console.startswith("88:")


@pytest.mark.parametrize("options", [["-n"], ["-U", "-r", "-n"], ["-U", "-r"]], ids=" ".join)
def test_sys(root, options):
    """A sysfs of the sandbox's own network namespace, or the host's where a user namespace may mount none."""
    default = ["-p", "-m", "--mount-proc"]
    out = inside(*options, *default, "-R", root, "--sys",
                 script="ls /sys/class/net; cat /sys/class/net/lo/flags; mkdir /sys/x 2>/tmp/err; cat /proc/self/mountinfo")
    host = sorted(os.listdir("/sys/class/net"))
    names = out.split("0x")[0].split()
    assert names == (["lo"] if "-n" in options else host)
    shown = [m for m in mounts_of(out[out.index("\n", out.index("0x")) + 1:]) if m[0].startswith("/sys")]
    assert shown[0][:2] == ("/sys", "sysfs") and all(m[2] for m in shown)


# Host name, network, environment.

@ROOTS
def test_hostname(root, user):
    before = os.uname().nodename
    assert inside(*user, "-m", "-R", root, "--hostname", "in.the.box", script="hostname") == "in.the.box\n"
    assert os.uname().nodename == before


@ROOTS
@pytest.mark.parametrize("options, flags", [([], "0x9"), (["--no-loopback"], "0x8")], ids=["up", "left"])
def test_loopback(root, user, options, flags):
    assert inside(*user, "-n", "-m", "-p", "--mount-proc", "-R", root, "--sys", *options,
                  script="cat /sys/class/net/lo/flags") == flags + "\n"


@pytest.mark.parametrize("options, shown", [
    (["--env", "A=b=c"], {"A": "b=c", "X": "1", "Y": "2"}), (["--unset-env", "X"], {"Y": "2"}),
    (["--clear-env"], {}), (["--clear-env", "--env", "A=", "--env", "X=5"], {"A": "", "X": "5"}),
    (["--env", "A=b", "--clear-env"], {}), (["--env", "X=5", "--unset-env", "X", "--unset-env", "Z"], {"Y": "2"})],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_environment(options, shown):
    done = nsscope("-u", *options, "--", "/bin/cat", "/proc/self/environ", env={"X": "1", "Y": "2"})
    assert done.returncode == 0
    assert dict(item.split("=", 1) for item in done.stdout.split("\0")[:-1]) == shown


def test_new_environment_finds_the_command(root):
    done = nsscope("-R", root, "--env", "PATH=/data", "--", "cat", "/data/file")
    assert done.returncode == 127
    assert nsscope("-R", root, "--env", "PATH=/bin", "--", "cat", "/data/file").stdout == "of the root\n"


@pytest.mark.parametrize("option", ["--chdir", "--wd", "-w"])
def test_chdir(root, option):
    assert inside("-R", root, option, "/data", script="pwd") == "/data\n"


# Rights.

STATUS = "cat /proc/self/status"
LAST_CAP = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
ALL = (1 << LAST_CAP + 1) - 1
OWN = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapPrm")), 16)
BOUND = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapBnd")), 16)
NET_RAW, CHOWN, SETPCAP = 1 << 13, 1, 1 << 8


def caps(*options, prefix=()):
    """Effective, permitted, bounding, inheritable, ambient."""
    out = inside("-u", *options, script=STATUS, prefix=prefix)
    return [int(status_of(out, f"Cap{name}"), 16) for name in ("Eff", "Prm", "Bnd", "Inh", "Amb")]


def test_ids():
    out = inside("-u", "--uid", "1234", "--gid", "2345", script=STATUS, prefix=["setpriv", "--groups", "1,2,3"])
    assert status_of(out, "Uid").split() == ["1234"] * 4 and status_of(out, "Gid").split() == ["2345"] * 4
    assert status_of(out, "Groups") == "" and int(status_of(out, "CapEff"), 16) == 0
    out = inside("-u", "--uid", "1234", script=STATUS, prefix=["setpriv", "--groups", "1,2,3"])
    assert status_of(out, "Gid").split() == ["0"] * 4 and status_of(out, "Groups") == ""


def test_ids_not_mapped():
    for option in ("--uid", "--gid"):
        refused("-U", "-r", option, "5", words=["5", "map"], prefix=["setpriv", "--clear-groups"])
    refused("-U", "-r", "--uid", "0", words=["groups"], prefix=["setpriv", "--groups", "1,2,3"])
    out = inside("-U", "-r", "--uid", "0", "--gid", "0", script=STATUS, prefix=["setpriv", "--clear-groups"])
    assert status_of(out, "Uid").split() == ["0"] * 4


def test_capabilities_are_the_callers():
    assert caps() == [OWN, OWN, BOUND, 0, 0]


@pytest.mark.parametrize("name", ["net_raw", "NET_RAW", "cap_net_raw", "CAP_NET_RAW"])
def test_cap_drop(name):
    assert caps("--cap-drop", name) == [OWN & ~NET_RAW, OWN & ~NET_RAW, BOUND & ~NET_RAW, 0, 0]


def test_cap_drop_takes_from_all_sets():
    kept = caps(prefix=["setpriv", "--inh-caps", "+net_raw,+chown", "--ambient-caps", "+net_raw,+chown"])
    assert kept[3:] == [NET_RAW | CHOWN, NET_RAW | CHOWN]
    left = caps("--cap-drop", "net_raw", prefix=["setpriv", "--inh-caps", "+net_raw,+chown", "--ambient-caps", "+net_raw,+chown"])
    assert left == [OWN & ~NET_RAW, OWN & ~NET_RAW, BOUND & ~NET_RAW, CHOWN, CHOWN]


def test_cap_sets():
    assert caps("--cap-drop", "ALL") == [0, 0, 0, 0, 0]
    only = [NET_RAW] * 5
    assert caps("--cap-drop", "ALL", "--cap-add", "net_raw") == only
    assert caps("--cap-add", "net_raw", "--cap-drop", "all") == [0, 0, 0, 0, 0]
    assert caps("--cap-drop", "ALL", "--cap-add", "net_raw", "--uid", "1000") == only
    assert caps("--cap-add", "net_raw", "--uid", "1000") == [NET_RAW, NET_RAW, BOUND, NET_RAW, NET_RAW]
    assert caps("--cap-drop", "net_raw", "--uid", "1000") == [0, 0, BOUND & ~NET_RAW, 0, 0]


def test_cap_add_needs_it():
    refused("-u", "--cap-add", "net_raw", words=["cap_net_raw", "only what it has"],
            prefix=["setpriv", "--bounding-set", "-net_raw"])


def test_no_new_privs():
    assert status_of(inside("-u", script=STATUS), "NoNewPrivs") == "0"
    assert status_of(inside("-u", "--no-new-privs", script=STATUS), "NoNewPrivs") == "1"


def bpf(*instructions):
    return b"".join(struct.pack("HBBI", *i) for i in instructions)


SYS_UNAME = {"x86_64": 63, "aarch64": 160}.get(platform.machine())
ALLOW = (0x06, 0, 0, 0x7fff0000)


@pytest.fixture
def no_uname(tmp_path):
    """Refuses uname(2) with EXDEV."""
    path = tmp_path / "filter"
    path.write_bytes(bpf((0x20, 0, 0, 0), (0x15, 0, 1, SYS_UNAME), (0x06, 0, 0, 0x00050000 | 18), ALLOW))
    return path


@ROOTS
def test_seccomp(root, no_uname, user):
    """The filter is read on the host's side of the root."""
    out = inside(*user, "-R", root, "--seccomp", no_uname, script=STATUS + "; hostname")
    assert (status_of(out, "Seccomp"), status_of(out, "NoNewPrivs")) == ("2", "1")
    assert out.endswith("\n?\n") and os.uname().nodename != "?"


@pytest.mark.parametrize("data", [b"", b"1234567", bytes(12), bpf(*[ALLOW] * 4097), bpf((0xff, 0, 0, 0)), bpf((0x20, 0, 0, 0))],
                         ids=["empty", "short", "cut", "too long", "no instruction", "no end"])
def test_bad_filter(tmp_path, data):
    (tmp_path / "filter").write_bytes(data)
    refused("-u", "--seccomp", tmp_path / "filter", words=["seccomp filter", "Invalid argument"])


def test_longest_filter(tmp_path):
    (tmp_path / "filter").write_bytes(bpf(*[ALLOW] * 4096))
    assert inside("-u", "--seccomp", tmp_path / "filter", script="echo ran") == "ran\n"


def test_rlimits():
    out = inside("-u", "--rlimit", "nofile=31:62", "--rlimit", "core=0", "--rlimit", "fsize=3M:unlimited",
                 script="cat /proc/self/limits")
    shown = {line[:25].strip(): line[26:].split()[:2] for line in out.splitlines()}
    assert shown["Max open files"] == ["31", "62"] and shown["Max core file size"] == ["0", "0"]
    assert shown["Max file size"] == [str(3 << 20), "unlimited"]


# Time and other limits.

@pytest.mark.parametrize("options", [[], ["-u"], ["-U", "-r", "-p", "-m"]], ids=" ".join)
def test_time_limit(options):
    mark = uuid.uuid4().hex
    script = "trap '' TERM INT HUP; setsid sleep 1000 & (setsid sh -c 'sleep 1000; :' &) ; sleep 1000 & wait; wait"
    begin = time.monotonic()
    done = nsscope(*options, "--time-limit", "1", "--", "sh", "-c", script, env={**os.environ, "MARK": mark})
    assert done.returncode == 124 and time.monotonic() - begin >= 1
    line, = done.stderr.splitlines()
    assert "time limit" in line
    poll(lambda: not processes_with(mark), "no process is left")


def test_time_limit_not_reached():
    assert nsscope("--time-limit", "1000", "--", "sh", "-c", "exit 7").returncode == 7


# Refusals.

@pytest.mark.parametrize("option, words", [
    (["--bind", "x"], ["SRC:DST"]), (["--bind", ":/x"], ["SRC:DST"]), (["--bind", "/x:"], ["SRC:DST"]),
    (["--bind", "/x:y"], ["absolute"]), (["--bind", "/a:/b:/c"], ["SRC:DST"]), (["--bind-ro", "/nonexistent:/mnt"], ["/nonexistent"]),
    (["--bind", "/etc:/"], ["root itself"]), (["--tmpfs", "x"], ["absolute"]), (["--tmpfs", "/mnt:x"], ["SIZE"]),
    (["--tmpfs", "/mnt:1X"], ["SIZE"]), (["--tmpfs", "/mnt:"], ["SIZE"]),
    (["--tmpfs", "/mnt:0"], ["SIZE"]), (["--tmpfs", "/mnt:101%"], ["SIZE"]), (["--tmpfs", "/mnt:17179869184G"], ["SIZE"]),
    (["--tmpfs", "/"], ["root itself"]),
    (["--bind", "/etc/passwd:/mnt"], ["/mnt", "director"]), (["-R", "/nonexistent"], ["/nonexistent"]),
    (["-R", "/etc/passwd"], ["/etc/passwd", "directory"]), (["-R", ""], ["directory"]), (["--overlay="], ["directory"]),
    (["--overlay=/nonexistent/x"], ["/nonexistent/x"]), (["--overlay=/proc/x"], ["/proc/x"]), (["--dev=x"], ["absolute"]),
    (["--sys=x"], ["absolute"]), (["--hostname", "x" * 65], ["64"]), (["--env", "x"], ["NAME=VALUE"]),
    (["--env", "=x"], ["NAME=VALUE"]), (["--unset-env", "a=b"], ["name"]), (["--unset-env", ""], ["name"]),
    (["--uid", "root"], ["number"]), (["--uid", "4294967295"], ["number"]), (["--gid", "-1"], ["number"]),
    (["--cap-drop", "nothing"], ["capability"]), (["--cap-add", "ALL"], ["name each"]), (["--seccomp", "/nonexistent"], ["/nonexistent"]),
    (["--rlimit", "nofile"], ["NAME=SOFT"]), (["--rlimit", "no=1"], ["NAME=SOFT"]), (["--rlimit", "nofile=2:1"], ["NAME=SOFT"]),
    (["--rlimit", "nofile=1:"], ["NAME=SOFT"]), (["--memory", "0"], ["size"]), (["--memory", "lots"], ["size"]), (["--pids", "0"], ["number"]),
    (["--cpu", "x"], ["percentage"]), (["--time-limit", "0"], ["seconds"]), (["--time-limit", "1.5"], ["seconds"])],
    ids=lambda x: " ".join(x)[:40])
def test_refused(option, words):
    refused(*option, words=words)


def test_too_many(host):
    refused(*[x for _ in range(65) for x in ("--tmpfs", "/mnt")], words=["too many"])
    refused(*[x for _ in range(257) for x in ("--env", "A=b")], words=["too many"])


# The end.

def test_killed_at_any_moment(root, host, tmp_path):
    rng = random.Random(4)
    options = ["-R", root, "--overlay", "--dev", "--sys", "-n", "--bind", f"{host}:/tmp/h", "--tmpfs", "/data", "--hostname", "x"]
    begin = time.monotonic()
    assert nsscope(*options, "--", "/bin/sh", "-c", ":").returncode == 0
    longest = time.monotonic() - begin
    with unchanged(root, host):
        for _ in range(20):
            mark = uuid.uuid4().hex
            process = subprocess.Popen([NSSCOPE, "run", *QUIET, *map(str, options), "--", "/bin/sleep", "1000"], stdin=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env={**os.environ, "MARK": mark})
            time.sleep(rng.random() * longest)  # any moment will do
            process.kill()
            process.wait(TIMEOUT)
            poll(lambda: not processes_with(mark), "no process is left")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["host", "root"]


def test_all_of_it_is_observed(root, tmp_path):
    """The mounts that nsscope makes are events, made by the process that becomes the command; and it is one plan, all at once."""
    out = tmp_path / "events"
    done = subprocess.run([NSSCOPE, "run", "-o", f"json={out}", "-n", "-p", "-m", "--mount-proc", "-R", root, "--overlay", "--dev", "--sys",
                           "--tmpfs", "/tmp", "--hostname", "x", "--cap-drop", "ALL", "--no-new-privs", "--uid", "1000", "--gid", "1000",
                           "--rlimit", "nofile=64", "--", "/bin/sh", "-c", "id -u"], capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1000\n", "")
    stream = Stream(out.read_bytes()).complete()
    command = next(e for e in stream.of("exec"))
    moved = stream.of("move_mount")
    assert moved and all(e["host"]["pid"] == command["host"]["pid"] for e in moved)
    assert [e["type"] for e in stream.of("pivot_root")] == ["pivot_root"]
