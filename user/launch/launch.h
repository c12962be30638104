/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a program run in new namespaces, and lets nothing of it outlive nsscope.
 *
 *	nsscope ── supervisor ── command
 *
 * The supervisor is the command's parent, a child subreaper, and looks at nsscope through a pidfd:
 * when nsscope is gone, by whatever signal, it kills the command and all that the command left,
 * then ends. The parent-death signal alone would not do: a change of credentials clears it
 * (prctl(2)).
 *
 * Order of calls: launch_begin, launch_clone, launch_release, then launch_next whenever launch_fd
 * is readable, up to an event that ends the command (launch_event_is_last), then launch_end.
 * launch_end may come at any time after launch_begin.
 */
#ifndef LAUNCH_LAUNCH_H
#define LAUNCH_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/abi.h"
#include "launch/idmap.h"
#include "launch/sandbox.h"

/* What unshare(1) has beyond the rest, done in the place of the command: see unshare_plan.h. */
struct unshare_settings {
	bool fork; /* -f */
	int kill_child; /* the signal; 0: none */
	bool forward_signals;
	bool has_owner;
	uint32_t owner_uid, owner_gid;
	unsigned long propagation; /* MS_* flags; 0: unchanged */
	bool mount_binfmt;
	const char *binfmt_dir; /* NULL: where it belongs, in a new proc */
	const char *interpreter; /* -l, for binfmt_misc's register file */
	bool has_uid, has_gid;
	uint32_t uid, gid; /* -S, -G */
	bool keep_caps;
	bool has_boottime, has_monotonic;
	int64_t boottime, monotonic; /* s */
	bool clear_env;
	const char *kept_env[64]; /* --whitelist-env: lists of names */
	size_t nkept_env;
};

struct launch_enter;

/* What to make; launch_begin takes a copy of all, by fork(2). */
struct launch_settings {
	uint64_t namespaces; /* CLONE_NEW* flags; 0: the default set, with /proc */
	bool plain; /* no sandbox: @namespaces is meant, also if it is 0, and what the command leaves stays */
	struct idmap_settings maps; /* -r and the like; imply a user namespace */
	const char *persist[NSS_NS_MAX]; /* files that namespaces are bound to, by what /proc/PID/ns calls them */
	bool mount_proc; /* --mount-proc */
	const char *proc_dir; /* where, in the new root; NULL: /proc */
	const char *root; /* chroot(2) there; see sandbox.root */
	const char *wd; /* -w: chdir(2) there, in the new root */
	char **argv; /* the command; NULL: the user's shell */
	/* Not NULL: none is made by clone(2), the command itself does all as unshare(1) does. */
	const struct unshare_settings *in_place;
	struct sandbox_settings sandbox; /* run's own options */
	struct launch_enter *enter; /* namespaces of others instead of new ones; then wd is looked up inside */
	bool announce; /* LAUNCH_READY when all is set up; the command waits for another launch_release */
};

enum launch_what {
	LAUNCH_NOTHING, /* nothing new */
	LAUNCH_READY, /* set up, and held before its exec; ns */
	LAUNCH_EXITED, /* status: wait status of the command */
	LAUNCH_STOPPED, /* status: wait status, WIFSTOPPED */
	LAUNCH_CONTINUED,
	LAUNCH_FAILED, /* a step before or of exec failed, and what was to be the command has ended */
	LAUNCH_SUPERVISOR_DIED, /* somebody killed it; the command has been killed too */
};

struct launch_event {
	enum launch_what what;
	int status;
	bool timed_out; /* LAUNCH_EXITED: the time limit ended it */
	int error; /* errno of the step */
	int act; /* of the step: enum plan_act */
	bool is_exec; /* the step was execve */
	int helper; /* exit status of a program that did the step, and told why it failed itself; 0: none */
	uint32_t ns[NSS_NS_MAX]; /* inums of the command's namespaces, as it sees them itself; 0: cannot be told */
	char stage[96]; /* what was tried, in words: "mount proc on /proc" */
	char hint[240]; /* why that may be, and what to do; or empty */
};

/* No event comes after this one: stop polling launch_fd, which may stay readable for ever. */
static inline bool launch_event_is_last(const struct launch_event *e)
{
	return e->what == LAUNCH_EXITED || e->what == LAUNCH_FAILED ||
	       e->what == LAUNCH_SUPERVISOR_DIED;
}

/*
 * The caller's shell. To be looked up here, not in the new root, whose passwd and NSS modules are the sandbox's.
 */
const char *launch_shell(void);

struct launch;
struct signalfd_siginfo;

/*
 * Starts the supervisor: as early as possible, since a fork of a small process is cheap, and
 * because the command gets the signal mask, the dispositions, the environment and the descriptors
 * that nsscope has now. So before signals are blocked, and before anything without O_CLOEXEC is
 * opened. Takes the terminal's state for launch_end. 0 or -errno; -EINVAL: not a namespace flag, or
 * an empty argv.
 */
int launch_begin(const struct launch_settings *settings, struct launch **ret_launch);

/* PID of the supervisor, whose next clone is the command; for the tracked set. */
pid_t launch_supervisor(const struct launch *l);

/*
 * Clones the command into all its namespaces at once; it is held before its first step. Once only.
 * *ret_pid: its PID here; 0: it is not there, and the LAUNCH_FAILED to come says why. 0 or -errno as of clone(2); -EPIPE: the supervisor is dead.
 */
int launch_clone(struct launch *l, pid_t *ret_pid);

/*
 * Lets the command go on: once to set itself up and exec, and once more on LAUNCH_READY. 0 or -errno; what becomes of it
 * is an event.
 */
int launch_release(struct launch *l);

/* Descriptor of the command, which stays @l's; -1: it is not there. */
int launch_pidfd(const struct launch *l);

/* Readable when launch_next has something. */
int launch_fd(const struct launch *l);

/*
 * Takes the next event without waiting; what is LAUNCH_NOTHING if there is none. Call it until
 * then. 0 or -errno.
 */
int launch_next(struct launch *l, struct launch_event *ret_event);

/*
 * Passes @sig to the command. A signal that the command, as PID 1 of its namespace, has at its
 * default action is dropped by the kernel (pid_namespaces(7)): where that action is to end or to
 * stop, SIGKILL or SIGSTOP does it, and the LAUNCH_EXITED status to come says @sig.
 * @from_terminal: see launch_signal_from_terminal; then only what the kernel dropped is done.
 * 0 or -errno; -ESRCH: no command, or it has ended.
 */
int launch_signal(struct launch *l, int sig, bool from_terminal);

/*
 * Whether the terminal sent the signal, so that the command, which is in nsscope's process group,
 * has been sent it as well and must not get it twice.
 */
bool launch_signal_from_terminal(const struct signalfd_siginfo *info);

/*
 * To be called on LAUNCH_STOPPED: stops nsscope too, for the shell to see, and returns when it is
 * continued. Does nothing if the command was continued meanwhile, or if no shell is there that
 * could continue nsscope (an orphaned process group). 0 or -errno.
 */
int launch_stop_self(struct launch *l);

/*
 * Ends the supervisor, restores the terminal, frees @l; NULL is allowed. A command that still runs
 * is killed with all its descendants first. The orphans of one that exited have been killed before that was told, but
 * those of unshare and enter are left alone, as unshare(1) and nsenter(1) leave them. The terminal's foreground group is restored if it was left to a group
 * that is no more, its modes unless the command exited by itself (as shells do it, so that stty(1)
 * works).
 */
void launch_end(struct launch *l);

#endif
