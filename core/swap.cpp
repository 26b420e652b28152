#include "swap.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace truemeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// What counts as better: above what rounding the sums could feign.
constexpr double kLeastGain = 1e-10;
// What halving may gain and a removal cost, beside the first guess, once the neighbours follow;
// a trial is worth its time where the best of both together would help (refine).
constexpr double kHope = 2.0, kRelief = 0.8;
// Clusters that follow a change, nearest first (refine).
constexpr std::size_t kRegion = 24;
// So few clusters are all close to each other.
constexpr std::size_t kAllClose = 12;
// Clusters close to each other whose halving gains less than a share of what the removal costs are
// no pair. Of the swaps that helped, one in fifty gained less than a tenth of it: among few clusters
// these are worth their time, and among many the search runs out of patience first (refine).
double least_share(std::size_t k) {
    constexpr double kLeast = 0.05, kMost = 0.18, kOfMany = 8.0;
    constexpr std::size_t kFew = 24;
    return k <= kFew ? kLeast : std::clamp(kOfMany / static_cast<double>(k), kLeast, kMost);
}
// A trial ends when a round changes so little of what it is about.
constexpr double kFine = 0.01;

}  // namespace

SwapSearch::SwapSearch(Clusters clusters, std::size_t patience)
    : clusters_(std::move(clusters)),
      best_(clusters_.centroids()),
      best_inertia_(kInfinity),
      patience_(patience),
      removals_(clusters_.k()),
      splits_(clusters_.k()),
      halves_(clusters_.k()) {}

void SwapSearch::note_best() {
    best_ = clusters_.centroids();
    best_inertia_ = clusters_.total();
}

// Goes on as far as time allows; how far that is does not show in where it ends.
bool SwapSearch::run(std::size_t most, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
        if (is_descending_) {
            is_descending_ = clusters_.go_down(descent_);
            note_best();
        } else if (most == 0) {
            return true;
        } else if (clusters_.k() < 2 || n_failed_ >= patience_ || !step()) {
            clusters_.settle();
            if (clusters_.total() < best_inertia_) note_best();
            has_ended_ = true;
            return true;
        } else {
            --most;
        }
    } while (Clock::now() < end);
    return false;
}

// One trial; false when there is nothing left to try.
bool SwapSearch::step() {
    if (!is_fresh_) refresh();
    Pair pair;
    if (likely(pair)) {
        const Trial &removal = removals_[pair.removed], &split = splits_[pair.split];
        if (split.worth > removal.worth || (removal.is_tried && split.is_tried))
            attempt(pair);
        else if (!removal.is_tried)
            try_removal(pair.removed);
        else
            try_split(pair.split);
        return true;
    }
    if (!is_listed_) list_neighbours();
    if (next_ == pairs_.size()) return false;
    attempt(pairs_[next_++]);
    return true;
}

double SwapSearch::cost(std::size_t r) const {
    const Trial& trial = removals_[r];
    return trial.is_tried ? trial.worth : trial.worth * kRelief;
}

double SwapSearch::gain(std::size_t s) const {
    const Trial& trial = splits_[s];
    return trial.is_tried ? trial.worth : trial.worth * kHope;
}

// The swap that promises most, if any promises anything.
bool SwapSearch::likely(Pair& found) const {
    double best = kLeastGain * best_inertia_;
    bool any = false;
    const double least = cost(static_cast<std::size_t>(cheap_[0]));
    for (const Index split : dear_) {
        const auto s = static_cast<std::size_t>(split);
        const double up = gain(s);
        if (!(up - least > best)) break;
        for (const Index removed : cheap_) {
            const auto r = static_cast<std::size_t>(removed);
            const double sum = up - cost(r);
            if (!(sum > best)) break;
            if (s == r || has_failed(s, r)) continue;
            best = sum;
            found = {sum, s, r};
            any = true;
            break;
        }
    }
    return any;
}

// Swaps between clusters close to each other, where a sum of two trials says little.
void SwapSearch::list_neighbours() {
    pairs_.clear();
    next_ = 0;
    is_listed_ = true;
    const std::size_t k = clusters_.k();
    const double share = least_share(k);
    const auto offer = [&](std::size_t s, std::size_t r) {
        if (s == r || s >= k || r >= k) return;
        const double up = splits_[s].worth, down = removals_[r].worth;
        if (up > share * down && !has_failed(s, r)) pairs_.push_back({up - down, s, r});
    };
    for (std::size_t j = 0; j < k; ++j) {
        if (k <= kAllClose) {
            for (std::size_t l = 0; l < k; ++l) offer(j, l);
            continue;
        }
        for (const auto& part : removals_[j].parts) offer(static_cast<std::size_t>(part.first), j);
        for (const auto& part : splits_[j].parts) offer(j, static_cast<std::size_t>(part.first));
    }
    std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
        if (a.gain != b.gain) return a.gain > b.gain;
        return a.split != b.split ? a.split < b.split : a.removed < b.removed;
    });
    const auto same = [](const Pair& a, const Pair& b) {
        return a.split == b.split && a.removed == b.removed;
    };
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end(), same), pairs_.end());
}

