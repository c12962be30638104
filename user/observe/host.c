/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

uint32_t ns_inum_read(const char *process, const char *name)
{
	char path[64], link[64];
	ssize_t n;
	char *bracket;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return 0;
	link[n] = 0;
	bracket = strchr(link, '[');
	return bracket ? (uint32_t)strtoul(bracket + 1, NULL, 10) : 0;
}

int host_read(struct host *ret_host)
{
	struct host h = { .pid_ns = ns_inum_read("self", "pid"), .mnt_ns = ns_inum_read("self", "mnt") };

	if (!h.pid_ns || !h.mnt_ns)
		return -ENOENT;
	*ret_host = h;
	return 0;
}

int host_configure(struct nss_config *conf)
{
	struct host host;
	int err = host_read(&host);

	if (err)
		return err;
	conf->host_pid_ns = host.pid_ns;
	conf->level_mask = host.pid_ns == NSS_PID_NS_INITIAL ? 0 : ~0U;
	return 0;
}
