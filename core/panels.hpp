// The centroids of one pass, laid out for the kernels.
#pragma once

#include <cstddef>
#include <vector>

#include "pass.hpp"

namespace truemeans {

// [k / 8][feature][8] float64 for the exact kernels; lanes beyond k repeat the last centroid,
// which can tie with itself but never win over a lower index.
std::vector<double> exact_panels(Centroids centroids, std::size_t d);

// Where each centroid goes: panels of `lanes`, centroid_of[slot] in slot order (-1 for padding),
// or the centroids in their own order when it is empty.
struct Layout {
    std::size_t lanes = 1;
    std::vector<std::int32_t> centroid_of;
};

// What rows and centroids are brought to float32 with: v -> (v - center) * scale.
struct Frame {
    std::vector<double> center;  // (d,), each value one of the rows' type
    double scale = 1.0;          // a power of two
};

// The power of two that brings centroids of squared norm up to `most` near 1, and the margin of
// scores of so scaled centroids (kernels/scores.inl.hpp); usable is false where the proof does
// not hold.
struct Scaling {
    double scale = 1.0;
    Margin margin{0.0f, 0.0f};
    double sq_norm_top = 0.0;  // B, of the scaled centroids
    bool usable = false;
};
// The margin of scores whose error is at most g (||b||^2 + 2 ||a|| ||b||).
Margin margin_of(double g, double sq_norm_top);
// The norm of a centroid that only fills up a panel: no score comes near.
constexpr float kPaddingNorm = 1e38f;

template <class T>
Scaling scaling_for(double most, std::size_t d, double fixed_scale = 0.0);

// Centred, scaled and packed float32 centroids, and the margin that makes a gap a proof.
template <class T>
struct ScorePanels {
    std::vector<T> center;
    T scale = T(1);
    std::vector<float> packed;    // [panel][feature][lane] of -2 b, see kernels.hpp
    std::vector<float> sq_norms;
    std::size_t n_panels = 0;
    Margin margin{0.0f, 0.0f};
    double sq_norm_top = 0.0;  // B, of the packed centroids
    bool usable = false;  // false: the bound does not hold here, settle every row

    ScorePanels() = default;
    // Nothing is packed, and usable stays false, where the bound does not hold. frame: null to
    // choose one that suits the centroids.
    ScorePanels(Centroids centroids, std::size_t d, const Layout& layout,
                const Frame* frame = nullptr);
    // The gap that proves the order of two scores of a row of squared norm `norm`.
    float margin_of_row(float norm) const { return margin.constant + margin.slope * norm; }
    Centering<T> centering() const { return {center.data(), scale}; }
    Frame frame() const {
        return {{center.begin(), center.end()}, static_cast<double>(scale)};
    }
};

}  // namespace truemeans
