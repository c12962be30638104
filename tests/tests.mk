# SPDX-License-Identifier: GPL-2.0-or-later
# Tests. make check needs no root; make check-root does; make check-vm brings its own machines. make asan and make fuzz
# look for what check cannot see.

FUZZ_SECONDS ?= 30
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))
WORKLOADS := $(patsubst %.c,$(B)/%,$(wildcard tests/workload/*.c))
FUZZ_OBJ := $(patsubst $(B)/%.o,$(B)/fuzz/%.o,$(PURE))
FUZZERS := decode filter
FUZZ_RUN = -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 -artifact_prefix=$(B)/fuzz/

$(B)/tests/unit/%_test: tests/unit/%_test.c $(PURE)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(PURE) -lcmocka $(DEFLATE)

check: $(UNIT_TESTS) $(B)/nsscope_5_10.bpf.o $(B)/stat.bpf.o
	$(Q)B=$(B) tests/unit/run $(UNIT_TESTS) scripts/check-layers scripts/check-atomics

# It runs in roots that are empty but for it.
$(B)/tests/workload/about: WORKLOAD_FLAGS := -static

$(B)/tests/workload/%: tests/workload/%.c | $(FETCHED)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -pthread $(WORKLOAD_FLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $<

workloads: $(WORKLOADS)

check-root: $(B)/nsscope workloads
	$(Q)/usr/bin/python3 -m pytest -q -p no:cacheprovider tests/e2e

# The same under other kernels, emulated: no root.
check-vm: $(B)/nsscope workloads
	$(Q)$(MAKE) --no-print-directory ARCH=arm64 all workloads || echo "check-vm: without arm64"
	$(Q)tests/vm/check

asan:
	$(Q)$(MAKE) --no-print-directory B=$(B)/asan SANITIZE='$(SANITIZERS)' all check

# Anything in the corpus stays there: the next run goes on from it.
fuzz: $(FUZZERS:%=$(B)/fuzz/%_fuzz)
	$(Q)mkdir -p $(B)/fuzz/corpus $(B)/fuzz/seeds $(B)/fuzz/filter-corpus
	$(Q)for mode in 0 1 2 3 7; do for f in tests/golden/*.rec; do \
		{ printf "\00$$mode"; cat "$$f"; } >$(B)/fuzz/seeds/$$mode-$${f##*/} || exit 1; done; done
	$(Q)$(B)/fuzz/decode_fuzz $(FUZZ_RUN) -max_len=40000 $(B)/fuzz/corpus $(B)/fuzz/seeds
	$(Q)$(B)/fuzz/filter_fuzz $(FUZZ_RUN) -max_len=4000 -dict=tests/fuzz/filter.dict $(B)/fuzz/filter-corpus

$(B)/fuzz/%_fuzz: $(B)/fuzz/tests/fuzz/%_fuzz.o $(FUZZ_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer $(SANITIZERS) -o $@ $^ $(DEFLATE) -lz

$(B)/fuzz/%.o: %.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu11 -D_GNU_SOURCE $(WARN) -O1 -g -fsanitize=fuzzer-no-link $(SANITIZERS) -Iuser -Ibpf \
		-MMD -MP -c -o $@ $<

-include $(UNIT_TESTS:=.d) $(WORKLOADS:=.d) $(FUZZ_OBJ:.o=.d) $(FUZZERS:%=$(B)/fuzz/tests/fuzz/%_fuzz.d)

.PHONY: check check-root check-vm workloads asan fuzz
