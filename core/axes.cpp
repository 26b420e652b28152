#include "axes.hpp"

#include <algorithm>
#include <cmath>

namespace truemeans {

namespace {

constexpr double kUnit = 1.0 / (1 << 24);

// No axes of unit length lengthen anything by more than the root of this: the largest sum of a
// row of |P P'| bounds the largest eigenvalue.
double most_lengthened(const double* axes, std::size_t m, std::size_t d) {
    std::vector<double> sums(m);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            double dot = 0.0;
            for (std::size_t f = 0; f < d; ++f) dot += axes[i * d + f] * axes[j * d + f];
            sums[i] += std::fabs(dot);
            if (j < i) sums[j] += std::fabs(dot);
        }
    return *std::max_element(sums.begin(), sums.end());
}

}  // namespace

template <class T>
Axes::Axes(Team& team, const Kernels& kernels, Rows<T> rows, const double* axes,
           std::size_t n_axes, const double* center, double sq_radius)
    : n(rows.n), d(rows.d), m(n_axes), lanes(kernels.centroid_lanes) {
    const Scaling scaling = scaling_for<T>(sq_radius, d);
    const double longest = most_lengthened(axes, m, d);
    usable_ = scaling.usable && longest > 0.0 && std::isfinite(longest);
    if (!usable_) return;
    frame = {{center, center + d}, scaling.scale};
    panels_.resize((m + lanes - 1) / lanes * lanes * d);
    // Rounding the axes to float32 lengthens them by less than 2^-16 as long as m is below 2^16.
    const double shorter = (1.0 - 0x1p-15) / std::sqrt(longest);
    for (std::size_t j = 0; j < m; ++j)
        for (std::size_t f = 0; f < d; ++f)
            panels_[(j / lanes * d + f) * lanes + j % lanes] =
                static_cast<float>(axes[j * d + f] * shorter);
    coordinates.resize(n * (m + 1));
    norms.resize(n);
    slips.resize(n);
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const std::vector<T> middle(center, center + d);
    const Centering<T> centering{middle.data(), static_cast<T>(frame.scale)};
    constexpr std::size_t kChunk = 128;
    std::vector<std::vector<float>> packed(team.n_threads());
    team.run(n, kChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        std::vector<float>& mine = packed[thread];
        mine.resize(kChunk * d);
        table.pack_rows(rows.X + begin * d, nullptr, end - begin, d, centering, mine.data(),
                        norms.data() + begin);
        project(kernels, mine.data(), end - begin, coordinates.data() + begin * (m + 1),
                norms.data() + begin, slips.data() + begin);
    });
}

void Axes::project(const Kernels& kernels, const float* packed, std::size_t n_rows, float* out,
                   float* sq_norms, float* slip) const {
    const double g = 1.05 * static_cast<double>(d + 8) * kUnit;
    const double c = static_cast<double>(kSummedFeatures + d / kSummedFeatures + 1);
    const double k = 1.02 * c * kUnit * std::sqrt(static_cast<double>(m));
    const double e = 2.02 * k + 2.0 * g;
    kernels.project(packed, n_rows, d, panels_.data(), m, out, m + 1);
    for (std::size_t i = 0; i < n_rows; ++i) {
        float* y = out + i * (m + 1);
        double sum = 0.0;
        for (std::size_t j = 0; j < m; ++j) sum += static_cast<double>(y[j]) * y[j];
        const double norm = static_cast<double>(sq_norms[i]);
        const double rest = std::sqrt(std::max(norm - sum, 0.0));
        y[m] = static_cast<float>(rest);
        const double of_rest = std::min(std::sqrt(e * norm), e * norm / std::max(rest, 1e-300));
        slip[i] = static_cast<float>(
            1.01 * (k * std::sqrt(norm) + of_rest + kUnit * rest) + 0x1p-60);
    }
}

float Axes::lay_out(const Kernels& kernels, const float* packed, std::size_t count,
                    std::vector<float>& out) const {
    const std::size_t width = m + 1;
    std::vector<float> lines(count * width), sq_norms(count), slip(count);
    for (std::size_t j = 0; j < count; ++j) {
        double sum = 0.0;
        for (std::size_t f = 0; f < d; ++f)
            sum += static_cast<double>(packed[j * d + f]) * packed[j * d + f];
        sq_norms[j] = static_cast<float>(sum);
    }
    project(kernels, packed, count, lines.data(), sq_norms.data(), slip.data());
    out.assign((count + lanes - 1) / lanes * lanes * width, 0.0f);
    for (std::size_t j = 0; j < count; ++j)
        for (std::size_t f = 0; f < width; ++f) {
            const float v = lines[j * width + f];
            // Of -2 b the rest is 2 r(b).
            out[(j / lanes * width + f) * lanes + j % lanes] = f < m ? v : -v;
        }
    return 0.5f * *std::max_element(slip.begin(), slip.end());
}

template Axes::Axes(Team&, const Kernels&, Rows<float>, const double*, std::size_t, const double*,
                    double);
template Axes::Axes(Team&, const Kernels&, Rows<double>, const double*, std::size_t,
                    const double*, double);

}  // namespace truemeans
