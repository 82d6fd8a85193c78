// SPDX-License-Identifier: GPL-2.0-only
#include "shapes.h"

#include "say.h"

#include <algorithm>

namespace bench {

std::vector<Shape> shapes(bool smoke) {
    if (smoke)
        return {{1, 64 << 10}, {1, 2 << 20}, {127, 4 << 10}};
    std::vector<Shape> all;
    for (uint64_t kib : {4, 16, 64, 256, 1024, 2048, 8192, 65536})
        all.push_back({1, kib << 10});
    for (uint64_t kib : {4, 64, 1024})
        all.push_back({16, kib << 10});
    for (uint64_t kib : {4, 16, 64})
        all.push_back({127, kib << 10});
    return all;
}

std::vector<MethodKind> Plan::kinds() const {
    if (methods.empty())
        return method_kinds();
    std::vector<MethodKind> wanted;
    for (const MethodKind &kind : method_kinds())
        if (std::find(methods.begin(), methods.end(), kind.name) != methods.end())
            wanted.push_back(kind);
    return wanted;
}

void Plan::announce() const {
    say({{"bench", "plan"}, {"rows", shapes.size() * kinds().size()}});
}

} // namespace bench
