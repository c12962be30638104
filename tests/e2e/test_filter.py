# SPDX-License-Identifier: GPL-2.0-or-later
"""--filter, --alert and --exit-on against JSON: what an expression holds of is found again in Python."""
import base64
import fnmatch
import json
import os
import random
import re
import signal
import subprocess

import pytest
from nsscope_test import META, NSSCOPE, TIMEOUT, parse_line, poll, processes_with, scaled, workload


def nsscope(*args, **more):
    return subprocess.run([NSSCOPE, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, **more)


def lines(data):
    return [parse_line(line) for line in data.splitlines()]


def one_line(stderr):
    assert stderr.startswith(b"nsscope") and stderr.endswith(b"\n") and stderr.count(b"\n") == 1, stderr


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """One run of many kinds of calls, good and bad, with hostile names."""
    file = tmp_path_factory.mktemp("recording") / "record"
    done = nsscope("run", "-o", f"record={file}", "--", "sh", "-c",
                   '"$0" >/dev/null; "$1" >/dev/null; mount -t tmpfs "$(printf "a\\377\\nb")" /mnt; umount /mnt;'
                   'mount --bind /nothing /mnt; /bin/true "$(printf "\\377\\n\\033")"; sh -c "kill -9 \\$\\$"; exit 3',
                   workload("calls"), workload("matrix"))
    assert done.returncode == 3, done
    return file


@pytest.fixture(scope="module")
def events(recording):
    return [e for e in lines(nsscope("replay", "-o", "json", recording).stdout) if e["type"] not in META]


# The same in Python: an array is a list, what is not there is MISSING.

MISSING = object()


def plain(parent, name):
    """Bytes for strings, whole ones."""
    value = parent[name]
    raw = parent.get(name + "_raw")
    if isinstance(value, str):
        return base64.b64decode(raw) if raw else value.encode()
    if isinstance(value, list):
        raws = raw or [None] * len(value)
        return [base64.b64decode(r) if r else v.encode() if isinstance(v, str) else v for v, r in zip(value, raws)]
    return value


def fields(event):
    """All that an expression can name of @event, by its path."""
    out = {}

    def walk(prefix, at):
        for name, value in at.items():
            if name.endswith("_raw") or name in ("time", "alert"):
                continue
            if isinstance(value, dict):
                walk(prefix + name + ".", value)
            elif name == "pids":
                for key in ("ns", "pid", "tid"):
                    out[f"pids.{key}"] = [level[key] for level in value]
            elif name == "entered":
                for key in ("type", "inum"):
                    out[f"{prefix}entered.{key}"] = [n[key].encode() if key == "type" else n[key] for n in value]
            else:
                out[prefix + name] = plain(at, name)

    walk("", event)
    payload = event["type"] + "."
    for path in [p for p in out if p.startswith(payload)]:
        if path[len(payload):] not in out and path != "setns.target":  # no path, as target is elsewhere
            out[path[len(payload):]] = out[path]
    if "reach.verdict" in out and out["reach.verdict"] != b"none":
        out["reach"] = out["reach.verdict"]
    return out


def holds(op, value, wanted):
    if op == "==":
        return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
    if op == "~":
        return isinstance(value, bytes) and fnmatch.fnmatchcase(value, wanted)
    number = isinstance(value, int) and not isinstance(value, bool)
    return number and {"<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted}[op]


def evaluate(tree, of):
    op, *args = tree
    if op == "and":
        return all(evaluate(a, of) for a in args)
    if op == "or":
        return any(evaluate(a, of) for a in args)
    if op == "not":
        return not evaluate(args[0], of)
    value = of.get(args[0], MISSING)
    if op == "has":
        return value is not MISSING and value is not None and value is not False and value != []
    if value is MISSING:
        return False
    elements = value if isinstance(value, list) else [value]
    if op == "in":
        return any(holds("==", e, w) for e in elements for w in args[1])
    if op in ("!=", "!~"):
        return not any(holds({"!=": "==", "!~": "~"}[op], e, args[1]) for e in elements)
    return any(holds(op, e, args[1]) for e in elements)


def literal(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return random.choice([str(value), hex(value)])
    if value.isalnum() and value != b"null" and random.random() < .7:
        return value.decode()
    quote = random.choice("\"'")
    return quote + "".join(chr(c) if 32 <= c < 127 and chr(c) not in "\\\"'" else f"\\x{c:02x}" for c in value) + quote


def text(tree):
    op, *args = tree
    if op in ("and", "or"):
        sign = random.choice({"and": [" and ", "&&"], "or": [" or ", " || "]}[op])
        return "(" + sign.join(text(a) for a in args) + ")"
    if op == "not":
        return random.choice(["not ", "!"]) + "(" + text(args[0]) + ")"
    if op == "has":
        return random.choice(["has({})", "{}"]).format(args[0])
    if op == "in":
        return f"{args[0]} in ({', '.join(literal(w) for w in args[1])})"
    if op == "==":
        op = random.choice(["==", "="])
    space = random.choice(["", " "])
    return f"{args[0]}{space}{op}{space}{literal(args[1])}"


def leaf(all_fields):
    path = random.choice(random.choice(all_fields)[1])
    values = []
    for of, _ in random.choices(all_fields, k=40):
        if path in of:
            values += of[path] if isinstance(of[path], list) else [of[path]]
    known = [v for v in values if v is not None]
    if not known or random.random() < .1:
        return ("has", path)
    value = random.choice(values if random.random() < .3 else known)
    if value is None or isinstance(value, bool):
        return (random.choice(["==", "!="]), path, value)
    if isinstance(value, int):
        return (random.choice(["==", "!=", "<", "<=", ">", ">="]), path, value)
    op = random.choice(["==", "!=", "~", "!~", "in"])
    if op == "in":
        return (op, path, random.choices(known, k=3))
    if "~" in op:
        clean = bytes(c for c in value if c not in b"[]*?\\")
        at = random.randrange(len(clean) + 1)
        value = random.choice([clean[:at] + b"*", b"*" + clean[at:], clean[:at] + b"?" + clean[at + 1:], clean])
    return (op, path, value)


def tree(all_fields, depth):
    op = random.choice(["and", "or", "not", "leaf"]) if depth else "leaf"
    if op == "leaf":
        return leaf(all_fields)
    return (op, *(tree(all_fields, depth - 1) for _ in range(1 if op == "not" else 2)))


def test_same_as_in_python(recording, events):
    random.seed(5)
    all_fields = [(of, sorted(of)) for of in map(fields, events)]
    assert len({p for _, paths in all_fields for p in paths}) > 100
    counts = set()
    for _ in range(scaled(400)):
        wanted = tree(all_fields, random.randrange(4))
        expression = text(wanted)
        done = nsscope("replay", "--filter", expression, "-o", "json", recording)
        assert (done.returncode, done.stderr) == (0, b""), expression
        got = lines(done.stdout)
        shown = [e["seq"] for e in got if e["type"] not in META]
        assert shown == [e["seq"] for e, (of, _) in zip(events, all_fields) if evaluate(wanted, of)], expression
        assert got[-1]["left_out"] == len(events) - len(shown)
        assert got[-1]["events"] == len(events)
        counts.add(len(shown))
    assert len(counts) > scaled(400) // 20


def test_summary_is_of_all(recording):
    plain_text = nsscope("replay", recording).stdout.decode().splitlines()
    shown = nsscope("replay", "--filter", "type == exit", recording).stdout.decode().splitlines()
    exits = [line for line in plain_text if line[27:].startswith("exit ")]
    assert shown[1:-1] == exits
    whole = re.sub(r", \d+ told with a later one", "", plain_text[-1])  # each has a line of its own where some are picked
    assert shown[-1] == whole.replace(" events,", f" events, {len(exits)} shown,", 1)


def test_a_recording_of_a_filter_is_whole(recording, tmp_path):
    nsscope("replay", "--filter", "type == exit", "-o", f"record={tmp_path}/copy", recording)
    assert (tmp_path / "copy").read_bytes() == recording.read_bytes()


@pytest.mark.parametrize("shows", [[], ["--filter", "type == fork"]])
def test_alert(recording, events, shows):
    done = nsscope("replay", *shows, "--alert", "error and type ~ *mount", "-o", "json", recording)
    got = lines(done.stdout)
    wanted = [e["seq"] for e in events if e[e["type"]].get("error") and e["type"].endswith("mount")]
    assert wanted and [e["seq"] for e in got if e.get("alert")] == wanted
    assert got[-1]["alerts"] == len(wanted)
    seqs = [e["seq"] for e in got if e["type"] not in META]
    assert seqs == [e["seq"] for e in events if not shows or e["seq"] in wanted or e["type"] == "fork"]
    done = nsscope("replay", *shows, "--alert", "error and type ~ *mount", "--wide", recording).stdout.decode()
    assert len([line for line in done.splitlines() if line[26:27] == "!"]) == len(wanted)
    assert f"; {len(wanted)} alerts" in done.splitlines()[-1]


def test_exit_on_in_a_replay(recording, events):
    first = next(e for e in events if e["type"] == "umount")
    done = nsscope("replay", "--exit-on", "umount", "-o", "json", recording)
    assert done.returncode == 123
    one_line(done.stderr)
    assert f"event {first['seq']}, ".encode() in done.stderr
    got = lines(done.stdout)
    assert [e for e in got if e["type"] not in META] == events[:first["seq"]]
    assert got[-1]["type"] == "end" and got[-1]["events"] == first["seq"]
    done = nsscope("replay", "--exit-on", "target == /never", recording)
    assert (done.returncode, done.stderr) == (0, b"")


def test_exit_on_ends_the_command(tmp_path):
    marker = f"NSS_MARK={os.urandom(8).hex()}"
    done = nsscope("run", "-o", f"json={tmp_path}/json", "--info-file", f"{tmp_path}/info",
                   "--filter", "type == exec", "--exit-on", "type == mount and fstype == tmpfs", "--", "sh", "-c",
                   "setsid sleep 1000 & mount -t tmpfs t /mnt; sleep 1000", env={**os.environ, **dict([marker.split("=")])})
    assert done.returncode == 123
    one_line(done.stderr)
    assert b" mount t on /mnt type tmpfs" in done.stderr
    assert not processes_with(marker)
    got = lines((tmp_path / "json").read_bytes())
    shown = [e for e in got if e["type"] not in META]
    assert {e["type"] for e in shown[:-1]} == {"exec"} and shown[-1]["mount"]["target"] == "/mnt"
    info = [json.loads(line) for line in (tmp_path / "info").read_text().splitlines()]
    assert info[-1]["type"] == "failed" and info[-1]["stage"] == "exit-on"


def test_exit_on_after_the_command(tmp_path):
    """The last event of all: the command's own status is not nsscope's."""
    for expression, status in (("exit.code == 7 and inside.pid == 1", 123), ("exit.code == 8", 7)):
        done = nsscope("run", "-o", f"json={tmp_path}/json", "--exit-on", expression, "--", "sh", "-c", "exit 7")
        assert done.returncode == status


REACHES = """
mount --make-rprivate / && mount -t tmpfs shared "$1" && mount --make-shared "$1" && mkdir "$1/sub" || exit 99
shift
"$@"
status=$?
grep -c " $SHARED/sub " /proc/self/mountinfo
exit $status
"""


@pytest.mark.parametrize("propagation, status", [("unchanged", 123), ("private", 5)])
def test_a_mount_that_reaches_the_host(tmp_path, propagation, status):
    """As a CI job would: the mount table of nsscope's own namespace says whether the sandbox's mount is there."""
    shared = tmp_path / "shared"
    shared.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", REACHES, "sh", shared, NSSCOPE, "unshare", "-m", "--propagation", propagation,
         "-o", f"json={tmp_path}/json", "--exit-on", "reach == host", "--",
         "sh", "-c", 'mount -t tmpfs t "$SHARED/sub" && [ $0 = private ] || sleep 1000; exit 5', propagation],
        env={**os.environ, "SHARED": str(shared)}, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == status, done
    assert done.stdout == (b"1\n" if status == 123 else b"0\n")
    mounts = [e["mount"] for e in lines((tmp_path / "json").read_bytes()) if e["type"] == "mount"]
    assert [m["reach"]["verdict"] for m in mounts if m["target"] == f"{shared}/sub"] == [
        "host" if status == 123 else "inside"]


def outline(data):
    """What of the events of a run is the same in the next."""
    def words(value, name=""):
        if isinstance(value, dict):
            return {k: words(v, k) for k, v in value.items()}
        return value if isinstance(value, (str, list)) and name not in ("ns", "args") else value is None
    return [(e["type"], e.get("comm"), words(e[e["type"]])) for e in lines(data) if e["type"] not in META]


@pytest.mark.parametrize("expression, is_less", [
    ("type == mount", True), ("reach != inside or error", True), ("exec.argv == /mnt and comm == mount", True),
    ("comm == umount", True), ("host.uid == 0", True), ("host.uid == 65534", True), ("not (exec or ns_destroy)", False),
    ("type in (unshare, setns, ns_create)", True), ("mount and comm == mount and host.uid == 0", True),
])
def test_kernel_side_keeps_nothing_back(tmp_path, expression, is_less):
    """With a recording beside it the kernel side tells all."""
    command = ["sh", "-c", "mount -t tmpfs t /mnt; umount /mnt; umount /mnt; unshare -u true; "
               "setpriv --reuid 65534 --clear-groups true; exit 0"]
    for name, more in (("some", []), ("all", ["-o", f"record={tmp_path}/record"])):
        done = nsscope("run", "-o", f"json={tmp_path}/{name}", "--filter", expression, *more, "--", *command)
        assert done.returncode == 0, done
    some, every = ((tmp_path / name).read_bytes() for name in ("some", "all"))
    assert outline(some) == outline(every) and (outline(some) or "reach" in expression)
    told = [json.loads(data.splitlines()[-1])["events"] for data in (some, every)]
    assert told[0] < told[1] or not is_less, told


@pytest.mark.parametrize("ends", ["match", "signal"])
def test_watch(tmp_path, ends):
    name = os.urandom(4).hex()
    out = tmp_path / "json"
    watch = subprocess.Popen([NSSCOPE, "watch", "-o", f"json={out}", "--filter", "comm == none",
                              "--exit-on", f"exec.argv == {name}"], stderr=subprocess.PIPE)
    poll(lambda: out.exists() and out.read_bytes().count(b"\n") > 0, "the start")
    if ends == "match":
        def started():
            subprocess.run(["/bin/true", name], check=True)
            return watch.poll() is not None
        poll(started, "the end of watch")
        one_line(watch.stderr.read())
    else:
        watch.send_signal(signal.SIGTERM)
    assert watch.wait(TIMEOUT) == (123 if ends == "match" else 0)
    got = lines(out.read_bytes())
    assert [e["exec"]["argv"] for e in got if e["type"] not in META] == ([["/bin/true", name]] if ends == "match" else [])
    assert got[-1]["type"] == "end" and not [e for e in got if e["type"] == "process"]


@pytest.mark.parametrize("args, says", [
    (["replay", "--filter", "tpye == mount", "f"], b"column 1: no field 'tpye'; did you mean type?"),
    (["run", "--alert", "type == mount\nand ((", "--", "true"], b"column 21: "),
    (["watch", "--exit-on", "reach == nowhere"], b"column 10: it is never 'nowhere'"),
    (["watch", "--filter", "exec", "--filter", "exit"], b"given twice"),
    (["run", "--no-observe", "--filter", "exec", "--", "true"], b"--no-observe"),
])
def test_errors(args, says):
    done = nsscope(*args)
    assert done.returncode == 125
    one_line(done.stderr)
    assert says in done.stderr


def test_unshare_observes_nothing_to_filter():
    done = nsscope("unshare", "--exit-on", "exec", "true")
    assert done.returncode == 1
    one_line(done.stderr)


def test_exit_on_outlives_the_output(tmp_path):
    """An output that cannot be written is no reason to look away."""
    script = 'until grep -q "cannot write" "$0"; do sleep 0.01; done; mount -t tmpfs t /mnt; sleep 1000'
    with open(tmp_path / "said", "wb") as said:
        done = subprocess.run([NSSCOPE, "run", "-o", "json=/dev/full", "--exit-on", "fstype == tmpfs", "--", "sh", "-c", script,
                               tmp_path / "said"], stdin=subprocess.DEVNULL, stderr=said, timeout=TIMEOUT)
    first, second = (tmp_path / "said").read_text().splitlines()
    assert done.returncode == 125 and "/dev/full" in first
    assert second.startswith("nsscope: --exit-on: event ") and second.endswith("mount t on /mnt type tmpfs: stays inside")


@pytest.mark.parametrize("more, status", [([], 0), (["--exit-on", "target == /never"], 125), (["--exit-on", "exit"], 123)],
                         ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_exit_on_cannot_vouch_for_what_was_lost(tmp_path, more, status):
    """Arguments for which the buffer has no room."""
    options = ["-o", f"record={tmp_path}/record", "-o", f"json={tmp_path}/json", "--buffer", "16K", *more]
    done = nsscope("run", *options, "--", "sh", "-c", '/bin/true "$0" "$0" "$0" "$0"', "z" * 100000)
    lost = json.loads((tmp_path / "json").read_bytes().splitlines()[-1])["lost"]["total"]
    assert lost and done.returncode == status
    vouch = f"nsscope: {lost} events were lost, and --exit-on could not look at them; --buffer makes room for more\n".encode()
    assert (vouch == done.stderr) == (status == 125), done.stderr
    done = nsscope("replay", *more, f"{tmp_path}/record")
    assert done.returncode == status and (vouch == done.stderr) == (status == 125)


@pytest.mark.parametrize("args, says", [
    (["unshare", "-m", "-o", "text", "--only", "process", "--exit-on", "reach == host"], "--exit-on"),
    (["run", "--only", "ns", "--alert", "reach != inside"], "--alert"),
    (["run", "-o", "json=out", "-o", "text=./out"], "two outputs to one file"),
    (["run", "-o", "svg=out", "-o", "svg=out"], "two outputs to one file"),
    (["stat", "-o", "json=out", "-o", "text=out"], "two outputs to one file")])
def test_what_could_never_be_right(tmp_path, args, says):
    """A guard of events that are not told, and outputs that would be written over each other."""
    done = subprocess.run([NSSCOPE, *args, "--", "touch", "ran"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode in (1, 125) and done.stderr.count("\n") == 1 and says in done.stderr
    assert not (tmp_path / "ran").exists()
