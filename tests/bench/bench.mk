# SPDX-License-Identifier: GPL-2.0-or-later
# make bench: what nsscope costs, beside what else there is (scripts/bootstrap bench installs that), in some five minutes.
# make bench-quick: the same in one, more roughly. make bench-long: a storm of 60 s and a run of 1,000,000 processes.
# BENCH="SECTION..." narrows each.

$(B)/bench/tiny $(B)/bench/when: $(B)/bench/%: tests/bench/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fno-stack-protector -nostdlib -static -o $@ $<

$(B)/bench/load: tests/bench/load.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $<

$(B)/bench/floor.bpf.o: tests/bench/floor.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Ivmlinux/$(BPF_ARCH) -c -o $@ $<
	$(Q)llvm-strip -g $@

$(B)/bench/floor.skel.h: $(B)/bench/floor.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name floor_bpf >$@.tmp && mv $@.tmp $@

$(B)/bench/floor: tests/bench/floor.c $(B)/bench/floor.skel.h
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(LIBS)

bench-tools: $(B)/nsscope $(B)/bench/tiny $(B)/bench/when $(B)/bench/load $(B)/bench/floor

bench bench-quick bench-long: bench-tools
	$(Q)tests/bench/bench --build $(B) --mode $(or $(patsubst bench-%,%,$(filter bench-%,$@)),usual) $(BENCH)

# Under an emulated machine whose clock counts instructions: exact, and with backends that this kernel may not have.
bench-vm: $(B)/nsscope $(B)/bench/tiny $(B)/bench/load workloads
	$(Q)for kernel in 6.1 6.12 7; do scripts/run-vm --count $$kernel tests/bench/untraced || exit 1; done

.PHONY: bench bench-quick bench-long bench-tools bench-vm
