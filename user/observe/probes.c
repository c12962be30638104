/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/probes.h"

#include <string.h>

#include "util/cleanup.h"

#define CALL_TYPES(EV) (BACKEND_TYPE(EV) | (NSS_EV_##EV == NSS_EV_UNSHARE ? BACKEND_TYPE(NS_CREATE) : 0))

/*
 * A mode that needs no system call attaches no system call tracepoint: these slow down every call of every task. The
 * tracked set follows fork and exit, whatever is wanted; the exit also cleans up after a call that did not return.
 */
static const struct probe probes[] = {
#define WITH_SPARES(program, backend, types, only)                            \
	{ program, backend, types, only, false, PROBE_REAL },                \
	{ "first_" program, backend, types, only, false, PROBE_SPARE },      \
	{ "second_" program, backend, types, only, false, PROBE_SPARE },     \
	{ "third_" program, backend, types, only, false, PROBE_SPARE },      \
	{ "fourth_" program, backend, types, only, false, PROBE_SPARE },     \
	{ "fifth_" program, backend, types, only, false, PROBE_SPARE },      \
	{ "last_" program, backend, types, only, false, PROBE_SPARE }
	WITH_SPARES("on_newtask", BACKEND_FORK, BACKEND_TYPE(FORK) | BACKEND_TYPE(NS_CREATE), NSS_ONLY_TRACKED),
	WITH_SPARES("on_exec", BACKEND_EXEC, BACKEND_TYPE(EXEC), 0),
	WITH_SPARES("on_exit", BACKEND_EXIT, BACKEND_TYPE(EXIT) | BACKEND_CALLS, NSS_ONLY_TRACKED),
	WITH_SPARES("on_sys_exit", BACKEND_TRACEPOINT, BACKEND_CALLS, 0),
#undef WITH_SPARES
	{ "probe_enter", BACKEND_KPROBE, BACKEND_CALLS, 0, false, PROBE_PLAIN },
	{ "probe_leave", BACKEND_KPROBE, BACKEND_CALLS, 0, false, PROBE_PLAIN },
	{ "on_sys_enter", BACKEND_TRACEPOINT, BACKEND_CALLS, 0, false, PROBE_PLAIN },
#define SYSCALL(EV, name, ...)                                               \
	{ "enter_native_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, false, PROBE_PLAIN }, \
	{ "leave_native_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, false, PROBE_PLAIN }, \
	{ "enter_compat_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, true, PROBE_PLAIN },  \
	{ "leave_compat_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, true, PROBE_PLAIN },
#include "abi/syscalls.def"
#undef SYSCALL
	{ "keep_mount", BACKEND_FENTRY, BACKEND_TYPE(MOUNT), 0, true, PROBE_PLAIN },
	{ "keep_umount", BACKEND_FENTRY, BACKEND_TYPE(UMOUNT), 0, true, PROBE_PLAIN },
	{ "keep_move_mount", BACKEND_FENTRY, BACKEND_TYPE(MOVE_MOUNT), 0, true, PROBE_PLAIN },
	{ "keep_pivot_root", BACKEND_FENTRY, BACKEND_TYPE(PIVOT_ROOT), 0, true, PROBE_PLAIN },
	{ "keep_chroot", BACKEND_FENTRY, BACKEND_TYPE(CHROOT), 0, true, PROBE_PLAIN },
	{ "on_task", BACKEND_ITER, BACKEND_TYPE(PROCESS), 0, false, PROBE_PLAIN },
};

#if defined(__x86_64__)
#define NATIVE "__x64_sys_"
#define COMPAT "__ia32_sys_"
#elif defined(__aarch64__)
#define NATIVE "__arm64_sys_"
#endif

const struct probe_function probe_functions[] = {
#define SYSCALL(EV, name, ...) { NATIVE #name, CALL_TYPES(EV), NSS_EV_##EV },
#include "abi/syscalls.def"
#undef SYSCALL
#ifdef COMPAT
#define SYSCALL(EV, name, ...) { COMPAT #name, CALL_TYPES(EV), NSS_EV_##EV },
#include "abi/syscalls.def"
#undef SYSCALL
#endif
	{ "path_mount", BACKEND_TYPE(MOUNT), NSS_EV_MOUNT | NSS_COOKIE_KEEP },
	{ "path_umount", BACKEND_TYPE(UMOUNT), NSS_EV_UMOUNT | NSS_COOKIE_KEEP },
	{ "security_move_mount", BACKEND_TYPE(MOVE_MOUNT), NSS_EV_MOVE_MOUNT | NSS_COOKIE_KEEP },
	{ "security_sb_pivotroot", BACKEND_TYPE(PIVOT_ROOT), NSS_EV_PIVOT_ROOT | NSS_COOKIE_KEEP },
	{ "security_path_chroot", BACKEND_TYPE(CHROOT), NSS_EV_CHROOT | NSS_COOKIE_KEEP },
};
const size_t probe_function_count = ARRAY_SIZE(probe_functions);

const struct probe *probe_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(probes[i].program, name))
			return &probes[i];
	return NULL;
}

bool probe_needed(const struct probe *probe, const struct nss_config *conf)
{
	return (probe->types & conf->types) || (probe->only & conf->only);
}
