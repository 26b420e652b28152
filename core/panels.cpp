#include "panels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace truemeans {

std::vector<double> exact_panels(Centroids centroids, std::size_t d) {
    const std::size_t n_panels = (centroids.k + 7) / 8;
    std::vector<double> panels(n_panels * d * 8);
    for (std::size_t j = 0; j < n_panels * 8; ++j) {
        const double* c = centroids.values + std::min(j, centroids.k - 1) * d;
        double* out = panels.data() + (j / 8) * d * 8 + j % 8;
        for (std::size_t f = 0; f < d; ++f) out[f * 8] = c[f];
    }
    return panels;
}

template <class T>
ScorePanels<T>::ScorePanels(const Kernels& kernels, Centroids centroids, std::size_t d,
                            Scores scores) {
    constexpr double kUnit = 1.0 / (1 << 24);
    const std::size_t k = centroids.k;
    if (scores == Scores::none || static_cast<double>(d + 8) * kUnit > 0.01) return;

    // Centred at the mean of the centroids: small norms make a small margin.
    center.resize(d);
    for (std::size_t f = 0; f < d; ++f) {
        double sum = 0.0;
        for (std::size_t j = 0; j < k; ++j) sum += centroids.values[j * d + f];
        center[f] = static_cast<T>(sum / static_cast<double>(k));
    }
    std::vector<double> norms(k);
    double most = 0.0;
    for (std::size_t j = 0; j < k; ++j) {
        double sum = 0.0;
        for (std::size_t f = 0; f < d; ++f) {
            const double b = centroids.values[j * d + f] - static_cast<double>(center[f]);
            sum += b * b;
        }
        norms[j] = sum;
        most = std::max(most, sum);
    }
    // Outside this range canonical distances may underflow or overflow in ways the scaled
    // scores do not, and the proof would not hold.
    if (!(most > 1e-280 && most < 1e280)) return;
    constexpr int kRange = std::is_same_v<T, float> ? 120 : 900;
    const int exponent = std::clamp(-std::ilogb(std::sqrt(most)), -kRange, kRange);
    const double s = std::ldexp(1.0, exponent);
    scale = static_cast<T>(s);
    most *= s * s;
    if (!(most > std::ldexp(1.0, -40) && most < std::ldexp(1.0, 40))) return;

    const double g = 1.05 * static_cast<double>(d + 8) * kUnit;  // scores.inl.hpp
    margin_constant = static_cast<float>(2.0 * g * 2.0 * most);
    margin_slope = static_cast<float>(2.0 * g);
    usable = true;

    const bool by_panels = scores == Scores::lanes_are_centroids;
    const std::size_t lanes = by_panels ? kernels.centroid_lanes : 1;
    n_panels = (k + lanes - 1) / lanes;
    packed.assign(n_panels * lanes * d, 0.0f);
    sq_norms.assign(n_panels * lanes, 1e38f);
    for (std::size_t j = 0; j < k; ++j) {
        sq_norms[j] = static_cast<float>(norms[j] * s * s);
        float* out = packed.data() + (j / lanes) * lanes * d + j % lanes;
        for (std::size_t f = 0; f < d; ++f)
            out[f * lanes] = static_cast<float>(
                -2.0 * ((centroids.values[j * d + f] - static_cast<double>(center[f])) * s));
    }
}

template struct ScorePanels<float>;
template struct ScorePanels<double>;

}  // namespace truemeans
