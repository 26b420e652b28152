// Across lanes: the numbers of those that are set, entries of a table, roots.
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

// Lanes where something holds, as the target has them.
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
typedef __mmask16 Lanes;
inline Lanes at_most(VecF a, VecF b) {
    return _mm512_cmp_ps_mask(__m512(a), __m512(b), _CMP_LE_OQ);
}
inline uint32_t bits_of(Lanes lanes) { return lanes; }
inline VecF add_where(Lanes lanes, VecF sum, VecF v) {
    return VecF(_mm512_mask_add_ps(__m512(sum), lanes, __m512(sum), __m512(v)));
}
#else
typedef VecI Lanes;
inline Lanes at_most(VecF a, VecF b) { return a <= b; }
inline uint32_t bits_of(Lanes lanes) { return lane_bits(lanes); }
inline VecF add_where(Lanes lanes, VecF sum, VecF v) {
    return sum + reinterpret_cast<VecF>(lanes & reinterpret_cast<VecI>(v));
}
#endif

// Bit i: lane i of eight is set.
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

// Appends the lanes whose bits are set.
inline size_t append_lanes(uint32_t bits, VecI values, int32_t* list, size_t n) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    // In a register first: some processors take a hundred cycles to compress into memory.
    const auto count = static_cast<uint32_t>(__builtin_popcount(bits));
    const __m512i packed =
        _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits), __m512i(values));
    _mm512_mask_storeu_epi32(list + n, static_cast<__mmask16>((1u << count) - 1), packed);
    return n + count;
#else
    for (; bits != 0; bits &= bits - 1) list[n++] = values[__builtin_ctz(bits)];
    return n;
#endif
}

// The numbers from `first` on.
inline VecI numbers_from(size_t first) {
    VecI lanes;
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = static_cast<int32_t>(lane);
    return lanes + static_cast<int32_t>(first);
}

// Appends the numbers of the bits that are set.
inline size_t append_bits(uint32_t bits, size_t first, int32_t* list, size_t n) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    return bits == 0 ? n : append_lanes(bits, numbers_from(first), list, n);
#else
    for (; bits != 0; bits &= bits - 1)
        list[n++] = static_cast<int32_t>(first + static_cast<size_t>(__builtin_ctz(bits)));
    return n;
#endif
}

// Appends those of eight values whose bits are set, and their numbers; both have room for eight.
inline size_t append_bits8(uint32_t bits, size_t first, Vec8 values, int32_t* list, double* kept,
                           size_t n) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    const auto set = static_cast<__mmask8>(bits);
    const Vec8Bits numbers = Vec8Bits{0, 1, 2, 3, 4, 5, 6, 7} + static_cast<int32_t>(first);
    _mm512_storeu_pd(kept + n, _mm512_maskz_compress_pd(set, __m512d(values)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + n),
                        _mm256_maskz_compress_epi32(set, __m256i(numbers)));
    return n + static_cast<size_t>(__builtin_popcount(bits));
#else
    for (; bits != 0; bits &= bits - 1) {
        const auto lane = static_cast<size_t>(__builtin_ctz(bits));
        list[n] = static_cast<int32_t>(first + lane);
        kept[n++] = values[lane];
    }
    return n;
#endif
}

// The square root, of zero where a number is negative.
inline float root(float v) { return __builtin_sqrtf(v > 0.0f ? v : 0.0f); }
inline VecF root(VecF v) {
    const VecF up = v > 0.0f ? v : VecF{};
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    return VecF(_mm512_mask_sqrt_ps(__m512{}, 0xffff, __m512(up)));
#else
    VecF out;
    for (size_t lane = 0; lane < kLanes; ++lane) out[lane] = __builtin_sqrtf(up[lane]);
    return out;
#endif
}

// Entries of a table by number.
inline VecF gather(const float* table, VecI at) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    return VecF(_mm512_mask_i32gather_ps(__m512{}, 0xffff, __m512i(at), table, sizeof *table));
#else
    VecF out;
    for (size_t lane = 0; lane < kLanes; ++lane) out[lane] = table[at[lane]];
    return out;
#endif
}
inline VecI gather(const int32_t* table, VecI at) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    return VecI(_mm512_mask_i32gather_epi32(__m512i{}, 0xffff, __m512i(at), table, sizeof *table));
#else
    VecI out;
    for (size_t lane = 0; lane < kLanes; ++lane) out[lane] = table[at[lane]];
    return out;
#endif
}

// Writes the lanes whose bits are set to a table, by number.
inline void scatter(int32_t* table, VecI at, VecI values, uint32_t bits) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512F__)
    _mm512_mask_i32scatter_epi32(table, static_cast<__mmask16>(bits), __m512i(at), __m512i(values),
                                 sizeof *table);
#else
    for (; bits != 0; bits &= bits - 1) {
        const auto lane = __builtin_ctz(bits);
        table[at[lane]] = values[lane];
    }
#endif
}

}  // namespace
