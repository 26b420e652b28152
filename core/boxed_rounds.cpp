#include "boxed_rounds.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>

#include "greedy.hpp"
#include "loose.hpp"
#include "masses.hpp"

namespace truemeans {

namespace {

constexpr std::size_t kGroup = 64;  // boxes whose masses are added up
// Looks at boxes up to which one thread is done before another is awake.
constexpr std::size_t kAlone = 1u << 12;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Turns the boxes' rows to columns, or back.
template <class T>
void turn(Team& team, Boxes<T>& boxes, std::size_t d, bool to_columns) {
    team.run(boxes.owner.size(), 64, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::vector<T> line(boxes.per_box * d);
        for (std::size_t box = begin; box < end; ++box) {
            const std::size_t first = box * boxes.per_box;
            const std::size_t n = std::min(boxes.per_box, boxes.n - first);
            T* x = boxes.X.data() + first * d;
            std::copy_n(x, n * d, line.data());
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t f = 0; f < d; ++f)
                    if (to_columns)
                        x[f * n + i] = line[i * d + f];
                    else
                        x[i * d + f] = line[f * n + i];
        }
    });
}

// The costs of all rows, which stand in columns, and the masses of all boxes.
template <class T>
class Game {
  public:
    Game(Team& team, const Kernels& kernels, Boxes<T>& boxes, const double* weight,
         std::size_t d)
        : team_(team),
          table_(kernels_for(kernels, boxes.X.data())),
          kernels_(kernels),
          boxes_(boxes),
          d_(d),
          n_boxes_(boxes.owner.size()),
          padded_((n_boxes_ + 7) / 8 * 8),
          closest_(boxes.n),
          weight_(weight ? boxes.n : 0),
          low_(padded_ * d),
          high_(padded_ * d),
          top_(padded_),
          sums_(n_boxes_),
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
            const double n = static_cast<double>(boxes_.order.size());
            const double place = place_of(u, n * scale_);
            const std::size_t row = row_of(static_cast<std::size_t>(place / scale_));
            const std::size_t before = boxes_.first.empty() ? row : at(boxes_.first[row]);
            return draw_in_cell(row, place - static_cast<double>(before) * scale_);
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
        const std::size_t last = first_of(box) + rows_of(box) - 1;
        std::size_t row = first_of(box);
        for (; row < last && place >= mass(row) * copies(row); ++row)
            place -= mass(row) * copies(row);
        return draw_in_cell(row, place);
    }

    // Of the places, the one whose row would lower the total of masses most, the first of equals.
    std::size_t best(const std::vector<std::size_t>& drawn) {
        const std::size_t m = drawn.size();
        candidates_.resize(m * d_);
        for (std::size_t j = 0; j < m; ++j) take(drawn[j], candidates_.data() + j * d_);
        for (Mine& t : threads_) t.gains.assign(m, 0.0);
        for_boxes(m, [&](Mine& t, std::size_t begin, std::size_t end) {
            for (std::size_t j = 0; j < m; ++j) {
                const double* candidate = candidates_.data() + j * d_;
                for_near(t, begin, end, candidate, [&](std::size_t box) {
                    t.gains[j] += sums_[box] - table_.box_left(rows_in(box), candidate,
                                                               closest_.data() + first_of(box));
                });
            }
        });
        std::vector<double>& gains = threads_[0].gains;
        for (std::size_t t = 1; t < threads_.size(); ++t)
            for (std::size_t j = 0; j < m; ++j) gains[j] += threads_[t].gains[j];
        return drawn[static_cast<std::size_t>(std::max_element(gains.begin(), gains.end()) -
                                              gains.begin())];
    }

    void pick(std::size_t place) {
        if (even_ && picked_) return;  // by weight to the end
        candidates_.resize(d_);
        take(place, candidates_.data());
        if (picked_) {
            lower(candidates_.data());
        } else {
            even_ = false;
            scale_ = mass_scale(sq_diameter() * n_copies());
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
        const double coarse = mass_scale(top * n_copies());
        const double low = mass_scale((total_ - n_copies()) / scale_);
        if (first_total_ == 0.0 && scale_ <= coarse && total_ > n_copies() &&
            low == mass_scale((total_ + n_copies()) / scale_)) {
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
        std::vector<double> gains;  // of each candidate
        double change = 0.0;        // of the total of masses
    };
    double n_copies() const { return static_cast<double>(boxes_.order.size()); }
    // The row whose copies the place is among.
    std::size_t row_of(std::size_t place) const {
        if (boxes_.first.empty()) return place;
        const auto after = std::upper_bound(boxes_.first.begin(), boxes_.first.end(),
                                            static_cast<std::int32_t>(place));
        return static_cast<std::size_t>(after - boxes_.first.begin()) - 1;
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
        if (boxes_.first.empty()) return row;
        const double one = mass(row), most = copies(row) - 1.0;
        return at(boxes_.first[row]) +
               static_cast<std::size_t>(one > 0.0 ? std::min(place / one, most) : most);
    }

    // What copy_of would return if the cell that the row is in were sorted by value.
    std::size_t draw_in_cell(std::size_t row, double place) {
        const std::size_t begin = cell_end(row, false), end = cell_end(row, true);
        const auto n_rows = static_cast<double>(
            boxes_.first.empty() ? end - begin : at(boxes_.first[end] - boxes_.first[begin]));
        if (begin + 1 == end || n_rows > static_cast<double>(kLooseRows))
            return copy_of(row, place);
        loose_.clear();
        for (std::size_t i = begin; i < end; ++i) {
            const double one = mass(i);
            if (i < row) place += one * copies(i);
            for (std::size_t copy = 0; copy < static_cast<std::size_t>(copies(i)); ++copy) {
                const std::size_t to = (boxes_.first.empty() ? i : at(boxes_.first[i])) + copy;
                loose_.push_back({values_of(i), boxes_.order[to], to, one});
            }
        }
        return loose_at(loose_, place).place;
    }

    // Where the cell of a row begins, or ends: cells stand in the order of the curve.
    std::size_t cell_end(std::size_t row, bool after) const {
        const std::uint32_t cell = cell_of(row);
        std::size_t step = 1;
        const std::size_t most = after ? boxes_.n - 1 - row : row;
        const auto there = [&](std::size_t away) { return after ? row + away : row - away; };
        std::size_t away = 0;  // so far, rows are of the cell
        for (; away + step <= most && cell_of(there(away + step)) == cell; step *= 2) away += step;
        for (; step > 0; step /= 2)
            if (away + step <= most && cell_of(there(away + step)) == cell) away += step;
        return after ? there(away) + 1 : there(away);
    }

    std::size_t first_of(std::size_t box) const { return box * boxes_.per_box; }
    std::size_t rows_of(std::size_t box) const {
        return std::min(boxes_.per_box, boxes_.n - first_of(box));
    }
    double mass(std::size_t row) const {
        return round_integer(even_ ? weighed(row) : weighed(row) * closest_[row]);
    }
    std::array<T, kBoxFeatures> values_of(std::size_t row) const {
        const std::size_t box = row / boxes_.per_box, n = rows_of(box);
        const T* columns = boxes_.X.data() + first_of(box) * d_;
        std::array<T, kBoxFeatures> out{};
        for (std::size_t f = 0; f < d_; ++f) out[f] = columns[f * n + (row - first_of(box))];
        return out;
    }
    std::uint32_t cell_of(std::size_t row) const {
        return boxes_.curve.place(values_of(row).data());
    }
    double copies(std::size_t row) const {
        return boxes_.first.empty() ? 1.0 : boxes_.first[row + 1] - boxes_.first[row];
    }
    double weighed(std::size_t row) const {
        return weight_.empty() ? scale_ : weight_[row] * scale_;
    }
    BoxRows<T> rows_in(std::size_t box) const {
        const std::size_t first = first_of(box);
        return {boxes_.X.data() + first * d_,
                rows_of(box),
                d_,
                weight_.empty() ? nullptr : weight_.data() + first,
                boxes_.first.empty() ? nullptr : boxes_.first.data() + first,
                scale_};
    }

    void take(std::size_t place, double* out) const {
        const auto values = values_of(row_of(place));
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

    double measure_box(std::size_t box, const double* candidate) {
        return table_.box_masses(rows_in(box), candidate, closest_.data() + first_of(box),
                                 &top_[box]);
    }

    // Lowers all costs, from `before` if given, unless candidate is null; adds up all masses.
    void look(const double* candidate, std::optional<double> before = {}) {
        for_boxes(boxes_.per_box, [&](Mine&, std::size_t begin, std::size_t end) {
            for (std::size_t box = begin; box < std::min(end, n_boxes_); ++box) {
                if (before) std::fill_n(closest_.data() + first_of(box), rows_of(box), *before);
                sums_[box] = measure_box(box, candidate);
            }
        });
        add_up();
    }

    // Lowers costs where that may be. Differences of integers are exact in any order.
    void lower(const double* candidate) {
        for (Mine& t : threads_) t.change = 0.0;
        for_boxes(1, [&](Mine& t, std::size_t begin, std::size_t end) {
            for_near(t, begin, end, candidate, [&](std::size_t box) {
                const double change = measure_box(box, candidate) - sums_[box];
                sums_[box] += change;
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
    void add_up() {
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
    Boxes<T>& boxes_;
    std::size_t d_, n_boxes_, padded_;
    Aligned<double> closest_;                 // (n,) of each row in the boxes
    Aligned<double> weight_;                  // (n,) likewise, empty for ones
    std::vector<double> low_, high_, top_;    // [feature][padded boxes]; the largest cost of each
    std::vector<double> sums_, groups_;       // masses of boxes, and of groups of them
    std::vector<double> candidates_;
    std::vector<Mine> threads_;
    std::vector<Loose<T>> loose_;
    double scale_ = 0.0, total_ = 0.0, first_total_ = 0.0;
    bool even_ = false, picked_ = false;  // all costs are 1; a row was picked
};

}  // namespace

template <class T>
std::vector<std::int64_t> draw_in_boxes(Team& team, const Kernels& kernels, Boxes<T>& boxes,
                                        const double* weight, std::size_t d, double weight_scale,
                                        const double* u, std::size_t n_clusters,
                                        std::size_t n_trials) {
    turn(team, boxes, d, true);
    Game<T> game(team, kernels, boxes, weight, d);
    Pulse pulse([&] {
        team.check();
        return false;
    });
    auto picked = play(game, weight_scale, u, n_clusters, n_trials, pulse);
    turn(team, boxes, d, false);
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
