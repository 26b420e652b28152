#include "bounds.hpp"

#include "settle.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace truemeans {

namespace {

constexpr float kMore = 1.0f + 0x1p-22f;
constexpr float kLess = 1.0f - 0x1p-22f;
// A lower bound no distance reaches, in 16 bits: padding is never open.
constexpr std::uint16_t kNeverOpen = 0x7f00;
constexpr std::size_t kPad = 8;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

}  // namespace

Bounds::Bounds(const Kernels& kernels, Centroids centroids, std::size_t n_rows, std::size_t d,
               std::size_t most_groups)
    : groups(centroids, d, most_groups, kernels.centroid_lanes),
      stride((groups.n_groups + kPad - 1) / kPad * kPad),
      upper(n_rows),
      lower(n_rows * stride),
      slack(n_rows),
      d_(d) {}

void Bounds::start(Centroids centroids, Frame frame_) {
    frame = std::move(frame_);
    std::fill(upper.begin(), upper.end(), kFarDistance);
    for (std::size_t i = 0; i < lower.size(); ++i)
        lower[i] = i % stride < groups.n_groups ? 0 : kNeverOpen;
    std::fill(slack.begin(), slack.end(), -kFarDistance);
    group_travel.assign(stride, 0.0f);
    exact_group_travel_.assign(groups.n_groups, 0.0);
    travel.start(centroids, d_, frame.scale);
    started = true;
}

void Bounds::advance(Centroids centroids) {
    travel.advance(centroids);
    std::vector<double> most(groups.n_groups, 0.0);
    for (std::size_t j = 0; j < centroids.k; ++j) {
        double& top = most[groups.group_of(static_cast<std::int32_t>(j))];
        top = std::max(top, travel.step()[j]);
    }
    for (std::size_t g = 0; g < groups.n_groups; ++g) {
        exact_group_travel_[g] += most[g];
        group_travel[g] = Travel::round_up(exact_group_travel_[g]);
    }
}

namespace {

// What one thread needs for one chunk; every array is by place among the rows still looked at.
template <class T>
struct Scratch {
    typename Settler<T>::Scratch settle;
    std::vector<float> packed;
    std::vector<std::int32_t> rows, own;   // number in the chunk; own centroid, 0 for none
    std::vector<float> up, least, norm, own_score;
    std::vector<float> best, second;       // of the groups scored so far
    std::vector<std::int32_t> slot;        // of the best
    std::vector<std::uint16_t> without;    // lower bound of the best's group without the best
    std::vector<char> own_scored;          // the own centroid's group was scored
    std::vector<std::int32_t> lists;       // [group][place]: the rows each group is scored for
    std::vector<std::size_t> counts;
    std::vector<float> group_best, group_second, group_norm;
    std::vector<std::int32_t> group_slot, moved, from, to;
    std::vector<std::uint16_t> best_lower, second_lower;
    std::vector<double> sums;
    std::size_t n_changed = 0, n_settled = 0, n_scored = 0;

    Scratch(const Settler<T>& settler, std::size_t chunk, std::size_t d, std::size_t n_groups,
            std::size_t n_sums)
        : settle(settler), packed(chunk * d), lists(n_groups * chunk), counts(n_groups), sums(n_sums) {
        for (auto* floats : {&up, &least, &norm, &own_score, &best, &second, &group_best,
                             &group_second, &group_norm})
            floats->resize(chunk);
        for (auto* numbers : {&rows, &own, &slot, &group_slot, &moved, &from, &to})
            numbers->resize(chunk);
        for (auto* halves : {&without, &best_lower, &second_lower}) halves->resize(chunk);
        own_scored.resize(chunk);
    }
};

template <class T>
struct BoundedPass {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Rows<T> rows;
    Centroids centroids;
    Bounds& bounds;
    const ScorePanels<T>& own;     // the centroids in their own order
    const ScorePanels<T>& panels;  // the centroids in groups
    const Settler<T>& settler;
    std::int32_t* labels;
    std::size_t chunk;

