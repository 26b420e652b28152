#include "optimum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "line.hpp"
#include "smawk.hpp"

namespace truemeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Runs of places per cluster to begin with: the first bounds cost less than reading the rows,
// and rule out nine tenths (python -m benchmarks line).
constexpr std::size_t kFirstRuns = 1024;
constexpr std::size_t kMostParts = 32;
constexpr int kMostRefinements = 100;

inline double high(double v) { return v; }
inline double high(Dd v) { return v.hi; }
inline void set_infinite(double& v) { v = kInfinity; }
inline void set_infinite(Dd& v) { v = {kInfinity, 0.0}; }

// Places where a cluster may end: first to last values lie before its end.
struct Run {
    std::int32_t first, last;
};
using Runs = std::vector<Run>;

// A bound from below on a cluster that begins where one run allows and ends where another does:
// it holds at least the values between the runs. Exact where both are single places. These
// bounds keep the Monge property of the costs, because the cost of disjoint stretches adds up to
// no more than the cost of one that holds both; so the matrices below are totally monotone.
template <class Real>
inline Real between(const Costs& costs, Run begin, Run end, Real before) {
    if (end.last <= begin.first || high(before) == kInfinity) {
        set_infinite(before);
        return before;
    }
    if (end.first <= begin.last) return before;
    Real cost;
    costs.cost(static_cast<std::size_t>(begin.last), static_cast<std::size_t>(end.first), cost);
    return before + cost;
}

// Least cost of the first q clusters for each run where the q-th may end, from those of q - 1.
template <class Real>
void forward(const Costs& costs, const Runs& from, const std::vector<Real>& before,
             const Runs& to, std::vector<Real>& out, std::vector<std::int32_t>& argmin) {
    const auto entry = [&](std::size_t t, std::size_t s) {
        return between(costs, from[s], to[t], before[s]);
    };
    argmin.resize(to.size());
    out.resize(to.size());
    row_minima(to.size(), from.size(), entry, argmin.data());
    for (std::size_t t = 0; t < to.size(); ++t)
        out[t] = entry(t, static_cast<std::size_t>(argmin[t]));
}

// Least cost of all clusters after the one that ends in a run. Rows and columns are counted from
// the end, which puts what is infinite to the right.
void backward(const Costs& costs, const Runs& from, const Runs& to,
              const std::vector<double>& after, std::vector<double>& out) {
    const auto entry = [&](std::size_t row, std::size_t column) {
        const std::size_t t = to.size() - 1 - column;
        return between(costs, from[from.size() - 1 - row], to[t], after[t]);
    };
    std::vector<std::int32_t> argmin(from.size());
    row_minima(from.size(), to.size(), entry, argmin.data());
    out.resize(from.size());
    for (std::size_t row = 0; row < from.size(); ++row)
        out[from.size() - 1 - row] = entry(row, static_cast<std::size_t>(argmin[row]));
}

// A clustering by its ends; ends.back() is the number of values.
using Ends = std::vector<std::size_t>;

double cost_of(const Costs& costs, const Ends& ends) {
    double sum = 0.0;
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
        double cost;
        costs.cost(begin, end, cost);
        sum += cost;
        begin = end;
    }
    return sum;
}

// No cluster empty: the ends increase, and leave room for those that follow.
void make_feasible(Ends& ends) {
    const std::size_t k = ends.size(), n = ends.back();
    for (std::size_t q = 0; q + 1 < k; ++q)
        ends[q] = std::clamp(ends[q], (q > 0 ? ends[q - 1] : 0) + 1, n - (k - 1 - q));
}

// Lloyd's iterations over the sorted values: an end lies half-way between two means.
void refine(const Costs& costs, Ends& ends) {
    make_feasible(ends);
    double best = cost_of(costs, ends);
    Ends next = ends;
    for (int round = 0; round < kMostRefinements; ++round) {
        double mean = costs.mean(0, ends[0]);
        for (std::size_t q = 0; q + 1 < ends.size(); ++q) {
            const double following = costs.mean(ends[q], ends[q + 1]);
            const double border = 0.5 * mean + 0.5 * following;
            std::size_t low = q > 0 ? ends[q - 1] : 0, up = ends[q + 1];
            while (low < up) {
                const std::size_t middle = low + (up - low) / 2;
                if (costs.value(middle) <= border) low = middle + 1;
                else up = middle;
            }
            next[q] = low;
            mean = following;
        }
        make_feasible(next);
        const double cost = cost_of(costs, next);
        if (!(cost < best)) return;
        best = cost;
        ends = next;
    }
}

