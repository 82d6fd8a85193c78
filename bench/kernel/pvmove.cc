// SPDX-License-Identifier: GPL-2.0-only
#include "fd.h"
#include "guest/pattern.h"
#include "mover.h"
#include "offload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <optional>

extern "C" {
#include "lvm.h"
}

namespace bench {

namespace {

constexpr uint64_t kSalt = 0x165667b19e3779f9;
constexpr uint64_t kExtent = 4 << 20; // of lvm_start()

class Pvmove : public Mover {
public:
    Pvmove(const OffloadSwitch &drive, uint64_t bytes)
        : drive_(drive), bytes_(bytes), extents_(static_cast<unsigned>(bytes / kExtent)) {}
    ~Pvmove() override {
        volume_ = {};
        lvm_stop(&drive_.drive());
    }

    kit::Status start() {
        static const char *const programs[] = {"lvm", "thin_check", "cache_check", nullptr};

        if (lvm_need(programs))
            return kit::Error{std::string("LVM's tools are needed: ") + bc_reason()};
        if (lvm_configure() || lvm_start(&drive_.drive()) ||
            lvm_run("lvm lvcreate -y -Wn -Zn -n a -l %u " LVM_VG " %s:0-%u", extents_,
                    drive_.drive().path, extents_ - 1))
            return kit::Error{"LVM makes no volume"};
        volume_ = kit::Fd(::open(LVM_LV "a", O_RDWR | O_DIRECT | O_CLOEXEC));
        if (!volume_)
            return kit::errno_error("cannot open the volume");
        pattern_.emplace(volume_.get());
        return pattern_->fill(0, bytes_, kSalt);
    }

    // Whatever is at the destination is from elsewhere: the volume's data lie at its source.
    kit::Status prepare() override { return {}; }

    kit::Status run() override {
        const unsigned from = there_ ? extents_ : 0, to = there_ ? 0 : extents_;
        const char *path = drive_.drive().path;

        if (lvm_run("lvm pvmove -i 1 --alloc anywhere %s:%u-%u %s:%u-%u", path, from,
                    from + extents_ - 1, path, to, to + extents_ - 1))
            return kit::Error{"pvmove fails"};
        there_ = !there_;
        return {};
    }

    kit::Status verify() override {
        char where[256];

        if (lvm_read(where, sizeof(where), "lvm lvs --noheadings -o devices " LVM_VG "/a"))
            return kit::Error{"nobody knows where the volume is"};
        if (std::string(where).find(fmt::format("({})", there_ ? extents_ : 0)) ==
            std::string::npos)
            return kit::Error{std::string("pvmove left the volume at ") + where};
        return pattern_->expect(0, bytes_, kSalt, 0, "the volume that pvmove moved");
    }

private:
    const OffloadSwitch &drive_;
    uint64_t bytes_;
    unsigned extents_;
    bool there_ = false; // or at the volume group's beginning
    kit::Fd volume_;
    std::optional<Pattern> pattern_;
};

} // namespace

MoverResult make_pvmove(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds) {
    return make_started<Pvmove>(drive, bytes);
}

} // namespace bench
