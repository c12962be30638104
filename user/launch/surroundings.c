/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else the command finds: host name, loopback, environment, resource limits. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "launch/acts.h"
#include "launch/spec.h"
#include "util/cleanup.h"

int step_hostname(struct steps_context *c, const char *arg)
{
	(void)c;
	return sethostname(arg, strlen(arg)) < 0 ? -errno : 0;
}

/* netdevice(7); the kernel gives it its addresses when it comes up. */
int step_loopback(struct steps_context *c, const char *arg)
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo" };

	(void)c;
	(void)arg;
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) < 0)
		return -errno;
	lo.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

int step_setenv(struct steps_context *c, const char *arg)
{
	(void)c;
	/* The text stays: it is of the command line. */
	return putenv((char *)arg) ? -errno : 0;
}

int step_unsetenv(struct steps_context *c, const char *arg)
{
	(void)c;
	return unsetenv(arg) < 0 ? -errno : 0;
}

int step_clearenv(struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	return clearenv() ? -ENOMEM : 0;
}

int step_rlimit(struct steps_context *c, const char *arg)
{
	struct rlimit limit;
	int resource, err = spec_rlimit(arg, &resource, &limit);

	(void)c;
	return err ? err : setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}
