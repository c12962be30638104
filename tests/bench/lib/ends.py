# SPDX-License-Identifier: GPL-2.0-or-later
"""From the call of nsscope to the command's first instruction, and from its end to the prompt."""
import json
import os
import shutil
import struct
import time

from lib import here
from lib.observers import observed, running
from lib.table import head, number, numbers, row

UNSHARE = ["unshare", "-mpf"]
FIRST = "nsscope run, the first with this kernel"
WAYS = {
    "unshare -mpf": UNSHARE,
    "nsscope run": None,
    "nsscope run --only process": ("--only", "process"),
    "nsscope run --only mount": ("--only", "mount"),
    FIRST: None,
}
# The kernel has who attaches to a tracepoint wait for a grace period, 5 to 10 ms, if one has just been let go of: by the run before.
REST = 0.015  # s: longer, and other machines of the host have the caches


def timed(prefix, environ):
    """ms until the command's first instruction, and from there, where it ends, to the end of all; and the CPU time."""
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    time.sleep(REST)
    start = time.monotonic_ns()
    pid = os.posix_spawnp(prefix[0], [*prefix, here.tool("when")], environ, file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 3)])
    _, status, usage = os.wait4(pid, 0)
    end = time.monotonic_ns()
    os.close(theirs)
    at = struct.unpack("=q", os.read(ours, 8))[0]
    os.close(ours)
    assert not status, prefix
    return (at - start) / 1e6, (end - at) / 1e6, (usage.ru_utime + usage.ru_stime) * 1000


def until_ready():
    """ms from the call to where three empty programs are attached, by libbpf as it is."""
    time.sleep(REST)
    start = time.monotonic_ns()
    with running([here.tool("floor")], ready=b"ready"):
        return (time.monotonic_ns() - start) / 1e6


def until_observing():
    """ms from the call to the start record: all is loaded and attached."""
    time.sleep(REST)
    start = time.monotonic_ns()
    os.waitpid(os.posix_spawnp(here.nsscope()[0], [*observed(), "true"], os.environ), 0)
    with open(here.path("events")) as f:
        return (json.loads(f.readline())["mono_ns"] - start) / 1e6


def ends():
    head("A command's start and end (its exit to the prompt), against unshare -mpf")
    got = {name: [] for name in WAYS}
    loading, floor = [], []
    for i in range(here.by_mode(10, 40, 100)):
        for name in list(WAYS)[:: 1 if i % 2 else -1]:
            environ = os.environ
            if name == FIRST:
                shutil.rmtree(here.path("cache"), ignore_errors=True)
                environ = {**os.environ, "CACHE_DIRECTORY": here.path("cache")}
            got[name].append(timed(UNSHARE if name == "unshare -mpf" else observed(*(WAYS[name] or ())), environ))
        loading.append(until_observing())
        floor.append(until_ready())
    base = got.pop("unshare -mpf")
    row("unshare -mpf: start, end", f"{number([b[0] for b in base], ' ms', 2)}", "", None, number([b[1] for b in base], " ms", 2))
    for name, runs in got.items():
        numbers(f"{name}: start, over that", [r[0] - b[0] for r, b in zip(runs, base)], " ms", None if name == FIRST else 15)
        numbers(f"{name}: end", [r[1] for r in runs], " ms", 5)
        row("  CPU time in all", number([r[2] for r in runs], " ms", 1))
    row("nsscope run: until it observes", number(loading, " ms", 2))
    row("3 empty tp_btf programs, loaded by libbpf: until they do", number(floor, " ms", 2))
