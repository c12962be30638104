/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * race: another thread changes the arguments of mount and umount2 while the kernel works on them. What the kernel did is
 * told from /proc/self/mountinfo.
 *
 * race strings: source, type and data change once the kernel has copied them, for certain: the copy of the target, which
 * is the last, waits for a page that only the other thread provides.
 * race paths DIR N: the target flips between DIR/a and DIR/b all the time, N calls.
 */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "witness.h"

static char source[64] = "true-source", type[64] = "tmpfs", data[64] = "size=4096";
static atomic_bool done;

/* Whether @target is a mount point now; its source and type to those. */
static int mounted(const char *target, char *ret_source, char *ret_type)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], at[1024];
	int found = 0;

	while (f && fgets(line, sizeof(line), f)) {
		char *dash = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %*s %*s %1023s", at) != 1 || strcmp(at, target) || !dash)
			continue;
		found = sscanf(dash, " - %63s %63s", ret_type, ret_source) == 2;
	}
	if (f)
		fclose(f);
	return found;
}

static void *provide_page(void *arg)
{
	int uffd = *(int *)arg;
	static char page[4096] __attribute__((aligned(4096))) = "/mnt";
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;
	struct uffdio_copy copy = { .src = (unsigned long)page, .len = sizeof(page) };

	if (poll(&p, 1, -1) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		err(99, "userfaultfd");
	strcpy(source, "forged-source");
	strcpy(type, "ramfs");
	strcpy(data, "mode=0");
	copy.dst = msg.arg.pagefault.address & ~4095UL;
	if (ioctl(uffd, UFFDIO_COPY, &copy))
		err(99, "UFFDIO_COPY");
	return NULL;
}

static void race_strings(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	char *target = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register area = { .range = { (unsigned long)target, 4096 }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	char seen_source[64] = "", seen_type[64] = "";
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	pthread_t thread;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &area))
		err(99, "userfaultfd");
	pthread_create(&thread, NULL, provide_page, &uffd);
	if (mount(source, target, type, 0, data))
		err(99, "mount");
	pthread_join(thread, NULL);
	if (!mounted("/mnt", seen_source, seen_type))
		errx(99, "nothing on /mnt");
	say("{\"at\":\"mount\",\"target\":\"/mnt\",\"source\":\"%s\",\"fstype\":\"%s\",\"data\":\"size=4096\","
	    "\"caller_source\":\"%s\"}\n", seen_source, seen_type, source);
	umount("/mnt");
}

static void *flip(void *arg)
{
	volatile char *last = arg;

	while (!done)
		*last ^= 'a' ^ 'b';
	return NULL;
}

/* Which of the two has appeared, or gone; 0: neither. */
static char which(const char *dir, int want)
{
	char path[1024], seen_source[64], seen_type[64];

	for (char c = 'a'; c <= 'b'; c++) {
		snprintf(path, sizeof(path), "%s/%c", dir, c);
		if (mounted(path, seen_source, seen_type) == want)
			return c;
	}
	return 0;
}

static void race_paths(const char *dir, int n)
{
	char target[1024], path[1024], c;
	pthread_t thread;
	int error;

	snprintf(target, sizeof(target), "%s/a", dir);
	pthread_create(&thread, NULL, flip, target + strlen(target) - 1);
	for (int i = 0; i < n; i++) {
		error = mount("t", target, "tmpfs", 0, NULL) ? errno : 0;
		c = which(dir, 1);
		say("{\"at\":\"mount\",\"target\":\"%s/%c\",\"error\":%d}\n", dir, c, error);
		snprintf(path, sizeof(path), "%s/%c", dir, c ^ 'a' ^ 'b');
		if (mount("t", path, "tmpfs", 0, NULL)) /* now both are there */
			err(99, "mount");
		say("{\"at\":\"mount\",\"target\":\"%s\",\"error\":0}\n", path);
		error = umount2(target, 0) ? errno : 0;
		c = which(dir, 0);
		say("{\"at\":\"umount\",\"target\":\"%s/%c\",\"error\":%d}\n", dir, c, error);
		snprintf(path, sizeof(path), "%s/%c", dir, c ^ 'a' ^ 'b');
		umount2(path, 0);
		say("{\"at\":\"umount\",\"target\":\"%s\",\"error\":0}\n", path);
	}
	done = 1;
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "strings"))
		race_strings();
	else if (argc == 4 && !strcmp(argv[1], "paths"))
		race_paths(argv[2], atoi(argv[3]));
	else
		errx(99, "usage: race strings | race paths DIR N");
	return 0;
}
