// What scores prove about later passes: bounds on distances, and which rows they leave open
// (skip.hpp and bounds.hpp say how they are used).
#pragma once

#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "vocabulary.hpp"

namespace {

size_t slots_within(const float* row, size_t d, const float* panels, const float* sq_norms,
                    size_t n_panels, float limit, int32_t* list) {
    constexpr size_t kAtOnce = 4;
    size_t n = 0;
    for (size_t first = 0; first < n_panels; first += kAtOnce) {
        const size_t count = n_panels - first < kAtOnce ? n_panels - first : kAtOnce;
        const float* panel[kAtOnce];
        VecF acc[kAtOnce];
        for (size_t p = 0; p < kAtOnce; ++p) {
            const size_t at = first + (p < count ? p : 0);
            panel[p] = panels + at * d * kLanes;
            acc[p] = load(sq_norms + at * kLanes);
        }
        for (size_t f = 0; f < d; ++f) {
            const VecF a = broadcast(row[f]);
            for (size_t p = 0; p < kAtOnce; ++p) acc[p] += a * load(panel[p] + f * kLanes);
        }
        for (size_t p = 0; p < count; ++p)
            n = append_bits(lane_bits(acc[p] <= broadcast(limit)), (first + p) * kLanes, list, n);
    }
    return n;
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
        out[i] = root(sq) * (1.0f + 0x1p-22f);
    }
}

void distance_at_least(const float* scores, const float* norms, size_t n,
                       truemeans::Margin margin, float travel, uint16_t* out) {
    for (size_t i = 0; i < n; ++i) {
        const float sq = scores[i] + norms[i] - (margin.constant + margin.slope * norms[i]);
        const float distance = root(sq) * (1.0f - 0x1p-22f);
        const float stored = (distance + travel) * (1.0f - 0x1p-22f);
        uint32_t bits;
        __builtin_memcpy(&bits, &stored, sizeof bits);
        out[i] = static_cast<uint16_t>(bits >> 16);
    }
}

inline float size_of(float v) { return v < 0.0f ? -v : v; }
inline VecF size_of(VecF v) { return v < 0.0f ? -v : v; }

// One row or a vector of rows; gone: what its label and the farthest centroid have travelled.
template <class V>
inline V slack_of(V best, V second, V norm, V margin, V gone) {
    const V above = best + norm + margin;
    const V below = second + norm - margin;
    const V gap = root(below) * (1.0f - 0x1p-21f) - root(above) * (1.0f + 0x1p-21f);
    return (gap + gone) - 0x1p-21f * (size_of(gap) + gone);
}

void keep_slack(const float* best, const float* second, const float* norms, const float* margins,
                const int32_t* label, const float* travel, float farthest, const int32_t* rows,
                size_t n, float* slack) {
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const VecF gone = gather(travel, load(label + i)) + farthest;
        const VecF now = slack_of(load(best + i), load(second + i), load(norms + i),
                                  load(margins + i), gone);
        if (rows)
            for (size_t lane = 0; lane < kLanes; ++lane) slack[rows[i + lane]] = now[lane];
        else
            store(slack + i, now);
    }
    for (; i < n; ++i)
        slack[rows ? static_cast<size_t>(rows[i]) : i] = slack_of(
            best[i], second[i], norms[i], margins[i], travel[label[i]] + farthest);
}

size_t rows_reached(const float* slack, const int32_t* labels, const float* travel,
                    float farthest, size_t n_rows, int32_t* list) {
    size_t n = 0;
    size_t i = 0;
    for (; i + kLanes <= n_rows; i += kLanes) {
        const VecF gone = gather(travel, load(labels + i)) + farthest;
        n = append_bits(lane_bits(load(slack + i) <= gone), i, list, n);
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
    for (; i + kLanes <= n_rows; i += kLanes)
        n = append_bits(lane_bits(load(slack + i) <= broadcast(gone)), i, list, n);
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
