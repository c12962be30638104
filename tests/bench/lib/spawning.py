# SPDX-License-Identifier: GPL-2.0-or-later
"""What the observed pay, and those who are not."""
from lib import here
from lib.load import compare
from lib.observers import added_up, beside, floor, inside, observed, others, plain, stat_of, why_not
from lib.table import head, median, number, numbers, refused, row

SPAWNS = {"fork": 100, "vfork": 300}
WORDS = {"fork": "fork + exec of a dynamic program", "vfork": "posix_spawn of an empty static one"}
PROCESS = ("--only", "process")


def tell(name, ratios, limit=None):
    """A row for each workload: CPU time, which noise moves less, and wall time beside it."""
    for load, (walls, cpus) in ratios.items():
        numbers(f"{name}: {load}", cpus, " x", limit, 3, f"(wall {number(walls, 'x', 3)})")


def spawn():
    head("CPU time of the observed program and its children, user + system, events to a file, against the same without")
    ways = {
        "nsscope run": inside(),
        "nsscope run --only process": inside(*PROCESS),
        "the floor (3 empty tp_btf programs)": floor(),
        "the floor, and 2 empty ones at each system call": floor("--calls"),
        "nsscope stat": added_up(),
    }
    ratios, base = compare(plain, ways, SPAWNS, here.by_mode(3, 12, 40))
    for load, ns in base.items():
        row(f"{load}: {WORDS[load]}", f"{median(ns) / 1000:.0f} us", "", None, "not observed")
    tell("nsscope run", ratios["nsscope run"], 1.02)
    tell("nsscope run --only process", ratios["nsscope run --only process"], 1.02)
    for name in list(ways)[2:]:
        tell(name, ratios[name])
    for ours, its in zip(list(ways)[:2], reversed(list(ways)[2:4])):
        for load in SPAWNS:
            numbers(f"{ours}, over that floor: {load}", [a / b for a, b in zip(ratios[ours][load][1], ratios[its][load][1])],
                    " x", 1.01, 3)
    rounds = here.by_mode(1, 3)
    for name, way in others().items():
        why = why_not(way)
        if why:
            refused(name, why)
        else:
            tell(name, compare(plain, {name: way}, {"fork": 50, "vfork": 100}, rounds)[0][name])


def outside():
    head("CPU time of a program that is not observed, while nsscope observes another")
    ways = {"nsscope run": beside(observed()), "nsscope run --only process": beside(observed(*PROCESS)),
            "nsscope stat": beside(stat_of()), "the floor at each system call": floor("--calls")}
    ratios, _ = compare(plain, ways, SPAWNS, here.by_mode(3, 12, 40))
    for name in list(ways)[:3]:
        tell(name, ratios[name], 1.005)
    tell("the floor, and 2 empty ones at each system call", ratios["the floor at each system call"])


def untraced():
    head("A system call that nobody asks for (getppid)")
    loads = {"getppid": 200000}
    ways = {"nsscope run --only process": inside(*PROCESS), "nsscope run": inside(), "floor": floor("--calls")}
    ratios, base = compare(plain, ways, loads, here.by_mode(3, 9, 25))
    row("not observed", f"{median(base['getppid']):.0f} ns")
    numbers("nsscope run --only process", ratios["nsscope run --only process"]["getppid"][0], " x", 1.0049, 3, "1.00")
    numbers("nsscope run", ratios["nsscope run"]["getppid"][0], " x", None, 3)
    numbers("2 empty tp_btf programs at sys_enter and sys_exit", ratios["floor"]["getppid"][0], " x", None, 3)
