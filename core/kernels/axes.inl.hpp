// Rows along few axes, and the scores of the pairs that these do not rule out (axes.hpp).
#pragma once

#include "closer.inl.hpp"
#include "scores.inl.hpp"

namespace {

// kStrip rows or fewer along P panels of axes, of which `width` are axes.
template <size_t P>
inline void project_strip(const float* const* rows, size_t n, size_t d, const float* panels,
                          size_t width, float* out, size_t stride) {
    const float zeros[P * kLanes] = {};
    VecF strip[P][kLanes];
    for (size_t f = 0; f < d; f += truemeans::kSummedFeatures) {
        const size_t end =
            d - f < truemeans::kSummedFeatures ? d : f + truemeans::kSummedFeatures;
        VecF part[P][kLanes] = {};
        score_strip<P>(rows, d, f, end, panels, zeros, part);
        for (size_t p = 0; p < P; ++p)
            for (size_t r = 0; r < kStrip; ++r)
                strip[p][r] = f == 0 ? part[p][r] : strip[p][r] + part[p][r];
    }
    for (size_t r = 0; r < n; ++r)
        for (size_t p = 0; p < P; ++p) {
            float* to = out + r * stride + p * kLanes;
            const size_t left = width - p * kLanes;
            if (left >= kLanes) {
                store(to, strip[p][r]);
            } else {
                for (size_t lane = 0; lane < left; ++lane) to[lane] = strip[p][r][lane];
            }
        }
}

void project(const float* rows, size_t n_rows, size_t d, const float* panels, size_t m,
             float* out, size_t stride) {
    for (size_t i = 0; i < n_rows; i += kStrip) {
        const size_t n = n_rows - i < kStrip ? n_rows - i : kStrip;
        const float* row[kStrip];
        for (size_t r = 0; r < kStrip; ++r) row[r] = rows + (i + (r < n ? r : n - 1)) * d;
        size_t j = 0;
        for (; j + kLanes < m; j += 2 * kLanes) {
            const size_t width = m - j < 2 * kLanes ? m - j : 2 * kLanes;
            project_strip<2>(row, n, d, panels + j * d, width, out + i * stride + j, stride);
        }
        if (j < m) project_strip<1>(row, n, d, panels + j * d, m - j, out + i * stride + j, stride);
    }
}

// Two whole numbers of 16 bits in each 32, which sums of products add up.
inline VecI multiply_pairs(VecI a, VecI b) {
#if TM_VECTOR_BYTES == 64 && defined(__AVX512BW__)
    return VecI(_mm512_madd_epi16(__m512i(a), __m512i(b)));
#elif TM_VECTOR_BYTES == 32 && defined(__AVX2__)
    return VecI(_mm256_madd_epi16(__m256i(a), __m256i(b)));
#elif TM_VECTOR_BYTES == 16 && defined(__SSE2__)
    return VecI(_mm_madd_epi16(__m128i(a), __m128i(b)));
#else
    return (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

// out: n numbers in whole steps, two a word, the last filled up with a zero. A step is so long that
// there are at most 2^15 of them, so two roundings of y / step move it by 2^-8, and less than 0.51
// steps are lost.
void to_shorts(const float* y, size_t n, float step, int32_t* out) {
    constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
    const float inverse = 1.0f / step;
    const auto whole = [&](size_t j) {
        return static_cast<int32_t>((y[j] * inverse + kMagic) - kMagic);
    };
    for (size_t w = 0; w < n / 2; ++w)
        out[w] = (whole(2 * w) & 0xffff) | whole(2 * w + 1) << 16;
    if (n % 2 == 1) out[n / 2] = whole(n - 1) & 0xffff;
}

// kStrip rows against P panels.
template <size_t P>
inline size_t closer_strip_along(const truemeans::Shorts& rows, const int32_t* const (&row)[kStrip],
                                 size_t first_row, const truemeans::Shorts& candidates,
                                 const float* sq_norms, const float* limits, size_t candidate,
                                 Hit* out) {
    const size_t h = rows.words;
    const int32_t* panels = candidates.values + candidate * h;
    VecI acc[kStrip][P] = {};
    for (size_t w = 0; w < h; ++w) {
        VecI b[P];
        for (size_t p = 0; p < P; ++p) b[p] = load(panels + (p * h + w) * kLanes);
        for (size_t r = 0; r < kStrip; ++r) {
            const VecI a = VecI{} + row[r][w];
            for (size_t p = 0; p < P; ++p) acc[r][p] += multiply_pairs(a, b[p]);
        }
    }
    size_t n = 0;
    for (size_t r = 0; r < kStrip; ++r)
        for (size_t p = 0; p < P; ++p) {
            const size_t at = candidate + p * kLanes;
            const VecF dot = __builtin_convertvector(acc[r][p], VecF);
            const VecF score =
                dot * (load(candidates.steps + at) * rows.steps[first_row + r]) + load(sq_norms + at);
            n = append_hits(bits_of(at_most(score, broadcast(limits[first_row + r]))),
                            first_row + r, at, out, n);
        }
    return n;
}

size_t closer_along(truemeans::Shorts rows, size_t n_rows, truemeans::Shorts candidates,
                    const float* sq_norms, size_t n_panels, const float* limits, Hit* out) {
    constexpr size_t kRows = kSquares * kLanes;
    size_t n = 0;
    for (size_t begin = 0; begin < n_rows; begin += kRows)
        for (size_t p = 0; p < n_panels; p += 2)
            for (size_t i = begin; i < begin + kRows && i < n_rows; i += kStrip) {
                const int32_t* row[kStrip];
                for (size_t r = 0; r < kStrip; ++r)
                    row[r] = rows.values + (i + r < n_rows ? i + r : n_rows - 1) * rows.words;
                const auto strip = p + 2 <= n_panels ? closer_strip_along<2> : closer_strip_along<1>;
                n += strip(rows, row, i, candidates, sq_norms, limits, p * kLanes, out + n);
            }
    return n;
}

// Pairs side by side, so that an addition need not wait for the one before.
constexpr size_t kPairs = 4;

void score_hits(const float* rows, size_t d, const float* candidates, const float* sq_norms,
                const truemeans::Hit* hits, size_t n_hits, float* out) {
    for (size_t first = 0; first < n_hits; first += kLanes) {
        VecF sums[kLanes];
        float rest[kLanes];
        for (size_t i = 0; i < kLanes; i += kPairs) {
            const float *a[kPairs], *b[kPairs];
            VecF sum[kPairs] = {};
            for (size_t p = 0; p < kPairs; ++p) {
                const size_t h = first + i + p < n_hits ? first + i + p : n_hits - 1;
                a[p] = rows + hits[h].row * d;
                b[p] = candidates + hits[h].centroid * d;
                rest[i + p] = sq_norms[hits[h].centroid];
            }
            size_t f = 0;
            for (; f + kLanes <= d; f += kLanes)
                for (size_t p = 0; p < kPairs; ++p) sum[p] += load(a[p] + f) * load(b[p] + f);
            for (; f < d; ++f)
                for (size_t p = 0; p < kPairs; ++p) rest[i + p] += a[p][f] * b[p][f];
            for (size_t p = 0; p < kPairs; ++p) sums[i + p] = sum[p];
        }
        const VecF scores = line_sums(sums) + load(rest);
        for (size_t i = 0; i < kLanes && first + i < n_hits; ++i) out[first + i] = scores[i];
    }
}

}  // namespace
