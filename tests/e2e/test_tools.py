# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools that people make containers with, as Debian packages them: PIDs of what runs inside, against the host's /proc.

A tool that is not installed is skipped. The witness is /proc/PID/status on the host, read while the program inside waits.
"""
import json
import os
import pathlib
import shutil
import subprocess
import uuid

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, Stream, Watch, chain, of_process, poll, status_field

SCRIPT = "echo pid=$$; read x; exit 5"


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory):
    busybox = shutil.which("busybox")
    if not busybox:
        pytest.skip("no busybox")
    root = tmp_path_factory.mktemp("rootfs")
    for name in ("bin", "proc", "sys", "dev", "etc", "tmp", "run", "usr", "root", "var"):
        (root / name).mkdir()
    shutil.copy(busybox, root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    (root / "etc/os-release").write_text("ID=test\n")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    return root


def bundle(rootfs, out, args):
    """An OCI bundle (opencontainers/runtime-spec, config.md), as small as it can be."""
    (out / "config.json").write_text(json.dumps({
        "ociVersion": "1.0.2", "root": {"path": str(rootfs)}, "hostname": "inside",
        "process": {"user": {"uid": 0, "gid": 0}, "args": args, "cwd": "/", "env": ["PATH=/bin"]},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
        "linux": {"namespaces": [{"type": t} for t in ("pid", "mount", "uts", "ipc", "network")]}}))
    return out


def command(tool, rootfs, out, mark):
    shell = ["/bin/sh", "-c", SCRIPT, mark]
    # crun refuses a hybrid of cgroup v1 and v2; what is unmounted here is unmounted in the run's own namespace.
    all_v1 = ["sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]
    state = out / "state"
    return {
        "unshare": ["unshare", "-p", "-f", "-m", "--mount-proc", *shell],
        "unshare-user": ["unshare", "-U", "-r", "-p", "-f", "-m", "--mount-proc", *shell],
        "unshare-twice": ["unshare", "-p", "-f", "unshare", "-p", "-f", "--kill-child", *shell],
        "bwrap": ["bwrap", "--unshare-all", "--bind", rootfs, "/", "--proc", "/proc", "--dev", "/dev", *shell],
        "bwrap-as-pid-1": ["bwrap", "--unshare-all", "--as-pid-1", "--bind", rootfs, "/", "--proc", "/proc", *shell],
        "crun": [*all_v1, "crun", "--root", state, "--cgroup-manager=disabled", "run", "-b", bundle(rootfs, out, shell),
                 mark[:12]],
        # It takes no long path for its state; this is in the run's own namespace too.
        "podman": [*all_v1, "sh", "-c", 'mount -t tmpfs state /mnt; exec "$@"', "sh",
                   "podman", "--root=/mnt/root", "--runroot=/mnt/run", "--tmpdir=/mnt/tmp",
                   "--cgroup-manager=cgroupfs", "--runtime=crun", "run", "-i", "--network=none", "--cgroups=disabled",
                   "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000", "--rootfs", rootfs, *shell],
        "runc": ["runc", "--root", state, "run", "-b", bundle(rootfs, out, shell), mark[:12]],
        "systemd-nspawn": ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "-D", rootfs,
                           *shell],
        "systemd-nspawn-as-pid2": ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe",
                                   "--as-pid2", "-D", rootfs, *shell],
    }[tool]


TOOLS = ["unshare", "unshare-user", "unshare-twice", "bwrap", "bwrap-as-pid-1", "crun", "runc", "podman", "systemd-nspawn",
         "systemd-nspawn-as-pid2"]


def find_inside(mark, pid):
    """On the host: the process that runs SCRIPT with @mark as its name and knows itself as @pid."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            args = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if args[-3:-1] == [SCRIPT.encode(), mark.encode()] and args[-4] == b"-c" and b"sh" in args[0][-2:]:
            numbers = [int(n) for n in status_field(path.name, "NSpid").split()]
            if numbers[-1] == pid:
                return numbers
    return None


def check(stream, numbers, mark):
    """What the stream says of the process inside, against its @numbers by the host's /proc."""
    execs = [e for e in stream.of("exec") if e["host"]["pid"] == numbers[0] and e["exec"]["argv"][-1] == mark
             and e["exec"]["argv"][-2] == SCRIPT]
    event, = [e for e in execs if e["exec"]["argv"][0].endswith("sh")]
    assert chain(event) == numbers and event["inside"]["pid"] == numbers[-1] and event["host"]["pid"] == numbers[0]
    history = of_process(stream, event)
    assert history[0]["type"] == "fork" and history[-1]["type"] == "exit"
    assert history[-1]["exit"]["code"] == 5
    for e in history:
        assert chain(e) == numbers


def drive(tool, prefix, rootfs, out):
    """Runs the tool behind @prefix until the program inside has ended; its numbers by the host's /proc, and its mark."""
    if not shutil.which(tool.split("-as-")[0].split("-user")[0].split("-twice")[0]):
        pytest.skip(f"no {tool}")
    mark = uuid.uuid4().hex
    process = subprocess.Popen([*prefix, *command(tool, rootfs, out, mark)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
    line = process.stdout.readline()
    if not line.startswith(b"pid="):
        pytest.fail(f"{tool} does not run here: {process.communicate(timeout=TIMEOUT)}")
    numbers = poll(lambda: find_inside(mark, int(line[4:])), "the process inside is found on the host")
    assert len(numbers) > 1
    process.communicate(b"go\n", timeout=TIMEOUT)
    assert process.returncode == 5
    return numbers, mark


@pytest.mark.parametrize("tool", TOOLS)
def test_run(tool, rootfs, tmp_path):
    file = tmp_path / "events"
    numbers, mark = drive(tool, [NSSCOPE, "run", "-m", "-o", f"json={file}", "--"], rootfs, tmp_path)
    stream = Stream(file.read_bytes()).complete()
    check(stream, numbers, mark)
    # Every process of the run ended, and each was told of from its fork on. bwrap may end before its own init does, podman
    # before its monitor.
    assert 0 <= len(stream.of("fork")) - len(stream.of("exit")) <= (tool in ("bwrap", "podman"))


@pytest.mark.parametrize("tool", TOOLS)
def test_watch(tool, rootfs, tmp_path):
    watch = Watch(tmp_path)
    numbers, mark = drive(tool, ["unshare", "-m"], rootfs, tmp_path)
    check(watch.end(), numbers, mark)