class Search {
  public:
    Search(Team& team, const Costs& costs, std::size_t k, std::size_t max_runs)
        : team_(team), costs_(costs), k_(k), max_runs_(max_runs), ends_(k) {
        const std::size_t n = costs.n();
        const Ruler ruler(costs);
        for (std::size_t q = 0; q < k; ++q)
            ends_[q] = ruler.place(static_cast<double>(q + 1) / static_cast<double>(k));
        ends_.back() = n;
        refine(costs_, ends_);
        const std::size_t parts = std::max(kFirstRuns, 8 * k);
        std::vector<std::size_t> begins;
        for (std::size_t p = 0; p < parts; ++p)
            begins.push_back(ruler.place(static_cast<double>(p) / static_cast<double>(parts)));
        begins.push_back(n + 1);
        begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
        runs_.resize(k - 1);
        for (std::size_t q = 0; q + 1 < k; ++q)  // q + 1 clusters before the end, k - 1 - q after
            for (std::size_t p = 0; p + 1 < begins.size(); ++p) {
                const std::size_t first = std::max(begins[p], q + 1);
                const std::size_t last = std::min(begins[p + 1] - 1, n - (k - 1 - q));
                if (first <= last)
                    runs_[q].push_back({static_cast<std::int32_t>(first),
                                        static_cast<std::int32_t>(last)});
            }
    }

    // The ends of the clusters, and whether they are proved to be the best.
    std::pair<Ends, bool> run() {
        while (k_ > 1) {
            if (count() > max_runs_) return {ends_, false};
            team_.check();
            rule_out();
            if (single()) {
                team_.check();
                settle();
                break;
            }
            split_all();
        }
        return {ends_, true};
    }

  private:
    static void split(Run run, std::size_t parts, Runs& out) {
        const auto size = static_cast<std::size_t>(run.last - run.first) + 1;
        parts = std::min(parts, size);
        for (std::size_t p = 0; p < parts; ++p)
            out.push_back({run.first + static_cast<std::int32_t>(size * p / parts),
                           run.first + static_cast<std::int32_t>(size * (p + 1) / parts) - 1});
    }

    std::size_t count() const {
        std::size_t sum = 0;
        for (const Runs& runs : runs_) sum += runs.size();
        return sum;
    }

    bool single() const {
        for (const Runs& runs : runs_)
            for (const Run& run : runs)
                if (run.first != run.last) return false;
        return true;
    }

    void split_all() {
        const std::size_t parts =
            std::clamp((k_ - 1) * kFirstRuns / count(), std::size_t{2}, kMostParts);
        for (Runs& runs : runs_) {
            Runs finer;
            for (const Run& run : runs) split(run, parts, finer);
            runs = std::move(finer);
        }
    }

    // Drops every run that no clustering as good as the best known can use.
    void rule_out() {
        const std::size_t last = k_ - 2;
        std::vector<std::vector<double>> start(k_ - 1), end(k_ - 1);
        std::vector<std::vector<std::int32_t>> argmin(k_ - 1);
        team_.run(2, 1, [&](std::size_t, std::size_t begin, std::size_t stop) {
            for (std::size_t way = begin; way < stop; ++way) {
                if (way == 0) {
                    first_costs(start[0]);
                    for (std::size_t q = 1; q <= last; ++q)
                        forward(costs_, runs_[q - 1], start[q - 1], runs_[q], start[q], argmin[q]);
                } else {
                    last_costs(end[last]);
                    for (std::size_t q = last; q-- > 0;)
                        backward(costs_, runs_[q], runs_[q + 1], end[q + 1], end[q]);
                }
            }
        });
        improve(start[last], end[last], argmin);
        // What row_minima can miss, over all clusters, and the errors of the costs: 16 * 2^-53 of
        // the total each, the sum of all clusters' shares.
        const double slack = 0x1p-53 * 64.0 * costs_.total() *
                             static_cast<double>(2 * count() + 2 * k_);
        const double limit = cost_of(costs_, ends_) + slack;
        for (std::size_t q = 0; q <= last; ++q) {
            std::size_t kept = 0;
            for (std::size_t r = 0; r < runs_[q].size(); ++r) {
                const Run run = runs_[q][r];
                const auto known = static_cast<std::int32_t>(ends_[q]);
                if (start[q][r] + end[q][r] <= limit || (run.first <= known && known <= run.last))
                    runs_[q][kept++] = run;
            }
            runs_[q].resize(kept);
        }
    }

