// Scores: float32 arithmetic that may rule centroids out, never decide between near ties.
//
// Formula. With a = (x - m)s and b = (c - m)s for a common center m and a power of two s,
//     score(x, c) = ||b||^2 - 2 a.b = ||a - b||^2 - ||a||^2,
// so the order of the scores of one row is the order of its squared distances.
//
// Error. u = 2^-24. a and b are rounded once each (relative error <= 1.01u), ||b||^2 once, and
// the sum started from ||b||^2 takes d additions of d products, fused or not:
//     |computed - exact| <= g (||b||^2 + 2 ||a|| ||b||),   g = 1.02 (d + 8) u
// as long as (d + 8) u <= 0.01 (standard gamma_{d+2} bound, Higham 2002, section 3.1; underflow
// is below 2^-140 while ||b||max >= 2^-20, far inside the spare of g). With B = max ||b||^2 and
// 2 ||a|| ||b|| <= ||a||^2 + ||b||^2 a gap between two scores above
//     2 g (2 B + ||a||^2)
// proves the order of the exact squared distances. The canonical float64 distances err by at
// most 2 (d + 2) 2^-53 (||a||^2 + B) more each, again inside the spare. The caller compares.
//
// Layout. Lanes = samples: rows are transposed to [feature][lane], a tile of kTileCentroids
// centroids is broadcast against kSampleVectors vectors of rows; nothing is reduced across lanes,
// no lane is wasted on few centroids. Lanes = centroids: one vector of rows, named by a list, is
// broadcast against one vector of centroids at a time, so any subset of rows meets any run of
// centroids without being copied; the square of scores is turned before best and second best.
//
// Registers: lanes = centroids takes 2 * kStrip accumulators (8, 8, 16 with SSE, AVX2, AVX-512),
// lanes = samples 4 * kSampleVectors.
#pragma once

#include "kernels.hpp"
#include "pack.inl.hpp"
#include "transpose.inl.hpp"
#include "two_nearest.inl.hpp"
#include "vocabulary.hpp"

