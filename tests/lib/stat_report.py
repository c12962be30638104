# SPDX-License-Identifier: GPL-2.0-or-later
"""What nsscope stat -o json tells; strict about what must hold of any."""
import json
import pathlib
import platform
import subprocess

import nsscope_test
from nsscope_test import NSSCOPE, parse_line


class Report:
    """One JSON object of stat."""

    def __init__(self, line):
        self.all = parse_line(line)
        self.counts = self.all["counts"]
        self.groups = self.all["groups"]

    @staticmethod
    def named(group):
        return {p["phase"]: p for p in group["phases"] if "made" not in p}

    def phases(self):
        """Of all processes, by name."""
        return self.named(self.groups[0])

    def one(self, **member):
        """The phases of the group that has this name or id."""
        (key, value), = member.items()
        group, = [g for g in self.groups if g["is"] == "one" and g.get(key) == value]
        return self.named(group)


def switches_from_init():
    """How often a thread of PID 1 has been switched from, by its own count."""
    return sum(int(line.split()[1]) for status in pathlib.Path("/proc/1/task").glob("*/status")
               for line in status.read_text().splitlines() if "voluntary_ctxt_switches" in line)


class Stat:
    """nsscope stat -o json=FILE ARGS..."""

    def __init__(self, tmp_path, *args, status=0, prefix=()):
        file, before = tmp_path / "stat.json", switches_from_init()
        done = subprocess.run([*prefix, NSSCOPE, "stat", "-o", f"json={file}", *args], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=nsscope_test.TIMEOUT)
        assert done.returncode == status, done.stderr
        self.stdout, self.stderr = done.stdout, done.stderr
        self.from_init = switches_from_init() - before
        self.reports = [Report(line) for line in file.read_bytes().splitlines()]

    @property
    def report(self):
        report, = self.reports
        assert report.all["final"]
        return report

    def truth(self):
        said, = [json.loads(line) for line in self.stdout.splitlines()]
        assert said["at"] == "truth"
        return said


def waits_missed(stat):
    """Waits for a CPU that ended with a switch from a task in which the kernel runs no BPF program: here those of PID 1, the
    agent of the machine, which tp_btf/sched_switch is called for as next and never as prev. Debian's kernels have no such."""
    counts = stat.report.counts
    assert counts["missed"] == counts["forks"] - stat.report.phases()["run_queue"]["count"]
    assert counts["missed"] <= (0 if "Debian" in platform.version() else stat.from_init)
    return counts["missed"]


def counted(report):
    return {name: n for name, n in report.counts.items() if n}


def check_histograms(report):
    """Each has all durations, and its percentiles and maximum are where it has some."""
    for group in report.groups:
        for phase in group["phases"]:
            bars = phase["histogram"]
            assert sum(bar["count"] for bar in bars) == phase["count"] > 0
            assert [bar["from_ns"] for bar in bars] == sorted({bar["from_ns"] for bar in bars})
            assert bars[-1]["from_ns"] <= phase["max_ns"] < bars[-1]["to_ns"]
            assert phase["p50_ns"] <= phase["p90_ns"] <= phase["p99_ns"] <= phase["max_ns"] <= phase["sum_ns"]
            assert sum(bar["from_ns"] * bar["count"] for bar in bars) <= phase["sum_ns"]
            for percent in (50, 90, 99):
                rank, below = -(-phase["count"] * percent // 100), 0
                for bar in bars:
                    below += bar["count"]
                    if below >= rank:
                        break
                assert bar["from_ns"] <= phase[f"p{percent}_ns"] <= bar["to_ns"]
