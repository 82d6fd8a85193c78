// SPDX-License-Identifier: GPL-2.0-only
#include "golden.h"

#include "fd.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <random>
#include <sys/stat.h>

namespace kit {

static constexpr size_t kMaxSources = 300; // more than a command takes on any machine

uint64_t GoldenCopy::length() const {
    uint64_t sum = 0;

    for (const GoldenExtent &source : sources)
        sum += source.length;
    return sum;
}

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length) {
    return a < b + b_length && b < a + a_length;
}

static uint64_t pick(std::mt19937_64 &random, uint64_t low, uint64_t high) {
    return low + random() % (high - low + 1);
}

// A random place for `length` blocks that does not touch the destination.
static uint64_t pick_clear(std::mt19937_64 &random, uint64_t blocks, uint64_t length,
                           uint64_t destination, uint64_t total) {
    // The destination takes a quarter at most, so this ends soon.
    for (;;) {
        uint64_t at = pick(random, 0, blocks - length);
        if (!overlap(at, length, destination, total))
            return at;
    }
}

// All in blocks until the end.
static GoldenCopy make_copy(const GoldenPlan &plan, std::mt19937_64 &random) {
    uint64_t blocks = plan.bytes / plan.block;
    // Mostly a few sources, sometimes one, rarely very many.
    uint64_t shape = pick(random, 0, 9);
    uint64_t count = shape < 3   ? 1
                     : shape < 9 ? pick(random, 2, 12)
                                 : pick(random, 13, kMaxSources);
    uint64_t longest = std::max<uint64_t>(1, count > 12 ? plan.max_extent / 8 : plan.max_extent);
    // Room for a source beside any destination has to be left.
    longest = std::min(longest, blocks / 8);
    uint64_t arrangement = pick(random, 0, 3);
    std::vector<uint64_t> lengths;
    uint64_t total = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t length = pick(random, 0, 4) ? pick(random, 1, longest) : longest;
        if (arrangement == 3 && i % 3 == 2)
            length = lengths[0];
        if (!lengths.empty() && total + length > blocks / 4)
            break;
        lengths.push_back(length);
        total += length;
    }

    GoldenCopy copy;
    uint64_t destination = pick(random, 0, blocks - total);
    auto place = [&](uint64_t length) {
        return pick_clear(random, blocks, length, destination, total);
    };
    uint64_t run = place(total); // for the arrangements without gaps
    if (arrangement == 2)
        run += total;
    for (size_t i = 0; i < lengths.size(); i++) {
        uint64_t at = 0;
        switch (arrangement) {
        case 0: // scattered
            at = place(lengths[i]);
            break;
        case 1: // adjacent
            at = run;
            run += lengths[i];
            break;
        case 2: // adjacent, backwards
            run -= lengths[i];
            at = run;
            break;
        default: // the same one again and again, and others between
            at = i % 3 == 2 ? copy.sources.front().offset / plan.block : place(lengths[i]);
            break;
        }
        copy.sources.push_back({at * plan.block, lengths[i] * plan.block});
    }
    copy.destination = destination * plan.block;
    return copy;
}

std::vector<GoldenCopy> make_golden_copies(const GoldenPlan &plan, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<GoldenCopy> copies;

    for (unsigned i = 0; i < plan.copies; i++)
        copies.push_back(make_copy(plan, random));
    return copies;
}

std::string format_golden_copies(const std::vector<GoldenCopy> &copies) {
    std::string text;

    for (const GoldenCopy &copy : copies) {
        for (size_t i = 0; i < copy.sources.size(); i++)
            text += fmt::format("{}{}:{}", i ? "," : "", copy.sources[i].offset,
                                copy.sources[i].length);
        text += fmt::format(" {}\n", copy.destination);
    }
    return text;
}

std::vector<std::byte> make_golden_image(uint64_t bytes, uint64_t seed) {
    std::vector<std::byte> image(bytes);

    for (uint64_t at = 0; at + 8 <= bytes; at += 8) {
        // splitmix64 of the offset
        uint64_t z = at + seed * 0x9e3779b97f4a7c15ULL + 0x9e3779b97f4a7c15ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        z ^= z >> 31;
        std::memcpy(image.data() + at, &z, sizeof(z));
    }
    return image;
}

void apply_golden_copies(std::vector<std::byte> &image, uint64_t offset,
                         const std::vector<GoldenCopy> &copies) {
    for (const GoldenCopy &copy : copies) {
        uint64_t destination = offset + copy.destination;
        for (const GoldenExtent &source : copy.sources) {
            std::memcpy(image.data() + destination, image.data() + offset + source.offset,
                        source.length);
            destination += source.length;
        }
    }
}

static const char *place_of(uint64_t at, const GoldenPlan &plan,
                            const std::vector<GoldenCopy> &copies) {
    if (at < plan.offset || at >= plan.offset + plan.bytes)
        return "outside the block device that was copied on";
    at -= plan.offset;
    for (const GoldenCopy &copy : copies)
        if (overlap(at, 1, copy.destination, copy.length()))
            return "in a destination";
    for (const GoldenCopy &copy : copies)
        for (const GoldenExtent &source : copy.sources)
            if (overlap(at, 1, source.offset, source.length))
                return "in a source that is no destination";
    return "where nothing was copied from or to";
}

Status compare_golden_image(int fd, const std::vector<std::byte> &expected, const GoldenPlan &plan,
                            const std::vector<GoldenCopy> &copies) {
    struct stat st;
    if (fstat(fd, &st) < 0)
        return errno_error("cannot look at the image");
    if (static_cast<uint64_t>(st.st_size) != expected.size())
        return Error{
            fmt::format("the image has {} bytes instead of {}", st.st_size, expected.size())};

    std::vector<std::byte> chunk(1 << 20);
    uint64_t different = 0, first = 0;
    for (uint64_t at = 0; at < expected.size(); at += chunk.size()) {
        size_t length = std::min<uint64_t>(chunk.size(), expected.size() - at);
        Status status = pread_all(fd, std::span(chunk).first(length), at);
        if (!status)
            return status;
        if (std::memcmp(chunk.data(), expected.data() + at, length) == 0)
            continue;
        for (size_t block = 0; block < length; block += plan.block) {
            size_t size = std::min<size_t>(plan.block, length - block);
            if (std::memcmp(chunk.data() + block, expected.data() + at + block, size) == 0)
                continue;
            if (!different++)
                first = at + block;
        }
    }
    if (!different)
        return {};
    return Error{fmt::format("{} blocks of {} bytes differ, the first at byte {}, {}", different,
                             plan.block, first, place_of(first, plan, copies))};
}

} // namespace kit