namespace {

constexpr size_t kTileCentroids = 4;

// So many features of a block of rows, or of two panels, stay in a first-level cache; beyond,
// partial scores wait in a second-level cache for the next chunk of features.
constexpr size_t kSampleFeatures = TM_VECTOR_BYTES == 64 ? 128 : 256;
constexpr size_t kPanelFeatures = 256;

// Lanes = samples: M centroids against `width` features of one block of rows. centroids and col
// start at the first of these features; partial: [centroid][sample lane], read unless kFirst,
// written unless kLast, when the scores are complete.
template <size_t M, bool kFirst, bool kLast>
inline void tile_samples(const float* col, size_t d, size_t width, const float* centroids,
                         const float* sq_norms, float* partial, int32_t id,
                         Two (&two)[kSampleVectors]) {
    VecF acc[M][kSampleVectors];
    for (size_t m = 0; m < M; ++m)
        for (size_t v = 0; v < kSampleVectors; ++v)
            acc[m][v] =
                kFirst ? broadcast(sq_norms[m]) : load(partial + m * kSampleLanes + v * kLanes);
    for (size_t f = 0; f < width; ++f) {
        VecF a[kSampleVectors];
        for (size_t v = 0; v < kSampleVectors; ++v)
            a[v] = load(col + f * kSampleLanes + v * kLanes);
        for (size_t m = 0; m < M; ++m) {
            const VecF b = broadcast(centroids[m * d + f]);
            for (size_t v = 0; v < kSampleVectors; ++v) acc[m][v] += a[v] * b;
        }
    }
    for (size_t m = 0; m < M; ++m) {
        const VecI ids = VecI{} + (id + static_cast<int32_t>(m));
        for (size_t v = 0; v < kSampleVectors; ++v) {
            if (kLast)
                two[v].offer(acc[m][v], ids);
            else
                store(partial + m * kSampleLanes + v * kLanes, acc[m][v]);
        }
    }
}

// The centroids [first, last) against `width` features of one block of rows.
template <bool kFirst, bool kLast>
inline void sweep_samples(const float* col, size_t d, size_t width, const float* centroids,
                          const float* sq_norms, size_t first, size_t last, float* partial,
                          Two (&two)[kSampleVectors]) {
    size_t j = first;
    for (; j + kTileCentroids <= last; j += kTileCentroids) {
        // Chunks of rows that lie far apart are not foreseen by the hardware.
        if (!(kFirst && kLast))
            for (size_t m = 0; m < kTileCentroids; ++m)
                for (size_t f = 0; f < width; f += 16)
                    __builtin_prefetch(centroids + (j + kTileCentroids + m) * d + f);
        tile_samples<kTileCentroids, kFirst, kLast>(
            col, d, width, centroids + j * d, sq_norms + j, partial + (j - first) * kSampleLanes,
            static_cast<int32_t>(j), two);
    }
    for (; j < last; ++j)
        tile_samples<1, kFirst, kLast>(col, d, width, centroids + j * d, sq_norms + j,
                                       partial + (j - first) * kSampleLanes,
                                       static_cast<int32_t>(j), two);
}

// Many features: a chunk of them at a time, for so many centroids that their partial scores stay
// in a second-level cache.
inline void sweep_wide(const float* col, size_t d, const float* centroids,
                       const float* sq_norms, size_t k, Two (&two)[kSampleVectors]) {
    constexpr size_t kCentroids = 128;
    float partial[kCentroids * kSampleLanes];
    for (size_t j = 0; j < k; j += kCentroids) {
        const size_t last = k - j < kCentroids ? k : j + kCentroids;
        sweep_samples<true, false>(col, d, kSampleFeatures, centroids, sq_norms, j, last,
                                   partial, two);
        size_t f = kSampleFeatures;
        for (; f + kSampleFeatures < d; f += kSampleFeatures)
            sweep_samples<false, false>(col + f * kSampleLanes, d, kSampleFeatures,
                                        centroids + f, sq_norms, j, last, partial, two);
        sweep_samples<false, true>(col + f * kSampleLanes, d, d - f, centroids + f, sq_norms, j,
                                   last, partial, two);
    }
}

void score_samples(const float* cols, size_t n_blocks, size_t d, const float* centroids,
                   const float* sq_norms, size_t k, truemeans::TwoNearest out) {
    for (size_t block = 0; block < n_blocks; ++block) {
        const float* col = cols + block * kSampleLanes * d;
        Two two[kSampleVectors];
        for (auto& t : two) t = nothing_yet();
        if (d <= kSampleFeatures)
            sweep_samples<true, true>(col, d, d, centroids, sq_norms, 0, k, nullptr, two);
        else
            sweep_wide(col, d, centroids, sq_norms, k, two);
        for (size_t v = 0; v < kSampleVectors; ++v) {
            const size_t at = block * kSampleLanes + v * kLanes;
            store(out.best + at, two[v].best);
            store(out.second + at, two[v].second);
            store(out.index + at, two[v].index);
        }
    }
}

// So many rows at a time keep their addresses in registers beside 2 * kStrip accumulators.
constexpr size_t kStrip = kLanes > 8 ? kLanes / 2 : 4;

// kStrip rows against the features [f0, f1) of P neighbouring panels; scores (in/out):
// [panel][row], started from the norms.
template <size_t P>
inline void score_strip(const float* const* rows, size_t d, size_t f0, size_t f1,
                        const float* panels, const float* sq_norms, VecF (*scores)[kLanes]) {
    VecF acc[kStrip][P];
    const float* x[kStrip];
    for (size_t r = 0; r < kStrip; ++r) {
        x[r] = rows[r];
        for (size_t p = 0; p < P; ++p)
            acc[r][p] = f0 == 0 ? load(sq_norms + p * kLanes) : scores[p][r];
    }
    for (size_t f = f0; f < f1; ++f) {
        VecF b[P];
        for (size_t p = 0; p < P; ++p) b[p] = load(panels + (p * d + f) * kLanes);
        for (size_t r = 0; r < kStrip; ++r) {
            const VecF a = broadcast(x[r][f]);
            for (size_t p = 0; p < P; ++p) acc[r][p] += a * b[p];
        }
    }
    for (size_t r = 0; r < kStrip; ++r)
        for (size_t p = 0; p < P; ++p) scores[p][r] = acc[r][p];
}

// Rows of one call that share a chunk of features of the panels.
constexpr size_t kSquares = 128 / kLanes;

// Up to kSquares squares of rows against P panels: accumulated with lanes = centroids, then
// turned so that lanes = rows, and best and second best need no reduction across lanes.
template <size_t P>
inline void score_squares(const float* const (*rows)[kLanes], size_t n_squares, size_t d,
                          const float* panels, const float* sq_norms, int32_t first, Two* two) {
    VecF scores[kSquares][P][kLanes];
    for (size_t f0 = 0; f0 < d; f0 += kPanelFeatures) {
        const size_t f1 = d - f0 < kPanelFeatures ? d : f0 + kPanelFeatures;
        for (size_t s = 0; s < n_squares; ++s)
            for (size_t r = 0; r < kLanes; r += kStrip) {
                VecF strip[P][kLanes];
                for (size_t p = 0; p < P; ++p)
                    for (size_t i = 0; i < kStrip; ++i) strip[p][i] = scores[s][p][r + i];
                score_strip<P>(rows[s] + r, d, f0, f1, panels, sq_norms, strip);
                for (size_t p = 0; p < P; ++p)
                    for (size_t i = 0; i < kStrip; ++i) scores[s][p][r + i] = strip[p][i];
            }
    }
    for (size_t s = 0; s < n_squares; ++s)
        for (size_t p = 0; p < P; ++p) {
            transpose(scores[s][p]);
            const VecI id = VecI{} + (first + static_cast<int32_t>(p * kLanes));
            for (size_t j = 0; j < kLanes; ++j)
                two[s].offer(scores[s][p][j], id + static_cast<int32_t>(j));
        }
}

void score_panels(const float* rows, const int32_t* list, size_t n_rows, size_t d,
                  const float* panels, const float* sq_norms, size_t n_panels, int32_t first,
                  truemeans::TwoNearest out) {
    for (size_t begin = 0; begin < n_rows; begin += kSquares * kLanes) {
        const size_t left = n_rows - begin;
        const size_t n = left < kSquares * kLanes ? left : kSquares * kLanes;
        const size_t n_squares = (n + kLanes - 1) / kLanes;
        const float* square[kSquares][kLanes];
        Two two[kSquares];
        for (size_t s = 0; s < n_squares; ++s) {
            const size_t i = begin + s * kLanes;
            for (size_t r = 0; r < kLanes; ++r) {
                const size_t at = i + r < n_rows ? i + r : n_rows - 1;
                square[s][r] = rows + (list ? static_cast<size_t>(list[at]) : at) * d;
            }
            two[s] = {load(out.best + i), load(out.second + i), load(out.index + i)};
        }
        for (size_t p = 0; p < n_panels;) {
            const float* panel = panels + p * d * kLanes;
            const int32_t id = first + static_cast<int32_t>(p * kLanes);
            if (p + 2 <= n_panels) {
                score_squares<2>(square, n_squares, d, panel, sq_norms + p * kLanes, id, two);
                p += 2;
            } else {
                score_squares<1>(square, n_squares, d, panel, sq_norms + p * kLanes, id, two);
                p += 1;
            }
        }
        for (size_t s = 0; s < n_squares; ++s) {
            const size_t i = begin + s * kLanes;
            store(out.best + i, two[s].best);
            store(out.second + i, two[s].second);
            store(out.index + i, two[s].index);
        }
    }
}

}  // namespace
