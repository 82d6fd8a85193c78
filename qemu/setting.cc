// SPDX-License-Identifier: GPL-2.0-only
#include "setting.h"

#include <filesystem>

namespace kit {

namespace fs = std::filesystem;

Result<Setting> Setting::load() {
    Setting s;
    std::error_code code;

    fs::path self = fs::read_symlink("/proc/self/exe", code);
    if (code)
        return Error{"cannot find this program's own path: " + code.message()};
    s.data_directory = KIT_DATA_DIRECTORY;
    s.build_directory = self.parent_path().parent_path().string();
    s.guest_init = (self.parent_path() / "guest-init").string();

    Result<std::vector<Machine>> machines = load_machines(s.data_directory + "/machines.json");
    if (!machines)
        return machines.error();
    s.machines = std::move(*machines);
    Result<SplatRules> splats = SplatRules::load(s.data_directory + "/splat-deny.txt",
                                                 s.data_directory + "/splat-allow.txt");
    if (!splats)
        return splats.error();
    s.splats = std::move(*splats);
    return s;
}

std::string Setting::kernel_path(const std::string &kernel, const std::string &flavour) const {
    return kernel.empty() ? build_directory + "/kernel/" + flavour + "/bzImage" : kernel;
}

std::string Setting::module_directory(const std::string &modules, const std::string &kernel,
                                      const std::string &flavour) const {
    if (!modules.empty() || !kernel.empty())
        return modules;
    return build_directory + "/kmod/" + flavour;
}

Result<Host> Host::find(const Setting &setting) {
    Result<QemuBinary> qemu = QemuBinary::find();
    if (!qemu)
        return qemu.error();
    Host host{std::move(*qemu), {}};
    host.accelerator =
        host.qemu.probe_accelerator(setting.build_directory + "/qemu/accelerator-probe");
    return host;
}

LaunchOptions Host::launch_options() const {
    LaunchOptions options;

    options.qemu = qemu.path();
    options.accelerator = accelerator.name;
    options.firmware = qemu.fast_firmware();
    return options;
}

Vm::Options vm_options(const Setting &setting, const Host &host, const Machine &machine,
                       const std::string &kernel, const std::string &flavour) {
    Vm::Options options;

    options.launch = host.launch_options();
    // KASAN's shadow takes an eighth, its quarantine and page_owner more.
    if (flavour == "debug")
        options.launch.memory_mib = machine.memory_mib * 3;
    options.kernel = setting.kernel_path(kernel, flavour);
    options.splats = &setting.splats;
    return options;
}

std::string library_path_variable(const Initramfs &initramfs) {
    std::string value = "LD_LIBRARY_PATH=";

    for (const std::string &directory : initramfs.library_paths())
        value += (value.back() == '=' ? "" : ":") + directory;
    return value;
}

} // namespace kit
