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


@pytest.mark.parametrize("tool", TOOLS)
def test_summary(tool, rootfs, tmp_path, names):  # noqa: F811
    name = tool.split("-as-")[0].split("-user")[0].split("-twice")[0]
    version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    if not re.search(rf"\b{re.escape(VERSIONS[name])}\b", version):
        pytest.skip(f"{name} is not {VERSIONS[name]}")
    file, log = tmp_path / "events", tmp_path / "strace"
    traced = ",".join(sorted((names - {"umount"}) | {"umount2"}))
    done = subprocess.run([NSSCOPE, "run", "-m", "-o", f"json={file}", "--only", "ns,mount", "--", "strace", "-f", "-qq", "-o", log,
                           "-e", f"trace={traced}", *command(tool, rootfs, tmp_path, "0123456789abcdef")],
                          input=b"go\n", capture_output=True, timeout=TIMEOUT, env={**os.environ, "LC_ALL": "C"}, check=False)
    assert done.returncode == 5, done
    stream = Stream(file.read_bytes()).complete()
    strace = straced(log.read_text(), names)
    ours = told(stream, names)
    first = min(ours)[0]  # nsscope's own preparation
    assert strace and strace - ours == collections.Counter(), (strace - ours, log.read_text())
    assert all(tid == first for tid, _, _ in ours - strace), ours - strace
    got, golden = summary(stream, rootfs, tmp_path), GOLDEN / f"{tool}.txt"
    if os.environ.get("NSSCOPE_GOLDEN") == "write":
        golden.write_text(got)
    assert got == golden.read_text()
