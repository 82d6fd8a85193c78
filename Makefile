# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists what there is to do. Everything that is made is in build/.

FLAVOUR ?= plain
FILTER ?=
ONLY ?=
V ?= 0
J ?= $(shell nproc)
TREE ?= patches

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
O := $(ROOT)/build
KERNEL := $(O)/kernel/$(FLAVOUR)
SELFTESTS := $(O)/selftests/block_copy
VM := $(O)/qemu/blkcopy-vm
Q := $(if $(filter 1,$(V)),,@)
QUIET := $(if $(filter 1,$(V)),,--no-print-directory -s)

export PYTHONPYCACHEPREFIX := $(O)/pycache

# C++ objects are kept where those of the kernels are, and found again from any clone.
ifneq ($(shell command -v ccache),)
ifeq ($(origin CXX),default)
export CXX := ccache g++
export CCACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/blkcopy/ccache
export CCACHE_BASEDIR := $(ROOT)
export CCACHE_NOHASHDIR := 1
endif
endif

.DEFAULT_GOAL := help
# Each is parallel itself, and what was asked for is looked at before anything long is built.
.NOTPARALLEL:

help:
	@echo 'Block-layer copy offload for Linux: patches, and a kit that proves them.'
	@echo
	@echo 'See it work'
	@echo '  demo       copy a file system inside an emulated NVMe drive, with proof'
	@echo '  test       all tests; FILTER=TEXT machines and tests named so, FLAVOUR=debug'
	@echo '             under KASAN and lockdep, FLAVOUR=all both'
	@echo '  test-full  the same, and the long form of tests that have a short one'
	@echo '  shell      a shell in a guest: MACHINE=default'
	@echo '  list       the machines and the tests that run on each'
	@echo '  bench      what a copy costs; bench-smoke in short; bench-compare A=old B=new'
	@echo
	@echo 'Use the series'
	@echo '  apply      git am the series onto your kernel tree: KDIR=~/linux. With that,'
	@echo '             kernel, test, demo, shell and bench are about its kernel'
	@echo '  tools      blkcopy(8), in build/tools/blkcopy'
	@echo '  fio-engine an engine for fio that copies (bench/fio/README.md)'
	@echo '  kmod       modules for tests (kmod/README.md); KDIR=DIR: for a built tree'
	@echo
	@echo 'Change the series (build/linux-6.12 is a git tree, branch copy-offload)'
	@echo '  tree       make that tree from Debian'\''s source and patches/'
	@echo '  kernel     build a kernel: FLAVOUR=plain|debug|unpatched|mutants; TREE=work'
	@echo '             builds build/linux-6.12 as it is instead of patches/'
	@echo '  refresh    export the tree'\''s commits to patches/'
	@echo '  check      style, checkpatch; W=1, sparse per patch; arm64, clang... for all'
	@echo '  check-bisect    build, boot and test the kernel of each patch; ONLY=3-5 some'
	@echo '  test-mutations  break the rules of copies, one at a time: tests must fail;'
	@echo '             FILTER=3,14 some rules, FILTER=slow/signals what a program notices'
	@echo '  test-unpatched  ordinary I/O: what passes without the series has to with it'
	@echo
	@echo 'The rest'
	@echo '  setup      install the Debian packages that are missing'
	@echo '  clean      remove build/, except the kernel trees; distclean: those too'
	@echo
	@echo 'V=1 shows commands and output, J=N sets the number of jobs ($(J)).'
	@echo 'Exit codes: 0 passed, 1 failed, 2 usage, 3 machine or host failed, 4 skipped.'

setup:
	@$(ROOT)/scripts/setup.sh

# A kernel tree of the user's, which has the series.
OWN = $(if $(KDIR),--kdir '$(KDIR)')

# What every other target calls first: silent when nothing is missing.
packages:
	@$(ROOT)/scripts/setup.sh --quiet

kernel: packages
	@$(ROOT)/scripts/kernel build --flavour $(FLAVOUR) --jobs $(J) \
		$(if $(filter 1,$(V)),--verbose) --tree '$(TREE)' $(OWN)

tree: packages
	@$(ROOT)/scripts/kernel tree

refresh: packages
	@$(ROOT)/scripts/kernel refresh

