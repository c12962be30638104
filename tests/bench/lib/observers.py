# SPDX-License-Identifier: GPL-2.0-or-later
"""What observes: nsscope, the least that can, and what users would take instead. All write to files."""
import contextlib
import os
import select
import signal
import subprocess
import time

from lib import here
from lib.load import UNSHARE, CannotRun, Load

BPFTRACE = """
tracepoint:sched:sched_process_fork { printf("fork %d %d\\n", args->parent_pid, args->child_pid); }
tracepoint:sched:sched_process_exec { printf("exec %d %s\\n", args->pid, str(args->filename)); }
tracepoint:sched:sched_process_exit { printf("exit %d %s\\n", args->pid, comm); }
"""
PERF_EVENTS = "sched:sched_process_fork,sched:sched_process_exec,sched:sched_process_exit"

# Tools read the tracing file system where it belongs; it is mounted for them alone, where it is not.
TRACEFS = ["unshare", "-m", "sh", "-c", 'mountpoint -q /sys/kernel/tracing || mount -t tracefs t /sys/kernel/tracing; exec "$@"', "sh"]


def observed(*options, output="json", to=None):
    return here.nsscope("run", *options, "-o", f"{output}={to or here.path('events')}", "--")


def stat_of(*options):
    """Added up in the kernel; the command is in the same namespaces by the same means as where nothing observes."""
    return [*here.nsscope("stat", *options, "-o", f"text={here.path('stat')}", "--"), *UNSHARE]


@contextlib.contextmanager
def plain():
    """The workload in the same namespaces, not observed."""
    with Load(UNSHARE) as load:
        yield load


def inside(*options, output="json", to=None):
    """Run by nsscope."""
    @contextlib.contextmanager
    def way():
        with Load(observed(*options, output=output, to=to)) as load:
            yield load
    return way


def added_up():
    """Run by nsscope stat."""
    @contextlib.contextmanager
    def way():
        with Load(stat_of()) as load:
            yield load
    return way


def beside(observer):
    """Not observed, while @observer observes another."""
    @contextlib.contextmanager
    def way():
        with Load(observer), Load(UNSHARE) as load:
            yield load
    return way


def wait_for(process, fd, text):
    """Until it has said @text."""
    said, end = b"", time.monotonic() + 20
    while text not in said:
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise CannotRun("it does not begin")
        piece = os.read(fd, 4096)
        if not piece:
            process.wait()
            raise CannotRun(said.decode(errors="replace").strip().splitlines()[-1] if said.strip() else
                            f"exit status {process.returncode}")
        said += piece


@contextlib.contextmanager
def running(argv, output=None, ready=None, settle=0.7):
    """A tool that observes the machine. Its standard output goes to @output; or to a pipe, and it says @ready."""
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(output, "wb")) if output else subprocess.PIPE
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            if ready:
                wait_for(process, process.stdout.fileno(), ready)
            else:
                time.sleep(settle)
            if process.poll() == 127:
                raise CannotRun(f"{argv[len(TRACEFS)]} is not installed (scripts/bootstrap bench)")
            if process.poll() is not None:
                raise CannotRun(process.stderr.read().decode(errors="replace").strip()[:100] or f"exit status {process.returncode}")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            if process.poll() is None:
                process.kill()
                process.wait()


def with_tools(*tools):
    """The workload while @tools, each the arguments of running(), observe the machine."""
    @contextlib.contextmanager
    def way():
        with contextlib.ExitStack() as stack:
            for tool in tools:
                stack.enter_context(running(**tool))
            yield stack.enter_context(Load(UNSHARE))
    return way


def floor(*options):
    return with_tools({"argv": [here.tool("floor"), *options], "ready": b"ready"})


def strace():
    @contextlib.contextmanager
    def way():
        try:
            with Load(["strace", "-f", "-o", here.path("strace"), *UNSHARE], settle=0.3) as load:
                yield load
        except FileNotFoundError:
            raise CannotRun("strace is not installed (scripts/bootstrap bench)") from None
    return way


def others():
    """What users would take instead."""
    snoops = [{"argv": [*TRACEFS, name], "output": here.path(name)} for name in ("execsnoop", "exitsnoop", "mountsnoop")]
    return {
        "execsnoop + exitsnoop + mountsnoop (libbpf-tools)": with_tools(*snoops),
        "bpftrace: fork, exec, exit": with_tools(
            {"argv": [*TRACEFS, "bpftrace", "-e", BPFTRACE], "output": here.path("bpftrace"), "settle": 2}),
        "perf trace -a: fork, exec, exit": with_tools(
            {"argv": [*TRACEFS, "perf", "trace", "-a", "-e", PERF_EVENTS, "-o", here.path("perf")]}),
        "strace -f": strace(),
    }


def why_not(way):
    """None if it can run here, else why it cannot."""
    try:
        with way() as load:
            load.run("getppid", 1)
    except CannotRun as e:
        return str(e)
    return None
