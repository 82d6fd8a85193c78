# SPDX-License-Identifier: GPL-2.0-only
# `make demo`, included by the top Makefile. DEMO= takes more options, for example
# DEMO=--json or DEMO='--spoil offloaded', which damages one byte and has to fail.

DEMO ?=

demo: kernel harness tools
	@$(VM) demo --kernel $(KERNEL)/bzImage --flavour $(FLAVOUR) $(DEMO)

.PHONY: demo
