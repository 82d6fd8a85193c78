# SPDX-License-Identifier: GPL-2.0-only
# `make bench`, included by the top Makefile.

BENCH := $(O)/bench/blkcopy-bench

bench-tools: harness
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/bench O=$(O)/bench QEMU=$(O)/qemu OPTFLAGS=-O1 V=$(V) -j$(J) all

bench-kernel: bench-tools selftests modules
	$(Q)$(MAKE) $(QUIET) -C $(ROOT)/bench O=$(O)/bench SELFTESTS=$(SELFTESTS) V=$(V) -j$(J) $(O)/bench/bench-kernel

known-bench: bench-tools
	@$(BENCH) list --filter '$(FILTER)' >/dev/null

# Without FILTER a second kernel, built without the series: what reads and writes cost there. It is
# Debian's also where the first one is of a tree of the user's, which has the series.
bench: known-bench kernel bench-kernel
	@test -n '$(FILTER)' || $(MAKE) $(QUIET) kernel FLAVOUR=unpatched KDIR=
	@$(BENCH) run --filter '$(FILTER)' \
		--series "$$(git -C '$(or $(KDIR),$(ROOT))' rev-parse --short HEAD 2>/dev/null)"

bench-smoke: kernel bench-tools
	@$(BENCH) run --filter smoke --output $(O)/bench/smoke

bench-compare:
	@test -f '$(A)' -a -f '$(B)' || { echo 'make bench-compare A=before.json B=after.json:' \
		'which two results files?' >&2; exit 2; }
	@$(MAKE) $(QUIET) bench-tools
	@$(BENCH) compare '$(A)' '$(B)'

.PHONY: known-bench bench bench-kernel bench-tools bench-smoke bench-compare
