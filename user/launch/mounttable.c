/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/mounttable.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/mountapi.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"

/* Those of atime stay when a remount names none. */
static unsigned long flags_of(const char *options)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} names[] = {
		{ "ro", MS_RDONLY },     { "nosuid", MS_NOSUID },           { "nodev", MS_NODEV },
		{ "noexec", MS_NOEXEC }, { "nosymfollow", MS_NOSYMFOLLOW },
	};
	unsigned long flags = 0;
	size_t len;

	for (;; options += len + 1) {
		len = strcspn(options, ",");
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strlen(names[i].name) == len && !memcmp(names[i].name, options, len))
				flags |= names[i].flag;
		if (!options[len])
			return flags;
	}
}

static bool has(const struct mounttable *t, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].id == id)
			return true;
	return false;
}

static int take_line(char *line, uint64_t top, struct mounttable *t)
{
	struct mounttable_row row, *rows;
	struct mountinfo m;
	int err = mountinfo_parse(line, &m);

	if (err || (m.id != top && !has(t, m.parent)))
		return err;
	rows = reallocarray(t->rows, t->n + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	t->rows = rows;
	row = (struct mounttable_row){ .id = m.id, .flags = flags_of(m.options) };
	row.path = strdup(m.target);
	row.type = strdup(m.fstype);
	t->rows[t->n++] = row;
	return row.path && row.type ? 0 : -ENOMEM;
}

/* A tree that was cloned as a whole is listed parents first: its mounts were made, and numbered, in that order. */
int mounttable_read(int fd, struct mounttable *ret_table)
{
	_fclose_ FILE *file = NULL;
	_free_ char *line = NULL;
	struct statx st;
	size_t size = 0;
	int err = 0;

	*ret_table = (struct mounttable){};
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -errno;
	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return -errno;
	while (!err && getline(&line, &size, file) > 0)
		err = take_line(line, st.stx_mnt_id, ret_table);
	return err ? err : ret_table->n ? 0 : -ENOENT;
}

void mounttable_free(struct mounttable *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->rows[i].path);
		free(t->rows[i].type);
	}
	free(t->rows);
	*t = (struct mounttable){};
}

/*
 * As mount_setattr(2) does, where the kernel does not have it. Nobody but nsscope is in this mount
 * namespace meanwhile.
 */
static int remount_all(int mount)
{
	struct mounttable t;
	int err = mounttable_read(mount, &t);
	char path[64];

	for (size_t i = 0; !err && i < t.n; i++) {
		_close_ int root = open("/", O_PATH | O_CLOEXEC);
		_close_ int fd = mountapi_open_in(root, t.rows[i].path, RESOLVE_NO_SYMLINKS);

		if (fd < 0) {
			err = fd;
			break;
		}
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (syscall(SYS_mount, NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | t.rows[i].flags, NULL) < 0)
			err = -errno;
	}
	mounttable_free(&t);
	return err;
}

int mounttable_read_only(int mount)
{
	int err = mountapi_read_only(mount);

	return err == -ENOSYS ? remount_all(mount) : err;
}
