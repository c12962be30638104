/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces that nsscope itself is in: what is called the host. */
#ifndef OBSERVE_HOST_H
#define OBSERVE_HOST_H

#include <stdint.h>

#include "abi/abi.h"

struct host {
	uint32_t pid_ns; /* inums */
	uint32_t mnt_ns;
};

/* 0 or -errno (-ENOENT: no /proc). */
int host_read(struct host *ret_host);

/* Tells the programs, by @conf, which PID namespace it is. 0 or -errno, as host_read(). */
int host_configure(struct nss_config *conf);

/* inum of /proc/PROCESS/ns/NAME, @process being "self" or a number; 0 if it cannot be read. */
uint32_t ns_inum_read(const char *process, const char *name);

#endif