// The same rows as now.
std::uint64_t SwapSearch::key(std::size_t s, std::size_t r) const {
    const std::uint64_t split = clusters_.version(s);
    return split << 32 | clusters_.version(r);
}

bool SwapSearch::has_failed(std::size_t s, std::size_t r) const {
    return failures_.contains(key(s, r));
}

bool SwapSearch::is_current(const Trial& trial) const {
    for (const auto& [l, version] : trial.parts)
        if (clusters_.version(static_cast<std::size_t>(l)) != version) return false;
    return !trial.parts.empty();
}

// Values and orders after clusters have changed.
void SwapSearch::refresh() {
    const std::size_t k = clusters_.k();
    cheap_.clear();
    for (std::size_t j = 0; j < k; ++j) {
        const std::pair<Index, std::size_t> own{static_cast<Index>(j), clusters_.version(j)};
        if (!is_current(removals_[j])) {
            removals_[j] = {worth_.removal(clusters_, j), false, {own}};
            for (const Index l : worth_.heirs())
                removals_[j].parts.emplace_back(l, clusters_.version(static_cast<std::size_t>(l)));
        }
        if (!is_current(splits_[j])) {
            splits_[j] = {worth_.halves(clusters_, j), false, {own}};
            const auto& members = clusters_.members(j);
            halves_[j].clear();
            for (std::size_t m = 0; m < members.size(); ++m)
                if (worth_.upper()[m]) halves_[j].push_back(members[m]);
        }
        cheap_.push_back(static_cast<Index>(j));
    }
    dear_ = cheap_;
    std::sort(cheap_.begin(), cheap_.end(), [&](Index a, Index b) {
        const double u = cost(static_cast<std::size_t>(a)), v = cost(static_cast<std::size_t>(b));
        return u < v || (u == v && a < b);
    });
    std::sort(dear_.begin(), dear_.end(), [&](Index a, Index b) {
        const double u = gain(static_cast<std::size_t>(a)), v = gain(static_cast<std::size_t>(b));
        return u > v || (u == v && a < b);
    });
    is_fresh_ = true;
    is_listed_ = false;
}

// Rows of a cluster go to where they are nearest otherwise.
void SwapSearch::empty(std::size_t r) {
    worth_.find_receivers(clusters_, r);
    freed_ = clusters_.members(r);
    for (std::size_t m = 0; m < freed_.size(); ++m)
        clusters_.move(freed_[m], static_cast<std::size_t>(worth_.receivers()[m]));
}

void SwapSearch::try_removal(std::size_t r) {
    ++n_tried_;
    const double before = clusters_.total();
    const double dearest = gain(static_cast<std::size_t>(dear_[0]));
    clusters_.confine({r}, kRegion);
    clusters_.begin();
    empty(r);
    clusters_.close(r);
    clusters_.converge(before + dearest, kFine * removals_[r].worth);
    finish(removals_[r], before, 1.0);
    place(cheap_, r, true);
}

void SwapSearch::try_split(std::size_t s) {
    ++n_tried_;
    const double before = clusters_.total();
    const double cheapest = cost(static_cast<std::size_t>(cheap_[0]));
    clusters_.confine({s}, kRegion);
    clusters_.begin();
    for (const Index row : halves_[s]) clusters_.move(row, clusters_.spare());
    clusters_.converge(before - cheapest, kFine * splits_[s].worth);
    finish(splits_[s], before, -1.0);
    place(dear_, s, false);
}

// Notes what a trial has shown, and takes it back.
void SwapSearch::finish(Trial& trial, double before, double sign) {
    trial.worth = sign * (clusters_.total() - before);
    trial.is_tried = true;
    trial.parts.clear();
    for (const Index l : clusters_.changed()) trial.parts.emplace_back(l, 0);
    clusters_.undo();
    for (auto& [l, version] : trial.parts) version = clusters_.version(static_cast<std::size_t>(l));
}

// Puts one entry where its new value belongs.
void SwapSearch::place(std::vector<Index>& order, std::size_t j, bool rising) {
    const auto index = static_cast<Index>(j);
    order.erase(std::find(order.begin(), order.end(), index));
    const double value = rising ? cost(j) : gain(j);
    const auto at = std::find_if(order.begin(), order.end(), [&](Index other) {
        const auto l = static_cast<std::size_t>(other);
        return rising ? cost(l) > value : gain(l) < value;
    });
    order.insert(at, index);
}

void SwapSearch::attempt(const Pair& pair) {
    ++n_tried_;
    const auto [sum, s, r] = pair;
    const double before = clusters_.total();
    clusters_.confine({s, r}, kRegion);
    clusters_.begin();
    empty(r);
    for (const Index row : halves_[s]) clusters_.move(row, r);
    if (!clusters_.converge(before * (1.0 - kLeastGain))) {
        clusters_.undo();
        ++n_failed_;
        failures_.insert(key(s, r));
        return;
    }
    note_best();
    clusters_.release();
    descent_ = {};
    is_descending_ = true;
    ++n_kept_;
    n_failed_ = 0;
    is_fresh_ = false;
}

}  // namespace truemeans
