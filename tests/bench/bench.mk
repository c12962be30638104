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

.PHONY: bench
