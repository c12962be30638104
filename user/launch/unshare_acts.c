/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/unshare_acts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "launch/outsider.h"
#include "launch/persist.h"
#include "launch/pidfd.h"
#include "launch/proc.h"
#include "util/cleanup.h"

#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static int check(int ret)
{
	return ret < 0 ? -errno : 0;
}

static int write_file(int dir, const char *path, const char *text)
{
	_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	return write(fd, text, len) == (ssize_t)len ? 0 : -errno;
}

static int act_none(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	(void)step;
	return 0;
}

static int act_drop_groups(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	(void)step;
	return check(setgroups(0, NULL));
}

static int act_gid(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(setgid((gid_t)step->number));
}

static int act_uid(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(setuid((uid_t)step->number));
}

static int act_unshare(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(unshare((int)step->number));
}

static int act_clock(struct unshare_job *j, const struct unshare_step *step)
{
	char text[64];

	(void)j;
	snprintf(text, sizeof(text), "%s %" PRId64 " 0", step->arg, step->number);
	return write_file(AT_FDCWD, "/proc/self/timens_offsets", text);
}

/*
 * It is not sent if the parent has ended already, and in a new PID namespace getppid(2) cannot tell. Without the new
 * parent's interest in it the command has no reason to be.
 */
static int act_death_signal(struct unshare_job *j, const struct unshare_step *step)
{
	if (prctl(PR_SET_PDEATHSIG, (int)step->number) < 0)
		return -errno;
	return pidfd_wait(j->parent, 0) ? -ESRCH : 0;
}

static int act_setgroups(struct unshare_job *j, const struct unshare_step *step)
{
	int ret = write_file(AT_FDCWD, "/proc/self/setgroups", step->arg);

	(void)j;
	return ret == -ENOENT ? 0 : ret; /* before Linux 3.19 */
}

static int act_map(struct unshare_job *j, const struct unshare_step *step)
{
	_close_ int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum idmap_kind kind = (enum idmap_kind)step->number;

	return proc < 0 ? -errno : idmap_write(proc, kind, &j->maps.of[kind]);
}

static int act_propagation(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(mount("none", "/", NULL, (unsigned long)step->number, NULL));
}

static int act_chroot(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(chroot(step->arg));
}

static int act_chdir(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(chdir(step->arg));
}

/* What is no mount point has no propagation to change. */
static int act_proc_private(struct unshare_job *j, const struct unshare_step *step)
{
	int ret = check(mount("none", step->arg, NULL, MS_PRIVATE | MS_REC, NULL));

	(void)j;
	return ret == -EINVAL ? 0 : ret;
}

static int act_mount_proc(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(mount("proc", step->arg, "proc", MOUNT_FLAGS, NULL));
}

static int act_mount_binfmt(struct unshare_job *j, const struct unshare_step *step)
{
	(void)j;
	return check(mount("binfmt_misc", step->arg, "binfmt_misc", MOUNT_FLAGS, NULL));
}

/* Where binfmt_misc was mounted by the step before. */
static int act_interpreter(struct unshare_job *j, const struct unshare_step *step)
{
	_close_ int dir = open(step[-1].arg, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)j;
	return dir < 0 ? -errno : write_file(dir, "register", step->arg);
}

/* capabilities(7): what is permitted and inheritable can be made ambient, and that survives exec. */
static int act_keep_caps(struct unshare_job *j, const struct unshare_step *step)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	unsigned int i;

	(void)j;
	(void)step;
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &header, data) < 0)
		return -errno;
	for (i = 0; i < 32 * _LINUX_CAPABILITY_U32S_3; i++) {
		if ((data[CAP_TO_INDEX(i)].permitted & CAP_TO_MASK(i)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Whether @list, names with commas between them, has the name of @entry, "NAME=VALUE". */
static bool names(const char *list, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (; *list; list += strcspn(list, ","), list += *list == ',') {
		if (strcspn(list, ",") == len && !memcmp(list, entry, len))
			return true;
	}
	return false;
}

static int act_environment(struct unshare_job *j, const struct unshare_step *step)
{
	const struct unshare_settings *u = j->settings->in_place;
	char **kept = environ, **e;
	size_t i;

	(void)step;
	if (!environ)
		return 0;
	for (e = environ; *e; e++) {
		for (i = 0; i < u->nkept_env && !names(u->kept_env[i], *e); i++)
			;
		if (i < u->nkept_env)
			*kept++ = *e;
	}
	*kept = NULL;
	return 0;
}

static int act_signals(struct unshare_job *j, const struct unshare_step *step)
{
	(void)step;
	return check(sigprocmask(SIG_SETMASK, &j->mask, NULL));
}

static int act_keep(struct unshare_job *j, const struct unshare_step *step)
{
	(void)step;
	return outsider_keep(j->outsider);
}

static int act_exec(struct unshare_job *j, const struct unshare_step *step)
{
	(void)step;
	execvp(j->settings->argv[0], j->settings->argv);
	return -errno;
}

static int act_shell(struct unshare_job *j, const struct unshare_step *step)
{
	const char *base = strrchr(step->arg, '/');
	_free_ char *name = NULL;

	(void)j;
	if (asprintf(&name, "-%s", base ? base + 1 : step->arg) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	execl(step->arg, name, (char *)NULL);
	return -errno;
}

/* Outside. */

static int act_outside_deny(struct unshare_job *j, const struct unshare_step *step)
{
	_close_ int proc = proc_open(j->self);

	(void)step;
	return proc < 0 ? proc : idmap_setgroups(proc, "deny");
}

static int act_outside_map(struct unshare_job *j, const struct unshare_step *step)
{
	_close_ int proc = proc_open(j->self);
	enum idmap_kind kind = (enum idmap_kind)step->number;

	if (proc < 0)
		return proc;
	return idmap_write_outside(proc, j->pid, kind, &j->maps.of[kind], &j->exec_error);
}

static int act_bind(struct unshare_job *j, const struct unshare_step *step)
{
	_close_ int proc = proc_open(j->self);
	int ret = proc < 0 ? proc : persist_bind(proc, (enum nss_ns)step->number, step->arg);

	if (!ret)
		j->bound |= 1ULL << step->number;
	return ret;
}

void unshare_unbind(struct unshare_job *j)
{
	enum nss_ns ns;

	for (ns = 0; ns < NSS_NS_MAX; ns++) {
		if (j->bound >> ns & 1)
			persist_undo(j->settings->persist[ns]);
	}
	j->bound = 0;
}

typedef int act_fn(struct unshare_job *j, const struct unshare_step *step);

static act_fn *const acts[UNSHARE_ACTS] = {
#define STEP(id, name, where, shows, words) [UNSHARE_##id] = act_##name,
#include "launch/unshare_steps.def"
#undef STEP
};

int unshare_do(struct unshare_job *j, const struct unshare_step *step)
{
	return acts[step->act](j, step);
}