    template <class Real>
    void first_costs(std::vector<Real>& out) const {
        out.resize(runs_[0].size());
        for (std::size_t r = 0; r < out.size(); ++r)
            costs_.cost(0, static_cast<std::size_t>(runs_[0][r].first), out[r]);
    }

    template <class Real>
    void last_costs(std::vector<Real>& out) const {
        const Runs& runs = runs_.back();
        out.resize(runs.size());
        for (std::size_t r = 0; r < out.size(); ++r)
            costs_.cost(static_cast<std::size_t>(runs[r].last), costs_.n(), out[r]);
    }

    // The clustering that the bounds find best, refined, where it beats the best known.
    void improve(const std::vector<double>& start, const std::vector<double>& end,
                 const std::vector<std::vector<std::int32_t>>& argmin) {
        std::size_t at = 0;
        for (std::size_t r = 1; r < start.size(); ++r)
            if (start[r] + end[r] < start[at] + end[at]) at = r;
        Ends ends(k_, costs_.n());
        for (std::size_t q = k_ - 1; q-- > 0;) {
            const Run run = runs_[q][at];
            ends[q] = static_cast<std::size_t>(run.first + (run.last - run.first) / 2);
            if (q > 0) at = static_cast<std::size_t>(argmin[q][at]);
        }
        refine(costs_, ends);
        if (cost_of(costs_, ends) < cost_of(costs_, ends_)) ends_ = ends;
    }

    // Single places are left: the exact dynamic programme over them.
    void settle() {
        std::vector<std::vector<std::int32_t>> argmin(k_ - 1);
        std::vector<Dd> before, costs, after;
        first_costs(before);
        for (std::size_t q = 1; q + 1 < k_; ++q) {
            forward(costs_, runs_[q - 1], before, runs_[q], costs, argmin[q]);
            before.swap(costs);
        }
        last_costs(after);
        std::size_t at = 0;
        for (std::size_t r = 1; r < before.size(); ++r)
            if (before[r] + after[r] < before[at] + after[at]) at = r;
        for (std::size_t q = k_ - 1; q-- > 0;) {
            ends_[q] = static_cast<std::size_t>(runs_[q][at].first);
            if (q > 0) at = static_cast<std::size_t>(argmin[q][at]);
        }
    }

    Team& team_;
    const Costs& costs_;
    std::size_t k_, max_runs_;
    Ends ends_;               // the best clustering known
    std::vector<Runs> runs_;  // where each cluster but the last may end
};

// From the values themselves: a cluster may be tiny beside the sums before a place.
double mean_of(SortedValues sorted, std::size_t begin, std::size_t end) {
    Dd w, wx;
    for (std::size_t i = begin; i < end; ++i) {
        w = w + Dd{sorted.weights[i], 0.0};
        wx = wx + two_product(sorted.weights[i], sorted.values[i]);
    }
    const Dd mean = wx / w;
    return mean.hi + mean.lo;
}

}  // namespace

Optimum optimum(Team& team, SortedValues sorted, std::size_t k, std::size_t max_runs) {
    const Costs costs(sorted);
    const auto [ends, proved] = Search(team, costs, k, max_runs).run();
    Optimum found{{}, proved};
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
        found.centroids.push_back(mean_of(sorted, begin, end));
        begin = end;
    }
    return found;
}

std::vector<double> least_inertias(Team& team, SortedValues sorted, std::size_t most) {
    const Costs costs(sorted);
    const std::size_t n = sorted.n;
    Runs places(n);
    for (std::size_t i = 0; i < n; ++i)
        places[i] = {static_cast<std::int32_t>(i + 1), static_cast<std::int32_t>(i + 1)};
    std::vector<double> before(n), row, found;
    std::vector<std::int32_t> argmin;
    for (std::size_t i = 0; i < n; ++i) costs.cost(0, i + 1, before[i]);
    found.push_back(std::max(before.back(), 0.0));
    for (std::size_t q = 2; q <= most; ++q) {
        team.check();
        forward(costs, places, before, places, row, argmin);
        before.swap(row);
        found.push_back(std::max(before.back(), 0.0));
    }
    return found;
}

}  // namespace truemeans
