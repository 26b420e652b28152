// Scores of rows and candidates that are whole numbers along axes (axes.hpp): of 16 bits, or of 8
// where the target multiplies four of them at a time.
#pragma once

#include "hits.inl.hpp"
#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "vocabulary.hpp"

namespace {

// Two numbers a word. A line is 32,000 steps long, so that products of two are sums below 2^31.
struct Shorts {
    static constexpr size_t kNumbers = 2;
    static constexpr int32_t kBias = 0;

    static double step(const float*, size_t, double length) { return length / 32000.0; }
    static VecI add_products(VecI sum, VecI row, VecI candidates) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512BW__)
        return sum + VecI(_mm512_madd_epi16(__m512i(row), __m512i(candidates)));
#elif TM_VECTOR_BYTES == 32 && defined(__AVX2__)
        return sum + VecI(_mm256_madd_epi16(__m256i(row), __m256i(candidates)));
#elif TM_VECTOR_BYTES == 16 && defined(__SSE2__)
        return sum + VecI(_mm_madd_epi16(__m128i(row), __m128i(candidates)));
#else
        return sum + (row << 16 >> 16) * (candidates << 16 >> 16) +
               (row >> 16) * (candidates >> 16);
#endif
    }
};

#ifdef __AVX512VNNI__
// Four numbers a word, of rows without a sign: 128 is added to them, and sums of products start
// from -128 times the sum of the candidate's. The largest number of a line is 127 steps.
struct Bytes {
    static constexpr size_t kNumbers = 4;
    static constexpr int32_t kBias = 128;

    static double step(const float* y, size_t n, double) {
        float top = 0.0f;
        for (size_t j = 0; j < n; ++j) {
            const float size = __builtin_fabsf(y[j]);
            top = size > top ? size : top;
        }
        return static_cast<double>(top) / 127.0;
    }
    static VecI add_products(VecI sum, VecI row, VecI candidates) {
        return VecI(_mm512_dpbusd_epi32(__m512i(sum), __m512i(row), __m512i(candidates)));
    }
};
#endif

template <class Numbers>
truemeans::Rounded to_words(const float* y, size_t n, float step, int32_t bias, int32_t* out) {
    constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
    constexpr size_t kBits = 32 / Numbers::kNumbers;
    constexpr uint32_t kMask = (1u << kBits) - 1u;
    const float inverse = 1.0f / step;
    float sq_left = 0.0f;
    int32_t sum = 0;
    for (size_t w = 0; w * Numbers::kNumbers < n; ++w) {
        uint32_t word = 0;
        for (size_t i = 0; i < Numbers::kNumbers && w * Numbers::kNumbers + i < n; ++i) {
            const float steps = y[w * Numbers::kNumbers + i] * inverse;
            const float whole = (steps + kMagic) - kMagic;
            sq_left += (steps - whole) * (steps - whole);
            const auto number = static_cast<int32_t>(whole);
            sum += number;
            word |= (static_cast<uint32_t>(number + bias) & kMask) << (i * kBits);
        }
        out[w] = static_cast<int32_t>(word);
    }
    return {sq_left, sum};
}

// Rows that meet two panels in registers, and that two panels meet in turn.
constexpr size_t kRowsAlong = TM_VECTOR_BYTES == 64 ? 8 : 4, kRunAlong = 128;

// kRowsAlong rows against P panels.
template <class Numbers, size_t P>
inline size_t closer_strip_along(const truemeans::Along& rows,
                                 const int32_t* const (&row)[kRowsAlong], size_t first_row,
                                 const truemeans::Along& candidates, const float* sq_norms,
                                 const float* limits, size_t candidate, truemeans::Hit* out) {
    const size_t h = rows.words;
    const int32_t* panels = candidates.values + candidate * h;
    VecI sums[kRowsAlong][P];
    for (size_t r = 0; r < kRowsAlong; ++r)
        for (size_t p = 0; p < P; ++p)
            sums[r][p] = load(candidates.starts + candidate + p * kLanes);
    for (size_t w = 0; w < h; ++w) {
        VecI b[P];
        for (size_t p = 0; p < P; ++p) b[p] = load(panels + (p * h + w) * kLanes);
        for (size_t r = 0; r < kRowsAlong; ++r) {
            const VecI a = VecI{} + row[r][w];
            for (size_t p = 0; p < P; ++p)
                sums[r][p] = Numbers::add_products(sums[r][p], a, b[p]);
        }
    }
    // Few of these vectors have a hit.
    uint32_t bits[kRowsAlong * P], some = 0;
    for (size_t r = 0; r < kRowsAlong; ++r)
        for (size_t p = 0; p < P; ++p) {
            const size_t at = candidate + p * kLanes;
            const VecF dot = __builtin_convertvector(sums[r][p], VecF);
            const VecF score = dot * (load(candidates.steps + at) * rows.steps[first_row + r]) +
                               (load(candidates.rests + at) * rows.rests[first_row + r] +
                                load(sq_norms + at));
            bits[r * P + p] = bits_of(at_most(score, broadcast(limits[first_row + r])));
            some |= static_cast<uint32_t>(bits[r * P + p] != 0) << (r * P + p);
        }
    size_t n = 0;
    for (; some != 0; some &= some - 1) {
        const auto i = static_cast<size_t>(__builtin_ctz(some));
        n = append_hits(bits[i], first_row + i / P, candidate + i % P * kLanes, out, n);
    }
    return n;
}

template <class Numbers>
size_t closer_along(truemeans::Along rows, size_t n_rows, truemeans::Along candidates,
                    const float* sq_norms, size_t n_panels, const float* limits,
                    truemeans::Hit* out) {
    size_t n = 0;
    for (size_t begin = 0; begin < n_rows; begin += kRunAlong)
        for (size_t p = 0; p < n_panels; p += 2)
            for (size_t i = begin; i < begin + kRunAlong && i < n_rows; i += kRowsAlong) {
                const int32_t* row[kRowsAlong];
                for (size_t r = 0; r < kRowsAlong; ++r)
                    row[r] = rows.values + (i + r < n_rows ? i + r : n_rows - 1) * rows.words;
                const auto strip = p + 2 <= n_panels ? closer_strip_along<Numbers, 2>
                                                     : closer_strip_along<Numbers, 1>;
                n += strip(rows, row, i, candidates, sq_norms, limits, p * kLanes, out + n);
            }
    return n;
}

template <class Numbers>
inline void fill_along(truemeans::Kernels& table) {
    table.numbers_a_word = Numbers::kNumbers;
    table.row_bias = Numbers::kBias;
    table.step_along = Numbers::step;
    table.to_words = to_words<Numbers>;
    table.closer_along = closer_along<Numbers>;
}

}  // namespace
