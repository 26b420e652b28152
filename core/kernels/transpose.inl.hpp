// Turning a square of vectors, so that what was spread over lanes stands in one vector.
#pragma once

#include "vocabulary.hpp"

namespace {

// Interleaves two vectors: the lower halves, and the upper halves.
#if TM_VECTOR_BYTES == 64
inline VecF interleave_low(VecF a, VecF b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
inline VecF interleave_high(VecF a, VecF b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
                                   15, 31);
}
#elif TM_VECTOR_BYTES == 32
inline VecF interleave_low(VecF a, VecF b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
inline VecF interleave_high(VecF a, VecF b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#else
inline VecF interleave_low(VecF a, VecF b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
inline VecF interleave_high(VecF a, VecF b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

// Transposes a square: log2(kLanes) rounds of interleaving each vector with the one half the
// square away.
inline void transpose(VecF (&square)[kLanes]) {
    for (size_t round = 1; round < kLanes; round *= 2) {
        VecF next[kLanes];
        for (size_t i = 0; i < kLanes / 2; ++i) {
            next[2 * i] = interleave_low(square[i], square[i + kLanes / 2]);
            next[2 * i + 1] = interleave_high(square[i], square[i + kLanes / 2]);
        }
        for (size_t i = 0; i < kLanes; ++i) square[i] = next[i];
    }
}

// Lane i: the sum of the lanes of square[i], which is used up. Half the shuffles of a
// transposition.
template <class V>
inline V line_sums(V (&square)[kLanes]) {
    for (size_t half = kLanes / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; ++i)
            square[i] = V(interleave_low(VecF(square[i]), VecF(square[i + half]))) +
                        V(interleave_high(VecF(square[i]), VecF(square[i + half])));
    return square[0];
}

}  // namespace
