// Exact kernels for the avx2 target; CMakeLists.txt gives the flags.
#define TM_VECTOR_BYTES 32
#include "canonical.inl.hpp"
#include "labels.inl.hpp"
#include "limits.inl.hpp"
#include "nearby.inl.hpp"
#include "rounds.inl.hpp"
#include "squares.inl.hpp"
#include "sums.inl.hpp"
#include "survey.inl.hpp"
#include "update.inl.hpp"
#include "exact_table.inl.hpp"

namespace truemeans {
extern void fill_exact_avx2(Kernels& table);
void fill_exact_avx2(Kernels& table) { fill(table); }
}  // namespace truemeans
