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
// no lane is wasted on few centroids. Lanes = centroids: kRowTile rows are broadcast against
// two vectors of centroids, 2 * kRowTile accumulators; each row keeps best, second and index
// per lane until all panels are seen.
//
// Registers: AVX2 has 16 (6 x 2 accumulators + 2 + 1), AVX-512 has 32 (12 x 2 + 2 + 1).
#pragma once

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

#if TM_VECTOR_BYTES == 64
constexpr size_t kSampleVectors = 4;
constexpr size_t kRowTile = 12;
#else
constexpr size_t kSampleVectors = 2;
constexpr size_t kRowTile = 6;
#endif
constexpr size_t kTileCentroids = 4;
constexpr size_t kSampleLanes = kSampleVectors * kLanes;
constexpr size_t kCentroidLanes = 2 * kLanes;

inline VecF vmin(VecF a, VecF b) { return a < b ? a : b; }
inline VecF vmax(VecF a, VecF b) { return a < b ? b : a; }
inline VecF broadcast(float x) { return VecF{} + x; }

struct Two {
    VecF best, second;
    VecI index;

    inline void offer(VecF score, VecI id) {
        second = vmin(second, vmax(best, score));
        index = score < best ? id : index;
        best = vmin(best, score);
    }
};

constexpr float kFar = 3.0e38f;

inline Two nothing_yet() { return {broadcast(kFar), broadcast(kFar), VecI{}}; }

template <class T>
inline float center_one(T x, T center, T scale) {
    return static_cast<float>((x - center) * scale);
}

// Four rows by four features at a time, so that the transposition is shuffles, not scalar stores.
inline void transpose4(const float (&rows)[4][4], float* cols, size_t stride) {
    Vec4F r[4];
    for (int i = 0; i < 4; ++i) r[i] = *reinterpret_cast<const Vec4FLoose*>(rows[i]);
    const Vec4F p = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    const Vec4F q = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    const Vec4F s = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    const Vec4F t = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    *reinterpret_cast<Vec4FLoose*>(cols) = __builtin_shufflevector(p, q, 0, 1, 4, 5);
    *reinterpret_cast<Vec4FLoose*>(cols + stride) = __builtin_shufflevector(p, q, 2, 3, 6, 7);
    *reinterpret_cast<Vec4FLoose*>(cols + 2 * stride) = __builtin_shufflevector(s, t, 0, 1, 4, 5);
    *reinterpret_cast<Vec4FLoose*>(cols + 3 * stride) = __builtin_shufflevector(s, t, 2, 3, 6, 7);
}

template <class T>
void pack_samples(const T* X, size_t n_rows, size_t d, truemeans::Centering<T> c, float* cols,
                  float* norms) {
    for (size_t first = 0; first < n_rows; first += kSampleLanes) {
        const size_t n = n_rows - first < kSampleLanes ? n_rows - first : kSampleLanes;
        const T* x = X + first * d;
        float* col = cols + first * d;
        size_t i = 0;
        for (; i + 4 <= n; i += 4) {
            size_t f = 0;
            for (; f + 4 <= d; f += 4) {
                float tile[4][4];
                for (size_t r = 0; r < 4; ++r)
                    for (size_t g = 0; g < 4; ++g)
                        tile[r][g] = center_one(x[(i + r) * d + f + g], c.center[f + g], c.scale);
                transpose4(tile, col + f * kSampleLanes + i, kSampleLanes);
            }
            for (; f < d; ++f)
                for (size_t r = 0; r < 4; ++r)
                    col[f * kSampleLanes + i + r] =
                        center_one(x[(i + r) * d + f], c.center[f], c.scale);
        }
        for (; i < n; ++i)
            for (size_t f = 0; f < d; ++f)
                col[f * kSampleLanes + i] = center_one(x[i * d + f], c.center[f], c.scale);
        for (; i < kSampleLanes; ++i)
            for (size_t f = 0; f < d; ++f) col[f * kSampleLanes + i] = 0.0f;
        for (size_t v = 0; v < kSampleVectors; ++v) {
            VecF sum{};
            for (size_t f = 0; f < d; ++f) {
                const VecF a = load(col + f * kSampleLanes + v * kLanes);
                sum += a * a;
            }
            store(norms + first + v * kLanes, sum);
        }
    }
}

template <class T>
void pack_rows(const T* X, size_t n_rows, size_t d, truemeans::Centering<T> c, float* rows,
               float* norms) {
    for (size_t i = 0; i < n_rows; ++i) {
        const T* x = X + i * d;
        float* row = rows + i * d;
        for (size_t f = 0; f < d; ++f) row[f] = center_one(x[f], c.center[f], c.scale);
        VecF sum{};
        size_t f = 0;
        for (; f + kLanes <= d; f += kLanes) {
            const VecF a = load(row + f);
            sum += a * a;
        }
        float total = 0.0f;
        for (size_t lane = 0; lane < kLanes; ++lane) total += sum[lane];
        for (; f < d; ++f) total += row[f] * row[f];
        norms[i] = total;
    }
    for (size_t i = n_rows; i % kRowTile != 0; ++i)
        for (size_t f = 0; f < d; ++f) rows[i * d + f] = 0.0f;
}