# Needs git and python3 only, so it works on any distribution.
apply:
	@test -n '$(KDIR)' || { echo 'make apply KDIR=~/linux: which kernel tree?' >&2; exit 2; }
	@$(ROOT)/scripts/kernel apply '$(KDIR)'

harness: packages
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/qemu O=$(O)/qemu OPTFLAGS=-O1 V=$(V) -j$(J)

tools: packages
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/tools/blkcopy O=$(O)/tools/blkcopy V=$(V) -j$(J) all

# For the kernel that guests run; with KDIR, that is one of a tree that nothing was built in.
modules: kernel
	@$(ROOT)/scripts/kernel modules --flavour $(FLAVOUR) --jobs $(J) \
		$(if $(filter 1,$(V)),--verbose)

# Here KDIR is a tree that was built, for a kernel that runs somewhere else.
kmod: $(if $(KDIR),packages,modules)
	$(if $(KDIR),@$(ROOT)/scripts/kernel modules $(OWN) --jobs $(J) \
		$(if $(filter 1,$(V)),--verbose))

# The programs are the same for every flavour: the interface is. With them, other tests that run in a guest.
selftests: kernel
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/selftests/block_copy OUTPUT=$(SELFTESTS) KSFT=$(KERNEL)/kselftest \
		KHDR_INCLUDES='-isystem $(KERNEL)/headers/include' -j$(J)
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/tools/blkcopy O=$(O)/tools/blkcopy SELFTESTS=$(SELFTESTS) V=$(V) -j$(J) guest
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/bench/fio O=$(O)/bench/fio SELFTESTS=$(SELFTESTS) V=$(V) -j$(J) guest

fio-engine: packages
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/bench/fio O=$(O)/bench/fio V=$(V) -j$(J) all

# Those of docs/; their modules are among those of kmod.
examples: selftests
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/docs/examples O=$(O)/examples SELFTESTS=$(SELFTESTS) \
		KSFT=$(KERNEL)/kselftest KHDR_INCLUDES='-isystem $(KERNEL)/headers/include' -j$(J)

test: packages
	@$(ROOT)/scripts/run-tests --flavour '$(FLAVOUR)' --filter '$(FILTER)' --jobs $(J) \
		$(if $(filter 1,$(V)),--verbose) $(OWN)

test-full: packages
	@$(ROOT)/scripts/run-tests --flavour '$(FLAVOUR)' --filter '$(FILTER)' --jobs $(J) --full \
		$(if $(filter 1,$(V)),--verbose) $(OWN)

list: harness
	@$(VM) list

MACHINE ?= default
known-machine: harness
	@$(VM) list --filter '$(MACHINE)/*' >/dev/null

shell: known-machine kernel modules tools selftests
	@$(VM) shell --flavour $(FLAVOUR) --machine '$(MACHINE)'

# MINUTES=10: begin nothing long after that, and say what is left out.
check: packages
	@SETUP_PACKAGES='$(ROOT)/scripts/packages-check.txt' $(ROOT)/scripts/setup.sh --quiet
	@$(ROOT)/scripts/kernel check --jobs $(J) $(if $(MINUTES),--minutes '$(MINUTES)')

check-bisect: packages
	@$(ROOT)/scripts/kernel bisect --jobs $(J) --only '$(ONLY)' $(if $(filter 1,$(V)),--verbose)

test-mutations: packages
	@$(ROOT)/scripts/mutation-test --filter '$(FILTER)' --jobs $(J) \
		$(if $(filter 1,$(V)),--verbose)

test-unpatched: packages
	@$(ROOT)/scripts/compare-unpatched --jobs $(J) $(if $(filter 1,$(V)),--verbose)

clean:
	$(Q)cd $(ROOT) && for each in build/*; do case $$each in \
		build/linux-* | build/series-*) ;; *) rm -rf "$$each" ;; esac; done

distclean:
	$(Q)rm -rf $(O)

.PHONY: help setup packages kernel tree refresh apply harness tools modules kmod selftests fio-engine \
	examples test test-full list known-machine shell check check-bisect test-mutations test-unpatched clean distclean

include $(wildcard $(ROOT)/qemu/demo/demo.mk $(ROOT)/bench/bench.mk)
