// Which of many candidates may be closer to a row than all centroids so far: scores against one
// limit a row. Seeding asks this of every row and candidate, and the answer is nearly always no,
// so a tile of scores ends in one test.
#pragma once

#include "hits.inl.hpp"
#include "lanes.inl.hpp"
#include "scores.inl.hpp"

namespace {

// Lanes = samples: M candidates against one block of rows.
template <size_t M>
inline size_t closer_tile(const float* col, size_t d, const float* candidates,
                          const float* sq_norms, const float* limits, size_t first_row,
                          size_t candidate, Hit* out) {
    VecF acc[M][kSampleVectors];
    for (size_t m = 0; m < M; ++m)
        for (size_t v = 0; v < kSampleVectors; ++v) acc[m][v] = broadcast(sq_norms[m]);
    for (size_t f = 0; f < d; ++f) {
        VecF a[kSampleVectors];
        for (size_t v = 0; v < kSampleVectors; ++v)
            a[v] = load(col + f * kSampleLanes + v * kLanes);
        for (size_t m = 0; m < M; ++m) {
            const VecF b = broadcast(candidates[m * d + f]);
            for (size_t v = 0; v < kSampleVectors; ++v) acc[m][v] += a[v] * b;
        }
    }
    uint32_t any = 0;
    for (size_t v = 0; v < kSampleVectors; ++v) {
        VecF least = acc[0][v];
        for (size_t m = 1; m < M; ++m) least = vmin(least, acc[m][v]);
        any |= lane_bits(least <= load(limits + v * kLanes));
    }
    if (any == 0) return 0;
    size_t n = 0;
    for (size_t v = 0; v < kSampleVectors; ++v) {
        const VecF limit = load(limits + v * kLanes);
        for (size_t m = 0; m < M; ++m)
            for (uint32_t bits = lane_bits(acc[m][v] <= limit); bits != 0; bits &= bits - 1) {
                const size_t lane = static_cast<size_t>(__builtin_ctz(bits));
                out[n++] = {narrow(first_row + v * kLanes + lane), narrow(candidate + m)};
            }
    }
    return n;
}

size_t closer_samples(const float* cols, size_t n_blocks, size_t d, const float* candidates,
                      const float* sq_norms, size_t k, const float* limits, Hit* out) {
    size_t n = 0;
    for (size_t block = 0; block < n_blocks; ++block) {
        const size_t row = block * kSampleLanes;
        const float* col = cols + row * d;
        size_t j = 0;
        for (; j + kTileCentroids <= k; j += kTileCentroids)
            n += closer_tile<kTileCentroids>(col, d, candidates + j * d, sq_norms + j,
                                             limits + row, row, j, out + n);
        for (; j < k; ++j)
            n += closer_tile<1>(col, d, candidates + j * d, sq_norms + j, limits + row, row, j,
                                out + n);
    }
    return n;
}

// Scores of kStrip rows with P panels against the rows' limits.
template <size_t P>
inline size_t closer_strip(const VecF (*scores)[kLanes], const float* limits, size_t first_row,
                           size_t candidate, Hit* out) {
    size_t n = 0;
    for (size_t r = 0; r < kStrip; ++r)
        for (size_t p = 0; p < P; ++p)
            n = append_hits(bits_of(at_most(scores[p][r], broadcast(limits[r]))), first_row + r,
                            candidate + p * kLanes, out, n);
    return n;
}

// Lanes = candidates: up to kSquares squares of rows against P panels.
template <size_t P>
inline size_t closer_squares(const float* const* rows, size_t n_strips, size_t d,
                             const float* panels, const float* sq_norms, const float* limits,
                             size_t first_row, size_t candidate, Hit* out) {
    size_t n = 0;
    if (d <= kPanelFeatures) {
        for (size_t s = 0; s < n_strips; ++s) {
            VecF strip[P][kLanes];
            score_strip<P>(rows + s * kStrip, d, 0, d, panels, sq_norms, strip);
            n += closer_strip<P>(strip, limits + s * kStrip, first_row + s * kStrip, candidate,
                                 out + n);
        }
        return n;
    }
    VecF partial[kSquares * kLanes / kStrip][P][kLanes];
    for (size_t f0 = 0; f0 < d; f0 += kPanelFeatures) {
        const size_t f1 = d - f0 < kPanelFeatures ? d : f0 + kPanelFeatures;
        for (size_t s = 0; s < n_strips; ++s)
            score_strip<P>(rows + s * kStrip, d, f0, f1, panels, sq_norms, partial[s]);
    }
    for (size_t s = 0; s < n_strips; ++s)
        n += closer_strip<P>(partial[s], limits + s * kStrip, first_row + s * kStrip, candidate,
                             out + n);
    return n;
}

size_t closer_panels(const float* rows, size_t n_rows, size_t d, const float* panels,
                     const float* sq_norms, size_t n_panels, const float* limits, Hit* out) {
    constexpr size_t kRows = kSquares * kLanes;
    size_t n = 0;
    for (size_t begin = 0; begin < n_rows; begin += kRows) {
        const size_t count = n_rows - begin < kRows ? n_rows - begin : kRows;
        const size_t n_strips = (count + kStrip - 1) / kStrip;
        const float* row[kRows];
        for (size_t r = 0; r < n_strips * kStrip; ++r)
            row[r] = rows + (begin + r < n_rows ? begin + r : n_rows - 1) * d;
        for (size_t p = 0; p < n_panels;) {
            const float* panel = panels + p * d * kLanes;
            if (p + 2 <= n_panels) {
                n += closer_squares<2>(row, n_strips, d, panel, sq_norms + p * kLanes,
                                       limits + begin, begin, p * kLanes, out + n);
                p += 2;
            } else {
                n += closer_squares<1>(row, n_strips, d, panel, sq_norms + p * kLanes,
                                       limits + begin, begin, p * kLanes, out + n);
                p += 1;
            }
        }
    }
    return n;
}

}  // namespace