    float travel_of(std::int32_t j) const { return bounds.travel.of()[at(j)]; }
    std::uint16_t* lower_of(std::size_t row) const {
        return bounds.lower.data() + row * bounds.stride;
    }
    bool is_open(std::size_t row, std::size_t g, float up) const {
        // As in least_bound, to the last bit.
        const float stored =
            std::bit_cast<float>(static_cast<std::uint32_t>(lower_of(row)[g]) << 16);
        return !(stored * kLess - bounds.group_travel[g] * kMore > up);
    }

    void keep_upper(std::size_t row, std::int32_t label, float distance) const {
        const float stored = distance - travel_of(label);
        bounds.upper[row] = stored + 0x1p-22f * (std::fabs(stored) + travel_of(label));
    }
    void keep_slack(std::size_t row, float least, float up) const {
        const float gone = 2.0f * bounds.travel.farthest();
        const float stored = (least - up) + gone;
        bounds.slack[row] = stored - 0x1p-21f * (std::fabs(least) + up + gone);
    }

    // Keeps the rows that t.least does not prove to stay; `keep` moves what else is by place.
    template <class Keep>
    std::size_t drop_done(std::size_t begin, std::size_t m, Scratch<T>& t, const Keep& keep) const {
        kernels.least_bound(lower_of(begin), bounds.stride, bounds.group_travel.data(),
                            t.rows.data(), m, t.least.data());
        std::size_t left = 0;
        for (std::size_t p = 0; p < m; ++p) {
            if (t.least[p] > t.up[p]) {
                keep_slack(begin + at(t.rows[p]), t.least[p], t.up[p]);
                continue;
            }
            t.rows[left] = t.rows[p];
            t.up[left] = t.up[p];
            keep(left, p);
            ++left;
        }
        return left;
    }

    // The rows that slack and bounds leave open.
    std::size_t recall(std::size_t begin, std::size_t n, Scratch<T>& t) const {
        const std::size_t m = kernels.rows_within(bounds.slack.data() + begin,
                                                  2.0f * bounds.travel.farthest() * kMore, n,
                                                  t.rows.data());
        for (std::size_t p = 0; p < m; ++p) {
            const std::size_t row = begin + at(t.rows[p]);
            t.up[p] = kFarDistance;
            if (labels[row] < 0) continue;
            const float stored = bounds.upper[row];
            const float moved = travel_of(labels[row]);
            t.up[p] = stored + moved + 0x1p-22f * (std::fabs(stored) + moved);
        }
        return drop_done(begin, m, t, [](std::size_t, std::size_t) {});
    }

    // Packs the rows and tightens their upper bounds; returns how many are still open.
    std::size_t tighten(std::size_t begin, std::size_t m, Scratch<T>& t) const {
        table.pack_rows(rows.X + begin * rows.d, t.rows.data(), m, rows.d, own.centering(),
                        t.packed.data(), t.norm.data());
        for (std::size_t p = 0; p < m; ++p)
            t.own[p] = std::max(labels[begin + at(t.rows[p])], 0);
        kernels.score_own(t.packed.data(), m, rows.d, own.packed.data(), t.own.data(),
                          own.sq_norms.data(), t.own_score.data());
        kernels.distance_at_most(t.own_score.data(), t.norm.data(), m, own.margin, t.up.data());
        for (std::size_t p = 0; p < m; ++p) {
            const std::size_t row = begin + at(t.rows[p]);
            if (labels[row] < 0)
                t.up[p] = kFarDistance;
            else
                keep_upper(row, labels[row], t.up[p]);
        }
        return drop_done(begin, m, t, [&](std::size_t to, std::size_t from) {
            t.own[to] = t.own[from];
            t.own_score[to] = t.own_score[from];
            t.norm[to] = t.norm[from];
            if (to != from)
                std::copy_n(t.packed.data() + from * rows.d, rows.d,
                            t.packed.data() + to * rows.d);
        });
    }

