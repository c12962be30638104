# SPDX-License-Identifier: GPL-2.0-or-later
# make bench: what nsscope costs, against the targets of the design. BENCH="-r ROUNDS SECTION..." narrows it.

$(B)/bench/tiny: tests/bench/tiny.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fno-stack-protector -nostdlib -static -o $@ $<

$(B)/bench/load: tests/bench/load.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $<

bench: $(B)/nsscope $(B)/bench/tiny $(B)/bench/load
	$(Q)tests/bench/bench --build $(B) $(BENCH)

# Under an emulated machine whose clock counts instructions: exact, and with backends that this kernel may not have.
bench-vm: $(B)/nsscope $(B)/bench/tiny $(B)/bench/load workloads
	$(Q)for kernel in 6.1 6.12 7; do scripts/run-vm --count $$kernel tests/bench/untraced || exit 1; done

.PHONY: bench bench-vm
