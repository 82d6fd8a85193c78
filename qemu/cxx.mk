# SPDX-License-Identifier: GPL-2.0-only
#
# How the harness is compiled, and other programs that boot machines, whose folders are beside it: objects in
# $(O)/obj, for the unit tests in $(O)/san. INCLUDES names more places for headers, DEFINES is what some of the
# objects are given.

CXX ?= g++
OPTFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual \
	-Werror
CXXFLAGS_ALL = -std=c++20 -pthread $(WARNINGS) -I. $(INCLUDES) -I../tools -MMD -MP -DFMT_HEADER_ONLY $(DEFINES) \
	$(CXXFLAGS)
# Sanitizers make g++ 12 see uninitialised members inside libstdc++'s <regex>, which are none.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -O0 -g1 -D_GLIBCXX_ASSERTIONS \
	-Wno-maybe-uninitialized
# All objects depend on these.
RULES := $(MAKEFILE_LIST)

$(O)/obj/%.o: %.cc $(RULES)
	@mkdir -p $(@D)
	$(CXX) $(OPTFLAGS) $(CXXFLAGS_ALL) -c $< -o $@

$(O)/san/%.o: %.cc $(RULES)
	@mkdir -p $(@D)
	$(CXX) $(SANITIZE) $(CXXFLAGS_ALL) -c $< -o $@
