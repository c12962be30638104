# SPDX-License-Identifier: GPL-2.0-or-later
"""What gives the events of system calls does not change what they say, but for what its row of the table declares."""
import json
import os
import pathlib
import subprocess

import pytest
from nsscope_test import NSSCOPE, Stream, TIMEOUT, workload, working_backends

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/matrix.ndjson"
NAMES = {"kprobe": "kprobe.multi", "fentry": "fentry", "tracepoint": "raw_tp"}  # in the start record
CALLS = ("mount", "umount", "move_mount", "pivot_root", "chroot")
# The row of /proc/PID/ns where unshare puts it.
OF_UNSHARE = {"CLONE_NEWCGROUP": "cgroup", "CLONE_NEWIPC": "ipc", "CLONE_NEWNS": "mnt", "CLONE_NEWNET": "net",
              "CLONE_NEWPID": "pid_for_children", "CLONE_NEWTIME": "time_for_children", "CLONE_NEWUSER": "user",
              "CLONE_NEWUTS": "uts"}


class Normal:
    """Numbers that the kernel gives out become names in the order of their appearance."""

    def __init__(self, start):
        self.pids, self.inums = {}, {inum: "host " + kind[:-3] for kind, inum in start["host"].items()}
        self.made = 0

    def pid(self, number):
        return self.pids.setdefault(number, f"P{len(self.pids)}") if number else 0

    def inum(self, number):
        if number and number not in self.inums:
            self.made += 1
            self.inums[number] = f"N{self.made}"
        return self.inums.get(number, 0)

    def forget_reused(self, event):
        """The namespaces that a call has just made: their inums may have been another's."""
        kinds = event["fork"]["new_ns"] if event["type"] == "fork" else []
        if event["type"] == "unshare" and not event["unshare"]["error"]:
            kinds = [OF_UNSHARE[flag] for flag in event["unshare"]["flags"] if flag in OF_UNSHARE]
        for kind in kinds:
            self.inums.pop(event["ns"][kind], None)

    def event(self, event):
        self.forget_reused(event)
        kind = event["type"]
        payload = {k: v for k, v in event[kind].items() if k not in ("latency_ns", "runtime_ns", "id", "args", "mnt_id", "mnt_id_unique", "mounts")}
        for key in ("inum", "owner", "parent"):
            if isinstance(payload.get(key), int):
                payload[key] = self.inum(payload[key])
        if "entered" in payload:
            payload["entered"] = [{**ns, "inum": self.inum(ns["inum"])} for ns in payload["entered"]]
        if kind == "fork":
            payload["parent"] = {**payload["parent"], "host_pid": self.pid(payload["parent"]["host_pid"])}
        if "reach" in payload:
            payload["reach"] = {**payload["reach"], "ns": [self.inum(ns) for ns in payload["reach"]["ns"]]}
        if kind == "exec":
            payload["old_tid"] = self.pid(payload["old_tid"])
            payload["argv"] = [os.path.basename(arg) for arg in payload["argv"]]
            payload["filename"] = os.path.basename(payload["filename"])
        host = event["host"]
        return {
            "type": kind, kind: payload, "comm": event["comm"], "inside": event["inside"],
            "host": {**host, **{k: self.pid(host[k]) for k in ("pid", "tid", "ppid")}},
            "pids": [[self.inum(p["ns"])] + ([p["pid"], p["tid"]] if i else []) for i, p in enumerate(event["pids"])],
            "ns": {k: self.inum(v) for k, v in event["ns"].items()},
        }


def normalized(stream):
    normal = Normal(stream.start)
    # The end of a namespace is found by looking, so it stands anywhere.
    return [normal.event(e) for e in stream.events if e["type"] != "ns_destroy"]


def test_same_events_everywhere(run, backend):
    """One golden stream for all kernels and backends: what is equal to it is equal to each other."""
    result = run("--backend", backend, "--", workload("matrix"))
    lines = [json.dumps(e) for e in normalized(result.stream)]
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text("".join(line + "\n" for line in lines))
    assert lines == GOLDEN.read_text().splitlines()
    # But where it comes from.
    assert NAMES[backend] in result.stream.start["backend"]["calls"]
    of = {e[e["type"]]["args"] for e in result.of(*CALLS) if e[e["type"]]["error"] is None}
    assert of == {"caller" if backend == "tracepoint" else "kernel"}


def test_text_says_whose_arguments(backend):
    process = subprocess.run([NSSCOPE, "run", "--backend", backend, "--", "mount", "-t", "tmpfs", "t", "/mnt"],
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=True, text=True)
    assert ("as the caller had them" in process.stderr.splitlines()[-1]) == (backend == "tracepoint")


def test_the_best_is_the_default(run, monkeypatch):
    monkeypatch.delenv("NSSCOPE_BACKEND", raising=False)
    result = run("--only", "ns", "true")
    assert NAMES[working_backends()[0]] in result.stream.start["backend"]["calls"]


def test_changed_strings(run, backend):
    """Changed for certain between the kernel's copy and the end of the call."""
    result = run("-m", "--backend", backend, "--", workload("race"), "strings")
    [told] = [e["mount"] for e in result.of("mount") if e["mount"]["target"] == "/mnt"]
    [true] = result.said("mount")
    assert true["caller_source"] != true["source"]
    if told["args"] == "kernel":
        assert {k: told[k] for k in ("source", "fstype", "data")} == {k: true[k] for k in ("source", "fstype", "data")}
    else:
        assert told["source"] == true["caller_source"]
    assert (told["args"] == "kernel") == (backend != "tracepoint")


def test_changed_paths(run, backend, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    result = run("-m", "--backend", backend, "--", workload("race"), "paths", str(tmp_path), "100")
    told = [e for e in result.of("mount", "umount")
            if str(tmp_path) in (e[e["type"]]["target"] or "") and e["mount" if e["type"] == "mount" else "umount"]["error"] is None]
    true = [r for r in result.reports if not r["error"]]
    assert len(told) == len(true) == 400
    assert {r["target"][-1] for r in true} == {"a", "b"}
    if backend != "tracepoint":
        assert [(e["type"], e[e["type"]]["target"]) for e in told] == [(r["at"], r["target"]) for r in true]
        assert {e[e["type"]]["args"] for e in told} == {"kernel"}
    else:
        assert {e[e["type"]]["args"] for e in told} == {"caller"}


@pytest.mark.skipif("fentry" in working_backends(), reason="this kernel allows fentry")
def test_a_backend_that_does_not_work_is_refused():
    process = subprocess.run([NSSCOPE, "run", "--backend", "fentry", "--", "true"], stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, timeout=TIMEOUT, text=True)
    assert process.returncode == 125 and len(process.stderr.splitlines()) == 1
    assert "fentry" in process.stderr
