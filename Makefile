# SPDX-License-Identifier: GPL-2.0-or-later
# make: build/nsscope. All output is under build/. V=1 shows the commands.
# make ARCH=arm64 (or x86): for another architecture, build/arm64/nsscope, by clang with Debian's libraries, which are
# fetched. With a compiler or libraries of one's own: CROSS_COMPILE=aarch64-linux-gnu-, SYSROOT=DIR, or both.

.DEFAULT_GOAL := all

# Architectures are named as libbpf does.
arch = $(patsubst aarch64,arm64,$(patsubst amd64,x86,$(patsubst x86_64,x86,$(1))))
HOST_ARCH := $(call arch,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
BPF_ARCH := $(call arch,$(ARCH))
ifeq ($(wildcard vmlinux/$(BPF_ARCH)/vmlinux.h),)
$(error ARCH=$(ARCH): only $(notdir $(wildcard vmlinux/*)) are known)
endif

PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)

ifeq ($(BPF_ARCH),$(HOST_ARCH))
B ?= build
else
B ?= build/$(BPF_ARCH)
include cross.mk
endif
PKG_CONFIG ?= pkg-config

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s%s\n' '$(1)' '$(2)';)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(SANITIZE) -Iuser -Ibpf -I$(B) \
	$(shell $(PKG_CONFIG) --cflags libbpf zlib libdeflate)
# libdeflate is a part of nsscope: one library less to load at each start. DEFLATE=-ldeflate where it is there only shared.
DEFLATE ?= -Wl,-Bstatic $(shell $(PKG_CONFIG) --libs libdeflate) -Wl,-Bdynamic
LIBS = $(shell $(PKG_CONFIG) --libs 'libbpf >= 1.1' libelf zlib) $(DEFLATE)

SRC := $(wildcard user/*.c user/*/*.c)
OBJ := $(SRC:%.c=$(B)/%.o)
# What runs without root and without BPF: the unit tests and the fuzzer link it.
PURE := $(filter $(B)/user/util/% $(B)/user/event/% $(B)/user/model/% $(B)/user/view/% $(B)/user/sink/% \
	$(B)/user/source/recording.o $(B)/user/launch/plan.o $(B)/user/launch/spec.o \
	$(B)/user/launch/idmap.o $(B)/user/launch/unshare_plan.o $(B)/user/launch/persist.o \
	$(B)/user/doctor/parse.o $(B)/user/doctor/report.o,$(OBJ))

all: $(B)/nsscope

$(B)/nsscope: $(OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,--build-id -o $@ $^ $(LIBS)

$(filter $(B)/user/observe/%,$(OBJ)): $(B)/nsscope.skel.h $(B)/nsscope_5_10.skel.h $(B)/nsscope_6_18.skel.h $(B)/nscost.skel.h \
	$(B)/stat.skel.h

$(B)/%.o: %.c | $(FETCHED)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# A second time for kernels before 5.12, and a third for those from 6.18 on, see bpf/core/compat.h.
$(B)/nsscope_5_10.bpf.o: BPF_FLAGS := -DNSS_BEFORE_5_12
$(B)/nsscope_6_18.bpf.o: BPF_FLAGS := -DNSS_FROM_6_18

$(B)/nsscope.bpf.o $(B)/nsscope_5_10.bpf.o $(B)/nsscope_6_18.bpf.o: bpf/nsscope.bpf.c
$(B)/nscost.bpf.o: bpf/nscost.bpf.c
$(B)/stat.bpf.o: bpf/stat.bpf.c
# One build for all kernels, of what the oldest can.
$(B)/stat.bpf.o: BPF_FLAGS := -DNSS_BEFORE_5_12

$(B)/nsscope.bpf.o $(B)/nsscope_5_10.bpf.o $(B)/nsscope_6_18.bpf.o $(B)/nscost.bpf.o $(B)/stat.bpf.o:
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -O2 -g -Wall -Wextra -Werror \
		-Wno-unused-parameter $(BPF_FLAGS) -Ibpf -Ivmlinux/$(BPF_ARCH) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@ $<
	$(Q)llvm-strip -g $@

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@.tmp && mv $@.tmp $@

include tests/tests.mk
-include tests/bench/bench.mk

install: $(B)/nsscope
	install -D -m 755 $(B)/nsscope $(DESTDIR)$(PREFIX)/bin/nsscope
# nsscope writes its manual itself, where it can run.
ifeq ($(BPF_ARCH),$(HOST_ARCH))
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	$(B)/nsscope --man >$(DESTDIR)$(PREFIX)/share/man/man1/nsscope.1
endif

# What was fetched stays: kernels and the disk of check-vm, the libraries for another architecture.
clean:
	$(Q)[ ! -d $(B) ] || find $(B) -mindepth 1 -maxdepth 1 ! -name vm ! -name arm64 ! -name sysroot -exec rm -rf {} +

-include $(OBJ:.o=.d) $(B)/nsscope.bpf.d $(B)/nsscope_5_10.bpf.d $(B)/nsscope_6_18.bpf.d $(B)/nscost.bpf.d \
	$(B)/stat.bpf.d

.DELETE_ON_ERROR:
.PHONY: all install clean
