#include "boxed_rounds.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>

#include "box_columns.hpp"
#include "greedy.hpp"
#include "loose.hpp"
#include "masses.hpp"

namespace truemeans {

namespace {

constexpr std::size_t kGroup = 64;  // boxes whose masses are added up
// Looks at boxes up to which one thread is done before another is awake.
constexpr std::size_t kAlone = 1u << 12;
// Bounds of gains pay where one in so many spares a look, which so many candidates tell.
constexpr std::size_t kSparedOf = 3, kTold = 256;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// The costs of all rows, and the masses of all boxes.
template <class T>
class Game {
  public:
    Game(Team& team, const Kernels& kernels, const Boxes<T>& boxes, const BoxColumns<T>& rows,
         const double* weight, std::size_t d)
        : team_(team),
          table_(kernels_for(kernels, boxes.X.data())),
          kernels_(kernels),
          boxes_(boxes),
          rows_(rows),
          d_(d),
          n_boxes_(rows.n_boxes()),
          padded_((n_boxes_ + 7) / 8 * 8),
          closest_(boxes.n),
          weight_(weight ? boxes.n : 0),
          low_(padded_ * d),
          high_(padded_ * d),
          top_(padded_),
          sums_(padded_),
          slopes_(padded_),
          groups_((n_boxes_ + kGroup - 1) / kGroup),
          threads_(team.n_threads()) {
        for (Mine& t : threads_) t.near.resize(padded_);
        for (std::size_t b = 0; b < n_boxes_; ++b)
            for (std::size_t f = 0; f < d; ++f) {
                low_[f * padded_ + b] = boxes.low[b * d + f];
                high_[f * padded_ + b] = boxes.high[b * d + f];
            }
        for (std::size_t i = 0; i < weight_.size(); ++i) weight_[i] = weight[at(boxes.order[i])];
    }

    // A row's place in the order of the boxes, drawn by weight.
    std::size_t by_weight(double weight_scale, double u) {
        if (weight_.empty()) {
            // All have the same mass: no need to look at them.
            even_ = true;
            scale_ = weight_scale;
            const double place = place_of(u, rows_.n_copies() * scale_);
            const std::size_t row = rows_.row_with(static_cast<std::size_t>(place / scale_));
            const auto before = static_cast<double>(rows_.first_copy(row));
            return draw_in_cell(row, place - before * scale_);
        }
        if (!even_) {
            even_ = true;
            scale_ = weight_scale;
            look(nullptr, 1.0);
        }
        return draw(u);
    }

    // By the masses of now.
    std::size_t draw(double u) {
        double place = place_of(u, total_);
        std::size_t group = 0;
        for (; group + 1 < groups_.size() && place >= groups_[group]; ++group)
            place -= groups_[group];
        std::size_t box = group * kGroup;
        for (; box + 1 < n_boxes_ && place >= sums_[box]; ++box) place -= sums_[box];
        const std::size_t last = rows_.first_of(box) + rows_.rows_of(box) - 1;
        std::size_t row = rows_.first_of(box);
        for (; row < last && place >= mass(row) * rows_.copies(row); ++row)
            place -= mass(row) * rows_.copies(row);
        return draw_in_cell(row, place);
    }

    // Of the places, the one whose row would lower the total of masses most, the first of equals.
    std::size_t best(const std::vector<std::size_t>& drawn) {
        const std::size_t m = drawn.size();
        candidates_.resize(m * d_);
        for (std::size_t j = 0; j < m; ++j) take(drawn[j], candidates_.data() + j * d_);
        std::vector<std::size_t> open(m);
        std::iota(open.begin(), open.end(), 0);
        std::size_t winner = 0;
        double most = -1.0;
        if (n_bounded_ < kTold || n_spared_ * kSparedOf >= n_bounded_) {
            // First the one that promises most: others may promise less than it gains.
            const std::vector<double> worth = worths(open);
            winner = static_cast<std::size_t>(std::max_element(worth.begin(), worth.end()) -
                                              worth.begin());
            most = gains({winner}, m)[0];
            std::erase_if(open, [&](std::size_t j) { return j == winner || worth[j] < most; });
            n_bounded_ += m;
            n_spared_ += m - 1 - open.size();
        }
        if (open.empty()) return drawn[winner];
        const std::vector<double> gain = gains(open, m);
        for (std::size_t i = 0; i < open.size(); ++i)
            if (gain[i] > most || (gain[i] == most && open[i] < winner)) {
                most = gain[i];
                winner = open[i];
            }
        return drawn[winner];
    }

