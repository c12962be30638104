/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All programs as one object: they share their maps and are loaded together. */
#include "core/spare.h"
#include "core/in_call.h"
#include "core/place.h"
#include "core/told_ns.h"
#include "namespace.bpf.c"
#include "ns_end.bpf.c"
#include "mount.bpf.c"
#include "detach.bpf.c"
#include "fscontext.bpf.c"
#include "opentree.bpf.c"
#include "process.bpf.c"
#include "syscall.bpf.c"
#include "snapshot.bpf.c"
#include "shared.bpf.c"

WITH_SPARES("task_newtask", on_newtask, NSS_EV_FORK, MARK_NEWTASK)
WITH_SPARES("sched_process_exec", on_exec, NSS_EV_EXEC, MARK_EXEC)
WITH_SPARES("sched_process_exit", on_exit, NSS_EV_EXIT, MARK_EXIT)
WITH_SPARES("sys_exit", on_sys_exit, NSS_EV_MAX, MARK_SYS_EXIT)

char LICENSE[] SEC("license") = "GPL";
