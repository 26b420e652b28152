// Pairs of a row and a candidate, listed from the bits of a vector.
#pragma once

#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "vocabulary.hpp"

namespace {

using truemeans::Hit;

inline uint16_t narrow(size_t v) { return static_cast<uint16_t>(v); }

// Appends the hits of a row with the candidates whose bits are set.
inline size_t append_hits(uint32_t bits, size_t row, size_t candidate, Hit* out, size_t n) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    // Without branches: where axes are few, every other vector has a hit.
    const auto hit = static_cast<int32_t>(row | candidate << 16);
    const VecI hits = numbers_from(0) * (1 << 16) + hit;
    return append_lanes(bits, hits, reinterpret_cast<int32_t*>(out), n);
#else
    for (; bits != 0; bits &= bits - 1)
        out[n++] = {narrow(row), narrow(candidate + static_cast<size_t>(__builtin_ctz(bits)))};
    return n;
#endif
}

}  // namespace
