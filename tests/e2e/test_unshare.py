# SPDX-License-Identifier: GPL-2.0-or-later
"""nsscope unshare against the unshare(1) of util-linux that is installed, on the same command lines."""
import os
import re
import shlex

import pytest
from unshare_test import NOBODY, UTIL_LINUX, base, ours, run, split, told  # noqa: F401 (base is a fixture)

# Each is run by root and by nobody. {base}: of the fixture. Where nothing follows "--", about runs. Left out is where
# 2.38.1 is wrong: it takes 4294967296 for 0, cannot kill itself with SIGKILL, runs the command of --pid=FILE -f though
# FILE cannot be bound, hangs when it may not unshare after --mount=FILE, and loses --user=FILE to its own namespace.
CASES = r"""
-u
-i
-n
-m
-C
-T
-U
-p
-f
-uinmC
-uimnCT -p -f
-pf --mount-proc
-pf --mount-proc={base}/dir
--mount-proc
-p --mount-proc
-f --mount-proc={base}/none
--mount-proc=/etc/passwd
-Ur
-Uc
-r
-c
-r -c
-c -r
-r -pf --mount-proc
-c -pf --mount-proc
-c --keep-caps
-r --keep-caps
-U --keep-caps
--keep-caps -u
--keep-caps
-Umnpf -r
-Urm
-Urn
-Uru
-UruimnCT
-UrT
-Urpf
-rR {base}/root
-R {base}/root -- /about
-rR {base}/root -- /about
-rR {base}/root -- about
-rR {base}/root -w /w -- /about
-rR {base}/root -w w -- /about
-rR {base}/root -w /none -- /about
-rR {base}/none -- /about
-rR {base}/about -- /about
-rR {base}/root -pf --mount-proc -- /about
-rR {base}/root --mount-proc=/w -pf -- /about
-rR {base}/root --mount-proc=/none -pf -- /about
-rmR {base}/root --propagation unchanged -- /about
-rmR {base}/root --propagation shared -pf --mount-proc -- /about
-w {base}/dir
-w {base}/none
-w /etc/passwd
-w .
-w {base}/dir -u
-m --propagation private
-m --propagation shared
-m --propagation slave
-m --propagation unchanged
-rm --propagation private
-rm --propagation shared
-rm --propagation slave
-rm --propagation unchanged
-rpf --mount-proc --propagation shared
-rpf --mount-proc --propagation unchanged
-rpf --mount-proc --propagation slave
-rpf --mount-proc={base}/dir --propagation unchanged
--propagation shared
--propagation other
--propagation
-u --propagation slave
--map-user=0
--map-user=1000
--map-user=daemon
--map-user daemon
--map-user=nosuchuser
--map-user=
--map-user=1x
--map-user=7 --map-user=8
--map-user=7 -r
-r --map-user=7
-c --map-group=5
--map-group=0
--map-group=daemon
--map-group=nosuchgroup
--map-group=99 --map-user=98
--map-user=98 -pf --mount-proc
--setgroups=allow
--setgroups=deny
--setgroups deny -U
--setgroups allow -U
--setgroups=allow -r
--setgroups=allow --map-group=5
--setgroups=allow --map-user=5
--setgroups=deny --map-user=5
--setgroups=other
--setgroups
-S 0
-S 1
-S 65534
-S nobody
-S -1
-S 1x
-S ''
-S
-G 0
-G 1
-G 65534
-G nogroup
-G ''
-S 1 -G 1
-S 65534 -G 65534
-f -S 1 -G 1
-r -S 0
-r -S 1
-r -G 0
-c -S 65534
-U -S 0
-U -G 0
--map-user=5 -S 5
-T --boottime 100
-T --monotonic 100
-T --boottime 100 --monotonic -1
-T --boottime=-5
-Tf --boottime=86400 --monotonic=1000
-UrTf --boottime=86400 --monotonic=1000
-UrT --monotonic=1
--boottime 100
--monotonic 100
-u --monotonic 100
-T --boottime x
-T --boottime 9223372036854775807
-T --boottime 9223372036854775808
-T --boottime -9223372036854775808
-T --boottime ''
-T --boottime
--kill-child
--kill-child=TERM
--kill-child=SIGTERM
--kill-child=term
--kill-child=HUP
--kill-child=9
--kill-child=NOSUCH
--kill-child=
--kill-child=RTMIN+3
--kill-child -p
--kill-child=CHLD -rp
-f -- {base}/about 7
-f -- {base}/about 255
-- {base}/about 7
-u -- {base}/about 126
-f -- sh -c 'kill -TERM $$'
-f -- sh -c 'kill -HUP $$'
-f -- sh -c 'ulimit -c 0; kill -SEGV $$'
-f -- sh -c 'kill -USR1 $$'
-- sh -c 'kill -TERM $$'
-pf -- sh -c 'kill -TERM $$; exit 4'
-rpf -- sh -c 'kill -TERM $$; exit 4'
-rpf -- sh -c 'exit 9'
-rpf --mount-proc -- sh -c 'echo $$ $PPID; exit 9'
-rp -- sh -c 'echo one; exit 9'
-rpf -- sh -c 'sleep 0.01 & wait; exit 8'
-- /nonexistent
-- nosuchcommand
-- {base}/not-executable
-- {base}/dir
-- {base}/script
-- {base}/not-executable/x
-f -- /nonexistent
-f -- {base}/not-executable
-rpf -- /nonexistent
-- ''
-f -- sh -c 'echo out; echo err >&2; exit 2'
-r -- id
-r -- sh -c 'id -u; id -g; id -G'
-r -- sh -c 'echo $A$B; env | sort | grep -v ^_'
-ru -- sh -c 'hostname inside && hostname'
-rn -- sh -c 'cat /proc/net/dev'
-rm -- sh -c 'mount -t tmpfs t {base}/dir && touch {base}/dir/x && ls {base}/dir'
-rC -- cat /proc/self/cgroup
-rT --boottime 1000000 -- sh -c 'test $(cut -d. -f1 /proc/uptime) -gt 900000 && echo late'
-rTf --boottime 1000000 -- sh -c 'test $(cut -d. -f1 /proc/uptime) -gt 900000 && echo late'
-- sh -c 'echo "$@"' x -u -p --mount
{base}/about 5
-u {base}/about -u 5
--
-p=x
-m=x
-U=x
-x
--nosuch
--nosuch=1
--fork=1
--map-root-user=1
--moun
--mou
--mo
--mount-p
--pro private -m
--prop
--use
--u
--i
--ne
--t
--r
--map-r
--map-c
--map-u 5
--map
--map-user
--setg deny
--set 1
--k
--ke
--kill=TERM
--fork --user --map-root-user --pid --ipc --uts --net --cgroup --mount --time
-h
-V
--help -x
-u --version
-x --help
-l
-R
-w
-rf -- sh -c 'exec {base}/about'
-U -- sh -c 'exec {base}/about'
--uts=
--uts={base}/none
--ipc={base}/none
--user={base}/none
-r --uts={base}/none
-r --uts={base}/dir
"""


