#include "rounds.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "greedy.hpp"
#include "masses.hpp"

namespace truemeans {

namespace {

// Rows turned block by block, and what is known of each; padded by rows without weight or cost.
class Game {
public:
    template <class T>
    Game(const Kernels& kernels, Rows<T> rows)
        : kernels_(kernels),
          n_rows_(rows.n),
          n_((rows.n + kRoundRows - 1) / kRoundRows * kRoundRows),
          d_(rows.d),
          blocks_(n_ * rows.d),
          weight_(n_),
          scaled_(n_),
          closest_(n_),
          masses_(n_),
          sums_(n_ / kRoundRows) {
        for (std::size_t i = 0; i < rows.n; ++i) {
            for (std::size_t f = 0; f < d_; ++f)
                blocks_[place(i, f)] = static_cast<double>(rows.X[i * d_ + f]);
            weight_[i] = rows.weight ? rows.weight[i] : 1.0;
            closest_[i] = std::numeric_limits<double>::infinity();
        }
    }

    // The row at a place of the line of weights.
    std::size_t by_weight(double weight_scale, double u) {
        const std::vector<double> ones(n_, 1.0);
        weigh(weight_scale, ones);
        return draw(u);
    }

    // By the masses of now.
    std::size_t draw(double u) const {
        double place = place_of(u, total_);
        std::size_t block = 0;
        for (; block + 1 < sums_.size() && place >= sums_[block]; ++block) place -= sums_[block];
        std::size_t i = block * kRoundRows;
        for (; i + 1 < n_rows_ && place >= masses_[i]; ++i) place -= masses_[i];
        return i;
    }

    // Of the rows, the one that would lower the total of masses most, the first of equals.
    std::size_t best(const std::vector<std::size_t>& drawn) {
        candidates_.resize(drawn.size() * d_);
        gains_.resize(drawn.size());
        for (std::size_t j = 0; j < drawn.size(); ++j) take(drawn[j], candidates_.data() + j * d_);
        kernels_.round_gains(blocks_.data(), n_, d_, candidates_.data(), drawn.size(),
                             scaled_.data(), closest_.data(), masses_.data(), gains_.data());
        const auto most = std::max_element(gains_.begin(), gains_.end());
        return drawn[static_cast<std::size_t>(most - gains_.begin())];
    }

    void pick(std::size_t row) {
        candidates_.resize(d_);
        take(row, candidates_.data());
        kernels_.round_lower(blocks_.data(), n_, d_, candidates_.data(), closest_.data());
    }

    // Masses of the costs of now; false if no row has any.
    bool measure() {
        if (first_total_ > 0.0) weigh(scale_, closest_);
        if (first_total_ > 0.0 && total_ > kWorn * first_total_) return true;
        double top = 0.0;
        for (std::size_t i = 0; i < n_; ++i) top = std::max(top, weight_[i] * closest_[i]);
        // The total is between the largest cost and that for every row.
        const double coarse = mass_scale(top * static_cast<double>(n_rows_));
        weigh(coarse, closest_);
        if (total_ == 0.0) return false;
        scale_ = mass_scale(total_ / coarse);
        weigh(scale_, closest_);
        first_total_ = total_;
        return true;
    }

    static std::int64_t number(std::size_t row) { return static_cast<std::int64_t>(row); }

private:
    std::size_t place(std::size_t row, std::size_t f) const {
        return (row / kRoundRows * d_ + f) * kRoundRows + row % kRoundRows;
    }

    void take(std::size_t row, double* out) const {
        for (std::size_t f = 0; f < d_; ++f) out[f] = blocks_[place(row, f)];
    }

    void weigh(double scale, const std::vector<double>& costs) {
        for (std::size_t i = 0; i < n_; ++i) scaled_[i] = weight_[i] * scale;
        kernels_.round_masses(scaled_.data(), costs.data(), n_, masses_.data(), sums_.data());
        total_ = std::accumulate(sums_.begin(), sums_.end(), 0.0);
    }

    const Kernels& kernels_;
    std::size_t n_rows_, n_, d_;
    std::vector<double> blocks_;  // [block][feature][row]
    std::vector<double> weight_, scaled_, closest_, masses_, sums_;
    std::vector<double> candidates_, gains_;
    double scale_ = 0.0, total_ = 0.0, first_total_ = 0.0;
};

}  // namespace

template <class T>
std::vector<std::int64_t> draw_rounds(const Kernels& kernels, Rows<T> rows, double weight_scale,
                                      const double* u, std::size_t n_clusters,
                                      std::size_t n_trials) {
    Game game(kernels, rows);
    return play(game, weight_scale, u, n_clusters, n_trials, [] {});
}

template std::vector<std::int64_t> draw_rounds<float>(const Kernels&, Rows<float>, double,
                                                      const double*, std::size_t, std::size_t);
template std::vector<std::int64_t> draw_rounds<double>(const Kernels&, Rows<double>, double,
                                                       const double*, std::size_t, std::size_t);

}  // namespace truemeans
