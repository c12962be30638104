# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tools that people make containers with do to namespaces and mounts: a golden summary of each.

A summary that differs is printed whole; NSSCOPE_GOLDEN=write takes it over into tests/golden/tools. The tools' versions
are Debian 12's: another one's own mounts may differ, and are then not this test's business.
"""
import collections
import json
import os
import pathlib
import re
import subprocess

import pytest
from nsscope_test import NSSCOPE, TIMEOUT, Stream
from test_tools import TOOLS, command, rootfs  # noqa: F401 (a fixture)

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/tools"
# What of an event's payload is written, in this order.
SHOWN = ["op", "flags", "entered", "source", "fsname", "from", "filename", "key", "value", "target", "path", "new_root", "put_old",
         "fstype", "error"]
NOT_SHOWN = {"fork", "exec", "exit", "ns_create", "ns_destroy"}
VERSIONS = {"bwrap": "0.8.0", "crun": "1.8.1", "podman": "4.3.1", "runc": "1.1.5", "systemd-nspawn": "252", "unshare": "2.38.1"}
# How strace calls those that nsscope calls otherwise.
CALLS = {"umount2": "umount"}


def normal(text, rootfs, out):
    """Without what is another one each time."""
    text = text.replace(str(rootfs), "ROOT").replace(rootfs.name, "ROOT").replace(str(out), "OUT")
    # systemd-nspawn's outer child, whose namespace gets some too, may have ended by then.
    text = text.replace("=> others", "=> not the host").replace("=> inside", "=> not the host")
    text = re.sub(r"/tmp/pytest-of-[^ ]*", "ABOVE", text)
    text = re.sub(r"(fd|proc)/\d+", r"\1/N", text)
    text = re.sub(r"[0-9a-f]{12,}", "ID", text)
    return re.sub(r"(crun\.|runc\.|unified|check|compat)\w{6,}", r"\1ID", text)


def words(value):
    if isinstance(value, dict):
        return ",".join(sorted(kind for kind in value if value[kind]))
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)


def line_of(event):
    """An event without its numbers."""
    payload = event[event["type"]]
    line = [event["type"], *(words(payload[name]) for name in SHOWN if payload.get(name) not in (None, [], ""))]
    return " ".join(line + (["=>", payload["reach"]["verdict"]] if "reach" in payload else []))


def summary(stream, rootfs, out):
    """What kinds of namespace were made, and each change of mounts once; not what a machine's own cgroups call for."""
    made = sorted({e["ns_create"]["type"] for e in stream.of("ns_create")})
    # Which of podman's processes finds nothing left to unmount is left open.
    shown = [e for e in stream.events if e["type"] not in NOT_SHOWN and not (e["type"] == "umount" and e["umount"]["error"])]
    lines = {normal(line_of(e), rootfs, out) for e in shown}
    return "\n".join([f"made: {' '.join(made)}", *sorted(line for line in lines if "cgroup" not in line)]) + "\n"


def straced(text, names):
    """By strace: of each thread how often it did which call with which error."""
    calls = collections.Counter()
    for tid, name, error in re.findall(r"^(\d+) +(?:<\.\.\. )?(\w+)\b[^\n]* = (?:-1 (\w+)|\d+)", text, re.M):
        if CALLS.get(name, name) in names:
            calls[int(tid), CALLS.get(name, name), error or None] += 1
    return calls


def told(stream, names):
    return collections.Counter((e["host"]["tid"], e["type"], e[e["type"]]["error"]) for e in stream.of(*names))


@pytest.fixture(scope="module")
def names():
    """The events that are system calls of their own name."""
    schema = json.loads(subprocess.check_output([NSSCOPE, "--json-schema"]))
    types = {branch["properties"]["type"]["const"] for branch in schema["oneOf"]}
    return types & {"mount", "umount", "move_mount", "pivot_root", "chroot", "unshare", "setns", "fsopen", "fsconfig", "fsmount",
                    "fspick", "open_tree", "mount_setattr"}


def skip_other_version(name):
    version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    if not re.search(rf"\b{re.escape(VERSIONS[name])}\b", version):
        pytest.skip(f"{name} is not {VERSIONS[name]}")


