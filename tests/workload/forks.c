/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forks MODE: ways to make, change and end a process. "self" is the program that the exec modes execute. */
#include <linux/sched.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "witness.h"

static const char *me;

static int clone3_with(uint64_t flags, int exit_signal)
{
	struct clone_args args = { .flags = flags, .exit_signal = exit_signal };

	return syscall(SYS_clone3, &args, sizeof(args));
}

/* The child ends without a word of its own where it shares memory with the parent. */
static void made(const char *how, pid_t pid)
{
	if (pid < 0)
		err(99, "%s", how);
	say("{\"at\":\"made\",\"how\":\"%s\",\"pid\":%d}\n", how, pid);
	reap(pid, "wait");
}

static int clone_fn(void *how)
{
	(void)how;
	return 0;
}

static void fork_flags(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid;

	pid = vfork();
	if (!pid)
		_exit(0);
	made("CLONE_VFORK CLONE_VM", pid);
	pid = child(0);
	if (!pid)
		_exit(0);
	made("", pid);
	pid = clone3_with(CLONE_NEWTIME | CLONE_NEWUTS, SIGCHLD);
	if (!pid)
		_exit(0);
	made("CLONE_NEWTIME CLONE_NEWUTS", pid);
	pid = clone3_with(CLONE_CLEAR_SIGHAND, SIGCHLD);
	if (!pid)
		_exit(0);
	made("CLONE_CLEAR_SIGHAND", pid);
	pid = clone3_with(CLONE_FS | CLONE_SYSVSEM, 0);
	if (!pid)
		_exit(0);
	made("CLONE_FS CLONE_SYSVSEM", pid);
	pid = clone(clone_fn, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGUSR1, NULL);
	made("CLONE_FILES CLONE_VM", pid);
}

static void *idle(void *unused)
{
	return unused;
}

static void threads(void)
{
	pthread_t t;

	for (int i = 0; i < 50; i++) {
		if (pthread_create(&t, NULL, idle, NULL) || pthread_join(t, NULL))
			errx(99, "pthread");
	}
	say("{\"at\":\"threads\",\"count\":50}\n");
}

static void *exec_in_thread(void *unused)
{
	report("thread");
	execl(me, "forks", "self", "from a thread", NULL);
	_exit(99);
	return unused;
}

static void exec_by_thread(void)
{
	pthread_t t;

	report("leader");
	pthread_create(&t, NULL, exec_in_thread, NULL);
	for (;;)
		pause();
}

static pthread_t leader;

static void *outlive(void *unused)
{
	char state[512];

	pthread_join(leader, NULL);
	do /* until the kernel is done with it, too */
		proc_list("self/status", "\nState:", state, sizeof(state));
	while (*state != 'Z');
	report("survivor");
	_exit(5);
	return unused;
}

static void leader_first(void)
{
	pid_t pid = fork(); /* the library's, so that its thread can be joined */
	pthread_t t;

	if (!pid) {
		leader = pthread_self();
		pthread_create(&t, NULL, outlive, NULL);
		pthread_exit(NULL);
	}
	reap(pid, "wait");
}

static void exits(void)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1, SIGALRM, 34 /* RTMIN */, 64 };
	static const int codes[] = { 0, 1, 3, 127, 255 };
	volatile int *volatile nowhere = NULL;
	pid_t pid;

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		pid = child(0);
		if (!pid)
			_exit(codes[i]);
		reap(pid, "exit");
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		pid = child(0);
		if (!pid) {
			signal(signals[i], SIG_DFL);
			syscall(SYS_kill, syscall(SYS_getpid), signals[i]);
			_exit(99);
		}
		reap(pid, "exit");
	}
	pid = child(0);
	if (!pid) {
		*nowhere = 1;
		_exit(99);
	}
	reap(pid, "exit");
}

static void by_execveat(void)
{
	char *argv[] = { "of an fd", "self", "x", NULL };
	int fd = open(me, O_PATH | O_CLOEXEC);

	execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	err(99, "execveat");
}

static void no_args(void)
{
	char *argv[] = { NULL };

	execve(me, argv, environ);
	err(99, "execve");
}

static void failed_exec(void)
{
	execl("/nonexistent", "x", NULL);
	execl("/etc/passwd", "x", NULL);
}

static void script(void)
{
	execl("./script", "shown as", "an argument", NULL);
	err(99, "script");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "flags", fork_flags },	 { "threads", threads },   { "exec-by-thread", exec_by_thread },
		{ "leader-first", leader_first }, { "exits", exits },	   { "execveat", by_execveat },
		{ "no-args", no_args },		 { "failed-exec", failed_exec }, { "script", script },
	};

	me = realpath("/proc/self/exe", NULL);
	if (argc < 2 || !strcmp(argv[1], "self")) {
		report("self");
		say("{\"at\":\"execfn\",\"name\":\"%s\",\"argc\":%d}\n", (char *)getauxval(AT_EXECFN), argc);
		return 0;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (!strcmp(argv[1], modes[i].name)) {
			modes[i].run();
			return 0;
		}
	}
	return 99;
}
