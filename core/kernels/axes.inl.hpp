// Rows along few axes, and the scores of the pairs that these do not rule out (axes.hpp).
#pragma once

#include "along.inl.hpp"
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
