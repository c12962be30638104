/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * about [STATUS]: tells all that a launcher may set of a process, as one JSON object, and exits. What it reads of /proc
 * comes from the directory on descriptor 9, so that it works where /proc is another or none. Linked statically, for
 * empty roots.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROC 9

static void string(const char *s, size_t len)
{
	putchar('"');
	for (; len--; s++) {
		if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			printf("\\u%04x", (unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void key(const char *name)
{
	printf(",\"%s\":", name);
}

/* A whole file of /proc/self as one string. */
static void file(const char *name)
{
	static char text[1 << 18];
	char path[64];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "self/%s", name);
	fd = openat(PROC, path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	key(name);
	if (fd < 0)
		printf("null");
	else
		string(text, len);
	close(fd);
}

static void namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time",
					     "time_for_children", "user", "uts" };
	size_t i;

	key("ns");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], text[64];
		ssize_t n;

		snprintf(path, sizeof(path), "self/ns/%s", names[i]);
		n = readlinkat(PROC, path, text, sizeof(text));
		printf("%c\"%s\":", i ? ',' : '{', names[i]);
		string(text, n < 0 ? 0 : (size_t)n);
	}
	putchar('}');
}

static void identity(const char *name, const char *path)
{
	struct stat st;

	key(name);
	if (stat(path, &st))
		printf("null");
	else
		printf("\"%lx:%lx\"", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
}

static void strings(const char *name, char **list)
{
	key(name);
	putchar('[');
	for (char **s = list; *s; s++) {
		if (s != list)
			putchar(',');
		string(*s, strlen(*s));
	}
	putchar(']');
}

static void fds(void)
{
	key("fds");
	putchar('[');
	for (int fd = 0, n = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%s%d", n++ ? "," : "", fd);
	putchar(']');
}

int main(int argc, char **argv)
{
	char cwd[4096], host[256];
	int death = 0;

	setvbuf(stdout, NULL, _IOFBF, 1 << 18);
	printf("{\"pid\":%d", getpid());
	key("childless");
	printf("%d", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	namespaces();
	file("uid_map");
	file("gid_map");
	file("setgroups");
	file("mountinfo");
	file("status");
	file("timens_offsets");
	identity("root", "/");
	identity("cwd_id", ".");
	key("cwd");
	string(getcwd(cwd, sizeof(cwd)) ? cwd : "?", strlen(getcwd(cwd, sizeof(cwd)) ? cwd : "?"));
	gethostname(host, sizeof(host));
	key("hostname");
	string(host, strlen(host));
	prctl(PR_GET_PDEATHSIG, &death);
	key("death_signal");
	printf("%d", death);
	key("own_group");
	printf("%d", getpgrp() == getpid());
	fds();
	strings("argv", argv);
	strings("environ", environ);
	printf("}\n");
	if (fflush(stdout))
		err(99, "stdout");
	return argc > 1 ? atoi(argv[1]) : 0;
}
