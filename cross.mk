# SPDX-License-Identifier: GPL-2.0-or-later
# Building for BPF_ARCH on a machine of another architecture: sets CC, PKG_CONFIG, and where the libraries come from.

TRIPLE := $(patsubst x86%,x86_64%,$(patsubst arm64%,aarch64%,$(BPF_ARCH)-linux-gnu))

# Debian's packages, where no other compiler or libraries are named. (clang links GCC's libgcc; Debian 12 has GCC 12.)
ifeq ($(CROSS_COMPILE)$(SYSROOT)$(filter-out default,$(origin CC)),)
SYSROOT := build/$(BPF_ARCH)/sysroot
FETCHED := $(SYSROOT)/.fetched
SYSROOT_PACKAGES := libbpf-dev libbpf1 libelf-dev libelf1 zlib1g-dev zlib1g libdeflate-dev uthash-dev \
	libc6-dev libc6 linux-libc-dev libgcc-12-dev libgcc-s1

$(FETCHED):
	$(call say,FETCH,$(@D))
	$(Q)scripts/unpack-debian $(patsubst x86,amd64,$(BPF_ARCH)) $(@D) $(SYSROOT_PACKAGES)
	$(Q)touch $@
endif

ifeq ($(origin CC),default)
ifneq ($(CROSS_COMPILE),)
CC := $(CROSS_COMPILE)gcc $(if $(SYSROOT),--sysroot=$(SYSROOT))
else
# One clang compiles for all; lld links for all.
CC := $(CLANG) --target=$(TRIPLE) --sysroot=$(SYSROOT) -fuse-ld=lld -Wno-unused-command-line-argument
endif
endif

# A SYSROOT laid out as Debian's is, or without a directory for each architecture.
ifneq ($(SYSROOT),)
PKG_CONFIG ?= PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_PATH= \
	PKG_CONFIG_LIBDIR=$(subst $() ,:,$(patsubst %,$(SYSROOT)/usr/%/pkgconfig,lib/$(TRIPLE) lib share)) \
	pkg-config
else
PKG_CONFIG ?= $(CROSS_COMPILE)pkg-config
endif
