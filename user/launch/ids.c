/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User, group and capabilities of the command: credentials(7), capabilities(7). Plain system calls: there are five. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/acts.h"
#include "launch/pidfd.h"
#include "launch/spec.h"

/*
 * A change of credentials clears the parent-death signal (prctl(2)); it is not sent if the parent has
 * gone meanwhile.
 */
static int rearm(struct steps_context *c)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return pidfd_wait(c->state->parent, 0) ? -EPIPE : 0;
}

int step_drop_groups(struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	/* Where setgroups(2) is given up, none is as well as dropped. */
	return getgroups(0, NULL) != 0 && setgroups(0, NULL) < 0 ? -errno : 0;
}

int step_set_gid(struct steps_context *c, const char *arg)
{
	uint64_t id;
	int err = spec_number(arg, UINT32_MAX - 1, &id);

	if (err)
		return err;
	return setresgid((gid_t)id, (gid_t)id, (gid_t)id) < 0 ? -errno : rearm(c);
}

int step_set_uid(struct steps_context *c, const char *arg)
{
	uint64_t id;
	int err = spec_number(arg, UINT32_MAX - 1, &id);

	if (err)
		return err;
	return setresuid((uid_t)id, (uid_t)id, (uid_t)id) < 0 ? -errno : rearm(c);
}

struct cap_sets {
	uint64_t effective, permitted, inheritable;
};

static int get_caps(struct cap_sets *ret)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret = (struct cap_sets){
		.effective = data[0].effective | (uint64_t)data[1].effective << 32,
		.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
		.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
	return 0;
}

static int set_caps(const struct cap_sets *s)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct data[2] = {
		{ (uint32_t)s->effective, (uint32_t)s->permitted, (uint32_t)s->inheritable },
		{ (uint32_t)(s->effective >> 32), (uint32_t)(s->permitted >> 32), (uint32_t)(s->inheritable >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Over the change of the user ID: exec(2) takes from a user other than root what is not ambient. */
int step_keep_caps(struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	return prctl(PR_SET_KEEPCAPS, 1) < 0 ? -errno : 0;
}

/* EINVAL: the kernel has no such capability. */
static int drop_one(unsigned cap)
{
	int ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0), bound;

	if (ambient < 0)
		return errno == EINVAL ? 0 : -errno;
	if (ambient && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0) < 0)
		return -errno;
	bound = prctl(PR_CAPBSET_READ, cap);
	return bound < 0 || (bound && prctl(PR_CAPBSET_DROP, cap) < 0) ? -errno : 0;
}

/* From the bounding set first, which takes CAP_SETPCAP. */
int step_drop_caps(struct steps_context *c, const char *arg)
{
	struct cap_sets s;
	int err = get_caps(&s);

	(void)arg;
	if (!err && s.effective != s.permitted) {
		s.effective = s.permitted;
		err = set_caps(&s);
	}
	for (unsigned cap = 0; !err && cap < 64; cap++)
		if (c->step->caps >> cap & 1)
			err = drop_one(cap);
	if (err)
		return err;
	s.permitted &= ~c->step->caps;
	s.effective &= ~c->step->caps;
	s.inheritable &= ~c->step->caps;
	err = set_caps(&s);
	return err ? err : rearm(c);
}

int step_add_caps(struct steps_context *c, const char *arg)
{
	struct cap_sets s;
	int err = get_caps(&s);

	(void)arg;
	if (err)
		return err;
	if (c->step->caps & ~s.permitted)
		return -EPERM;
	s.effective = s.permitted;
	s.inheritable |= c->step->caps;
	err = set_caps(&s);
	for (unsigned cap = 0; !err && cap < 64; cap++)
		if (c->step->caps >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			err = -errno;
	return err;
}
