// SPDX-License-Identifier: GPL-2.0-only
#include "probe_firmware.h"

#include <cstddef>

namespace kit {

// Assembled for offset 0xff00 of the image; the image ends at 4 GiB.
static const unsigned char kCode[] = {0xfa,                                     // cli
                                      0x2e, 0x66, 0x0f, 0x01, 0x16, 0x70, 0xff, // lgdtl %cs:gdtr
                                      0x0f, 0x20, 0xc0,                         // mov %cr0, %eax
                                      0x0c, 0x01,                               // or $1, %al
                                      0x0f, 0x22, 0xc0,                         // mov %eax, %cr0
                                      0x66, 0xea, 0x18, 0xff, 0xff, 0xff, 0x08,
                                      0x00, // ljmp $8, $protected
                                      // protected:
                                      0x66, 0xb8, 0x10, 0x00,       // mov $16, %ax
                                      0x8e, 0xd8,                   // mov %ax, %ds
                                      0x8e, 0xc0,                   // mov %ax, %es
                                      0x8e, 0xd0,                   // mov %ax, %ss
                                      0xbe, 0x3b, 0xff, 0xff, 0xff, // mov $in_memory, %esi
                                      0xbf, 0x00, 0x80, 0x00, 0x00, // mov $0x8000, %edi
                                      0xb9, 0x40, 0x00, 0x00, 0x00, // mov $64, %ecx
                                      0xfc, 0xf3, 0xa4,             // cld; rep movsb
                                      0xb8, 0x00, 0x80, 0x00, 0x00, // mov $0x8000, %eax
                                      0xff, 0xe0,                   // jmp *%eax
                                      // in_memory:
                                      0xb9, 0x10, 0x27, 0x00, 0x00,       // mov $10000, %ecx
                                      0xff, 0x05, 0x00, 0x90, 0x00, 0x00, // 1: incl 0x9000
                                      0xe2, 0xf8,                         // loop 1b
                                      0x66, 0xba, 0x01, 0x05,             // mov $0x501, %dx
                                      0xb0, 0x00,                         // mov $value, %al
                                      0xee,                               // out %al, %dx
                                      0xf4, 0xeb, 0xfd,                   // 2: hlt; jmp 2b
                                      0x90, 0x90, 0x90, 0x90, 0x90, 0x90, // up to 0xff58
                                      // gdt: null, flat code, flat data
                                      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
                                      0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xcf, 0x00, //
                                      0xff, 0xff, 0x00, 0x00, 0x00, 0x92, 0xcf, 0x00, //
                                      // gdtr: limit, base
                                      0x17, 0x00, 0x58, 0xff, 0xff, 0xff};
static constexpr std::size_t kValueAt = 77;

static const unsigned char kReset[] = {0xe9, 0x0d, 0xff}; // jmp 0xff00

std::string probe_firmware(unsigned char value) {
    std::string rom(65536, '\xf4'); // hlt

    rom.replace(0xff00, sizeof(kCode), reinterpret_cast<const char *>(kCode), sizeof(kCode));
    rom[0xff00 + kValueAt] = static_cast<char>(value);
    rom.replace(0xfff0, sizeof(kReset), reinterpret_cast<const char *>(kReset), sizeof(kReset));
    return rom;
}

} // namespace kit
