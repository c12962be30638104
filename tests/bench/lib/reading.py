# SPDX-License-Identifier: GPL-2.0-or-later
"""What nsscope itself takes: CPU time, memory, what it loses, and how that grows."""
import json
import os
import subprocess
import time

from lib import here, proc
from lib.load import Load
from lib.observers import inside, observed, plain, running, stat_of
from lib.table import exactly, head, median, number, numbers, row


def last_line(path):
    with open(path, "rb") as f:
        f.seek(max(0, os.path.getsize(path) - 4096))
        return f.read().splitlines()[-1]


def end_of(path, output):
    """The end record of what was written."""
    if output == "json":
        return json.loads(last_line(path))
    out = subprocess.run(here.nsscope("replay", "-o", "json", path), check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def lost(end):
    return end["lost"]["total"] if "total" in end["lost"] else sum(end["lost"].values())


def reading(argv, spawns, reader=None):
    """CPU time of nsscope, or of process @reader, for each spawn, us; and while nothing happens, %."""
    with Load(argv) as load:
        pid = reader or load.process.pid
        before = proc.cpu_ns(pid)
        load.run("vfork", spawns)
        time.sleep(0.3)
        after = proc.cpu_ns(pid)
        time.sleep(0.5)
        return (after - before) / 1000 / spawns, (proc.cpu_ns(pid) - after) / 0.5 / 1e7


def reading_nothing(spawns):
    """The same of a reader that drops what comes, each 40 ms."""
    with running([here.tool("floor")], ready=b"ready") as floor:
        return reading((), spawns, floor.pid)


def writing(size):
    """CPU time to write a new file of @size bytes as nsscope does, 64 KiB at a time, us."""
    piece, path = b"x" * 65536, here.path("written")
    begun = time.process_time_ns()
    with open(path, "wb", buffering=0) as f:
        for _ in range(size // len(piece)):
            f.write(piece)
    took = time.process_time_ns() - begun
    os.unlink(path)
    return took / 1000


def reader():
    spawns, rounds = here.by_mode(5000, 20000), here.by_mode(3, 3, 15)
    head(f"The reader: {spawns} spawns, three events each")
    for output, limit in ("json", 1.0), ("record", 0.6):
        spawn, idle = zip(*[reading(observed(output=output), spawns) for _ in range(rounds)])
        size = os.path.getsize(here.path("events")) / 3 / spawns
        numbers(f"CPU time per event, to {output}", [us / 3 for us in spawn], " us", limit, 2, f"({size:.0f} bytes each)")
        numbers("  of that, to write as many bytes", [writing(3 * spawns * round(size)) / 3 / spawns for _ in range(rounds)], " us")
        exactly("  events lost", lost(end_of(here.path("events"), output)), 0)
        numbers("  CPU time while nothing happens", idle, " %")
    spawn, idle = zip(*[reading(stat_of("-i", "1"), spawns) for _ in range(rounds)])
    numbers("CPU time per event, stat -i 1", [us / 3 for us in spawn], " us", 0.6, 2)
    numbers("  CPU time while nothing happens", idle, " %")
    spawn, idle = zip(*[reading_nothing(spawns) for _ in range(rounds)])
    numbers("CPU time per event of the floor, which drops them each 40 ms", [us / 3 for us in spawn], " us")
    numbers("  CPU time while nothing happens", idle, " %")


def storm():
    seconds = here.by_mode(2, 10, 60)
    head(f"A storm of {seconds} s on both CPUs, default buffer" + (" (make bench-long: 60 s)" if seconds < 60 else ""))
    for output in "json", "record":
        with Load(observed(output=output)) as load:
            _, _, done = load.run("storm", seconds)
        end = end_of(here.path("events"), output)
        row(f"to {output}", f"{done} spawns", "", None, f"({os.path.getsize(here.path('events')) / 1e6:.0f} MB)")
        exactly("  events lost", lost(end), 0)
        exactly("  fork, exec and exit events that came, per spawn", f"{came(output, done):.4f}", "3.0000")
        os.unlink(here.path("events"))


def came(output, done):
    """Those of the spawns themselves: all whose program is the workload's."""
    path = here.path("events")
    if output == "record":
        path = here.path("replayed")
        with open(path, "wb") as f:
            subprocess.run(here.nsscope("replay", "-o", "json", here.path("events")), check=True, stdout=f)
    n = 0
    with open(path, "rb") as f:
        for line in f:
            n += line.startswith((b'{"type":"exec"', b'{"type":"exit"', b'{"type":"fork"'))
    if output == "record":
        os.unlink(path)
    workers = os.cpu_count()
    return (n - 2 * workers - 3) / done  # the driver's own: fork, exec, exit; its workers': fork, exit


def memory():
    total = here.by_mode(20000, 100000, 1000000)
    head(f"Memory over a run of {total} processes, JSON to /dev/null, default buffer"
         + (" (make bench-long: 1,000,000)" if total < 1000000 else ""))
    with Load(here.nsscope("run", "-o", "json=/dev/null", "--")) as load:
        load.run("vfork", total // 10)
        first = proc.memory_mib(load.process.pid)
        load.run("vfork", total - total // 10)
        last, peak = proc.memory_mib(load.process.pid), proc.memory_mib(load.process.pid, "VmHWM")
    numbers("most in use (VmHWM)", [peak], " MiB", 16)
    exactly("growth from the first tenth to the end", f"{last - first:.2f} MiB", "0.00 MiB")


def cost(load, spawns, reader):
    """CPU time per event of @reader, us (0: there is none), and per spawn of the workload, ns."""
    before = proc.cpu_ns(reader) if reader else 0
    _, cpu, _ = load.run("vfork", spawns)
    time.sleep(0.1)
    return (proc.cpu_ns(reader) - before) / 3000 / spawns if reader else 0, cpu / spawns


def grown(way, few, many, spawns):
    """The cost with few, and with many."""
    with way() as load:
        reader = load.process.pid if way is not plain else 0
        costs = []
        for processes, namespaces in few, (many[0] - few[0], many[1] - few[1]):
            load.run("live", processes - namespaces)
            load.run("livens", namespaces)
            time.sleep(0.3)
            load.run("vfork", spawns // 10)
            several = [cost(load, spawns, reader) for _ in range(here.by_mode(2, 5))]
            costs.append([median(kind) for kind in zip(*several)])
    return costs


def growth():
    many, few = here.by_mode((4000, 400), (20000, 2000)), (100, 10)
    head(f"Growth: the same spawns with {many[0]} live processes and {many[1]} namespaces, against {few[0]} and {few[1]}; "
         "JSON to /dev/null")  # a machine that has so many processes may have to look for memory to write a file
    spawns = here.by_mode(3000, 10000)
    readers, observed_, plain_ = [], [], []
    for i in range(here.by_mode(2, 2, 12)):
        order = [inside(to="/dev/null"), plain][:: 1 if i % 2 else -1]
        got = {way is plain: grown(way, few, many, spawns) for way in order}
        readers.append(got[False][1][0] / got[False][0][0])
        plain_.append(got[True][1][1] / got[True][0][1])
        observed_.append(got[False][1][1] / got[False][0][1] / plain_[-1])
    numbers("the reader's CPU time per event", readers, " x", 1.1, 2)
    numbers("what observing costs the spawning program", observed_, " x", 1.1, 2)
    row("the spawning program, not observed", number(plain_, " x", 2))


def listing():
    processes = here.by_mode(4000, 20000)
    head(f"nsscope ps with {processes} processes")
    ways = {"nsscope ps": here.nsscope("ps"), "ps -e -o pid,pidns": ["ps", "-e", "-o", "pid,pidns"], "lsns": ["lsns"]}
    took = {name: [] for name in ways}
    with plain() as load:
        load.run("live", processes - processes // 10)
        load.run("livens", processes // 10)
        for i in range(here.by_mode(3, 3, 15)):
            for name in list(ways)[:: 1 if i % 2 else -1]:
                start = time.monotonic()
                subprocess.run(ways[name], check=True, stdout=subprocess.DEVNULL)
                took[name].append(time.monotonic() - start)
    for name in ways:
        row(name, f"{median(took[name]) * 1000:.0f} ms")
    for name in list(ways)[1:]:
        numbers(f"nsscope ps against {name}", [a / b for a, b in zip(took["nsscope ps"], took[name])], " x", 0.2, 3)
