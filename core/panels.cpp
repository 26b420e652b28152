#include "panels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
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

Margin margin_of(double g, double sq_norm_top) {
    return {static_cast<float>(2.0 * g * 2.0 * sq_norm_top), static_cast<float>(2.0 * g)};
}

template <class T>
Scaling scaling_for(double most, std::size_t d, double fixed_scale) {
    constexpr double kUnit = 1.0 / (1 << 24);
    Scaling out;
    const double g = 1.05 * static_cast<double>(d + 8) * kUnit;
    // Outside this range canonical distances may underflow or overflow in ways the scaled
    // scores do not, and with very many features the bound is too weak to be linear.
    if (!(most > 1e-280 && most < 1e280) || g > 0.01) return out;
    constexpr int kRange = std::is_same_v<T, float> ? 120 : 900;
    const int exponent = std::clamp(-std::ilogb(std::sqrt(most)), -kRange, kRange);
    out.scale = fixed_scale > 0.0 ? fixed_scale : std::ldexp(1.0, exponent);
    out.sq_norm_top = most * out.scale * out.scale;
    out.margin = margin_of(g, out.sq_norm_top);
    out.usable =
        out.sq_norm_top > std::ldexp(1.0, -40) && out.sq_norm_top < std::ldexp(1.0, 40);
    return out;
}

template Scaling scaling_for<float>(double, std::size_t, double);
template Scaling scaling_for<double>(double, std::size_t, double);

namespace {

std::vector<double> mean_of(Centroids centroids, std::size_t d) {
    std::vector<double> mean(d);
    for (std::size_t j = 0; j < centroids.k; ++j)
        for (std::size_t f = 0; f < d; ++f) mean[f] += centroids.values[j * d + f];
    for (double& m : mean) m /= static_cast<double>(centroids.k);
    return mean;
}

// In eight sums, so that an addition need not wait for the one before.
double sq_dist(const double* a, const double* b, std::size_t d) {
    std::array<double, 8> sums{};
    std::size_t f = 0;
    for (; f + 8 <= d; f += 8)
        for (std::size_t i = 0; i < 8; ++i) {
            const double e = a[f + i] - b[f + i];
            sums[i] += e * e;
        }
    for (; f < d; ++f) sums[0] += (a[f] - b[f]) * (a[f] - b[f]);
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

template <class T>
ScorePanels<T>::ScorePanels(Centroids centroids, std::size_t d, const Layout& layout,
                            const Frame* frame) {
    const std::size_t k = centroids.k;
    // Centred at the mean of the centroids: small norms make a small margin.
    const std::vector<double> middle = frame ? frame->center : mean_of(centroids, d);
    center.resize(d);
    std::transform(middle.begin(), middle.end(), center.begin(),
                   [](double m) { return static_cast<T>(m); });
    const std::vector<double> origin(center.begin(), center.end());
    std::vector<double> norms(k);
    for (std::size_t j = 0; j < k; ++j)
        norms[j] = sq_dist(centroids.values + j * d, origin.data(), d);
    const double most = *std::max_element(norms.begin(), norms.end());
    const Scaling scaling = scaling_for<T>(most, d, frame ? frame->scale : 0.0);
    if (!scaling.usable) return;
    const double s = scaling.scale;
    scale = static_cast<T>(s);
    margin = scaling.margin;
    sq_norm_top = scaling.sq_norm_top;
    usable = true;

    const std::size_t lanes = layout.lanes;
    const std::size_t slots = layout.centroid_of.empty() ? k : layout.centroid_of.size();
    n_panels = (slots + lanes - 1) / lanes;
    packed.assign(n_panels * lanes * d, 0.0f);
    sq_norms.assign(n_panels * lanes, kPaddingNorm);
    std::vector<float> line(d);
    for (std::size_t slot = 0; slot < slots; ++slot) {
        const std::int32_t centroid = layout.centroid_of.empty()
                                          ? static_cast<std::int32_t>(slot)
                                          : layout.centroid_of[slot];
        if (centroid < 0) continue;
        const std::size_t j = static_cast<std::size_t>(centroid);
        sq_norms[slot] = static_cast<float>(norms[j] * s * s);
        const double* c = centroids.values + j * d;
        float* out = packed.data() + (slot / lanes) * lanes * d + slot % lanes;
        float* to = lanes == 1 ? out : line.data();
        for (std::size_t f = 0; f < d; ++f)
            to[f] = static_cast<float>(-2.0 * ((c[f] - origin[f]) * s));
        for (std::size_t f = 0; lanes > 1 && f < d; ++f) out[f * lanes] = line[f];
    }
}

template struct ScorePanels<float>;
template struct ScorePanels<double>;

}  // namespace truemeans
