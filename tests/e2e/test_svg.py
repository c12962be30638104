# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture of a run: expat takes it, it holds what JSON of the same run says, and it is whole or not there."""
import json
import pathlib
import re
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from nsscope_test import NSSCOPE, PID_NS_NUMBER_TWICE, REPO, scaled

NS = "{http://www.w3.org/2000/svg}"


def picture(path):
    """The root element; nothing in it runs, or loads anything."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == NS + "svg"
    for element in root.iter():
        assert element.tag.removeprefix(NS) in {"svg", "style", "rect", "text", "title", "g", "path", "line"}
        for name in element.attrib:
            assert not name.startswith("on") and "href" not in name
    assert not re.search(r"url\(|@import|javascript", pathlib.Path(path).read_text())
    return root


def rows(root):
    return [g for g in root.iter(NS + "g") if g.get("data-pid")]


def numbers(element):
    return int(element.get("data-start")), int(element.get("data-end"))


def observe(out, *command, options=()):
    """Runs the command; the picture, and the events of JSON."""
    subprocess.run([NSSCOPE, "run", *options, "-o", f"svg={out}/svg", "-o", f"json={out}/json", "--", *command],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    return picture(out / "svg"), [json.loads(line) for line in (out / "json").open()]


def of_type(events, *names):
    return [e for e in events if e["type"] in names]


def test_numbers_are_those_of_json(tmp_path):
    root, events = observe(tmp_path, "sh", "-c", 'mount -t tmpfs x /mnt; (exit 3); true | tr a b; exec sh -c "ls /; umount /mnt"')
    forks = {e["host"]["pid"]: e for e in of_type(events, "fork")}
    exits = {e["host"]["pid"]: e for e in of_type(events, "exit")}
    assert len(forks) >= 6 and len(rows(root)) == len(forks)
    for g in rows(root):
        pid = int(g.get("data-pid"))
        assert numbers(g) == (forks[pid]["mono_ns"], exits[pid]["mono_ns"])
        assert int(g.get("data-ns")) == forks[pid]["ns"]["pid"]
        code, sig = exits[pid]["exit"]["code"], exits[pid]["exit"]["signal"]
        assert int(g.get("data-status")) == (code << 8 if sig is None else getattr(signal, sig))
        inside = [text.text for text in g.iter(NS + "text")][1]
        assert inside == str(forks[pid]["inside"]["pid"])
        execs = [e["mono_ns"] for e in of_type(events, "exec") if e["host"]["pid"] == pid]
        moments = [forks[pid]["mono_ns"], *execs, exits[pid]["mono_ns"]]
        bars = [r for r in g.iter(NS + "rect") if r.get("data-phase")]
        assert [numbers(bar) for bar in bars] == list(zip(moments, moments[1:]))
        assert [bar.get("data-phase") for bar in bars] == ["fork"] + ["run"] * len(execs)
        calls = [e["mono_ns"] for e in of_type(events, "mount", "umount") if e["host"]["pid"] == pid]
        assert [int(path.get("data-at")) for path in g.iter(NS + "path") if path.get("data-at")] == calls
    first = rows(root)[0]
    assert len(of_type([e for e in events if e.get("host", {}).get("pid") == int(first.get("data-pid"))], "exec")) == 2


def test_bars_are_where_the_axis_says(tmp_path):
    root, _ = observe(tmp_path, "sh", "-c", "sleep .05; sleep .1")
    ticks = [(float(text.get("x")), text.text) for text in root.iter(NS + "text") if text.get("class") == "tick"]
    unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    x0, x1 = ticks[0][0], ticks[-1][0]
    number, name = ticks[-1][1].split()
    per_ns = (x1 - x0) / (float(number) * unit[name])
    start = int(root.get("data-start"))
    assert ticks[0][1].split()[0] == "0" and len(ticks) >= 4
    for bar in root.iter(NS + "rect"):
        if bar.get("data-phase"):
            begin, end = numbers(bar)
            assert abs(float(bar.get("x")) - x0 - (begin - start) * per_ns) < 0.3
            assert abs(float(bar.get("width")) - max(1.5, (end - begin) * per_ns)) < 0.3


def test_many_are_put_together(tmp_path):
    n = scaled(2000)
    root, events = observe(tmp_path, "sh", "-c", f"for i in $(seq {n}); do (exit $((i % 2))); done; sleep .01")
    exits = of_type(events, "exit")
    assert not events[-1]["lost"]["total"] and len(exits) >= n
    assert sum(int(g.get("data-count")) for g in rows(root)) == len(exits)
    assert len(rows(root)) < 10
    many = max(rows(root), key=lambda g: int(g.get("data-count")))
    assert int(many.get("data-count")) == n
    assert [path.get("class") for path in many.iter(NS + "path")] == ["fork"]  # they executed nothing
    words = " ".join(many.itertext())
    assert f"{n:,}" in words and f"{n // 2} failed" in words
    spans = sorted(e["exit"]["runtime_ns"] for e in exits if e["comm"] == "sh")[:-1]
    assert len(spans) == n
    units = {"us": 1e3, "ms": 1e6, "s": 1e9}
    shown = [float(number) * units[unit] for number, unit in
             re.findall(r"([\d.]+) (us|ms|s)\b", re.search(r"median \(min to max\): (.*)", words)[1])][:3]
    for got, true in zip(shown, (spans[n // 2], spans[0], spans[-1])):
        # min and max are of the same processes from event to event, rounded to words; the median within 1/16
        assert abs(got - true) < 0.15 * true + 1e4
    assert (tmp_path / "svg").stat().st_size < 200000


def test_long_chains_have_room(tmp_path):
    """Both columns end at their x; a character is 6.3 wide."""
    inner = "unshare -p -f --mount-proc sh -c 'sleep 0; :'"
    root, _ = observe(tmp_path, "sh", "-c", f"""
        echo 23000 >/proc/sys/kernel/ns_last_pid
        unshare -p -f --mount-proc sh -c 'echo 11000 >/proc/sys/kernel/ns_last_pid; {inner.replace("'", '"')}; :'""")
    chains = 0
    for row in rows(root):
        host, inside = [text for text in row.iter(NS + "text") if text.get("class").startswith("n")]
        chains += inside.text.count(">") == 2
        assert float(inside.get("x")) - 6.3 * len(inside.text) > float(host.get("x")), inside.text
    assert chains


def test_namespace_numbers_used_again(tmp_path):
    """The kernel soon gives the inum of a PID namespace that has ended to a new one: no two of them are one in the legend."""
    root, events = observe(tmp_path, "sh", "-c", PID_NS_NUMBER_TWICE)
    inits = [e for e in of_type(events, "fork") if e["inside"]["pid"] == 1 and len(e["pids"]) > 1]
    inums = [e["ns"]["pid"] for e in inits]
    assert len(set(inums)) == len(inums) - 1  # the last is one of those before
    in_rows = {(int(row.get("data-ns")), int(row.get("data-ns-use"))): row.get("class") for row in rows(root)}
    assert set(in_rows) == {(inum, 1) for inum in inums} | {(inums[-1], 2)}
    names = [*map(str, inums[:-1]), f"{inums[-1]} #2"]
    legend = [text.text.split(" (")[0] for text in root.iter(NS + "text") if text.get("class") == "sub"]
    assert [words for words in legend if re.match("40265", words)] == names[:9]  # the first colour is the host's
    assert len(set(in_rows.values())) == min(len(names), 10)  # all further ones have one colour


def test_still_running(tmp_path):
    """A watch ends before what it watches does."""
    with subprocess.Popen(["sh", "-c", "read x; sleep 600 & echo; wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        watch = subprocess.Popen([NSSCOPE, "watch", "--pid", str(shell.pid), "-o", f"svg={tmp_path}/svg", "-o", "json"],
                                 stdout=subprocess.PIPE)
        assert json.loads(watch.stdout.readline())["type"] == "start"
        assert json.loads(watch.stdout.readline())["type"] == "process"
        shell.stdin.write(b"\n")
        shell.stdin.close()
        shell.stdout.readline()
        for line in watch.stdout:
            if (event := json.loads(line))["type"] == "exec":
                break
        watch.send_signal(signal.SIGTERM)
        watch.stdout.read()
        assert watch.wait(60) == 0
        subprocess.run(["kill", str(event["host"]["pid"])], check=True)
    parent, child = rows(picture(tmp_path / "svg"))
    assert int(parent.get("data-pid")) == shell.pid and int(child.get("data-pid")) == event["host"]["pid"]
    assert parent.get("data-status") is None and child.get("data-status") is None
    assert "ran before" in "".join(parent.itertext()) and "runs at the end" in "".join(child.itertext())


def test_filter(tmp_path):
    root, _ = observe(tmp_path, "sh", "-c", "true; sleep 0.001; ls / | cat", options=["--filter", "comm == sleep and type == exit"])
    [row] = rows(root)
    assert "sleep 0.001" in "".join(row.itertext())
    assert [bar.get("data-phase") for bar in row.iter(NS + "rect") if bar.get("data-phase")] == ["fork", "run"]
    assert re.search(r"of them without an event that is shown", "".join(root.itertext()))


@pytest.mark.parametrize("name", ["hostile", "mount", "nested"])
def test_replay(name):
    golden = REPO / "tests/golden"
    done = subprocess.run([NSSCOPE, "replay", "-o", "svg=-", golden / f"{name}.rec"], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (golden / f"{name}.svg").read_bytes()
    assert len(rows(picture(golden / f"{name}.svg"))) > 5


def test_cut_recording_says_so(tmp_path):
    whole = (REPO / "tests/golden/mount.rec").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:len(whole) * 2 // 3])
    done = subprocess.run([NSSCOPE, "replay", "-o", f"svg={tmp_path}/svg", tmp_path / "cut"], capture_output=True, timeout=60)
    assert done.returncode == 125
    root = picture(tmp_path / "svg")
    assert root.get("data-complete") == "0" and "no end record" in "".join(root.itertext())


def test_killed_leaves_nothing(tmp_path):
    """Neither a part of a picture, nor that of an earlier run, nor a file that is in the making."""
    observe(tmp_path, "true")
    run = subprocess.Popen([NSSCOPE, "run", "-o", f"svg={tmp_path}/svg", "--", "sh", "-c", "echo; sleep 600"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert run.stdout.readline() == b"\n"
    run.kill()
    run.wait(60)
    run.stdout.read()  # the command has ended too
    run.stdout.close()
    assert [path.name for path in tmp_path.iterdir()] == ["json"]


def test_files_that_are_none(tmp_path):
    """A link is followed; a directory that does not exist, or a file that is no recording, gives one line and no picture."""
    (tmp_path / "to").symlink_to(tmp_path / "there")
    (tmp_path / "there").write_text("old")
    recording = REPO / "tests/golden/nested.rec"

    def replay(to, file):
        return subprocess.run([NSSCOPE, "replay", "-o", f"svg={to}", file], capture_output=True, timeout=60)

    assert replay(tmp_path / "to", recording).returncode == 0
    assert (tmp_path / "to").is_symlink() and len(rows(picture(tmp_path / "there"))) > 5
    done = replay(tmp_path / "no/where", recording)
    assert done.returncode == 125 and done.stderr.count(b"\n") == 1 and b"No such file" in done.stderr
    assert replay(tmp_path / "none", REPO / "README.md").returncode == 125
    assert not (tmp_path / "none").exists()


def test_full_disk(tmp_path):
    """A picture that cannot be written is said, and is not there."""
    mount = subprocess.run(["unshare", "-m", "sh", "-c",
                            'mount -t tmpfs -o size=8k none "$1" && cd "$1" && "$2" replay -o svg=x "$3"; echo $?; ls -A "$1"', "sh",
                            tmp_path, NSSCOPE, REPO / "tests/golden/mount.rec"], capture_output=True, text=True, timeout=60)
    assert mount.stdout == "125\n" and mount.stderr.count("\n") == 1 and "No space left" in mount.stderr
