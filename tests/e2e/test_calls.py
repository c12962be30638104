# SPDX-License-Identifier: GPL-2.0-or-later
"""The system calls: against what the caller passed and got, and against strace of the same run."""
import platform
import re

import pytest
from nsscope_test import raw, workload

# Numbers of the kernel's headers.
MS = {1: "MS_RDONLY", 2: "MS_NOSUID", 4: "MS_NODEV", 8: "MS_NOEXEC", 16: "MS_SYNCHRONOUS", 32: "MS_REMOUNT",
      64: "MS_MANDLOCK", 128: "MS_DIRSYNC", 256: "MS_NOSYMFOLLOW", 1024: "MS_NOATIME", 2048: "MS_NODIRATIME",
      4096: "MS_BIND", 8192: "MS_MOVE", 16384: "MS_REC", 32768: "MS_SILENT", 1 << 16: "MS_POSIXACL",
      1 << 17: "MS_UNBINDABLE", 1 << 18: "MS_PRIVATE", 1 << 19: "MS_SLAVE", 1 << 20: "MS_SHARED", 1 << 21: "MS_RELATIME",
      1 << 23: "MS_I_VERSION", 1 << 24: "MS_STRICTATIME", 1 << 25: "MS_LAZYTIME"}
MNT = {1: "MNT_FORCE", 2: "MNT_DETACH", 4: "MNT_EXPIRE", 8: "UMOUNT_NOFOLLOW"}
CLONE = {0x80: "CLONE_NEWTIME", 0x100: "CLONE_VM", 0x200: "CLONE_FS", 0x400: "CLONE_FILES", 0x8000: "CLONE_PARENT",
         0x20000: "CLONE_NEWNS", 0x40000: "CLONE_SYSVSEM", 0x2000000: "CLONE_NEWCGROUP", 0x4000000: "CLONE_NEWUTS",
         0x8000000: "CLONE_NEWIPC", 0x10000000: "CLONE_NEWUSER", 0x20000000: "CLONE_NEWPID", 0x40000000: "CLONE_NEWNET"}
MOVE_MOUNT = {1: "MOVE_MOUNT_F_SYMLINKS", 2: "MOVE_MOUNT_F_AUTOMOUNTS", 4: "MOVE_MOUNT_F_EMPTY_PATH",
              0x10: "MOVE_MOUNT_T_SYMLINKS", 0x20: "MOVE_MOUNT_T_AUTOMOUNTS", 0x40: "MOVE_MOUNT_T_EMPTY_PATH",
              0x100: "MOVE_MOUNT_SET_GROUP", 0x200: "MOVE_MOUNT_BENEATH"}
PATHS = {"mount": ["target"], "umount": ["target"], "move_mount": ["from", "to"], "pivot_root": ["new_root", "put_old"],
         "chroot": ["path"]}
TABLES = {"move_mount": MOVE_MOUNT, "mount": MS, "umount": MNT, "unshare": CLONE, "setns": CLONE}
NAMES = {name: bit for table in TABLES.values() for bit, name in table.items()}
NAMES.update(CLONE_THREAD=0x10000, CLONE_PIDFD=0x1000, CLONE_PTRACE=0x2000, CLONE_VFORK=0x4000, MS_BORN=1 << 29)


def number(names):
    """Flags as nsscope or strace names them, as a number; rest bits are one hexadecimal string."""
    return sum(NAMES[n] if n in NAMES else int(n, 16) for n in names)


def flags_ok(shown, flags, table):
    assert number(shown) == flags, (shown, hex(flags))
    known = [n for n in shown if not n.startswith("0x")]
    assert all(bit not in table or not flags & bit or table[bit] in known for bit in table)
    assert len(shown) - len(known) <= 1


def unhex(text):
    return None if text is None else bytes.fromhex(text)


def string_ok(payload, name, said):
    if said == "bad":
        assert payload[name] is None and payload[name + "_unreadable"] is True
        return
    assert name + "_unreadable" not in payload and name + "_truncated" not in payload
    assert raw(payload, name) == unhex(said)


def calls_of(result):
    """The events of the workload alone, not of nsscope's own preparation."""
    begin = max(e["seq"] for e in result.of("exec"))
    return [e for e in result.of(*PATHS, "unshare", "setns") if e["seq"] > begin]


def path_ok(payload, name, call):
    """As the kernel looked it up, or as the caller gave it."""
    if payload["args"] == "caller":
        assert name + "_outside" not in payload
        return string_ok(payload, name, call[name])
    assert raw(payload, name) == unhex(call["seen"][name])
    detached = call["name"] == "move_mount" and name == "from" and call["flags"] & 4  # MOVE_MOUNT_F_EMPTY_PATH
    assert payload.get(name + "_outside", False) == bool(detached)


