/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/copyns.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "observe/host.h"
#include "nscost.skel.h"

int copyns_open(struct copyns **ret)
{
	struct nscost_bpf *skel;
	int err;

	if (ns_inum_read("self", "pid") != NSS_PID_NS_INITIAL)
		return -EXDEV;
	libbpf_set_print(NULL); /* the caller says what went wrong */
	skel = nscost_bpf__open();
	if (!skel)
		return -errno;
	skel->rodata->parent = (uint32_t)getpid();
	err = nscost_bpf__load(skel);
	if (!err)
		err = nscost_bpf__attach(skel);
	if (err)
		nscost_bpf__destroy(skel);
	else
		*ret = (struct copyns *)skel;
	return err;
}

void copyns_read(const struct copyns *c, struct spread ret[COPY_NS_MAX])
{
	const struct nscost_bpf *skel = (const struct nscost_bpf *)c;

	for (size_t i = 0; i < COPY_NS_MAX; i++) {
		static uint64_t values[sizeof(skel->bss->samples[0]) / sizeof(uint64_t)];
		uint32_t n = skel->bss->counts[i];

		memcpy(values, skel->bss->samples[i], n * sizeof(*values));
		ret[i] = spread_of(values, n);
	}
}

void copyns_close(struct copyns *c)
{
	nscost_bpf__destroy((struct nscost_bpf *)c);
}
