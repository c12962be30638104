/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/persist.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

static const struct {
	const char *name;
	uint64_t flag;
} rows[NSS_NS_MAX] = {
#define NAMESPACE(id, name, flag, what) [NSS_NS_##id] = { #name, flag },
#include "abi/namespaces.def"
#undef NAMESPACE
};

const char *persist_name(enum nss_ns ns)
{
	return rows[ns].name;
}

enum nss_ns persist_of(uint64_t flag)
{
	enum nss_ns ns = 0;

	while (ns < NSS_NS_MAX && (!flag || rows[ns].flag != flag))
		ns++;
	if (ns == NSS_NS_PID)
		return NSS_NS_PID_FOR_CHILDREN;
	return ns == NSS_NS_TIME ? NSS_NS_TIME_FOR_CHILDREN : ns;
}

void persist_names(uint64_t flags, char *names, size_t size)
{
	size_t len = 0;
	enum nss_ns ns;

	names[0] = '\0';
	for (ns = 0; ns < NSS_NS_MAX; ns++) {
		if ((rows[ns].flag & flags) && len < size)
			len += (size_t)snprintf(names + len, size - len, "%s%s", len ? "," : "", rows[ns].name);
	}
}

int persist_bind(int proc, enum nss_ns ns, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/ns/%s", proc, rows[ns].name);
	return mount(path, file, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

void persist_undo(const char *file)
{
	umount2(file, MNT_DETACH);
}
