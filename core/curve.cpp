#include "curve.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "measure.hpp"

namespace truemeans {

namespace {

// Places on the curve have two digits; the counters of a digit stay in a first-level cache.
constexpr unsigned kDigitBits = 12;
constexpr std::size_t kDigits = std::size_t(1) << kDigitBits;

// A stable counting sort by one digit, each thread counting and placing a slice.
CurveOrder by_digit(Team& team, const CurveOrder& in, unsigned digit) {
    const std::size_t n = in.keys.size();
    const std::size_t n_slices = team.n_threads();
    const std::size_t slice = (n + n_slices - 1) / n_slices;
    std::vector<std::array<std::uint32_t, kDigits>> next(n_slices);
    const auto digit_of = [&](std::size_t i) {
        return static_cast<std::uint32_t>(in.keys[i]) >> (digit * kDigitBits) & (kDigits - 1);
    };
    team.run(n, slice, [&](std::size_t, std::size_t begin, std::size_t end) {
        auto& count = next[begin / slice];
        for (std::size_t i = begin; i < end; ++i) ++count[digit_of(i)];
    });
    std::uint32_t before = 0;
    for (std::size_t v = 0; v < kDigits; ++v)
        for (auto& count : next) {
            const std::uint32_t here = count[v];
            count[v] = before;
            before += here;
        }
    CurveOrder out{Aligned<std::int32_t>(n), Aligned<std::int32_t>(n)};
    team.run(n, slice, [&](std::size_t, std::size_t begin, std::size_t end) {
        auto& to = next[begin / slice];
        for (std::size_t i = begin; i < end; ++i) {
            const std::uint32_t at = to[digit_of(i)]++;
            out.rows[at] = in.rows.empty() ? static_cast<std::int32_t>(i) : in.rows[i];
            out.keys[at] = in.keys[i];
        }
    });
    return out;
}

}  // namespace

template <class T>
Curve<T>::Curve(Team& team, const Kernels& kernels, Rows<T> rows)
    : d_(rows.d),
      bits_(2 * kDigitBits / static_cast<unsigned>(d_)),
      low_(d_),
      scale_(d_) {
    std::vector<double> high(d_), finest(d_);
    if (survey(team, kernels, rows, low_.data(), high.data(), finest.data()) < rows.n * d_)
        throw std::invalid_argument("internal: rows that are not finite");
    const double cells = static_cast<double>(std::size_t(1) << bits_);
    for (std::size_t f = 0; f < d_; ++f) {
        const double width = high[f] - low_[f];
        scale_[f] = width > 0.0 ? cells / width * (1.0 - 1e-9) : 0.0;
        if (!std::isfinite(scale_[f])) scale_[f] = 0.0;
        // Differences would overflow: the feature has one cell.
        if (!std::isfinite(width)) low_[f] = 0.0;
    }
    spread_.resize(std::size_t(1) << (d_ == 1 ? 0 : bits_));
    for (std::size_t cell = 0; cell < spread_.size(); ++cell)
        for (unsigned b = 0; b < bits_; ++b)
            spread_[cell] |= static_cast<std::uint32_t>((cell >> b & 1) << (b * d_));
}

template <class T>
CurveOrder curve_order(Team& team, const Curve<T>& curve, Rows<T> rows) {
    CurveOrder keyed{Aligned<std::int32_t>(rows.n), {}};  // no rows: 0, 1, 2 ...
    team.run(rows.n, 1 << 14, [&](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i)
            keyed.keys[i] = static_cast<std::int32_t>(curve.place(rows.X + i * rows.d));
    });
    keyed = by_digit(team, keyed, 0);
    return by_digit(team, keyed, 1);
}

template class Curve<float>;
template class Curve<double>;
template CurveOrder curve_order<float>(Team&, const Curve<float>&, Rows<float>);
template CurveOrder curve_order<double>(Team&, const Curve<double>&, Rows<double>);

}  // namespace truemeans
