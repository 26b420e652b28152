// What each of many candidates would gain, as far as scores know it: by how much it would lower
// the squared distances of the rows it is closer to than all centroids so far.
//
// With L the limit of a row (closer.cpp) and s its score with a candidate, both scaled,
//     0 <= max(0, L - s) - max(0, D - d) <= 2 m + 1.13 * 2^-20 (D + |a|^2),
// D the row's squared distance so far, d that to the candidate, m the margin that the limit has
// over D - |a|^2 for the errors of the score and of the norm: the limit is above what it stands
// for by at most so much, and a score that is not below it belongs to a candidate that gains
// nothing. As L >= D - |a|^2, the last term is at most 1.13 * 2^-20 (L + 2 |a|^2).
#pragma once

#include "lanes.inl.hpp"
#include "scores.inl.hpp"

namespace {

using truemeans::GainRows;

// The most that one row of a block is overestimated by, weighed.
inline float overestimate(const GainRows& rows, size_t block, truemeans::Margin margin) {
    constexpr float kRounding = 1.2f / (1 << 20);
    VecF most{};
    for (size_t i = block * kSampleLanes; i < (block + 1) * kSampleLanes; i += kLanes) {
        const VecF norm = load(rows.norms + i);
        const VecF far = load(rows.limits + i) + 2.0f * norm;
        const VecF over = 2.0f * (margin.constant + margin.slope * norm) + kRounding * far;
        most = vmax(most, rows.weight ? over * load(rows.weight + i) : over);
    }
    float out = 0.0f;
    for (size_t lane = 0; lane < kLanes; ++lane) out = most[lane] > out ? most[lane] : out;
    return out;
}

// M candidates against all blocks of rows; of the first: candidates, sq_norms, marks, out.
template <size_t M, bool kWeighted>
inline void gain_tile(const GainRows& rows, const float* over, const float* candidates,
                      const float* sq_norms, truemeans::Gains out, truemeans::Ahead& ahead,
                      size_t lines_at_a_time) {
    constexpr size_t kBlocksAWord = 64 / kSampleLanes;
    const size_t d = rows.d;
    VecF gain[M] = {};
    float error[M] = {};
    for (size_t block = 0; block < rows.n_blocks; ++block) {
        const float* col = rows.cols + block * kSampleLanes * d;
        fetch_lines(ahead, lines_at_a_time);
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
        uint64_t* marks = out.marks + block / kBlocksAWord * out.stride;
        const size_t shift = block % kBlocksAWord * kSampleLanes;
        uint64_t bits[M] = {};
        for (size_t v = 0; v < kSampleVectors; ++v) {
            const size_t i = block * kSampleLanes + v * kLanes;
            const VecF limit = load(rows.limits + i);
            const VecF weight = kWeighted ? load(rows.weight + i) : VecF{};
            for (size_t m = 0; m < M; ++m) {
                const Lanes closer = at_most(acc[m][v], limit);
                const VecF less = limit - acc[m][v];
                bits[m] |= static_cast<uint64_t>(bits_of(closer)) << (v * kLanes);
                gain[m] = add_where(closer, gain[m], kWeighted ? less * weight : less);
            }
        }
        for (size_t m = 0; m < M; ++m) {
            marks[m] = (shift == 0 ? 0 : marks[m]) | bits[m] << shift;
            error[m] += static_cast<float>(__builtin_popcountll(bits[m])) * over[block];
        }
    }
    for (size_t m = 0; m < M; ++m) {
        float sum = 0.0f;
        for (size_t lane = 0; lane < kLanes; ++lane) sum += gain[m][lane];
        out.gains[m] = sum;
        out.errors[m] = error[m];
    }
}

template <bool kWeighted>
inline void sweep_gains(const GainRows& rows, const float* over, const float* candidates,
                        const float* sq_norms, size_t k, truemeans::Gains out,
                        truemeans::Ahead ahead) {
    const size_t n_times = rows.n_blocks * ((k + kTileCentroids - 1) / kTileCentroids);
    const size_t lines = (ahead.n_lines + n_times - 1) / (n_times ? n_times : 1);
    const auto from = [&](size_t j) {
        return truemeans::Gains{out.marks + j, out.stride, out.gains + j, out.errors + j};
    };
    size_t j = 0;
    for (; j + kTileCentroids <= k; j += kTileCentroids)
        gain_tile<kTileCentroids, kWeighted>(rows, over, candidates + j * rows.d, sq_norms + j,
                                             from(j), ahead, lines);
    for (; j < k; ++j)
        gain_tile<1, kWeighted>(rows, over, candidates + j * rows.d, sq_norms + j, from(j), ahead,
                                lines);
}

void gain_samples(GainRows rows, truemeans::Margin margin, const float* candidates,
                  const float* sq_norms, size_t k, truemeans::Gains out, truemeans::Ahead ahead) {
    float over[truemeans::kMostGainRows / kSampleLanes];
    for (size_t block = 0; block < rows.n_blocks; ++block)
        over[block] = overestimate(rows, block, margin);
    if (rows.weight)
        sweep_gains<true>(rows, over, candidates, sq_norms, k, out, ahead);
    else
        sweep_gains<false>(rows, over, candidates, sq_norms, k, out, ahead);
}

}  // namespace