// One tile, lanes = samples: M centroids against one block of rows.
template <size_t M>
inline void tile_samples(const float* col, size_t d, const float* centroids,
                         const float* sq_norms, int32_t id, Two (&two)[kSampleVectors]) {
    VecF acc[M][kSampleVectors];
    for (size_t m = 0; m < M; ++m)
        for (size_t v = 0; v < kSampleVectors; ++v) acc[m][v] = broadcast(sq_norms[m]);
    for (size_t f = 0; f < d; ++f) {
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
        for (size_t v = 0; v < kSampleVectors; ++v) two[v].offer(acc[m][v], ids);
    }
}

void score_samples(const float* cols, size_t n_blocks, size_t d, const float* centroids,
                   const float* sq_norms, size_t k, truemeans::TwoNearest out) {
    for (size_t block = 0; block < n_blocks; ++block) {
        const float* col = cols + block * kSampleLanes * d;
        Two two[kSampleVectors];
        for (auto& t : two) t = nothing_yet();
        size_t j = 0;
        for (; j + kTileCentroids <= k; j += kTileCentroids)
            tile_samples<kTileCentroids>(col, d, centroids + j * d, sq_norms + j,
                                         static_cast<int32_t>(j), two);
        for (; j < k; ++j)
            tile_samples<1>(col, d, centroids + j * d, sq_norms + j, static_cast<int32_t>(j), two);
        for (size_t v = 0; v < kSampleVectors; ++v) {
            const size_t at = block * kSampleLanes + v * kLanes;
            store(out.best + at, two[v].best);
            store(out.second + at, two[v].second);
            store(out.index + at, two[v].index);
        }
    }
}

// One tile, lanes = centroids: kRowTile rows against one panel; state: [row][3][kLanes].
inline void tile_centroids(const float* rows, size_t d, const float* panel,
                           const float* sq_norms, int32_t id, float* state) {
    VecF acc[kRowTile][2];
    for (size_t r = 0; r < kRowTile; ++r) {
        acc[r][0] = load(sq_norms);
        acc[r][1] = load(sq_norms + kLanes);
    }
    for (size_t f = 0; f < d; ++f) {
        const VecF b0 = load(panel + f * kCentroidLanes);
        const VecF b1 = load(panel + f * kCentroidLanes + kLanes);
        for (size_t r = 0; r < kRowTile; ++r) {
            const VecF a = broadcast(rows[r * d + f]);
            acc[r][0] += a * b0;
            acc[r][1] += a * b1;
        }
    }
    VecI ids;
    for (size_t lane = 0; lane < kLanes; ++lane)
        ids[lane] = id + static_cast<int32_t>(lane);
    for (size_t r = 0; r < kRowTile; ++r) {
        float* s = state + r * 3 * kLanes;
        Two two{load(s), load(s + kLanes), load(reinterpret_cast<int32_t*>(s + 2 * kLanes))};
        two.offer(acc[r][0], ids);
        two.offer(acc[r][1], ids + static_cast<int32_t>(kLanes));
        store(s, two.best);
        store(s + kLanes, two.second);
        store(reinterpret_cast<int32_t*>(s + 2 * kLanes), two.index);
    }
}

// Folds a row's lanes: the best, the best of all the others, and the best's index.
inline void fold_lanes(const float* state, float* best, float* second, int32_t* index) {
    const float* b = state;
    const float* s = state + kLanes;
    size_t winner = 0;
    for (size_t lane = 1; lane < kLanes; ++lane)
        if (b[lane] < b[winner]) winner = lane;
    float next = s[winner];
    for (size_t lane = 0; lane < kLanes; ++lane)
        if (lane != winner && b[lane] < next) next = b[lane];
    *best = b[winner];
    *second = next;
    *index = reinterpret_cast<const int32_t*>(state + 2 * kLanes)[winner];
}

void score_centroids(const float* rows, size_t n_rows, size_t d, const float* panels,
                     const float* sq_norms, size_t n_panels, bool by_rows, float* scratch,
                     truemeans::TwoNearest out) {
    const size_t step = by_rows ? kRowTile : n_rows;
    for (size_t first = 0; first < n_rows; first += step) {
        const size_t last = first + step < n_rows ? first + step : n_rows;
        for (size_t i = first; i < last; i += kRowTile)
            for (size_t r = 0; r < kRowTile; ++r) {
                float* state = scratch + (i + r - first) * 3 * kLanes;
                store(state, broadcast(kFar));
                store(state + kLanes, broadcast(kFar));
                store(reinterpret_cast<int32_t*>(state + 2 * kLanes), VecI{});
            }
        for (size_t p = 0; p < n_panels; ++p)
            for (size_t i = first; i < last; i += kRowTile)
                tile_centroids(rows + i * d, d, panels + p * d * kCentroidLanes,
                               sq_norms + p * kCentroidLanes,
                               static_cast<int32_t>(p * kCentroidLanes),
                               scratch + (i - first) * 3 * kLanes);
        for (size_t i = first; i < last; ++i)
            fold_lanes(scratch + (i - first) * 3 * kLanes, out.best + i, out.second + i,
                       out.index + i);
    }
}

}  // namespace
