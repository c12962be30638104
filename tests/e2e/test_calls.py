# SPDX-License-Identifier: GPL-2.0-or-later
"""The system calls: against what the caller passed and got, and against strace of the same run."""
import platform
import re
import signal
import subprocess

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
AT = {0x100: "AT_SYMLINK_NOFOLLOW", 0x800: "AT_NO_AUTOMOUNT", 0x1000: "AT_EMPTY_PATH", 0x8000: "AT_RECURSIVE"}
OPEN_TREE = {1: "OPEN_TREE_CLONE", 2: "OPEN_TREE_NAMESPACE", 0x80000: "OPEN_TREE_CLOEXEC", **AT}
FSPICK = {1: "FSPICK_CLOEXEC", 2: "FSPICK_SYMLINK_NOFOLLOW", 4: "FSPICK_NO_AUTOMOUNT", 8: "FSPICK_EMPTY_PATH"}
ATTR = {1: "MOUNT_ATTR_RDONLY", 2: "MOUNT_ATTR_NOSUID", 4: "MOUNT_ATTR_NODEV", 8: "MOUNT_ATTR_NOEXEC",
        0x70: "MOUNT_ATTR__ATIME", 0x10: "MOUNT_ATTR_NOATIME", 0x20: "MOUNT_ATTR_STRICTATIME",
        0x80: "MOUNT_ATTR_NODIRATIME", 0x100000: "MOUNT_ATTR_IDMAP", 0x200000: "MOUNT_ATTR_NOSYMFOLLOW"}
FSCONFIG = ["SET_FLAG", "SET_STRING", "SET_BINARY", "SET_PATH", "SET_PATH_EMPTY", "SET_FD", "CMD_CREATE",
            "CMD_RECONFIGURE", "CMD_CREATE_EXCL"]
PROPAGATION = {bit: MS[bit] for bit in (1 << 17, 1 << 18, 1 << 19, 1 << 20)}
PATHS = {"mount": ["target"], "umount": ["target"], "move_mount": ["from", "to"], "pivot_root": ["new_root", "put_old"],
         "chroot": ["path"]}
TABLES = {"move_mount": MOVE_MOUNT, "mount": MS, "umount": MNT, "unshare": CLONE, "setns": CLONE,
          "fsopen": {1: "FSOPEN_CLOEXEC"}, "fsmount": {1: "FSMOUNT_CLOEXEC", 2: "FSMOUNT_NAMESPACE"}, "fspick": FSPICK,
          "open_tree": OPEN_TREE, "open_tree_attr": OPEN_TREE, "mount_setattr": AT, "attributes": ATTR}
NAMES = {name: bit for table in TABLES.values() for bit, name in table.items()}
NEW_API = ["fsopen", "fsconfig", "fsmount", "fspick", "open_tree", "open_tree_attr", "mount_setattr"]
NAMES.update(CLONE_THREAD=0x10000, CLONE_PIDFD=0x1000, CLONE_PTRACE=0x2000, CLONE_VFORK=0x4000, MS_BORN=1 << 29)


def number(names):
    """Flags as nsscope or strace names them, as a number; rest bits are one hexadecimal string."""
    return sum(NAMES[n] if n in NAMES else int(n, 16) for n in names)


def flags_ok(shown, flags, table):
    assert number(shown) == flags, (shown, hex(flags))
    known = [n for n in shown if not n.startswith("0x")]
    for bit in table:  # each, or another that has it in itself
        assert flags & bit != bit or any(table[wider] in known for wider in table if wider & bit == bit and flags & wider == wider)
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
    return has_the_call([e for e in result.of(*PATHS, *NEW_API, "unshare", "setns") if e["seq"] > begin])


def has_the_call(calls):
    """Without those that this kernel does not have: they are not told by all backends."""
    return [c for c in calls if (c[c["type"]] if "type" in c else c)["error"] != "ENOSYS"]


