/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/probes.h"

#include "util/cleanup.h"

/* Calls that can make a namespace. */
#define MAKES_NS (BACKEND_TYPE(UNSHARE) | BACKEND_TYPE(OPEN_TREE) | BACKEND_TYPE(OPEN_TREE_ATTR) | BACKEND_TYPE(FSMOUNT))
#define CALL_TYPES(EV) (BACKEND_TYPE(EV) | (BACKEND_TYPE(EV) & MAKES_NS ? BACKEND_TYPE(NS_CREATE) : 0))
/* Calls of which it is told how far they went. */
#define REACHING (BACKEND_TYPE(MOUNT) | BACKEND_TYPE(UMOUNT) | BACKEND_TYPE(MOVE_MOUNT) | BACKEND_TYPE(MOUNT_SETATTR))
/* Calls that not every kernel has: of 5.12 and 6.15. */
#define IS_NEWER(EV) (NSS_EV_##EV == NSS_EV_MOUNT_SETATTR || NSS_EV_##EV == NSS_EV_OPEN_TREE_ATTR)

/*
 * A mode that needs no system call attaches no system call tracepoint: these slow down every call of every task. The
 * tracked set follows fork and exit, whatever is wanted; the exit also cleans up after a call that did not return.
 */
const struct probe probes[] = {
#define SPARE(nth, program, backend, types, only, tracepoint, hook) \
	{ nth "_" program, backend, types, only, false, PROBE_SPARE, tracepoint, hook, NULL }
#define WITH_SPARES(program, backend, types, only, tracepoint, hook, shared)              \
	{ program, backend, types, only, false, PROBE_REAL, tracepoint, hook, shared },   \
	SPARE("first", program, backend, types, only, tracepoint, hook),                  \
	SPARE("second", program, backend, types, only, tracepoint, hook),                 \
	SPARE("third", program, backend, types, only, tracepoint, hook),                  \
	SPARE("fourth", program, backend, types, only, tracepoint, hook),                 \
	SPARE("fifth", program, backend, types, only, tracepoint, hook),                  \
	SPARE("last", program, backend, types, only, tracepoint, hook)
	WITH_SPARES("on_newtask", BACKEND_FORK, BACKEND_TYPE(FORK) | BACKEND_TYPE(NS_CREATE), NSS_ONLY_TRACKED, "task_newtask",
		    NSS_HOOK_NEWTASK, "on_process"),
	WITH_SPARES("on_exec", BACKEND_EXEC, BACKEND_TYPE(EXEC), 0, "sched_process_exec", NSS_HOOK_EXEC, "on_process"),
	WITH_SPARES("on_exit", BACKEND_EXIT, BACKEND_TYPE(EXIT) | BACKEND_CALLS, NSS_ONLY_TRACKED, "sched_process_exit",
		    NSS_HOOK_EXIT, "on_process"),
	WITH_SPARES("on_sys_exit", BACKEND_TRACEPOINT, BACKEND_CALLS, 0, "sys_exit", NSS_HOOK_SYS_EXIT, "on_call"),
#undef WITH_SPARES
#undef SPARE
	{ "on_sys_enter", BACKEND_TRACEPOINT, BACKEND_CALLS, 0, false, PROBE_PLAIN, "sys_enter", NSS_HOOK_SYS_ENTER, "on_call" },
	{ "end_reaching_call", BACKEND_TRACEPOINT, REACHING | BACKEND_TYPE(DETACH), 0, false, .place = PROBE_PART },
	{ "tell_reached", BACKEND_TRACEPOINT, REACHING | BACKEND_TYPE(DETACH), 0, false, .place = PROBE_PART },
	{ "end_other_call", BACKEND_TRACEPOINT, BACKEND_CALLS & ~REACHING, 0, false, .place = PROBE_PART, .shared = "on_process" },
	{ "probe_enter", BACKEND_KPROBE, BACKEND_CALLS, 0, false, .place = PROBE_PLAIN },
	{ "probe_leave", BACKEND_KPROBE, BACKEND_CALLS, 0, false, .place = PROBE_PLAIN },
#define SYSCALL(EV, name, ...)                                               \
	{ "enter_native_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, IS_NEWER(EV), .place = PROBE_PLAIN }, \
	{ "leave_native_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, IS_NEWER(EV), .place = PROBE_PLAIN }, \
	{ "enter_compat_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, true, .place = PROBE_PLAIN },  \
	{ "leave_compat_" #name, BACKEND_FENTRY, CALL_TYPES(EV), 0, true, .place = PROBE_PLAIN },
#include "abi/syscalls.def"
#undef SYSCALL
	{ "keep_mount", BACKEND_FENTRY, BACKEND_TYPE(MOUNT), 0, true, .place = PROBE_PLAIN },
	{ "keep_umount", BACKEND_FENTRY, BACKEND_TYPE(UMOUNT), 0, true, .place = PROBE_PLAIN },
	{ "keep_move_mount", BACKEND_FENTRY, BACKEND_TYPE(MOVE_MOUNT), 0, true, .place = PROBE_PLAIN },
	{ "keep_pivot_root", BACKEND_FENTRY, BACKEND_TYPE(PIVOT_ROOT), 0, true, .place = PROBE_PLAIN },
	{ "keep_chroot", BACKEND_FENTRY, BACKEND_TYPE(CHROOT), 0, true, .place = PROBE_PLAIN },
	{ "keep_fsopen", BACKEND_FENTRY, BACKEND_TYPE(FSOPEN), 0, true, .place = PROBE_PLAIN },
	{ "keep_fsconfig", BACKEND_FENTRY, BACKEND_TYPE(FSCONFIG), 0, true, .place = PROBE_PLAIN },
#define END(function) { "end_" function, BACKEND_FENTRY, BACKEND_TYPE(NS_DESTROY), 0, true, .place = PROBE_PLAIN }
	END("put_ipc_ns"), END("put_mnt_ns"), END("__put_net"), END("__put_user_ns"), END("proc_free_inum"),
#undef END
	{ "enter_detach_mounts", BACKEND_FENTRY, BACKEND_TYPE(DETACH), 0, true, .place = PROBE_PLAIN },
	{ "leave_detach_mounts", BACKEND_FENTRY, BACKEND_TYPE(DETACH), 0, true, .place = PROBE_PLAIN },
	{ "note_host", BACKEND_FORK, REACHING, 0, false, .place = PROBE_RUN },
	{ "look_at_namespaces", BACKEND_FORK, BACKEND_TYPE(NS_DESTROY), 0, false, .place = PROBE_LOOK },
	{ "look_at_mounts", BACKEND_FORK, BACKEND_TYPE(DETACH), 0, false, .place = PROBE_LOOK },
	{ "note_namespace", BACKEND_FORK, BACKEND_TYPE(NS_DESTROY), 0, false, .place = PROBE_NOTE },
	{ "on_task", BACKEND_ITER, BACKEND_TYPE(PROCESS), 0, false, .place = PROBE_PLAIN },
};

const size_t probe_count = ARRAY_SIZE(probes);

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
	{ "get_fs_type", BACKEND_TYPE(FSOPEN), NSS_EV_FSOPEN | NSS_COOKIE_KEEP },
	{ "vfs_parse_fs_param", BACKEND_TYPE(FSCONFIG), NSS_EV_FSCONFIG | NSS_COOKIE_KEEP },
	{ "__detach_mounts", BACKEND_TYPE(DETACH), NSS_EV_DETACH },
	{ "put_ipc_ns", BACKEND_TYPE(NS_DESTROY), NSS_NS_IPC | NSS_COOKIE_END },
	{ "put_mnt_ns", BACKEND_TYPE(NS_DESTROY), NSS_NS_MNT | NSS_COOKIE_END },
	{ "put_pid_ns", BACKEND_TYPE(NS_DESTROY), NSS_NS_PID | NSS_COOKIE_END },
	{ "__put_net", BACKEND_TYPE(NS_DESTROY), NSS_NS_NET | NSS_COOKIE_END },
	{ "__put_user_ns", BACKEND_TYPE(NS_DESTROY), NSS_NS_USER | NSS_COOKIE_END },
	{ "proc_free_inum", BACKEND_TYPE(NS_DESTROY), NSS_COOKIE_INUM },
};
const size_t probe_function_count = ARRAY_SIZE(probe_functions);

bool probe_needed(const struct probe *probe, const struct nss_config *conf)
{
	return (probe->types & conf->types) || (probe->only & conf->only);
}
