/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * newuidmap PID {INNER OUTER COUNT}... and newgidmap: a stand-in for those of shadow, which may not be installed. To be
 * copied under both names and made setuid root. It lets its user map the own ID and all from 100000 on.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int groups = strstr(argv[0], "newgidmap") != NULL, fd, i;
	unsigned long own = groups ? getgid() : getuid();
	char path[64], text[4096], *end = text;

	if (argc < 5 || argc % 3 != 2 || argc > 100)
		errx(3, "usage");
	for (i = 2; i < argc; i += 3) {
		unsigned long outer = strtoul(argv[i + 1], NULL, 10), count = strtoul(argv[i + 2], NULL, 10);

		if (outer < 100000 && (outer != own || count != 1) && getuid())
			errx(5, "%lu may not be mapped", outer);
		end += sprintf(end, "%s %s %s\n", argv[i], argv[i + 1], argv[i + 2]);
	}
	snprintf(path, sizeof(path), "/proc/%s/%s", argv[1], groups ? "gid_map" : "uid_map");
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, (size_t)(end - text)) != end - text)
		err(6, "%s", path);
	return 0;
}
