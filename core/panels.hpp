// The centroids of one pass, laid out for the kernels.
#pragma once

#include <cstddef>
#include <vector>

#include "pass.hpp"

namespace truemeans {

// [k / 8][feature][8] float64 for the exact kernels; lanes beyond k repeat the last centroid,
// which can tie with itself but never win over a lower index.
std::vector<double> exact_panels(Centroids centroids, std::size_t d);

// Centred, scaled and packed float32 centroids, and the margin that makes a gap a proof.
template <class T>
struct ScorePanels {
    std::vector<T> center;
    T scale = T(1);
    std::vector<float> packed;    // layout by Scores, see kernels.hpp
    std::vector<float> sq_norms;
    std::size_t n_panels = 0;
    // A row is decided when second - best > margin_constant + margin_slope * ||a||^2.
    float margin_constant = 0.0f;
    float margin_slope = 0.0f;
    bool usable = false;  // false: the bound does not hold here, settle every row

    ScorePanels(const Kernels& kernels, Centroids centroids, std::size_t d, Scores scores);
    Centering<T> centering() const { return {center.data(), scale}; }
};

}  // namespace truemeans
