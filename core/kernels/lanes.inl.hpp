// From lanes that are set to the numbers of those lanes.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "vocabulary.hpp"

namespace {

// Bit i: lane i is set.
inline uint32_t lane_bits(VecI set) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512DQ__)
    return _mm512_movepi32_mask(reinterpret_cast<__m512i>(set));
#elif TM_VECTOR_BYTES == 32 && defined(__AVX__)
    return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(set)));
#elif TM_VECTOR_BYTES == 16 && defined(__SSE2__)
    return static_cast<uint32_t>(_mm_movemask_ps(reinterpret_cast<__m128>(set)));
#else
    uint32_t bits = 0;
    for (size_t lane = 0; lane < kLanes; ++lane)
        bits |= static_cast<uint32_t>(set[lane] != 0) << lane;
    return bits;
#endif
}

// The same of eight lanes.
inline uint32_t lane_bits8(Mask8 set) {
#if defined(__AVX512DQ__)
    return _mm512_movepi64_mask(reinterpret_cast<__m512i>(set));
#else
    uint32_t bits = 0;
    for (size_t lane = 0; lane < 8; ++lane)
        bits |= static_cast<uint32_t>(set[lane] != 0) << lane;
    return bits;
#endif
}

// Appends the numbers of the bits that are set; mostly there are none.
inline size_t append_bits(uint32_t bits, size_t first, int32_t* list, size_t n) {
    for (; bits != 0; bits &= bits - 1)
        list[n++] = static_cast<int32_t>(first + static_cast<size_t>(__builtin_ctz(bits)));
    return n;
}

}  // namespace