    void pick(std::size_t place) {
        if (even_ && picked_) return;  // by weight to the end
        candidates_.resize(d_);
        take(place, candidates_.data());
        if (picked_) {
            lower(candidates_.data());
        } else {
            even_ = false;
            scale_ = mass_scale(sq_diameter() * rows_.n_copies());
            look(candidates_.data(), std::numeric_limits<double>::infinity());
            picked_ = true;
        }
    }

    // Masses of the costs of now; false if no row has any.
    bool measure() {
        if (even_) return false;
        if (first_total_ > 0.0 && total_ > kWorn * first_total_) return true;
        const double top = largest_cost();
        // The total is between the largest cost and that for every row. At any scale it is within
        // half a unit a row of what it is, and so it is at this one, which is no finer than that
        // of the largest cost unless costs were measured before.
        const double coarse = mass_scale(top * rows_.n_copies());
        const double low = mass_scale((total_ - rows_.n_copies()) / scale_);
        if (first_total_ == 0.0 && scale_ <= coarse && total_ > rows_.n_copies() &&
            low == mass_scale((total_ + rows_.n_copies()) / scale_)) {
            weigh(low);
        } else {
            weigh(coarse);
            if (total_ == 0.0) return false;
            weigh(mass_scale(total_ / coarse));
        }
        first_total_ = total_;
        return true;
    }

    std::int64_t number(std::size_t place) const { return boxes_.order[place]; }

  private:
    struct Mine {
        std::vector<std::int32_t> near;
        std::vector<double> parts;  // of what is added up for each candidate
        double change = 0.0;        // of the total of masses
    };
    // By how much candidates would lower the total of masses; `tests` as for for_boxes.
    std::vector<double> gains(const std::vector<std::size_t>& which, std::size_t tests) {
        return add_up(which, tests, [&](Mine& t, std::size_t begin, std::size_t end,
                                        const double* candidate) {
            double gain = 0.0;
            for_near(t, begin, end, candidate, [&](std::size_t box) {
                gain += sums_[box] - table_.box_left(rows_in(box), candidate,
                                                     closest_.data() + rows_.first_of(box));
            });
            return gain;
        });
    }

    // No less than that. Masses are half a unit off at each of the two costs, and what is added up
    // here is rounded.
    std::vector<double> worths(const std::vector<std::size_t>& which) {
        std::vector<double> worth =
            add_up(which, which.size(),
                   [&](Mine&, std::size_t begin, std::size_t end, const double* candidate) {
                       return kernels_.boxes_worth(low_.data() + begin, high_.data() + begin,
                                                   padded_, end - begin, d_, candidate,
                                                   sums_.data() + begin, slopes_.data() + begin);
                   });
        for (double& most : worth) most += 2.0 * rows_.n_copies() + 0x1p-40 * total_;
        return worth;
    }

    // The sums over all boxes of part(mine, begin, end, candidate), for each of these candidates.
    template <class Part>
    std::vector<double> add_up(const std::vector<std::size_t>& which, std::size_t tests,
                               const Part& part) {
        for (Mine& t : threads_) t.parts.assign(which.size(), 0.0);
        for_boxes(tests, [&](Mine& t, std::size_t begin, std::size_t end) {
            for (std::size_t i = 0; i < which.size(); ++i)
                t.parts[i] += part(t, begin, end, candidates_.data() + which[i] * d_);
        });
        std::vector<double> sums = threads_[0].parts;
        for (std::size_t t = 1; t < threads_.size(); ++t)
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += threads_[t].parts[i];
        return sums;
    }

