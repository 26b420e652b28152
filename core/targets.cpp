#include "targets.hpp"

#ifdef TM_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace truemeans {

#define TM_DECLARE_TARGET(name)                  \
    extern void fill_scores_##name(Kernels& table); \
    extern void fill_exact_##name(Kernels& table);
TM_DECLARE_TARGET(baseline)
#ifdef TM_X86
TM_DECLARE_TARGET(avx2)
TM_DECLARE_TARGET(avx512)
#endif
#undef TM_DECLARE_TARGET
#ifdef TM_VNNI
extern void fill_bytes_vnni(Kernels& table);
#endif
#ifdef TM_AMX
extern void fill_tiles_amx(Kernels& table);
#endif

namespace {

Kernels make(const char* name, const char* description, void (*scores)(Kernels&),
             void (*exact)(Kernels&)) {
    Kernels table{};
    table.name = name;
    table.description = description;
    scores(table);
    exact(table);
    return table;
}

#ifdef TM_AMX
// The processor has tiles of bfloat16 and bytes, the system saves tiles with a thread's state, and it
// lets this process use them: tiles are large, so Linux wants to be asked once.
bool may_use_tiles() {
    constexpr unsigned kBf16 = 1u << 22, kTiles = 1u << 24, kBytes = 1u << 25;
    constexpr unsigned kAll = kBf16 | kTiles | kBytes, kVectorBf16 = 1u << 5;
    constexpr unsigned kVectorBytes = 1u << 11;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & kAll) != kAll ||
        !(c & kVectorBytes))
        return false;
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & kVectorBf16)) return false;
    std::uint32_t low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr std::uint32_t kTileState = 3u << 17;
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    return (low & kTileState) == kTileState &&
           syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

std::vector<Kernels> detect() {
    std::vector<Kernels> targets;
#ifdef TM_X86
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512)
        targets.push_back(
            make("avx512", "AVX-512 F/BW/DQ/VL", fill_scores_avx512, fill_exact_avx512));
#ifdef TM_VNNI
    if (avx512 && __builtin_cpu_supports("avx512vnni")) {
        targets.back().description = "AVX-512 F/BW/DQ/VL, and products of bytes";
        fill_bytes_vnni(targets.back());
    }
#endif
#ifdef TM_AMX
    if (avx512 && may_use_tiles()) {
        Kernels amx = targets.back();
        amx.name = "amx";
        amx.description = "AVX-512, and AMX tiles of bfloat16 and bytes";
        fill_tiles_amx(amx);
        targets.insert(targets.begin(), amx);
    }
#endif
    if (avx2) targets.push_back(make("avx2", "AVX2 + FMA", fill_scores_avx2, fill_exact_avx2));
#endif
    targets.push_back(make("baseline", "the compiler's default for this architecture",
                           fill_scores_baseline, fill_exact_baseline));
    return targets;
}

}  // namespace

const std::vector<Kernels>& supported_targets() {
    static const std::vector<Kernels> targets = detect();
    return targets;
}

const Kernels* choose_target(const std::string& name) {
    for (const Kernels& target : supported_targets())
        if (name.empty() || name == target.name) return &target;
    return nullptr;
}

}  // namespace truemeans