def new_api_ok(event, call):
    """The fields of the new mount API that have no like in the old one."""
    payload = event[event["type"]]
    for field in ("fsname", "path", "key", "value"):
        if field in call:
            string_ok(payload, field, call[field])
    for field in ("fs_fd", "dfd", "aux", "attr_read", "userns_fd"):
        assert field not in call or payload[field] == call[field], field
    if "cmd" in call:
        assert payload["cmd"] == ("FSCONFIG_" + FSCONFIG[call["cmd"]] if call["cmd"] < len(FSCONFIG) else hex(call["cmd"]))
    for field, table in ("attr_flags", ATTR), ("attr_set", ATTR), ("attr_clr", ATTR), ("propagation", PROPAGATION):
        if field in call:
            flags_ok(payload[field], call[field], table)
    if "result" in call:
        assert payload["fd"] == (call["result"] if call["result"] >= 0 else None)
    if "mnt_id" in call:
        assert payload["mnt_id"] == (call["mnt_id"] or None)
    if "log" in call:
        assert [raw({"log": m, "log_raw": r} if r else {"log": m}, "log") for m, r in
                zip(payload["log"], payload.get("log_raw", [None] * 99))] == [unhex(m) for m in call["log"]]
        assert payload["log_truncated"] is False


def contexts_ok(events, said):
    """What belongs together has one number, what does not another."""
    numbers = {}
    for event, call in zip(events, said):
        if "chain" in call:
            number = event[event["type"]]["context"]
            assert (number is None) == (call["chain"] is None), (event, call)
            numbers.setdefault(call["chain"], set()).add(number)
    assert len(numbers) > 6 and all(len(n) == 1 for n in numbers.values()), numbers
    assert len(set.union(*numbers.values())) == len(numbers), numbers


def path_ok(payload, name, call):
    """As the kernel looked it up or found it afterwards, or as the caller gave it."""
    if name == "target":
        string_ok(payload, "target_arg", call[name])
    if call["name"] == "mount_setattr":
        assert raw(payload, "target") == unhex(call["seen"]["target"])
        return None
    found = name == "target" and payload["mnt_id"]
    if payload["args"] == "caller" and not found:
        assert name + "_outside" not in payload
        return string_ok(payload, name, call[name])
    assert raw(payload, name) == unhex(call["seen"][name])
    detached = call["name"] == "move_mount" and name == "from" and call["flags"] & 4  # MOVE_MOUNT_F_EMPTY_PATH
    assert payload.get(name + "_outside", False) == bool(detached)


@pytest.mark.parametrize("how", ["x86-64", "i386"] if platform.machine() == "x86_64" else ["native"])
def test_arguments(run, how, backend):
    if how == "i386" and subprocess.run([workload("calls"), "i386-trial"], check=False).returncode == -signal.SIGSEGV:
        pytest.skip("this kernel has no 32-bit calls")
    result = run("-m", "--backend", backend, "--", workload("calls"), how)
    said = has_the_call(result.said("call"))
    events = calls_of(result)
    assert [e["type"] for e in events] == [s["name"] for s in said]
    for event, call in zip(events, said):
        payload, name = event[call["name"]], call["name"]
        assert payload["error"] == call["error"], (payload, call)
        for field in PATHS.get(name, ["target"] if name == "mount_setattr" else []):
            path_ok(payload, field, call)
        if name in NEW_API:
            new_api_ok(event, call)
        for field in ("source", "fstype", "data"):
            if field in call:
                string_ok(payload, field, call[field])
        for field in ("fd", "from_fd", "to_fd"):
            assert field not in call or payload[field] == call[field]
        if name == "setns":
            flags_ok(payload["nstype"], call["nstype"], CLONE)
        elif "flags" in call:
            flags = call["flags"]
            if name == "mount" and flags & 0xffff0000 == 0xc0ed0000:
                flags &= 0xffff  # MS_MGC_VAL says nothing
            flags_ok(payload["flags"], flags, TABLES[name])
        assert payload["latency_ns"] is None or payload["latency_ns"] > 0
    contexts_ok(events, said)
    assert {"new", "bind", "remount", "move", "propagation"} <= {e["mount"]["op"] for e in result.of("mount")}
    of = {e[e["type"]]["args"] for e in events if e["type"] in PATHS and not e[e["type"]]["error"]}
    assert of == {"caller" if backend == "tracepoint" else "kernel"}
    for event, call in zip(events, said):
        if event["type"] == "fsopen" and not call["error"]:
            assert event["fsopen"]["args"] == ("caller" if backend == "tracepoint" else "kernel")
        elif event["type"] == "fsconfig" and call["key"] is call["value"] is None:
            assert event["fsconfig"]["args"] == "kernel"  # nothing that could have changed
        elif event["type"] == "fsconfig" and (not call["error"] or call["log"]):
            assert event["fsconfig"]["args"] == ("caller" if backend == "tracepoint" else "kernel")


