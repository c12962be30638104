/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The setters (options.def) of what the launcher takes from unshare(1). */
#ifndef CLI_LAUNCH_OPTIONS_H
#define CLI_LAUNCH_OPTIONS_H

#include "cli/settings.h"

#define SETTER(name) const char *set_##name(struct settings *s, const char *argument, uint64_t value)

SETTER(fork);
SETTER(kill_child);
SETTER(forward_signals);
SETTER(mount_binfmt);
SETTER(load_interp);
SETTER(propagation);
SETTER(setuid);
SETTER(setgid);
SETTER(keep_caps);
SETTER(monotonic);
SETTER(boottime);
SETTER(clear_env);
SETTER(whitelist_env);
SETTER(map_root);
SETTER(map_current);
SETTER(map_user);
SETTER(map_group);
SETTER(map_range);
SETTER(map_both);
SETTER(owner);
SETTER(setgroups);

#endif
