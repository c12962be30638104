/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor [--calls]: loads and attaches the programs of floor.bpf.c, says "ready", and drops what they send until it is
 * killed or whoever started it ends, as rarely as nsscope looks for a live view. --calls: those at each system call too.
 */
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/floor.skel.h"

static int drop(void *arg, void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return 0;
}

int main(int argc, char **argv)
{
	bool calls = argc > 1 && !strcmp(argv[1], "--calls");
	struct floor_bpf *skel = floor_bpf__open();
	struct ring_buffer *ring;

	if (!skel || prctl(PR_SET_PDEATHSIG, SIGKILL)) /* or what is measured later would be beside it */
		return 1;
	bpf_program__set_autoload(skel->progs.floor_sys_enter, calls);
	bpf_program__set_autoload(skel->progs.floor_sys_exit, calls);
	if (floor_bpf__load(skel) || floor_bpf__attach(skel))
		return 1;
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), drop, NULL, NULL);
	if (!ring)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		usleep(40000);
		ring_buffer__consume(ring);
	}
}
