/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All programs as one object: they share their maps and are loaded together. */
#include "core/spare.h"
#include "core/in_call.h"
#include "core/place.h"
#include "core/told_ns.h"
#include "namespace.bpf.c"
#include "ns_end.bpf.c"
#include "mount.bpf.c"
#include "detach.bpf.c"
#include "fscontext.bpf.c"
#include "opentree.bpf.c"
#include "process.bpf.c"
#include "syscall.bpf.c"
#include "snapshot.bpf.c"
#include "spare.bpf.c"

char LICENSE[] SEC("license") = "GPL";
