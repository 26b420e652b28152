#include "axes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace truemeans {

namespace {

constexpr double kUnit = 1.0 / (1 << 24);

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
    : n(rows.n),
      d(rows.d),
      m(n_axes),
      lanes(kernels.centroid_lanes),
      words((n_axes + kernels.numbers_a_word - 1) / kernels.numbers_a_word) {
    const Scaling scaling = scaling_for<T>(sq_radius, d);
    std::vector<float> unit = reduced(axes, m * d);
    usable_ = scaling.usable && !unit.empty();
    if (!usable_) return;
    frame = {{center, center + d}, scaling.scale};
    unit = mixed(kernels, unit);
    panels_ = panels_of(unit, m, d, 1.0f);
    panels_ = panels_of(unit, m, d, shortening(kernels, unit));
    lines.resize(n * words);
    steps.resize(n + lanes);
    rests.resize(n + lanes);
    norms.resize(n);
    slips.resize(n);
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const std::vector<T> middle(center, center + d);
    const Centering<T> centering{middle.data(), static_cast<T>(frame.scale)};
    constexpr std::size_t kChunk = 128;
    std::vector<std::vector<float>> scratch(team.n_threads());
    team.run(n, kChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        scratch[thread].resize(kChunk * (d + m));
        float *packed = scratch[thread].data(), *y = packed + kChunk * d;
        table.pack_rows(rows.X + begin * d, nullptr, end - begin, d, centering, packed,
                        norms.data() + begin);
        kernels.project(packed, end - begin, d, panels_.data(), m, y, m);
        for (std::size_t i = begin; i < end; ++i) {
            const Line found = line(kernels, y + (i - begin) * m, static_cast<double>(norms[i]),
                                    kernels.row_bias, lines.data() + i * words);
            steps[i] = found.step;
            rests[i] = found.rest;
            slips[i] = found.slip;
        }
    });
}

// Mixed by the cosines of the discrete transform of the second kind, whose rows have length one and
// right angles.
std::vector<float> Axes::mixed(const Kernels& kernels, const std::vector<float>& unit) const {
    const double size = static_cast<double>(m);
    std::vector<float> shares(m * m), columns(m * d), out(m * d);
    for (std::size_t j = 0; j < m; ++j)
        for (std::size_t i = 0; i < m; ++i) {
            const double angle = (static_cast<double>(j) + 0.5) * static_cast<double>(i) / size;
            const double share = std::sqrt((i == 0 ? 1.0 : 2.0) / size);
            shares[j * m + i] = static_cast<float>(share * std::cos(std::numbers::pi * angle));
        }
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t f = 0; f < d; ++f) columns[f * m + i] = unit[i * d + f];
    kernels.project(shares.data(), m, m, panels_of(columns, d, m, 1.0f).data(), d, out.data(), d);
    return out;
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
                                   std::size_t width, float factor) const {
    std::vector<float> out((count + lanes - 1) / lanes * lanes * width);
    for (std::size_t j = 0; j < count; ++j)
        for (std::size_t f = 0; f < width; ++f)
            out[(j / lanes * width + f) * lanes + j % lanes] = rows[j * width + f] * factor;
    return out;
}

Axes::Line Axes::line(const Kernels& kernels, float* y, double sq_norm, std::int32_t bias,
                      std::int32_t* out) const {
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
    const double of_rest = std::min(std::sqrt(e * sq_norm), e * sq_norm / std::max(rest, 1e-300));
    // Coordinates that add up to nothing at this scale are whole numbers of the smallest step.
    const double length = std::sqrt(sum);
    const float step = static_cast<float>(kernels.step_along(y, m, length) + 0x1p-100);
    const Rounded rounded = kernels.to_words(y, m, step, bias, out);
    const double of_step = 1.001 * std::sqrt(static_cast<double>(rounded.sq_left)) * step +
                           0x1p-22 * length;
    const double slip = 1.01 * (k * std::sqrt(sq_norm) + of_rest + kUnit * rest + of_step);
    return {step, static_cast<float>(rest), static_cast<float>(slip + 0x1p-60), rounded.sum};
}

Axes::Candidates Axes::lay_out(const Kernels& kernels, const float* packed,
                               std::size_t count) const {
    const std::size_t n_panels = (count + lanes - 1) / lanes, padded = n_panels * lanes;
    std::vector<float> y(count * m);
    kernels.project(packed, count, d, panels_.data(), m, y.data(), m);
    Candidates out{std::vector<std::int32_t>(padded * words), std::vector<float>(padded),
                   std::vector<float>(padded), std::vector<std::int32_t>(padded), 0.0};
    std::vector<std::int32_t> mine(words);
    for (std::size_t j = 0; j < count; ++j) {
        double sq_norm = 0.0;
        for (std::size_t f = 0; f < d; ++f)
            sq_norm += static_cast<double>(packed[j * d + f]) * packed[j * d + f];
        const Line found = line(kernels, y.data() + j * m, sq_norm, 0, mine.data());
        out.steps[j] = found.step;
        // Of -2 b what is left has the length 2 r(b), and counts against the row.
        out.rests[j] = -found.rest;
        out.starts[j] = -kernels.row_bias * found.sum;
        out.slip = std::max(out.slip, 0.5 * static_cast<double>(found.slip));
        for (std::size_t w = 0; w < words; ++w)
            out.panels[(j / lanes * words + w) * lanes + j % lanes] = mine[w];
    }
    return out;
}

template Axes::Axes(Team&, const Kernels&, Rows<float>, const double*, std::size_t, const double*,
                    double);
template Axes::Axes(Team&, const Kernels&, Rows<double>, const double*, std::size_t,
                    const double*, double);

}  // namespace truemeans
