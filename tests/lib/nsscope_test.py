# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs nsscope and reads what it tells; strict about the stream, silent about what the stream should say."""
import base64
import functools
import json
import os
import pathlib
import signal
import re
import subprocess
import time
import uuid

import fastjsonschema

REPO = pathlib.Path(__file__).resolve().parents[2]
NSSCOPE = os.environ.get("NSSCOPE", str(REPO / "build/nsscope"))
WORKLOADS = pathlib.Path(os.environ.get("WORKLOADS", REPO / "build/tests/workload"))

TIMEOUT = 180  # seconds; only against a hang
SCALE = int(os.environ.get("NSSCOPE_TEST_SCALE", "1"))  # for slow machines: of the many, only one in so many
META = {"start", "end", "lost", "process"}  # records without seq
# For sh: makes PID namespaces, and says which, until one has the number of one before.
PID_NS_NUMBER_TWICE = """
for i in $(seq 1000); do
    ns=$(unshare -p -f sh -c 'echo $(readlink /proc/self/ns/pid); :')
    echo $ns
    case " $seen " in *" $ns "*) exit;; esac
    seen="$seen $ns"
    sleep .05 # numbers come back some time later: fewer namespaces meanwhile
done"""
NS_TYPES = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"]


def workload(name):
    path = WORKLOADS / name
    assert path.exists(), f"{path} is not built"
    return str(path)


@functools.cache
def working_backends():
    """What can give system calls here, found by trying."""
    return [name for name in ("kprobe", "fentry", "tracepoint")
            if not subprocess.run([NSSCOPE, "run", "--backend", name, "-o", "json=/dev/null", "--", "true"],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT).returncode]


def backends():
    """Of these, those that tests are to be run with: all, or what NSSCOPE_TEST_BACKENDS names."""
    asked = os.environ.get("NSSCOPE_TEST_BACKENDS")
    return [name for name in working_backends() if not asked or name in asked.split(",")]


def scaled(n):
    """How often, where the test is in the number."""
    return n // SCALE


@functools.cache
def validators():
    """One compiled validator for each type of record, from nsscope --json-schema."""
    schema = json.loads(subprocess.check_output([NSSCOPE, "--json-schema"], timeout=TIMEOUT))
    out = {}
    for branch in schema["oneOf"]:
        name = branch["properties"]["type"]["const"]
        assert name not in out
        whole = {"$schema": "http://json-schema.org/draft-07/schema", "$defs": schema["$defs"], **branch}
        out[name] = fastjsonschema.compile(whole)
    return out


def _no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key twice: {keys}"
    return dict(pairs)


def _no_constant(name):
    raise AssertionError(f"{name} is not JSON")