@pytest.mark.parametrize("how", ["x86-64", "i386"] if platform.machine() == "x86_64" else ["native"])
def test_arguments(run, how, backend):
    result = run("-m", "--backend", backend, "--", workload("calls"), how)
    said = result.said("call")
    events = calls_of(result)
    assert [e["type"] for e in events] == [s["name"] for s in said]
    for event, call in zip(events, said):
        payload, name = event[call["name"]], call["name"]
        assert payload["error"] == call["error"], (payload, call)
        for field in PATHS.get(name, []):
            path_ok(payload, field, call)
        for field in ("source", "fstype", "data"):
            if field in call:
                string_ok(payload, field, call[field])
        for field in ("fd", "from_fd", "to_fd"):
            assert payload.get(field) == call.get(field)
        if name == "setns":
            flags_ok(payload["nstype"], call["nstype"], CLONE)
        elif "flags" in call:
            flags = call["flags"]
            if name == "mount" and flags & 0xffff0000 == 0xc0ed0000:
                flags &= 0xffff  # MS_MGC_VAL says nothing
            flags_ok(payload["flags"], flags, TABLES[name])
        assert payload["latency_ns"] is None or payload["latency_ns"] > 0
    assert {"new", "bind", "remount", "move", "propagation"} <= {e["mount"]["op"] for e in result.of("mount")}
    of = {e[e["type"]]["args"] for e in events if e["type"] in PATHS and not e[e["type"]]["error"]}
    assert of == {"caller" if backend == "tracepoint" else "kernel"}


# Of each call: where strace has the field.
STRACE = {
    "mount": {"source": 0, "target": 1, "fstype": 2, "flags": 3, "data": 4},
    "umount2": {"target": 0, "flags": 1},
    "move_mount": {"from_fd": 0, "from": 1, "to_fd": 2, "to": 3, "flags": 4},
    "pivot_root": {"new_root": 0, "put_old": 1},
    "chroot": {"path": 0},
    "unshare": {"flags": 0},
    "setns": {"fd": 0, "nstype": 1},
}
STRACE_LINE = re.compile(r"^(\d+) +(%s)\((.*)\) += (-?\d+)(?: (E\w+).*)?$" % "|".join(STRACE))
STRACE_ARG = re.compile(r'"(?:\\x[0-9a-f]{2})*"|[^,"\s][^,"]*')


def strace_string(text):
    if text == "NULL":
        return None
    return bytes.fromhex(text[1:-1].replace("\\x", "")) if text.startswith('"') else "bad"


def strace_flags(text):
    words = re.sub(r"/\*.*?\*/", "", text).strip().split("|")
    return sum(NAMES[w] if w in NAMES else 0xc0ed0000 if w == "MS_MGC_VAL" else int(w, 0) for w in words)


def strace_agrees(payload, field, arg, call):
    if field in ("flags", "nstype"):
        flags = strace_flags(arg)
        if call == "mount" and flags & 0xffff0000 == 0xc0ed0000:
            flags &= 0xffff
        assert number(payload[field]) == flags
    elif field.endswith("fd"):
        assert payload[field] == (-100 if arg == "AT_FDCWD" else int(arg))
    elif field in PATHS.get(call.rstrip("2"), []) and payload["args"] == "kernel":
        pass  # where it leads: test_arguments knows
    elif not arg.startswith("0x") or arg == "0x1":  # else a pointer that this operation ignores: strace does not follow it
        want = strace_string(arg)
        if want == "bad":
            assert payload[field] is None and payload[field + "_unreadable"] is True
        else:
            assert raw(payload, field) == want


def test_against_strace(run, tmp_path, backend):
    log = tmp_path / "strace"
    result = run("-m", "--backend", backend, "--", "strace", "-f", "-xx", "-s", "65535", "-o", str(log), "-e",
                 "trace=" + ",".join(STRACE), workload("calls"))
    lines = [STRACE_LINE.match(line) for line in log.read_text().splitlines() if "(" in line]
    assert all(lines) and len(lines) > 50
    events = calls_of(result)
    assert len(events) == len(lines)
    for event, line in zip(events, lines):
        pid, call, args, _, error = line.groups()
        args = [a.strip() for a in STRACE_ARG.findall(args)]
        payload = event[call.rstrip("2")]
        assert event["inside"]["tid"] == int(pid)
        assert payload["error"] == error
        for field, at in STRACE[call].items():
            strace_agrees(payload, field, args[at], call)