    // Lists the rows each group must be scored for.
    void list_open(std::size_t begin, std::size_t m, Scratch<T>& t) const {
        const Groups& groups = bounds.groups;
        std::fill(t.counts.begin(), t.counts.end(), 0);
        for (std::size_t p = 0; p < m; ++p) {
            const std::size_t row = begin + at(t.rows[p]);
            for (std::size_t g = 0; g < groups.n_groups; ++g) {
                t.lists[g * chunk + t.counts[g]] = static_cast<std::int32_t>(p);
                t.counts[g] += is_open(row, g, t.up[p]);
            }
            // The own centroid competes by itself unless its group is scored anyway.
            t.own_scored[p] =
                labels[row] < 0 || is_open(row, groups.group_of(labels[row]), t.up[p]);
            t.best[p] = t.own_scored[p] ? kFarScore : t.own_score[p];
            t.second[p] = kFarScore;
            t.slot[p] = groups.slot_of[at(t.own[p])];
        }
    }

    void score_groups(std::size_t begin, Scratch<T>& t) const {
        const Groups& groups = bounds.groups;
        for (std::size_t g = 0; g < groups.n_groups; ++g) {
            const std::size_t m = t.counts[g];
            if (m == 0) continue;
            t.n_scored += m;
            const std::int32_t* list = t.lists.data() + g * chunk;
            std::fill_n(t.group_best.begin(), chunk, kFarScore);
            std::fill_n(t.group_second.begin(), chunk, kFarScore);
            kernels.score_panels(
                t.packed.data(), list, m, rows.d,
                panels.packed.data() + g * groups.n_slots * rows.d,
                panels.sq_norms.data() + g * groups.n_slots,
                groups.n_slots / kernels.centroid_lanes,
                static_cast<std::int32_t>(g * groups.n_slots),
                {t.group_best.data(), t.group_second.data(), t.group_slot.data()});
            for (std::size_t e = 0; e < m; ++e) t.group_norm[e] = t.norm[at(list[e])];
            kernels.distance_at_least(t.group_best.data(), t.group_norm.data(), m,
                                      panels.margin, bounds.group_travel[g],
                                      t.best_lower.data());
            kernels.distance_at_least(t.group_second.data(), t.group_norm.data(), m,
                                      panels.margin, bounds.group_travel[g],
                                      t.second_lower.data());
            for (std::size_t e = 0; e < m; ++e) merge(begin, at(list[e]), e, g, t);
        }
    }

    // A group's result into a row's.
    void merge(std::size_t begin, std::size_t p, std::size_t e, std::size_t g,
               Scratch<T>& t) const {
        lower_of(begin + at(t.rows[p]))[g] = t.best_lower[e];
        const float b = t.group_best[e];
        const bool wins = b < t.best[p];
        const float loser = wins ? t.best[p] : b;
        const float rest = wins ? t.group_second[e] : t.second[p];
        t.second[p] = std::min(loser, rest);
        t.best[p] = wins ? b : t.best[p];
        t.slot[p] = wins ? t.group_slot[e] : t.slot[p];
        t.without[p] = wins ? t.second_lower[e] : t.without[p];
    }

    // Labels a row and leaves bounds that hold for its new label.
    std::int32_t conclude(std::size_t begin, std::size_t p, Scratch<T>& t) const {
        const Groups& groups = bounds.groups;
        const std::size_t row = begin + at(t.rows[p]);
        const std::int32_t old = labels[row];
        const std::int32_t winner = groups.centroid_of[at(t.slot[p])];
        std::int32_t label = winner;
        // Written so that a score that is not a number counts as undecided.
        const bool decided = t.second[p] - t.best[p] > panels.margin_of_row(t.norm[p]);
        if (!decided) {
            // A group still beyond the best's distance holds no candidate.
            const std::size_t panels_each = groups.n_slots / kernels.centroid_lanes;
            label = settler.label_among(
                rows.X + row * rows.d, t.best[p], t.norm[p], t.own_scored[p] ? -1 : old,
                t.settle, [&](const auto& visit) {
                    for (std::size_t g = 0; g < groups.n_groups; ++g)
                        if (is_open(row, g, t.up[p])) visit(g * panels_each, panels_each);
                });
            ++t.n_settled;
        }
        std::uint16_t* lower = lower_of(row);
        // Every other centroid of the winner's group is at least its second best away.
        if (label == winner && (t.own_scored[p] || winner != old))
            lower[groups.group_of(winner)] = t.without[p];
        if (label != winner) t.up[p] = kFarDistance;
        keep_upper(row, label, t.up[p]);
        if (label != old && !t.own_scored[p]) {
            // The old centroid is now one of the others, of a group that was not scored.
            const std::size_t g = groups.group_of(old);
            std::uint16_t stored;
            kernels.distance_at_least(&t.own_score[p], &t.norm[p], 1, panels.margin,
                                      bounds.group_travel[g], &stored);
            lower[g] = std::min(lower[g], stored);
        }
        return label;
    }

