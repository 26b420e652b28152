// Rounds of k-means++ over few rows, turned block by block: lanes are rows, and each row's
// canonical distance is summed from first feature to last. Compiled as exact code.
#pragma once

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

// Vectors at a time, so that an addition need not wait for the one before.
constexpr size_t kRoundVectors = truemeans::kRoundRows / 8;

struct RoundRows {
    Vec8 of[kRoundVectors];
};

// Canonical squared distances of one block.
inline RoundRows block_sq_dist(const double* block, size_t d, const double* candidate) {
    RoundRows sum{};
    for (size_t f = 0; f < d; ++f)
        for (size_t v = 0; v < kRoundVectors; ++v) {
            const Vec8 e = load8(block + f * truemeans::kRoundRows + v * 8) - candidate[f];
            sum.of[v] += e * e;
        }
    return sum;
}

// To the nearest integer, for values below 2^51.
inline Vec8 round_integers(Vec8 v) {
    constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
    return (v + kMagic) - kMagic;
}

inline double add_lanes(Vec8 v) {
    double sum = 0.0;
    for (size_t lane = 0; lane < 8; ++lane) sum += v[lane];
    return sum;
}

void round_gains(const double* blocks, size_t n, size_t d, const double* candidates, size_t m,
                 const double* scaled, const double* closest, const double* masses,
                 double* gains) {
    for (size_t j = 0; j < m; ++j) gains[j] = 0.0;
    for (size_t i = 0; i < n; i += truemeans::kRoundRows)
        for (size_t j = 0; j < m; ++j) {
            const RoundRows far = block_sq_dist(blocks + i * d, d, candidates + j * d);
            Vec8 gain{};
            for (size_t v = 0; v < kRoundVectors; ++v) {
                const Vec8 now = load8(closest + i + v * 8);
                const Vec8 least = far.of[v] < now ? far.of[v] : now;
                gain += load8(masses + i + v * 8) -
                        round_integers(load8(scaled + i + v * 8) * least);
            }
            gains[j] += add_lanes(gain);
        }
}

void round_lower(const double* blocks, size_t n, size_t d, const double* candidate,
                 double* closest) {
    for (size_t i = 0; i < n; i += truemeans::kRoundRows) {
        const RoundRows far = block_sq_dist(blocks + i * d, d, candidate);
        for (size_t v = 0; v < kRoundVectors; ++v) {
            const Vec8 now = load8(closest + i + v * 8);
            store8(closest + i + v * 8, far.of[v] < now ? far.of[v] : now);
        }
    }
}

void round_masses(const double* scaled, const double* closest, size_t n, double* masses,
                  double* sums) {
    for (size_t i = 0; i < n; i += truemeans::kRoundRows) {
        Vec8 sum{};
        for (size_t v = 0; v < kRoundVectors; ++v) {
            const Vec8 mass =
                round_integers(load8(scaled + i + v * 8) * load8(closest + i + v * 8));
            store8(masses + i + v * 8, mass);
            sum += mass;
        }
        sums[i / truemeans::kRoundRows] = add_lanes(sum);
    }
}

}  // namespace
