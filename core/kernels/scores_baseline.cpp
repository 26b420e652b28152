// Scores for the baseline target; CMakeLists.txt gives the flags.
#define TM_VECTOR_BYTES 16
#include "axes.inl.hpp"
#include "few.inl.hpp"
#include "scores.inl.hpp"
#include "closer.inl.hpp"
#include "gains.inl.hpp"
#include "proofs.inl.hpp"
#include "scores_table.inl.hpp"

namespace truemeans {
extern void fill_scores_baseline(Kernels& table);
void fill_scores_baseline(Kernels& table) { fill(table); }
}  // namespace truemeans