# Of each call: where strace has the field.
STRACE = {
    "mount": {"source": 0, "target_arg": 1, "fstype": 2, "flags": 3, "data": 4},
    "umount2": {"target_arg": 0, "flags": 1},
    "move_mount": {"from_fd": 0, "from": 1, "to_fd": 2, "to": 3, "flags": 4},
    "pivot_root": {"new_root": 0, "put_old": 1},
    "chroot": {"path": 0},
    "unshare": {"flags": 0},
    "setns": {"fd": 0, "nstype": 1},
    "fsopen": {"fsname": 0, "flags": 1},
    "fsconfig": {"fd": 0, "cmd": 1, "key": 2, "value": 3, "aux": 4},
    "fsmount": {"fs_fd": 0, "flags": 1, "attr_flags": 2},
    "fspick": {"dfd": 0, "path": 1, "flags": 2},
    "open_tree": {"dfd": 0, "path": 1, "flags": 2},
    "mount_setattr": {"dfd": 0, "target_arg": 1, "flags": 2, "attr": 3},
}
STRACE_LINE = re.compile(r"^(\d+) +(%s)\((.*)\) += (-?\d+)(?: (E\w+).*)?$" % "|".join(STRACE))
STRACE_ARG = re.compile(r'\{[^}]*\}|"(?:\\x[0-9a-f]{2})*"|[^,"\s][^,"]*')


def strace_string(text):
    if text == "NULL":
        return None
    return bytes.fromhex(text[1:-1].replace("\\x", "")) if text.startswith('"') else "bad"


def strace_flags(text):
    words = re.sub(r"/\*.*?\*/", "", text).strip().split("|")
    return sum(NAMES[w] if w in NAMES else 0xc0ed0000 if w == "MS_MGC_VAL" else int(w, 0) for w in words)


def strace_agrees(payload, field, arg, call):
    if field == "attr":
        if payload["attr_read"]:
            pairs = (pair.split("=", 1) for pair in arg.strip("{}").split(", "))
            assert {name: strace_flags(value) for name, value in pairs} == {
                "attr_set": number(payload["attr_set"]), "attr_clr": number(payload["attr_clr"]),
                "propagation": number(payload["propagation"]), "userns_fd": payload["userns_fd"]}
    elif field == "cmd":
        assert payload[field] == (arg if arg.startswith("FSCONFIG_") else arg.split()[0])
    elif field in ("flags", "nstype", "attr_flags"):
        flags = strace_flags(arg)
        if call == "mount" and flags & 0xffff0000 == 0xc0ed0000:
            flags &= 0xffff
        assert number(payload[field]) == flags
    elif field.endswith("fd") or field == "aux":
        assert payload[field] == (-100 if arg == "AT_FDCWD" else int(arg))
    elif field in PATHS.get(call.rstrip("2"), []) and payload["args"] == "kernel":
        pass  # where it leads: test_arguments knows
    elif not arg.startswith("0x") or arg == "0x1":  # else a pointer that this operation ignores: strace does not follow it
        want = strace_string(arg)
        if want == "bad":
            assert payload[field] is None and payload[field + "_unreadable"] is True
        else:  # of a key and its value strace shows no more than 256 bytes, which is the kernel's limit
            assert (raw(payload, field)[:256] if call == "fsconfig" and want else raw(payload, field)) == want


def test_against_strace(run, tmp_path, backend):
    log = tmp_path / "strace"
    result = run("-m", "--backend", backend, "--", "strace", "-f", "-xx", "-s", "65535", "-o", str(log), "-e",
                 "trace=" + ",".join(STRACE), workload("calls"))
    text = [line for line in log.read_text().splitlines() if "(" in line and "ENOSYS" not in line and " syscall_" not in line]
    lines = [STRACE_LINE.match(line) for line in text]
    assert all(lines), [line for line, match in zip(text, lines) if not match]
    assert len(lines) > 100
    events = [e for e in calls_of(result) if e["type"] != "open_tree_attr"]  # strace may not know it yet
    assert len(events) == len(lines)
    for event, line in zip(events, lines):
        pid, call, args, _, error = line.groups()
        args = [a.strip() for a in STRACE_ARG.findall(args.replace('"...', '"'))]
        payload = event[call.rstrip("2")]
        assert event["inside"]["tid"] == int(pid)
        assert payload["error"] == error
        for field, at in STRACE[call].items():
            strace_agrees(payload, field, args[at], call)
