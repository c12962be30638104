/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/backends.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "observe/host.h"
#include "observe/kernel_btf.h"
#include "util/cleanup.h"

#define RAW_TP_NEEDS "Linux 5.8 with CONFIG_DEBUG_INFO_BTF; CAP_BPF and CAP_PERFMON"

const struct backend backends[BACKENDS_MAX] = {
	[BACKEND_FORK] = { "fork", "raw_tp", "raw_tp/task_newtask", RAW_TP_NEEDS, "nothing but its events", NULL,
			   BACKEND_TYPE(FORK) | BACKEND_TYPE(NS_CREATE) },
	[BACKEND_EXEC] = { "exec", "raw_tp", "raw_tp/sched_process_exec", RAW_TP_NEEDS, "nothing but its events",
			   "exec calls that fail", BACKEND_TYPE(EXEC) },
	[BACKEND_EXIT] = { "exit", "raw_tp", "raw_tp/sched_process_exit", RAW_TP_NEEDS, "nothing but its events", NULL,
			   BACKEND_TYPE(EXIT) },
	[BACKEND_KPROBE] = { "calls", "kprobe", "kprobe.multi on each call",
			     "Linux 5.18 (arm64: 6.14) with CONFIG_FPROBE, and no policy that refuses it",
			     "nothing but its events", NULL, BACKEND_CALLS },
	[BACKEND_FENTRY] = { "calls", "fentry", "fentry+fexit of each call",
			     "Linux 5.10 (arm64: 6.4) with ftrace direct calls, and no policy that refuses it",
			     "nothing but its events; a process stays for up to 0.1 s for each of some 40 functions, to let "
			     "go of it", NULL,
			     BACKEND_CALLS },
	[BACKEND_TRACEPOINT] = { "calls", "tracepoint", "raw_tp/sys_enter+sys_exit",
				 RAW_TP_NEEDS ", CONFIG_HAVE_SYSCALL_TRACEPOINTS",
				 "some 50 to 140 ns in every system call of every process",
				 "what the kernel made of the arguments: they are as the caller had them at the end of the "
				 "call, paths as they were given",
				 BACKEND_CALLS },
	[BACKEND_ITER] = { "processes", "iter", "iter/task", RAW_TP_NEEDS, "one read of all processes at the start", NULL,
			   BACKEND_TYPE(PROCESS) },
	[BACKEND_PROC] = { "processes", "proc", "/proc", "/proc mounted", "some file reads a process at the start",
			   "PIDs of ancestors' namespaces; namespaces of processes that may not be traced",
			   BACKEND_TYPE(PROCESS) },
};

bool backend_is_choice(const char *name)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		if (backends[i].types == BACKEND_CALLS && !strcmp(name, backends[i].name))
			return true;
	return false;
}

bool kernel_has_atomics(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 0, .off = -8 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_W, .dst_reg = 10, .src_reg = 0, .off = -8, .imm = BPF_XCHG },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "xchg", "GPL", insns, ARRAY_SIZE(insns), NULL);

	return fd >= 0 || errno != EINVAL;
}

static bool kernel_is_before(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned has_major, has_minor;

	if (uname(&u) || sscanf(u.release, "%u.%u", &has_major, &has_minor) != 2)
		return true;
	return has_major < major || (has_major == major && has_minor < minor);
}

bool kernel_may_read_memory(void)
{
	return !kernel_is_before(6, 18);
}

uint32_t kernel_rdonly_cast(struct kernel_btf *btf)
{
	uint32_t cast = kernel_may_read_memory() ? kernel_btf_kfunc(btf, "bpf_rdonly_cast") : 0;
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2 },
		{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL },
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_0, .off = 8 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_close_ int fd = -1;

	if (!cast)
		return 0;
	insns[2].imm = (int)cast;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "cast", "GPL", insns, ARRAY_SIZE(insns), NULL);
	return fd < 0 ? 0 : cast;
}

bool kernel_preempts_tracepoints(void)
{
	return !kernel_is_before(7, 0);
}

bool kernel_may_hang_in_pid_ns(void)
{
	return kernel_is_before(6, 9);
}

int kernel_try_ring_buffer(void)
{
	/* Small, so that memory is not what fails; a power of two and a multiple of all page sizes. */
	_close_ int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "trial", 0, 0, 65536, NULL);

	return fd < 0 ? -errno : 0;
}

