// The limit that a candidate's score must not exceed to be worth a canonical distance (closer.cpp
// has the proof). Compiled as exact code, where what is not a number compares as it should.
#pragma once

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

template <bool kWeighted>
bool limits_of(const double* closest, const double* weight, const float* norms, size_t n,
               double sq_scale, truemeans::Margin margin, float* out) {
    const double constant = static_cast<double>(margin.constant);
    const double slope = static_cast<double>(margin.slope);
    size_t wild = 0;
    for (size_t i = 0; i < n; ++i) {
        const double far = closest[i] * sq_scale;
        const double norm = static_cast<double>(norms[i]);
        const float limit = static_cast<float>(far - norm + (constant + slope * norm) +
                                               0x1p-20 * (far + norm));
        const bool shut = (closest[i] <= 0.0) | (kWeighted ? weight[i] <= 0.0 : false);
        const bool tame = (norms[i] < truemeans::kWildScore) & (limit < truemeans::kWildScore);
        out[i] = shut ? -truemeans::kFarScore : limit;
        wild += !(shut | tame);
    }
    return wild != 0;
}

bool closer_limits(const double* closest, const double* weight, const float* norms, size_t n,
                   double sq_scale, truemeans::Margin margin, float* out) {
    return weight ? limits_of<true>(closest, weight, norms, n, sq_scale, margin, out)
                  : limits_of<false>(closest, weight, norms, n, sq_scale, margin, out);
}

}  // namespace