def parse_line(line):
    """One line of NDJSON: strict UTF-8, no control bytes, no lone surrogates, no key twice, as the schema says."""
    assert not any(byte < 0x20 for byte in line), line
    record = json.loads(line.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    json.dumps(record, ensure_ascii=False).encode("utf-8")
    validators()[record["type"]](record)
    return record


class Stream(list):
    """The records of one whole stream; start and end apart, the events by name."""

    def __init__(self, data, snapshot=False):
        assert data.endswith(b"\n")
        super().__init__(parse_line(line) for line in data[:-1].split(b"\n"))
        self.start, self.end = self[0], self[-1]
        assert self.start["type"] == "start" and self.end["type"] == "end"
        assert [r["type"] for r in self if r["type"] in ("start", "end")] == ["start", "end"]
        self.events = [r for r in self if r["type"] not in META]
        assert [e["seq"] for e in self.events] == list(range(1, len(self.events) + 1))
        assert self.end["events"] == len(self.events)
        assert snapshot or not self.of("process")

    def of(self, *types):
        return [r for r in self if r["type"] in types]

    def lost(self, name="total"):
        return self.end["lost"].get(name, 0)

    def complete(self):
        assert self.end["lost"] == {"total": 0} and not self.of("lost")
        return self


class Result:
    def __init__(self, process, stdout, stderr, stream):
        self.status, self.stdout, self.stderr, self.stream = process.returncode, stdout, stderr, stream

    @property
    def events(self):
        return self.stream.events

    def of(self, *types):
        return self.stream.of(*types)

    @functools.cached_property
    def reports(self):
        """What the workload printed: one JSON object a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def said(self, at):
        return [r for r in self.reports if r["at"] == at]


def run(*args, out, command="run", status=0, lossless=True, prefix=(), env=None, **popen):
    """nsscope run -o json=FILE ARGS...; the workload finds the host's /proc on the fd $HOSTPROC.

    out: directory for the file. prefix: a command that starts nsscope. status: the exit status wanted, None for any.
    """
    file = pathlib.Path(out) / f"{uuid.uuid4().hex}.json"
    hostproc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    try:
        process = subprocess.Popen(
            [*prefix, NSSCOPE, command, "-o", f"json={file}", *args],
            stdin=popen.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=[hostproc], env={**os.environ, "HOSTPROC": str(hostproc), **(env or {})}, **popen)
    finally:
        os.close(hostproc)
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert status is None or process.returncode == status, (process.returncode, stdout, stderr)
    stream = Stream(file.read_bytes())
    if lossless:
        stream.complete()
    file.unlink()
    return Result(process, stdout, stderr, stream)


def same_text(shown, data):
    """Whether @shown is @data as text; how many U+FFFD stand for a run of bad bytes is left open."""
    def squeezed(text):
        return re.sub("\ufffd+", "\ufffd", text)
    return squeezed(shown) == squeezed(data.decode("utf-8", "replace"))


def raw(payload, name):
    """The bytes of the string field @name."""
    if name + "_raw" in payload:
        data = base64.b64decode(payload[name + "_raw"], validate=True)
        assert same_text(payload[name], data)
        return data
    return None if payload[name] is None else payload[name].encode()


def raw_argv(payload):
    """The arguments of an exec event, byte for byte."""
    out = [arg.encode() for arg in payload["argv"]]
    for i, data in enumerate(payload.get("argv_raw", [])):
        if data is not None:
            out[i] = base64.b64decode(data, validate=True)
    return out


def chain(event, key="pid"):
    return [level[key] for level in event["pids"]]


def mark(result, report):
    """The event of the umount2("mark:LABEL:TID") that the workload made when it wrote @report."""
    found = [e for e in result.of("umount") if e["umount"]["target"] == report["mark"]]
    assert len(found) == 1, (report, found)
    return found[0]


def check_task(event, report, since_host=0):
    """That @event tells of a task what it and the host's /proc said of it at the same moment."""
    assert chain(event, "pid") == report["nstgid"][since_host:]
    assert chain(event, "tid") == report["nspid"][since_host:]
    assert event["host"]["pid"] == report["nstgid"][since_host]
    assert event["host"]["tid"] == report["nspid"][since_host]
    inside = event["inside"]
    for key in ("pid", "tid", "ppid", "uid", "gid"):
        assert inside[key] == report[key], (key, event, report)
    for name in NS_TYPES:
        if report["ns"][name]:
            assert event["ns"][name] == report["ns"][name], (name, event, report)
    assert event["pids"][-1]["ns"] == report["ns"]["pid"]


def check_marks(result):
    """Every report of the workload against its mark; returns the pairs."""
    pairs = [(r, mark(result, r)) for r in result.reports if "mark" in r]
    assert pairs
    assert len(pairs) == len([e for e in result.of("umount") if (e["umount"]["target"] or "").startswith("mark:")])
    for report, event in pairs:
        check_task(event, report)
    return pairs


def of_process(result, event):
    """All events of the process that @event tells of."""
    key = (event["host"]["pid"], event["start_ns"])
    return [e for e in result.events if "host" in e and (e["host"]["pid"], e["start_ns"]) == key]


def poll(condition, what):
    """Waits until condition() holds and returns what it gave; the limit is only against a hang."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.002)
    raise AssertionError(f"never: {what}")


def processes_with(marker):
    """PIDs of all live processes whose environment holds @marker; zombies have none."""
    out = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as f:
                    if marker.encode() in f.read():
                        out.append(int(name))
            except OSError:
                pass
    return out


def status_field(pid, field):
    """A line of /proc/PID/status, or None if the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None


class Watch:
    """A running watch; it observes from the moment that its snapshot is in the file."""

    def __init__(self, out, *args):
        self.file = pathlib.Path(out) / "watch.json"
        self.file.unlink(missing_ok=True)
        self.process = subprocess.Popen([NSSCOPE, "watch", "-o", f"json={self.file}", *args],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        poll(lambda: self.process.poll() is not None or
               (self.file.exists() and b'"type":"process"' in self.file.read_bytes()), "the snapshot")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        _, stderr = self.process.communicate(timeout=TIMEOUT)
        assert self.process.returncode == 0, stderr
        return Stream(self.file.read_bytes(), snapshot=True).complete()