/* Loads "return 0" of @type for the BTF type @id: a file descriptor or -errno. */
static int load_nothing(enum bpf_attach_type type, uint32_t id)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type, .attach_btf_id = id);
	enum bpf_prog_type program = type == BPF_TRACE_KPROBE_MULTI ? BPF_PROG_TYPE_KPROBE : BPF_PROG_TYPE_TRACING;
	int fd = bpf_prog_load(program, "nothing", "GPL", insns, ARRAY_SIZE(insns), &opts);

	return fd < 0 ? -errno : fd;
}

/* Attaches an empty program to the function @name by kprobe.multi: 0 or -errno. */
static int try_kprobe(const char *name)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = &name, .kprobe_multi.cnt = 1);
	_close_ int program = load_nothing(BPF_TRACE_KPROBE_MULTI, 0);
	_close_ int link = program < 0 ? program : bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &opts);

	return link < 0 ? (program < 0 ? program : -errno) : 0;
}

/* An empty program of the backend's kind: where it is attached by way of trial. */
static const struct trial {
	enum bpf_attach_type type;
	uint32_t kind; /* of BTF type */
	const char *name;
} trials[BACKENDS_MAX] = {
	[BACKEND_FORK] = { BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF, "btf_trace_task_newtask" },
	[BACKEND_EXEC] = { BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF, "btf_trace_sched_process_exec" },
	[BACKEND_EXIT] = { BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF, "btf_trace_sched_process_exit" },
	/* A function made for trials: never called. */
	[BACKEND_KPROBE] = { BPF_TRACE_KPROBE_MULTI, BTF_KIND_FUNC, "bpf_fentry_test1" },
	[BACKEND_FENTRY] = { BPF_TRACE_FENTRY, BTF_KIND_FUNC, "bpf_fentry_test1" },
	[BACKEND_TRACEPOINT] = { BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF, "btf_trace_sys_exit" },
	[BACKEND_ITER] = { BPF_TRACE_ITER, BTF_KIND_FUNC, "bpf_iter_task" },
};

static int try_to_attach(const struct trial *t)
{
	_close_ int program = -1, link = -1;
	struct kernel_btf_name name = { t->name, t->kind, 0 };
	struct kernel_btf *btf;
	int err = kernel_btf_open(&btf);

	if (err)
		return err;
	err = kernel_btf_find(btf, &name, 1);
	kernel_btf_free(btf);
	if (err || !name.id)
		return err ? err : -ENOENT;
	program = load_nothing(t->type, name.id);
	if (program < 0)
		return program;
	if (t->type == BPF_TRACE_ITER)
		link = bpf_link_create(program, 0, BPF_TRACE_ITER, NULL);
	else
		link = bpf_raw_tracepoint_open(NULL, program);
	return link < 0 ? -errno : 0;
}

int backend_try(enum backend_id id)
{
	static struct {
		bool tried;
		int err;
	} known[BACKENDS_MAX];

	if (!known[id].tried) {
		known[id].tried = true;
		if (id == BACKEND_PROC)
			known[id].err = access("/proc/self/ns/pid", R_OK) ? -errno : 0;
		else if (id == BACKEND_KPROBE)
			known[id].err = try_kprobe(trials[id].name);
		else
			known[id].err = try_to_attach(&trials[id]);
	}
	return known[id].err;
}

int backend_glance(enum backend_id id)
{
	/* No function has this name: ESRCH (ENOENT) is "not this one", anything else "none". */
	int err = id == BACKEND_KPROBE ? try_kprobe("nsscope/nothing") : 0;
	/* No function has the type number 1: so is EINVAL. */
	_close_ int fd = trials[id].name && id != BACKEND_KPROBE ? load_nothing(trials[id].type, 1) : -EINVAL;

	if (err && err != -ESRCH && err != -ENOENT)
		return err;
	return fd < 0 && fd != -EINVAL ? fd : 0;
}

bool calls_may_work(enum backend_id id)
{
	struct host host;

	if (id == BACKEND_TRACEPOINT)
		return true;
	if (kernel_may_hang_in_pid_ns() && (host_read(&host) || host.pid_ns != NSS_PID_NS_INITIAL))
		return false;
	return !backend_glance(id);
}
