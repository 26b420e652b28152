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
#include "vocabulary.hpp"

namespace {

#if TM_VECTOR_BYTES == 64
constexpr size_t kSampleVectors = 4;
#else
constexpr size_t kSampleVectors = 2;
#endif
constexpr size_t kTileCentroids = 4;
constexpr size_t kSampleLanes = kSampleVectors * kLanes;

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

inline Two nothing_yet() {
    return {broadcast(truemeans::kFarScore), broadcast(truemeans::kFarScore), VecI{}};
}

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
void pack_samples(const T* X, const int32_t* list, size_t n_rows, size_t d,
                  truemeans::Centering<T> c, float* cols, float* norms) {
    const auto row = [&](size_t i) { return X + (list ? static_cast<size_t>(list[i]) : i) * d; };
    for (size_t first = 0; first < n_rows; first += kSampleLanes) {
        const size_t n = n_rows - first < kSampleLanes ? n_rows - first : kSampleLanes;
        float* col = cols + first * d;
        size_t i = 0;
        for (; i + 4 <= n; i += 4) {
            const T* x[4];
            for (size_t r = 0; r < 4; ++r) x[r] = row(first + i + r);
            size_t f = 0;
            for (; f + 4 <= d; f += 4) {
                float tile[4][4];
                for (size_t r = 0; r < 4; ++r)
                    for (size_t g = 0; g < 4; ++g)
                        tile[r][g] = center_one(x[r][f + g], c.center[f + g], c.scale);
                transpose4(tile, col + f * kSampleLanes + i, kSampleLanes);
            }
            for (; f < d; ++f)
                for (size_t r = 0; r < 4; ++r)
                    col[f * kSampleLanes + i + r] = center_one(x[r][f], c.center[f], c.scale);
        }
        for (; i < n; ++i)
            for (size_t f = 0; f < d; ++f)
                col[f * kSampleLanes + i] =
                    center_one(row(first + i)[f], c.center[f], c.scale);
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
void pack_rows(const T* X, const int32_t* list, size_t n_rows, size_t d,
               truemeans::Centering<T> c, float* rows, float* norms) {
    for (size_t i = 0; i < n_rows; ++i) {
        const T* x = X + (list ? static_cast<size_t>(list[i]) : i) * d;
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
}

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

void score_own(const float* rows, size_t n_rows, size_t d, const float* centroids,
               const int32_t* own, const float* sq_norms, float* out) {
    for (size_t i = 0; i < n_rows; ++i) {
        const float* a = rows + i * d;
        const float* b = centroids + static_cast<size_t>(own[i]) * d;
        VecF sum{};
        size_t f = 0;
        for (; f + kLanes <= d; f += kLanes) sum += load(a + f) * load(b + f);
        float total = sq_norms[own[i]];
        for (size_t lane = 0; lane < kLanes; ++lane) total += sum[lane];
        for (; f < d; ++f) total += a[f] * b[f];
        out[i] = total;
    }
}

void distance_at_most(const float* scores, const float* norms, size_t n,
                      truemeans::Margin margin, float* out) {
    for (size_t i = 0; i < n; ++i) {
        const float sq = scores[i] + norms[i] + (margin.constant + margin.slope * norms[i]);
        out[i] = __builtin_sqrtf(sq > 0.0f ? sq : 0.0f) * (1.0f + 0x1p-22f);
    }
}

void distance_at_least(const float* scores, const float* norms, size_t n,
                       truemeans::Margin margin, float travel, uint16_t* out) {
    for (size_t i = 0; i < n; ++i) {
        const float sq = scores[i] + norms[i] - (margin.constant + margin.slope * norms[i]);
        const float distance = __builtin_sqrtf(sq > 0.0f ? sq : 0.0f) * (1.0f - 0x1p-22f);
        const float stored = (distance + travel) * (1.0f - 0x1p-22f);
        uint32_t bits;
        __builtin_memcpy(&bits, &stored, sizeof bits);
        out[i] = static_cast<uint16_t>(bits >> 16);
    }
}

void distance_gap(const float* best, const float* second, const float* norms, size_t n,
                  truemeans::Margin margin, float* out) {
    for (size_t i = 0; i < n; ++i) {
        const float m = margin.constant + margin.slope * norms[i];
        const float above = best[i] + norms[i] + m;
        const float below = second[i] + norms[i] - m;
        out[i] = __builtin_sqrtf(below > 0.0f ? below : 0.0f) * (1.0f - 0x1p-21f) -
                 __builtin_sqrtf(above > 0.0f ? above : 0.0f) * (1.0f + 0x1p-21f);
    }
}

// Appends the numbers of the lanes that are set; late passes find none in most vectors.
inline size_t append_lanes(VecI set, size_t first, int32_t* list, size_t n) {
    uint64_t bits[kLanes / 2];
    __builtin_memcpy(bits, &set, sizeof set);
    uint64_t any = 0;
    for (const uint64_t b : bits) any |= b;
    if (any == 0) return n;
    for (size_t lane = 0; lane < kLanes; ++lane) {
        list[n] = static_cast<int32_t>(first + lane);
        n += set[lane] != 0;
    }
    return n;
}

size_t rows_reached(const float* slack, const int32_t* labels, const float* travel,
                    float farthest, size_t n_rows, int32_t* list) {
    size_t n = 0;
    size_t i = 0;
    for (; i + kLanes <= n_rows; i += kLanes) {
        float gone[kLanes];
        for (size_t lane = 0; lane < kLanes; ++lane) gone[lane] = travel[labels[i + lane]];
        n = append_lanes(load(slack + i) <= load(gone) + farthest, i, list, n);
    }
    for (; i < n_rows; ++i) {
        list[n] = static_cast<int32_t>(i);
        n += slack[i] <= travel[labels[i]] + farthest;
    }
    return n;
}

size_t rows_within(const float* slack, float gone, size_t n_rows, int32_t* list) {
    size_t n = 0;
    size_t i = 0;
    for (; i + kLanes <= n_rows; i += kLanes) {
        n = append_lanes(load(slack + i) <= broadcast(gone), i, list, n);
    }
    for (; i < n_rows; ++i) {
        list[n] = static_cast<int32_t>(i);
        n += slack[i] <= gone;
    }
    return n;
}

void least_bound(const uint16_t* lower, size_t n_groups, const float* travel,
                 const int32_t* list, size_t n_list, float* out) {
    constexpr float kMore = 1.0f + 0x1p-22f;
    constexpr float kLess = 1.0f - 0x1p-22f;
    for (size_t e = 0; e < n_list; ++e) {
        const uint16_t* bounds = lower + static_cast<size_t>(list[e]) * n_groups;
        Vec8F least = Vec8F{} + truemeans::kFarScore;
        for (size_t g = 0; g < n_groups; g += 8) {
            const Vec8Half halves = *reinterpret_cast<const Vec8HalfLoose*>(bounds + g);
            const Vec8Bits bits = __builtin_convertvector(halves, Vec8Bits) << 16;
            const Vec8F gone = *reinterpret_cast<const Vec8FLoose*>(travel + g);
            const Vec8F now = Vec8F(bits) * kLess - gone * kMore;
            least = now < least ? now : least;
        }
        float one = least[0];
        for (size_t lane = 1; lane < 8; ++lane) one = least[lane] < one ? least[lane] : one;
        out[e] = one;
    }
}

}  // namespace