def cases():
    return [line for line in CASES.splitlines() if line]


def is_output_free(words):
    """Help and version are each one's own."""
    return not {"-h", "-V", "--help", "--version"} & set(words)


def same(case, mine, theirs):
    assert mine.returncode == theirs.returncode, (case, mine, theirs)
    words = shlex.split(case)
    if is_output_free(words):
        assert told(mine.stdout) == told(theirs.stdout), (case, mine, theirs)
    failed = bool(re.match(rb"(/usr/bin/)?unshare: ", theirs.stderr))
    assert mine.stderr.startswith(b"nsscope unshare: ") == failed, (case, mine, theirs)
    assert len(mine.stderr.splitlines()) == 1 if failed else mine.stderr == theirs.stderr, (case, mine, theirs)


@pytest.mark.parametrize("user", [0, NOBODY], ids=["root", "nobody"])
@pytest.mark.parametrize("case", cases())
def test_same_as_util_linux(base, case, user):
    words = split(case, base)
    # Through the link it is the same, and half of them are enough to see that.
    call = [base / "nsscope", "unshare"] if user == 0 else [base / "link/unshare"]
    same(case, run([*call, *words], user=user), run([UTIL_LINUX, *words], user=user))


# As 2.38 writes them, and through newuidmap, newgidmap. Left out: auto with a hole, which loses its topmost ID there.
MAPS = r"""
--map-users=100000,0,10
--map-users=100000,5,1 --map-groups=100000,7,3
--map-groups=100000,0,10
--map-users=100000,0,10 -r
--map-users=100000,0,10 --map-user=4
--map-users=100000,0,10 --map-user=9
--map-users=100000,0,10 --map-user=11
--map-users=100000,0,10 --map-groups=100000,0,10 -c
--map-groups=100000,0,65536 --map-group=30
--map-users=auto
--map-groups=auto
--map-auto
--map-users=auto --map-user=70000
--map-auto -r -- sh -c 'id -u; id -g; id -G'
--map-auto -rf -- sh -c 'exit 6'
--map-users=5,0,10
--map-users=1,1,4294967295
--map-users=100000,0
--map-users=100000,0,10,1
--map-users=100000,0,x
--map-users=,,
--map-users=
--map-users
"""


def as_sets(told_):
    """The order of ranges means nothing."""
    if isinstance(told_, dict):
        for name in ("uid_map", "gid_map"):
            told_[name] = sorted(told_[name].splitlines())
    return told_


@pytest.mark.parametrize("user", [0, NOBODY], ids=["root", "nobody"])
@pytest.mark.parametrize("case", MAPS.strip().splitlines())
def test_same_maps_as_util_linux(base, case, user):
    if os.statvfs(base).f_flag & os.ST_NOSUID:
        pytest.skip(f"{base} is nosuid: the stand-in for newuidmap cannot work")
    words = split(case, base)
    env = {"PATH": f"{base}/helpers:/usr/bin:/bin", "SHELL": "/bin/sh"}
    mine = ours(base, *words, user=user, etc=base / "etc", env=env)
    theirs = run([UTIL_LINUX, *words], user=user, etc=base / "etc", env=env)
    assert mine.returncode == theirs.returncode, (mine, theirs)
    assert as_sets(told(mine.stdout)) == as_sets(told(theirs.stdout))
