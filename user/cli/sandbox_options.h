/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The setters of run's own options: they check each text, that it fails before anything is made. The
 * rows are options.def's.
 */
#ifndef CLI_SANDBOX_OPTIONS_H
#define CLI_SANDBOX_OPTIONS_H

#include "cli/settings.h"

#define SETTER(name) const char *set_##name(struct settings *s, const char *argument, uint64_t value)

SETTER(new_root);
SETTER(overlay);
SETTER(mount); /* value: enum sandbox_mount_kind */
SETTER(dev);
SETTER(sys);
SETTER(hostname);
SETTER(no_loopback);
SETTER(env); /* value: enum sandbox_env_kind */
SETTER(sandbox_uid);
SETTER(sandbox_gid);
SETTER(caps); /* value: whether to add */
SETTER(no_new_privs);
SETTER(seccomp);
SETTER(rlimit);
SETTER(memory);
SETTER(pids);
SETTER(cpu);
SETTER(time_limit);

#undef SETTER

#endif
