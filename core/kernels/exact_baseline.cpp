// Exact kernels for the baseline target; CMakeLists.txt gives the flags.
#define TM_VECTOR_BYTES 16
#include "canonical.inl.hpp"
#include "sums.inl.hpp"
#include "update.inl.hpp"
#include "exact_table.inl.hpp"

namespace truemeans {
extern void fill_exact_baseline(Kernels& table);
void fill_exact_baseline(Kernels& table) {
    fill(table.f32);
    fill(table.f64);
    table.box_sq_dist = box_sq_dist;
    table.cluster_mean = cluster_mean;
    table.inertia_term = inertia_term;
}
}  // namespace truemeans
