/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line asks for. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/stat.h"
#include "cli/enter.h"
#include "launch/launch.h"
#include "observe/observe.h"
#include "sink/sink.h"

#define OUTPUTS_MAX 16
#define ROTATE_KEEP_DEFAULT 5

/* nsscope's own failure; 126 and 127 as in sh(1): the command could not be executed, was not found. */
#define STATUS_FAILED 125
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127
/* --exit-on held of an event. */
#define STATUS_MATCHED 123
/* run --time-limit, as timeout(1). */
#define STATUS_TIMED_OUT 124
/* doctor: nsscope run would not work. */
#define STATUS_NOT_WORKING 1
/* unshare: all failures that are not the command's, as unshare(1) has it. */
#define STATUS_UNSHARE_FAILED 1

enum command_id {
	CMD_RUN = 1,
	CMD_WATCH = 2,
	CMD_PS = 4,
	CMD_REPLAY = 8,
	CMD_DOCTOR = 16,
	CMD_UNSHARE = 32,
	CMD_ENTER = 64,
	CMD_NS = 128,
	CMD_MOUNTS = 256,
	CMD_STAT = 512,
};

/* nsscope stat */
struct stat_settings {
	unsigned interval; /* --interval: seconds from one table to the next; 0: one at the end */
	bool namespaces; /* --namespaces */
	unsigned samples; /* --samples; 0: as many as fit in the time */
	enum nss_by by; /* --by */
	bool hist; /* --hist */
};

struct settings {
	enum command_id command;
	struct launch_settings launch;
	struct unshare_settings unshare;
	bool dry_run;
	struct enter_settings enter;
	struct observe_settings observe;
	const char *outputs[OUTPUTS_MAX];
	size_t noutputs;
	struct sink_style style;
	struct rotation rotation; /* --rotate-size, --rotate-keep */
	struct output_filters filters; /* --filter, --alert, --exit-on: they live as long as the process */
	unsigned pid; /* --pid: of the host */
	const char *cgroup; /* --cgroup */
	unsigned in; /* ps --in: inum of a PID namespace */
	bool snapshot_proc; /* --snapshot=proc: /proc, not the iterator */
	bool no_snapshot;
	bool json; /* --json */
	unsigned mounts_ns; /* mounts --ns: inum, 0: nsscope's own */
	bool watch; /* ns --watch */
	uint32_t ns_types; /* ns --type: bit per enum nss_ns; 0: all */
	struct stat_settings stat;
	bool no_observe; /* --no-observe: no BPF, no events */
	int info_fd; /* --info-fd, or -1 */
	const char *info_file; /* --info-file */
	bool hold; /* --hold: until SIGCONT */
	int hold_fd; /* --hold-fd, or -1 */
	char **operands; /* what is left of the command line, NULL-terminated */
};

#endif