    // No two rows are farther apart, squared.
    double sq_diameter() const {
        double sum = 0.0;
        for (std::size_t f = 0; f < d_; ++f) {
            const auto low = low_.begin() + static_cast<std::ptrdiff_t>(f * padded_);
            const auto high = high_.begin() + static_cast<std::ptrdiff_t>(f * padded_);
            const auto n = static_cast<std::ptrdiff_t>(n_boxes_);
            const double width = *std::max_element(high, high + n) - *std::min_element(low, low + n);
            sum += width * width;
        }
        return sum;
    }

    // Of the copies of a row, the one at `place` in their masses.
    std::size_t copy_of(std::size_t row, double place) const {
        const double one = mass(row), most = rows_.copies(row) - 1.0;
        return rows_.first_copy(row) +
               static_cast<std::size_t>(one > 0.0 ? std::min(place / one, most) : most);
    }

    // What copy_of would return if the cell that the row is in were sorted by value.
    std::size_t draw_in_cell(std::size_t row, double place) {
        const std::size_t begin = rows_.cell_end(row, false), end = rows_.cell_end(row, true);
        const std::size_t n_rows = rows_.first_copy(end) - rows_.first_copy(begin);
        if (begin + 1 == end || n_rows > kLooseRows) return copy_of(row, place);
        loose_.clear();
        for (std::size_t i = begin; i < end; ++i) {
            const double one = mass(i);
            if (i < row) place += one * rows_.copies(i);
            for (std::size_t to = rows_.first_copy(i); to < rows_.first_copy(i + 1); ++to)
                loose_.push_back({rows_.values(i), boxes_.order[to], to, one});
        }
        return loose_at(loose_, place).place;
    }

    double mass(std::size_t row) const {
        return round_integer(even_ ? weighed(row) : weighed(row) * closest_[row]);
    }
    double weighed(std::size_t row) const {
        return weight_.empty() ? scale_ : weight_[row] * scale_;
    }
    BoxRows<T> rows_in(std::size_t box) const {
        return {rows_.columns_of(box),
                rows_.rows_of(box),
                d_,
                weight_.empty() ? nullptr : weight_.data() + rows_.first_of(box),
                rows_.copies_of(box),
                scale_};
    }

    void take(std::size_t place, double* out) const {
        const auto values = rows_.values(rows_.row_with(place));
        std::copy_n(values.begin(), d_, out);
    }

    // Calls work(mine, begin, end) for whole groups of boxes; `tests` is how often each is looked at.
    template <class Work>
    void for_boxes(std::size_t tests, const Work& work) {
        const std::size_t chunk = tests * padded_ < kAlone ? padded_ : 4 * kGroup;
        team_.run(padded_, chunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
            work(threads_[thread], begin, end);
        });
    }

    // Calls work(box) for the boxes in which some row may be closer to the candidate.
    template <class Work>
    void for_near(Mine& t, std::size_t begin, std::size_t end, const double* candidate,
                  const Work& work) const {
        const std::size_t n =
            kernels_.boxes_near(low_.data() + begin, high_.data() + begin, padded_, end - begin,
                                d_, candidate, top_.data() + begin, t.near.data());
        for (std::size_t i = 0; i < n; ++i) work(begin + at(t.near[i]));
    }

    // Lowers costs in a box, unless candidate is null; returns by how much its masses changed.
    double measure_box(std::size_t box, const double* candidate) {
        const double before = sums_[box];
        sums_[box] = table_.box_masses(rows_in(box), candidate,
                                       closest_.data() + rows_.first_of(box), &top_[box]);
        // Below infinity, and then only promises more.
        slopes_[box] = top_[box] > 0.0 ? std::min(sums_[box] / top_[box], 0x1p1000) : 0.0;
        return sums_[box] - before;
    }

