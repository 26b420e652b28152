#include "axes.hpp"

#include <algorithm>
#include <cmath>

namespace truemeans {

namespace {

constexpr double kUnit = 1.0 / (1 << 24);
// The length of a line in steps: products of two are sums below 2^31, and no number is too long for
// 16 bits.
constexpr double kMostShort = 32000.0;

// The axes in float32, the largest entry 1; empty where there is none to speak of.
std::vector<float> reduced(const double* axes, std::size_t n) {
    double top = 0.0;
    for (std::size_t i = 0; i < n; ++i) top = std::max(top, std::fabs(axes[i]));
    if (!(top > 1e-300 && top < 1e300)) return {};
    std::vector<float> out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(axes[i] / top);
    return out;
}

// How the sums of kernels.project err, beside the product of the two lengths.
double project_error(std::size_t d) {
    return 1.02 * static_cast<double>(kSummedFeatures + d / kSummedFeatures + 1) * kUnit;
}

}  // namespace

template <class T>
Axes::Axes(Team& team, const Kernels& kernels, Rows<T> rows, const double* axes,
           std::size_t n_axes, const double* center, double sq_radius)
    : n(rows.n), d(rows.d), m(n_axes), lanes(kernels.centroid_lanes) {
    const Scaling scaling = scaling_for<T>(sq_radius, d);
    const std::vector<float> unit = reduced(axes, m * d);
    usable_ = scaling.usable && !unit.empty();
    if (!usable_) return;
    frame = {{center, center + d}, scaling.scale};
    panels_ = panels_of(unit, m, 1.0f);
    panels_ = panels_of(unit, m, shortening(kernels, unit));
    shorts.resize(n * words());
    steps.resize(n + lanes);
    norms.resize(n);
    slips.resize(n);
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const std::vector<T> middle(center, center + d);
    const Centering<T> centering{middle.data(), static_cast<T>(frame.scale)};
    constexpr std::size_t kChunk = 128;
    std::vector<std::vector<float>> scratch(team.n_threads());
    team.run(n, kChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        scratch[thread].resize(kChunk * (d + m + 1));
        float *packed = scratch[thread].data(), *lines = packed + kChunk * d;
        table.pack_rows(rows.X + begin * d, nullptr, end - begin, d, centering, packed,
                        norms.data() + begin);
        kernels.project(packed, end - begin, d, panels_.data(), m, lines, m + 1);
        for (std::size_t i = begin; i < end; ++i)
            line(kernels, lines + (i - begin) * (m + 1), static_cast<double>(norms[i]), 1.0,
                 {shorts.data() + i * words(), &steps[i], &slips[i]});
    });
}

// Axes P lengthen by no more than the root of the largest sum of a row of |P P'|, which bounds the
// largest eigenvalue.
float Axes::shortening(const Kernels& kernels, const std::vector<float>& unit) const {
    std::vector<float> dots(m * m);
    kernels.project(unit.data(), m, d, panels_.data(), m, dots.data(), m);
    double most = 0.0, longest = 0.0;
    for (std::size_t i = 0; i < m; ++i) {
        double sum = 0.0;
        for (std::size_t j = 0; j < m; ++j) sum += std::fabs(static_cast<double>(dots[i * m + j]));
        most = std::max(most, sum);
        longest = std::max(longest, static_cast<double>(dots[i * m + i]));
    }
    // Lengths come from the same sums, and the factor and its product are rounded; all that takes
    // less than the last term.
    const double error = project_error(d) * static_cast<double>(m) * longest;
    return static_cast<float>((1.0 - 0x1p-12) / std::sqrt(most + 1.1 * error));
}

std::vector<float> Axes::panels_of(const std::vector<float>& rows, std::size_t count,
                                   float factor) const {
    std::vector<float> out((count + lanes - 1) / lanes * lanes * d);
    for (std::size_t j = 0; j < count; ++j)
        for (std::size_t f = 0; f < d; ++f)
            out[(j / lanes * d + f) * lanes + j % lanes] = rows[j * d + f] * factor;
    return out;
}

void Axes::line(const Kernels& kernels, float* y, double sq_norm, double sign, Line out) const {
    const double g = 1.05 * static_cast<double>(d + 8) * kUnit;
    const double k = project_error(d) * std::sqrt(static_cast<double>(m));
    const double e = 2.02 * k + 2.0 * g;
    if (!(sq_norm < static_cast<double>(kWildScore))) {  // such rows are never scored
        std::fill_n(y, m, 0.0f);
        sq_norm = 0.0;
    }
    // Sums side by side, as each would wait for the one before.
    double sums[8] = {};
    std::size_t j = 0;
    for (; j + 8 <= m; j += 8)
        for (std::size_t lane = 0; lane < 8; ++lane)
            sums[lane] += static_cast<double>(y[j + lane]) * y[j + lane];
    for (; j < m; ++j) sums[0] += static_cast<double>(y[j]) * y[j];
    const double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
                       ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    const double rest = std::sqrt(std::max(sq_norm - sum, 0.0));
    y[m] = static_cast<float>(sign * rest);
    const double of_rest = std::min(std::sqrt(e * sq_norm), e * sq_norm / std::max(rest, 1e-300));
    // Coordinates that add up to nothing at this scale are whole numbers of the smallest step.
    const float step = static_cast<float>(std::sqrt(sum + rest * rest) / kMostShort + 0x1p-100);
    kernels.to_shorts(y, m + 1, step, out.shorts);
    *out.step = step;
    const double of_step = 0.51 * std::sqrt(static_cast<double>(m + 1)) * step;
    *out.slip = static_cast<float>(
        1.01 * (k * std::sqrt(sq_norm) + of_rest + kUnit * rest + of_step) + 0x1p-60);
}

Axes::Candidates Axes::lay_out(const Kernels& kernels, const float* packed,
                               std::size_t count) const {
    const std::size_t n_panels = (count + lanes - 1) / lanes, h = words();
    std::vector<float> lines(count * (m + 1));
    kernels.project(packed, count, d, panels_.data(), m, lines.data(), m + 1);
    Candidates out{std::vector<std::int32_t>(n_panels * h * lanes),
                   std::vector<float>(n_panels * lanes), 0.0};
    std::vector<std::int32_t> mine(h);
    for (std::size_t j = 0; j < count; ++j) {
        double sq_norm = 0.0;
        for (std::size_t f = 0; f < d; ++f)
            sq_norm += static_cast<double>(packed[j * d + f]) * packed[j * d + f];
        float slip = 0.0f;
        // Of -2 b what is left has the length 2 r(b), and counts against the row.
        line(kernels, lines.data() + j * (m + 1), sq_norm, -1.0,
             {mine.data(), &out.steps[j], &slip});
        out.slip = std::max(out.slip, 0.5 * static_cast<double>(slip));
        for (std::size_t w = 0; w < h; ++w)
            out.panels[(j / lanes * h + w) * lanes + j % lanes] = mine[w];
    }
    return out;
}

template Axes::Axes(Team&, const Kernels&, Rows<float>, const double*, std::size_t, const double*,
                    double);
template Axes::Axes(Team&, const Kernels&, Rows<double>, const double*, std::size_t,
                    const double*, double);

}  // namespace truemeans
