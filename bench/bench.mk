# SPDX-License-Identifier: GPL-2.0-only
# `make bench`, included by the top Makefile.

BENCH := $(O)/bench/blkcopy-bench

MAKE_BENCH = $(Q)$(MAKE) $(QUIET) -C $(ROOT)/bench O=$(O)/bench QEMU=$(O)/qemu SELFTESTS=$(SELFTESTS) \
	OPTFLAGS=-O1 V=$(V) -j$(J)

bench-tools: harness selftests
	$(MAKE_BENCH) all

bench-kernel: bench-tools modules
	$(MAKE_BENCH) $(O)/bench/bench-kernel

known-bench: harness
	$(MAKE_BENCH) $(BENCH)
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
	@$(MAKE) $(QUIET) harness
	$(MAKE_BENCH) $(BENCH)
	@$(BENCH) compare '$(A)' '$(B)'

.PHONY: known-bench bench bench-kernel bench-tools bench-smoke bench-compare
