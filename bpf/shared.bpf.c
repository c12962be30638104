/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 6.18 on: programs of several tracepoints. A link's cookie, an enum nss_hook, says which; what they share is verified
 * once.
 */
#ifdef NSS_FROM_6_18

/* What processes do, but for system calls that reach further; those come here by a tail call from on_call. */
SEC("raw_tp")
int on_process(unsigned long long *ctx)
{
	REENTRANT(on_newtask);
	/* Most is none of ours, and that is soon seen: what does it is this task. */
	if (conf.only == NSS_ONLY_TRACKED && !is_followed(current_task()) && !cloner)
		return 0;
	switch (bpf_get_attach_cookie(ctx)) {
	case NSS_HOOK_NEWTASK:
		return on_newtask(ctx);
	case NSS_HOOK_EXEC:
		return on_exec(ctx);
	case NSS_HOOK_EXIT:
		return on_exit(ctx);
	}
	return conf.keeps || !tells_calls() ? 0 : end_other_call(ctx);
}

/* Begin and end of all system calls. Nearly all end in call_event(), so there is nothing ahead of it. */
SEC("raw_tp")
int on_call(unsigned long long *ctx)
{
	__u64 regs = ctx[0];
	__u32 event = call_event(call_nr(GIVEN((const struct pt_regs *)regs)));

	if (event == NSS_EV_MAX)
		return 0;
	if (bpf_get_attach_cookie(ctx) == NSS_HOOK_SYS_ENTER)
		return call_begins(event, regs);
	return call_is_over(ctx, event, regs);
}

#endif