    // Lowers all costs, from `before` if given, unless candidate is null; adds up all masses.
    void look(const double* candidate, std::optional<double> before = {}) {
        for_boxes(boxes_.per_box, [&](Mine&, std::size_t begin, std::size_t end) {
            for (std::size_t box = begin; box < std::min(end, n_boxes_); ++box) {
                if (before) std::fill_n(closest_.data() + rows_.first_of(box), rows_.rows_of(box), *before);
                measure_box(box, candidate);
            }
        });
        add_groups();
    }

    // Lowers costs where that may be. Differences of integers are exact in any order.
    void lower(const double* candidate) {
        for (Mine& t : threads_) t.change = 0.0;
        for_boxes(1, [&](Mine& t, std::size_t begin, std::size_t end) {
            for_near(t, begin, end, candidate, [&](std::size_t box) {
                const double change = measure_box(box, candidate);
                groups_[box / kGroup] += change;
                t.change += change;
            });
        });
        for (const Mine& t : threads_) total_ += t.change;
    }

    void weigh(double scale) {
        scale_ = scale;
        look(nullptr);
    }

    // The masses of groups, and the total.
    void add_groups() {
        std::fill(groups_.begin(), groups_.end(), 0.0);
        for (std::size_t b = 0; b < n_boxes_; ++b) groups_[b / kGroup] += sums_[b];
        total_ = std::accumulate(groups_.begin(), groups_.end(), 0.0);
    }

    double largest_cost() const {
        if (weight_.empty()) return *std::max_element(top_.begin(), top_.end());
        double top = 0.0;
        for (std::size_t i = 0; i < closest_.size(); ++i)
            top = std::max(top, weight_[i] * closest_[i]);
        return top;
    }

    Team& team_;
    const RowKernels<T>& table_;
    const Kernels& kernels_;
    const Boxes<T>& boxes_;
    const BoxColumns<T>& rows_;
    std::size_t d_, n_boxes_, padded_;
    Aligned<double> closest_;                 // (n,) of each row in the boxes
    Aligned<double> weight_;                  // (n,) likewise, empty for ones
    std::vector<double> low_, high_, top_;    // [feature][padded boxes]; the largest cost of each
    std::vector<double> sums_, slopes_;       // masses of boxes, and these over their largest costs
    std::vector<double> groups_;              // masses of groups of boxes
    std::vector<double> candidates_;
    std::vector<Mine> threads_;
    std::vector<Loose<T>> loose_;
    double scale_ = 0.0, total_ = 0.0, first_total_ = 0.0;
    std::size_t n_bounded_ = 0, n_spared_ = 0;  // candidates with a bound, and without a look
    bool even_ = false, picked_ = false;  // all costs are 1; a row was picked
};

}  // namespace

template <class T>
std::vector<std::int64_t> draw_in_boxes(Team& team, const Kernels& kernels, Boxes<T>& boxes,
                                        const double* weight, std::size_t d, double weight_scale,
                                        const double* u, std::size_t n_clusters,
                                        std::size_t n_trials) {
    BoxColumns<T> rows(team, boxes, d);
    Game<T> game(team, kernels, boxes, rows, weight, d);
    Pulse pulse([&] {
        team.check();
        return false;
    });
    auto picked = play(game, weight_scale, u, n_clusters, n_trials, pulse);
    rows.turn_back(team);
    return picked;
}

#define TM_INSTANTIATE(T)                                                     \
    template std::vector<std::int64_t> draw_in_boxes<T>(                      \
        Team&, const Kernels&, Boxes<T>&, const double*, std::size_t, double, \
        const double*, std::size_t, std::size_t);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
