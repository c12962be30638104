# SPDX-License-Identifier: GPL-2.0-or-later
"""The new mount API by steps: what belongs together, told in one line; namespaces that it makes."""
import subprocess

from nsscope_test import NSSCOPE, TIMEOUT, workload


def test_one_number_through_two_processes(run, backend):
    result = run("-m", "--backend", backend, "--", workload("steps"))
    mounted = result.said("mounted")[0]
    moved = [e for e in result.of("move_mount") if e["move_mount"]["context"]][-1]["move_mount"]
    assert [moved[k] for k in ("target", "mnt_id", "fstype", "source")] == [
        mounted[k] for k in ("target", "mnt_id", "fstype", "source")]
    steps = [e for e in result.of("fsopen", "fsconfig", "fsmount", "move_mount", "open_tree")
             if e[e["type"]]["context"] == moved["context"]]
    assert [e["type"] for e in steps] == ["fsopen"] + ["fsconfig"] * 4 + ["fsmount", "move_mount"]
    assert len({e["host"]["pid"] for e in steps}) == 2
    assert steps[-2]["fsmount"]["mnt_id"] == mounted["mnt_id"]
    assert moved["reach"]["verdict"] == "inside"
    rest = [e[e["type"]]["context"] for e in result.of("fsopen", "open_tree") if e not in steps]
    assert len(rest) == len(set(rest)) == 2 and None not in rest


def text_of(*args):
    out = subprocess.run([NSSCOPE, "run", "-m", "-o", "text", "--wide", *args, "--", workload("steps")], timeout=TIMEOUT,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    assert b"by-steps" in out.stdout  # its own report
    return [line[27:] for line in out.stderr.decode().splitlines() if line[:5].strip().isdigit()], out.stderr.decode()


def test_one_line(backend):
    """The steps that worked are one line; those that did not, or came to nothing, are told all the same."""
    lines, text = text_of("--only", "mount", "--backend", backend)
    lines = [line for line in lines if not line.startswith("mount ")]  # nsscope's own preparation
    assert [line.split() for line in lines] == [
        "fsconfig tmpfs: set size=nonsense failed: EINVAL: tmpfs: Bad value for 'size'".split(),
        "move_mount new by-steps on /mnt type tmpfs (size=64k,nosuid) by fsopen: stays inside".split(),
        "open_tree copy of /mnt: not attached".split(),
        "fsopen tmpfs (mode=700): not attached".split()]
    assert ", 8 told with a later one, 0 lost" in text


def test_each_step_where_events_are_picked(backend):
    lines, _ = text_of("--backend", backend, "--filter", "type in (fsopen, fsconfig)")
    assert [line.split()[0] for line in lines] == ["fsopen"] + ["fsconfig"] * 4 + ["fsopen", "fsconfig"]
    assert "set size=64k" in lines[2]


def test_namespaces_of_calls(run, backend):
    """Linux 7.0 has it of open_tree, a later one of fsmount; on others the call fails, and is told so."""
    result = run("-m", "--backend", backend, "--", workload("steps"), "namespace")
    said = result.said("namespace")
    assert len(said) == 2
    for report in said:
        call = [e[report["by"]] for e in result.of(report["by"])][-1]
        made = [e["ns_create"] for e in result.of("ns_create") if e["ns_create"]["by"] == report["by"]]
        assert ("_NAMESPACE" in " ".join(call["flags"])) and (call["error"] is None) == (report["error"] == 0)
        assert [m["inum"] for m in made] == ([] if report["error"] else [report["inum"]])
        assert all(m["type"] == "mnt" and m["mounts"] > 0 for m in made)
        gone = [e["ns_destroy"] for e in result.of("ns_destroy") if e["ns_destroy"]["inum"] == report["inum"]]
        assert [g["mounts"] for g in gone] == [m["mounts"] for m in made]
