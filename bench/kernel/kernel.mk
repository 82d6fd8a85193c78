# SPDX-License-Identifier: GPL-2.0-only
# bench-kernel, which runs in the guest: included by ../Makefile. Not in `all`: it takes modules.

KERNEL_SIDE := $(wildcard kernel/*.cc)
# What it shares with bench-guest.
SHARED := $(addprefix guest/,device.cc golden.cc meter.cc pattern.cc queue.cc ring.cc)

$(O)/bench-kernel: $(KERNEL_SIDE:%.cc=$(O)/%.o) $(SHARED:%.cc=$(O)/%.o) $(LIBRARY)
	$(CXX) -static -pthread $(LDFLAGS) $^ -luring -o $@

$(O)/kernel/%.o: kernel/%.cc $(RULES)
	@mkdir -p $(@D)
	$(CXX) -O2 $(CXXFLAGS_ALL) -Iguest -I../selftests/block_copy -c $< -o $@

-include $(wildcard $(O)/kernel/*.d)
