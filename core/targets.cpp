#include "targets.hpp"

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
