/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/probes.h"

#include "nsscope.skel.h"

#define BIT(EV) (1ULL << NSS_EV_##EV)
#define CALLS (BIT(MOUNT) | BIT(UMOUNT) | BIT(UNSHARE) | BIT(SETNS) | BIT(NS_CREATE))

/*
 * A mode that needs no system call attaches no system call tracepoint: these slow down every call of every task. The
 * tracked set follows fork and exit, whatever is wanted; the exit also cleans up after a call that did not return.
 */
const struct probe probes[PROBES_MAX] = {
	[PROBE_NEWTASK] = { "fork", "tp_btf/task_newtask", BIT(FORK) | BIT(NS_CREATE), NSS_ONLY_TRACKED },
	[PROBE_EXEC] = { "exec", "tp_btf/sched_process_exec", BIT(EXEC), 0 },
	[PROBE_EXIT] = { "exit", "tp_btf/sched_process_exit", BIT(EXIT) | CALLS, NSS_ONLY_TRACKED },
	[PROBE_SYS_ENTER] = { "latency", "tp_btf/sys_enter", CALLS, 0 },
	[PROBE_SYS_EXIT] = { "calls", "tp_btf/sys_exit", CALLS, 0 },
	[PROBE_TASKS] = { NULL, "iter/task", BIT(PROCESS), 0 },
};

bool probe_needed(enum probe_id id, const struct nss_config *conf)
{
	return (probes[id].types & conf->types) || (probes[id].only & conf->only);
}

struct bpf_program *probe_program(const struct nsscope_bpf *skel, enum probe_id id)
{
	switch (id) {
	case PROBE_NEWTASK:
		return skel->progs.on_newtask;
	case PROBE_EXEC:
		return skel->progs.on_exec;
	case PROBE_EXIT:
		return skel->progs.on_exit;
	case PROBE_SYS_ENTER:
		return skel->progs.on_sys_enter;
	case PROBE_SYS_EXIT:
		return skel->progs.on_sys_exit;
	case PROBE_TASKS:
		return skel->progs.on_task;
	case PROBES_MAX:
		break;
	}
	return NULL;
}
