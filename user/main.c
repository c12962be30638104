/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cmd/cmd.h"

/*
 * A standard descriptor that is closed would be taken by the next file that is opened, and events or messages would
 * go there. It is held in the wrong direction, so that its use still fails. The command still finds it closed.
 */
static void hold_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			_exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
	struct settings s;

	hold_standard_fds();
	switch (cli_parse(argc, argv, &s)) {
	case CLI_DONE:
		return 0;
	case CLI_ERROR:
		return s.command == CMD_UNSHARE ? STATUS_UNSHARE_FAILED : STATUS_FAILED;
	case CLI_GO:
		break;
	}
	switch (s.command) {
#define COMMAND(ID, name, operands, help) \
	case CMD_##ID:                    \
		return cmd_##name(&s);
#include "cli/commands.def"
#undef COMMAND
	}
	return STATUS_FAILED;
}
