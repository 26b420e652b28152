// Scores for the avx512 target; CMakeLists.txt gives the flags.
#define TM_VECTOR_BYTES 64
#include "axes.inl.hpp"
#include "few.inl.hpp"
#include "scores.inl.hpp"
#include "closer.inl.hpp"
#include "gains.inl.hpp"
#include "proofs.inl.hpp"
#include "scores_table.inl.hpp"

namespace truemeans {
extern void fill_scores_avx512(Kernels& table);
void fill_scores_avx512(Kernels& table) { fill(table); }
}  // namespace truemeans
