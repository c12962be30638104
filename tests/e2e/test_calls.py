# SPDX-License-Identifier: GPL-2.0-or-later
"""mount, umount2, unshare and setns: against what the caller passed and got, and against strace of the same run."""
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
TABLES = {"mount": MS, "umount": MNT, "unshare": CLONE, "setns": CLONE}
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
    return [e for e in result.of("mount", "umount", "unshare", "setns") if e["seq"] > begin]


@pytest.mark.parametrize("how", ["x86-64", "i386"])
def test_arguments(run, how):
    result = run("-m", "--", workload("calls"), how)
    said = result.said("call")
    events = calls_of(result)
    assert [e["type"] for e in events] == [s["name"] for s in said]
    for event, call in zip(events, said):
        payload, name = event[call["name"]], call["name"]
        assert payload["error"] == call["error"], (payload, call)
        for field in ("source", "target", "fstype", "data"):
            if field in call:
                string_ok(payload, field, call[field])
        if name == "setns":
            assert payload["fd"] == call["fd"]
            flags_ok(payload["nstype"], call["nstype"], CLONE)
        else:
            flags = call["flags"]
            if name == "mount" and flags & 0xffff0000 == 0xc0ed0000:
                flags &= 0xffff  # MS_MGC_VAL says nothing
            flags_ok(payload["flags"], flags, TABLES[name])
        assert payload["latency_ns"] is None or payload["latency_ns"] > 0
    assert {"new", "bind", "remount", "move", "propagation"} <= {e["mount"]["op"] for e in result.of("mount")}


STRACE_LINE = re.compile(r"^(\d+) +(mount|umount2|unshare|setns)\((.*)\) += (-?\d+)(?: (E\w+).*)?$")
STRACE_ARG = re.compile(r'"(?:\\x[0-9a-f]{2})*"|[^,"\s][^,"]*')


def strace_string(text):
    if text == "NULL":
        return None
    return bytes.fromhex(text[1:-1].replace("\\x", "")) if text.startswith('"') else "bad"


def strace_flags(text):
    words = re.sub(r"/\*.*?\*/", "", text).strip().split("|")
    return sum(NAMES[w] if w in NAMES else 0xc0ed0000 if w == "MS_MGC_VAL" else int(w, 0) for w in words)


def test_against_strace(run, tmp_path):
    log = tmp_path / "strace"
    result = run("-m", "--", "strace", "-f", "-xx", "-s", "65535", "-o", str(log), "-e",
                 "trace=mount,umount2,unshare,setns", workload("calls"))
    lines = [STRACE_LINE.match(line) for line in log.read_text().splitlines() if "(" in line]
    assert all(lines) and len(lines) > 30
    events = calls_of(result)
    assert len(events) == len(lines)
    for event, line in zip(events, lines):
        pid, call, args, _, error = line.groups()
        args = [a.strip() for a in STRACE_ARG.findall(args)]
        payload = event["umount" if call == "umount2" else call]
        assert event["inside"]["tid"] == int(pid)
        assert payload["error"] == error
        if call == "setns":
            assert payload["fd"] == int(args[0]) and number(payload["nstype"]) == strace_flags(args[1])
            continue
        flags = strace_flags(args[{"mount": 3, "umount2": 1, "unshare": 0}[call]])
        if call == "mount" and flags & 0xffff0000 == 0xc0ed0000:
            flags &= 0xffff
        assert number(payload["flags"]) == flags
        fields = {"mount": {"source": 0, "target": 1, "fstype": 2, "data": 4}, "umount2": {"target": 0}, "unshare": {}}
        for field, at in fields[call].items():
            if args[at].startswith("0x") and args[at] != "0x1":
                continue  # a pointer that this operation ignores: strace does not follow it
            want = strace_string(args[at])
            if want == "bad":
                assert payload[field] is None and payload[field + "_unreadable"] is True
            else:
                assert raw(payload, field) == want
