#include "boxed_rounds.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "greedy.hpp"
#include "masses.hpp"

namespace truemeans {

namespace {

constexpr std::size_t kGroup = 64;               // boxes whose masses are added up
constexpr std::size_t kWorthWaking = 1u << 15;  // rows below which one thread is done before
                                                // another is awake

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
          near_(padded_) {
        for (std::size_t b = 0; b < n_boxes_; ++b)
            for (std::size_t f = 0; f < d; ++f) {
                low_[f * padded_ + b] = boxes.low[b * d + f];
                high_[f * padded_ + b] = boxes.high[b * d + f];
            }
        for (std::size_t i = 0; i < weight_.size(); ++i) weight_[i] = weight[at(boxes.order[i])];
        everyone_.resize(n_boxes_);
        std::iota(everyone_.begin(), everyone_.end(), 0);
    }

    // A row's place in the order of the boxes, drawn by weight.
    std::size_t by_weight(double weight_scale, double u) {
        if (!even_) {
            std::fill(closest_.begin(), closest_.end(), 1.0);
            even_ = true;
            weigh(weight_scale);
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
        candidates_.resize(drawn.size() * d_);
        tasks_.clear();
        for (std::size_t j = 0; j < drawn.size(); ++j) {
            double* candidate = candidates_.data() + j * d_;
            take(drawn[j], candidate);
            for (const std::int32_t box : boxes_near(candidate))
                tasks_.push_back({static_cast<std::uint32_t>(j), static_cast<std::uint32_t>(box)});
        }
        gains_.assign(team_.n_threads(), std::vector<double>(drawn.size()));
        team_.run(tasks_.size(), chunk_of(tasks_.size()),
                  [&](std::size_t thread, std::size_t begin, std::size_t end) {
                      for (std::size_t i = begin; i < end; ++i) {
                          const auto [j, box] = tasks_[i];
                          gains_[thread][j] +=
                              table_.box_gain(rows_in(box), candidates_.data() + j * d_,
                                              closest_.data() + first_of(box));
                      }
                  });
        for (std::size_t t = 1; t < gains_.size(); ++t)
            for (std::size_t j = 0; j < drawn.size(); ++j) gains_[0][j] += gains_[t][j];
        const auto most = std::max_element(gains_[0].begin(), gains_[0].end());
        return drawn[static_cast<std::size_t>(most - gains_[0].begin())];
    }

    void pick(std::size_t place) {
        if (even_ && picked_) return;  // by weight to the end
        if (!picked_) {
            constexpr double kInf = std::numeric_limits<double>::infinity();
            std::fill(closest_.begin(), closest_.end(), kInf);
            std::fill_n(top_.begin(), n_boxes_, kInf);
            even_ = false;
        }
        candidates_.resize(d_);
        take(place, candidates_.data());
        if (picked_) {
            lower(candidates_.data());
        } else {
            look(everyone_, candidates_.data());
            picked_ = true;
        }
    }

    // Masses of the costs of now; false if no row has any.
    bool measure() {
        if (even_) return false;
        if (first_total_ > 0.0 && total_ > kWorn * first_total_) return true;
        const double top = largest_cost();
        if (top == 0.0) return false;
        // The total is between the largest cost and that for every row.
        const double coarse = mass_scale(top * static_cast<double>(boxes_.order.size()));
        weigh(coarse);
        weigh(mass_scale(total_ / coarse));
        first_total_ = total_;
        return true;
    }

    std::int64_t number(std::size_t place) const { return boxes_.order[place]; }

  private:
    struct Task {
        std::uint32_t candidate, box;
    };
    // One copy of a row in a cell that is not sorted.
    struct Loose {
        std::array<T, kBoxFeatures> x;
        std::int32_t number;
        std::size_t place;
        double mass;
        bool operator<(const Loose& o) const { return x != o.x ? x < o.x : number < o.number; }
    };

    // Of the copies of a row, the one at `place` in their masses.
    std::size_t copy_of(std::size_t row, double place) const {
        if (boxes_.first.empty()) return row;
        const double one = mass(row), most = copies(row) - 1.0;
        return at(boxes_.first[row]) +
               static_cast<std::size_t>(one > 0.0 ? std::min(place / one, most) : most);
    }

    // What copy_of would return if the cell that the row is in were sorted by value.
    std::size_t draw_in_cell(std::size_t row, double place) {
        const std::uint32_t cell = cell_of(row);
        const auto inside = [this, cell](std::size_t i) { return cell_of(i) == cell; };
        const double most = static_cast<double>(kLooseRows);
        double in_cell = place, n_rows = copies(row);
        std::size_t begin = row, end = row + 1;
        for (; n_rows <= most && begin > 0 && inside(begin - 1); n_rows += copies(begin)) {
            --begin;
            in_cell += mass(begin) * copies(begin);
        }
        for (; n_rows <= most && end < boxes_.n && inside(end); ++end) n_rows += copies(end);
        if (begin + 1 == end || n_rows > most) return copy_of(row, place);
        loose_.clear();
        for (std::size_t i = begin; i < end; ++i)
            for (std::size_t copy = 0; copy < static_cast<std::size_t>(copies(i)); ++copy) {
                const std::size_t to = (boxes_.first.empty() ? i : at(boxes_.first[i])) + copy;
                loose_.push_back({values_of(i), boxes_.order[to], to, mass(i)});
            }
        std::sort(loose_.begin(), loose_.end());
        std::size_t i = 0;
        for (; i + 1 < loose_.size() && in_cell >= loose_[i].mass; ++i) in_cell -= loose_[i].mass;
        return loose_[i].place;
    }

    std::size_t first_of(std::size_t box) const { return box * boxes_.per_box; }
    std::size_t rows_of(std::size_t box) const {
        return std::min(boxes_.per_box, boxes_.n - first_of(box));
    }
    double mass(std::size_t row) const {
        return round_integer(weighed(row) * closest_[row]);
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
    std::size_t chunk_of(std::size_t n) const {
        return n * boxes_.per_box < kWorthWaking ? std::max<std::size_t>(n, 1) : 32;
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
        std::size_t row = place;
        if (!boxes_.first.empty()) {
            const auto after = std::upper_bound(boxes_.first.begin(), boxes_.first.end(),
                                                static_cast<std::int32_t>(place));
            row = static_cast<std::size_t>(after - boxes_.first.begin()) - 1;
        }
        const auto values = values_of(row);
        std::copy_n(values.begin(), d_, out);
    }

    const std::vector<std::int32_t>& boxes_near(const double* candidate) {
        near_.resize(padded_);
        near_.resize(kernels_.boxes_near(low_.data(), high_.data(), padded_, d_, candidate,
                                         top_.data(), near_.data()));
        return near_;
    }

    // Lowers the costs in some boxes, unless candidate is null, and adds up the masses of each.
    void look(const std::vector<std::int32_t>& some, const double* candidate) {
        team_.run(some.size(), chunk_of(some.size()),
                  [&](std::size_t, std::size_t begin, std::size_t end) {
                      for (std::size_t i = begin; i < end; ++i) {
                          const std::size_t box = at(some[i]);
                          sums_[box] = table_.box_masses(rows_in(box), candidate,
                                                         closest_.data() + first_of(box),
                                                         &top_[box]);
                      }
                  });
    }

    void lower(const double* candidate) {
        const std::vector<std::int32_t>& some = boxes_near(candidate);
        before_.resize(some.size());
        for (std::size_t i = 0; i < some.size(); ++i) before_[i] = sums_[at(some[i])];
        look(some, candidate);
        // Differences of integers, exact in any order.
        for (std::size_t i = 0; i < some.size(); ++i) {
            const double change = sums_[at(some[i])] - before_[i];
            groups_[at(some[i]) / kGroup] += change;
            total_ += change;
        }
    }

    void weigh(double scale) {
        scale_ = scale;
        look(everyone_, nullptr);
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
    std::vector<std::int32_t> near_, everyone_;
    std::vector<double> before_, candidates_;
    std::vector<std::vector<double>> gains_;  // [thread][candidate]
    std::vector<Task> tasks_;
    std::vector<Loose> loose_;
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