    void run_chunk(std::size_t begin, std::size_t n, double* sums, Grids grids,
                   Scratch<T>& t) const {
        std::size_t m = recall(begin, n, t);
        if (m > 0) m = tighten(begin, m, t);
        if (m == 0) return;
        list_open(begin, m, t);
        score_groups(begin, t);
        kernels.distance_at_most(t.best.data(), t.norm.data(), m, panels.margin, t.up.data());
        std::size_t n_moves = 0;
        for (std::size_t p = 0; p < m; ++p) {
            const std::int32_t label = conclude(begin, p, t);
            std::int32_t& now = labels[begin + at(t.rows[p])];
            t.moved[n_moves] = t.rows[p];
            t.from[n_moves] = now;
            t.to[n_moves] = label;
            n_moves += now != label;
            now = label;
        }
        kernels.least_bound(lower_of(begin), bounds.stride, bounds.group_travel.data(),
                            t.rows.data(), m, t.least.data());
        for (std::size_t p = 0; p < m; ++p)
            keep_slack(begin + at(t.rows[p]), t.least[p], t.up[p]);
        t.n_changed += n_moves;
        if (sums)
            table.move_rows(rows.X + begin * rows.d, rows.d,
                            rows.weight ? rows.weight + begin : nullptr,
                            {t.moved.data(), t.from.data(), t.to.data(), n_moves}, grids, sums,
                            rows.d + 1);
    }
};

}  // namespace

template <class T>
Outcome assign_bounded(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
                       Bounds& bounds, Grids grids, std::int32_t* labels, double* sums) {
    const ScorePanels<T> own(centroids, rows.d, {}, bounds.started ? &bounds.frame : nullptr);
    if (!own.usable) {
        // No proof here: label without bounds, and start them anew next time.
        bounds.started = false;
        return assign(team, kernels, rows, centroids, Scores::none, 0, false, nullptr, nullptr,
                      grids, labels, sums);
    }
    if (!bounds.started) bounds.start(centroids, own.frame());
    bounds.advance(centroids);
    const ScorePanels<T> panels(centroids, rows.d,
                                {kernels.centroid_lanes, bounds.groups.centroid_of},
                                &bounds.frame);
    // Packed rows of a chunk stay in a second-level cache.
    const std::size_t chunk = rows.d <= 256 ? 256 : 128;
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const Settler<T> settler{kernels,
                             table,
                             centroids,
                             rows.d,
                             &panels,
                             bounds.groups.centroid_of.data(),
                             exact_panels(centroids, rows.d)};
    const BoundedPass<T> pass{kernels, table,  rows,    centroids, bounds,
                              own,     panels, settler, labels,    chunk};

    // Thread 0 adds straight into the caller's sums.
    const std::size_t n_sums = sums ? centroids.k * grids.n_grids * (rows.d + 1) : 0;
    const std::size_t n_threads = rows.n <= chunk ? 1 : team.n_threads();
    std::vector<Scratch<T>> scratch;
    scratch.reserve(n_threads);
    for (std::size_t t = 0; t < n_threads; ++t)
        scratch.emplace_back(settler, chunk, rows.d, bounds.groups.n_groups, t == 0 ? 0 : n_sums);
    team.run(rows.n, chunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        Scratch<T>& t = scratch[thread];
        double* into = !sums ? nullptr : thread == 0 ? sums : t.sums.data();
        pass.run_chunk(begin, end - begin, into, grids, t);
    });
    return join(scratch, sums);
}

#define TM_INSTANTIATE(T)                                                                    \
    template Outcome assign_bounded<T>(Team&, const Kernels&, Rows<T>, Centroids, Bounds&,   \
                                       Grids, std::int32_t*, double*);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