def check_summary(command, golden, rootfs, tmp_path, names):  # noqa: F811
    file, log = tmp_path / "events", tmp_path / "strace"
    traced = ",".join(sorted((names - {"umount"}) | {"umount2"}))
    done = subprocess.run([NSSCOPE, "run", "-m", "-o", f"json={file}", "--only", "ns,mount", "--", "strace", "-f", "-qq", "-o", log,
                           "-e", f"trace={traced}", *command],
                          input=b"go\n", capture_output=True, timeout=TIMEOUT, env={**os.environ, "LC_ALL": "C"}, check=False)
    assert done.returncode == 5, done
    stream = Stream(file.read_bytes()).complete()
    strace = straced(log.read_text(), names)
    ours = told(stream, names)
    first = min(ours)[0]  # nsscope's own preparation
    assert strace and strace - ours == collections.Counter(), (strace - ours, log.read_text())
    assert all(tid == first for tid, _, _ in ours - strace), ours - strace
    got, golden = summary(stream, rootfs, tmp_path), GOLDEN / f"{golden}.txt"
    if os.environ.get("NSSCOPE_GOLDEN") == "write":
        golden.write_text(got)
    assert got == golden.read_text()
    return stream


@pytest.mark.parametrize("tool", TOOLS)
def test_summary(tool, rootfs, tmp_path, names):  # noqa: F811
    skip_other_version(tool.split("-as-")[0].split("-user")[0].split("-twice")[0])
    check_summary(command(tool, rootfs, tmp_path, "0123456789abcdef"), tool, rootfs, tmp_path, names)


# Mounts of both kinds that a unit can ask for, a service with some of its own, and one that looks and ends the machine.
UNITS = {
    "mnt-data.mount": "[Mount]\nWhat=data\nWhere=/mnt/data\nType=tmpfs\nOptions=size=1m,nosuid\n",
    "mnt-again.mount": "[Unit]\nRequires=mnt-data.mount\nAfter=mnt-data.mount\n"
                       "[Mount]\nWhat=/mnt/data\nWhere=/mnt/again\nType=none\nOptions=bind\n",
    "private.service": "[Unit]\nRequires=mnt-again.mount\nAfter=mnt-again.mount\n"
                       "[Service]\nType=oneshot\nTemporaryFileSystem=/mnt/again\n"
                       "ExecStart=/bin/sh -c 'grep /mnt/ /proc/self/mountinfo >/private'\n",
    "end.service": "[Unit]\nAfter=private.service\n"
                   "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'grep /mnt/ /proc/self/mountinfo >/shared'\n"
                   "ExecStart=systemctl stop mnt-again.mount\nExecStart=systemctl exit 5\n",
}


@pytest.fixture
def bootable(tmp_path):
    """A root that systemd boots in, with the host's own /usr, and no unit but ours."""
    root = tmp_path / "bootable"
    for name in ("usr", "etc/systemd/system", "var", "run", "tmp", "proc", "sys", "dev", "root", "mnt/data", "mnt/again"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc/os-release").write_text("ID=test\n")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    units = {**UNITS, "ours.target": f"[Unit]\nRequires={' '.join(UNITS)}\n"}
    for name, text in units.items():
        head = "" if text.startswith("[Unit]\n") else "[Unit]\n"
        (root / "etc/systemd/system" / name).write_text((head + text).replace("[Unit]\n", "[Unit]\nDefaultDependencies=no\n", 1))
    return root


def test_mount_units(bootable, tmp_path, names):
    skip_other_version("systemd-nspawn")
    boot = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "--bind-ro=/usr", "-D", bootable,
            "--boot", "--", "--unit=ours.target", "--log-target=null", "--show-status=no"]
    stream = check_summary(boot, "systemd-mount-units", bootable, tmp_path, names)
    # The witness: what the services themselves saw.
    shared = [line.split()[4] for line in (bootable / "shared").read_text().splitlines()]
    private = re.findall(r" (/mnt/\w+) .* - (\w+ \S+)", (bootable / "private").read_text())
    assert shared == ["/mnt/data", "/mnt/again"] and private == [("/mnt/data", "tmpfs data"), ("/mnt/again", "tmpfs tmpfs")]
    data, = [e for e in stream.of("mount") if e["mount"]["source"] == "data"]
    again, = [e for e in stream.of("mount") if e["mount"]["target"] == "/mnt/again" and e["mount"]["source"] == "/mnt/data"]
    for event in (data, again):
        assert event["mount"]["reach"]["verdict"] == "inside"
        assert event["mount"]["target_host"] == f"{bootable}{event['mount']['target']}"
    covering, = [e for e in stream.of("mount") if e["mount"]["op"] == "new" and "/mnt/again" in e["mount"]["target"]]
    assert covering["ns"]["mnt"] != data["ns"]["mnt"] and covering["mount"]["reach"]["verdict"] == "inside"
    gone, = [e for e in stream.of("umount") if e["umount"]["target"] == "/mnt/again"]
    assert gone["ns"]["mnt"] == data["ns"]["mnt"]
