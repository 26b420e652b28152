#include "ahead.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "masses.hpp"
#include "panels.hpp"

namespace truemeans {

namespace {

constexpr std::size_t kWord = kRowsAWord;
constexpr std::size_t kWordsAtOnce = 64;  // words a thread takes, when marks are followed
// Sums of float32 gains: so many additions of a lane at the most, and some more for the lanes, the
// difference, the weight and its product.
constexpr double kSumError = (kMostGainRows / 4.0 + 12.0) / (1 << 24);
// Pairs whose distances are measured at a time.
constexpr std::size_t kPairsAtOnce = 8192;
// Rows whose distances are measured while as many others are fetched.
constexpr std::size_t kFetched = 32;
// Weights in float32 are within its error.
constexpr double kLeastWeight = 1e-30;

// What a candidate gains lies between low and high, in integer masses.
struct Interval {
    double low = 0.0, high = 0.0;
};

template <class T>
class Game {
  public:
    Game(Team& team, const Kernels& kernels, Rows<T> rows, Proposals proposals, double scale,
         Nearest nearest, std::uint64_t* marks)
        : team_(team),
          kernels_(kernels),
          table_(kernels_for(kernels, rows.X)),
          rows_(rows),
          proposals_(proposals),
          m_(proposals.n),
          scale_(scale),
          nearest_(nearest),
          closest_(nearest.closest),
          candidates_(m_ * rows.d),
          marks_(marks),
          gains_(m_) {
        for (std::size_t g = 0; g < m_; ++g) {
            const T* x = rows.X + static_cast<std::size_t>(proposals.rows[g]) * rows.d;
            std::copy_n(x, rows.d, candidates_.begin() + static_cast<std::ptrdiff_t>(g * rows.d));
        }
        threads_.resize(team.n_threads());
    }

    void measure(bool scored);
    std::size_t winner(const std::vector<std::size_t>& trials);
    double keep(std::size_t winner, std::size_t next, std::int32_t number);

  private:
    // What a thread works with.
    struct Mine {
        std::vector<float> cols, norms, limits, weight, gains, errors;
        std::vector<Interval> intervals;
        std::vector<Hit> hits;
        std::vector<double> sq_dist, before, total;
        std::array<std::uint64_t, kWordsAtOnce> lowered;
    };

    double mass(std::size_t row, double cost) const {
        return round_integer((rows_.weight ? rows_.weight[row] * scale_ : scale_) * cost);
    }
    bool counts(std::size_t row) const {
        return closest_[row] > 0.0 && !(rows_.weight && rows_.weight[row] == 0.0);
    }
    std::uint64_t& mark(std::size_t word, std::size_t g) const { return marks_[word * m_ + g]; }

    void prepare(Mine& t, bool scored) const;
    bool limit(const ScorePanels<T>& panels, std::size_t begin, std::size_t n, Mine& t) const;
    void score(const ScorePanels<T>& panels, std::size_t begin, std::size_t n, Mine& t);
    void mark_all(std::size_t begin, std::size_t n, Mine& t);
    std::vector<double> exact_gains(const std::vector<std::size_t>& trials);
    void list(std::uint64_t bits, std::size_t first, std::size_t g, Mine& t) const;
    void measure_hits(std::size_t begin, Mine& t) const;
    double lower(std::size_t first, std::size_t last, std::size_t winner, std::int32_t number,
                 Mine& t);
    void lessen(std::size_t first, std::size_t last, std::size_t next, Mine& t) const;
    void lessen(std::size_t begin, Mine& t) const;
    template <class Work>
    void follow(const Work& work);

    Team& team_;
    const Kernels& kernels_;
    const RowKernels<T>& table_;
    Rows<T> rows_;
    Proposals proposals_;
    std::size_t m_;
    double scale_;
    Nearest nearest_;
    const double* closest_;
    std::vector<double> candidates_;
    std::uint64_t* marks_;  // [word][candidate], bit i for row 64 word + i
    std::vector<Interval> gains_;
    std::vector<Mine> threads_;
};

template <class T>
void Game<T>::prepare(Mine& t, bool scored) const {
    t.intervals.assign(m_, {});
    if (!scored) return;
    t.cols.resize(kMostGainRows * rows_.d);
    t.norms.resize(kMostGainRows);
    t.limits.resize(kMostGainRows);
    t.weight.resize(rows_.weight ? kMostGainRows : 0);
    t.gains.resize(m_);
    t.errors.resize(m_);
}

// Marks and bounds of all candidates.
template <class T>
void Game<T>::measure(bool scored) {
    const Centroids candidates{candidates_.data(), m_};
    const ScorePanels<T> panels =
        scored ? ScorePanels<T>(candidates, rows_.d, Layout{}) : ScorePanels<T>();
    for (Mine& t : threads_) prepare(t, panels.usable);
    team_.run(rows_.n, kMostGainRows, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        Mine& t = threads_[thread];
        if (panels.usable && limit(panels, begin, end - begin, t))
            score(panels, begin, end - begin, t);
        else
            mark_all(begin, end - begin, t);
    });
    for (const Mine& t : threads_)
        for (std::size_t g = 0; g < m_; ++g) {
            gains_[g].low += t.intervals[g].low;
            gains_[g].high += t.intervals[g].high;
        }
}

// Packs a chunk of rows; false where their scores may overflow.
template <class T>
bool Game<T>::limit(const ScorePanels<T>& panels, std::size_t begin, std::size_t n,
                    Mine& t) const {
    const double* weight = rows_.weight ? rows_.weight + begin : nullptr;
    table_.pack_samples(rows_.X + begin * rows_.d, nullptr, n, rows_.d, panels.centering(),
                        t.cols.data(), t.norms.data());
    for (std::size_t i = 0; weight && i < n; ++i) {
        if (weight[i] > 0.0 && weight[i] < kLeastWeight) return false;
        t.weight[i] = static_cast<float>(weight[i]);
    }
    const double s = static_cast<double>(panels.scale);
    if (kernels_.closer_limits(closest_ + begin, weight, t.norms.data(), n, s * s, panels.margin,
                               t.limits.data()))
        return false;
    std::fill(t.limits.begin() + static_cast<std::ptrdiff_t>(n), t.limits.end(), -kFarScore);
    return true;
}

// A mass is rounded to a whole number, so a row's gain may differ by one from what it is in reals.
template <class T>
void Game<T>::score(const ScorePanels<T>& panels, std::size_t begin, std::size_t n, Mine& t) {
    const std::size_t lanes = kernels_.sample_lanes;
    const GainRows rows{t.cols.data(),  (n + lanes - 1) / lanes, rows_.d, t.norms.data(),
                        t.limits.data(), rows_.weight ? t.weight.data() : nullptr};
    // What this thread will most likely pack next.
    const std::size_t next = begin + kMostGainRows * team_.n_threads();
    kernels_.gain_samples(rows, panels.margin, panels.packed.data(), panels.sq_norms.data(), m_,
                          {&mark(begin / kWord, 0), m_, t.gains.data(), t.errors.data()},
                          lines_ahead(rows_, next, kMostGainRows));
    const double s = static_cast<double>(panels.scale), unit = scale_ / (s * s);
    for (std::size_t g = 0; g < m_; ++g) {
        const double gain = static_cast<double>(t.gains[g]) * unit;
        const double error = static_cast<double>(t.errors[g]) * unit * 1.001;
        if (!(gain > 0.0)) continue;
        t.intervals[g].low += gain * (1.0 - kSumError) - error - static_cast<double>(n);
        t.intervals[g].high += gain * (1.0 + kSumError) + static_cast<double>(n);
    }
}

// Where scores prove nothing, any candidate may gain all that the rows cost.
template <class T>
void Game<T>::mark_all(std::size_t begin, std::size_t n, Mine& t) {
    double all = 0.0;
    for (std::size_t first = begin; first < begin + n; first += kWord) {
        std::uint64_t bits = 0;
        for (std::size_t i = first; i < std::min(first + kWord, begin + n); ++i) {
            if (!counts(i)) continue;
            bits |= std::uint64_t{1} << (i - first);
            all += mass(i, closest_[i]);
        }
        std::fill_n(&mark(first / kWord, 0), m_, bits);
    }
    for (Interval& interval : t.intervals) interval.high += all;
}

// Calls work(thread, first, last) for all words, a few at a time.
template <class T>
template <class Work>
void Game<T>::follow(const Work& work) {
    team_.run(words_of_marks(rows_.n), kWordsAtOnce, work);
}

template <class T>
void Game<T>::list(std::uint64_t bits, std::size_t first, std::size_t g, Mine& t) const {
    for (; bits != 0; bits &= bits - 1) {
        const auto row = first + static_cast<std::size_t>(std::countr_zero(bits));
        t.hits.push_back({static_cast<std::uint16_t>(row), static_cast<std::uint16_t>(g)});
    }
}

// Canonical distances of the hits, rows counted from `begin`, while the next ones are fetched.
template <class T>
void Game<T>::measure_hits(std::size_t begin, Mine& t) const {
    const std::size_t n = t.hits.size(), d = rows_.d;
    t.sq_dist.resize(std::max(t.sq_dist.size(), n));
    const T* X = rows_.X + begin * d;
    for (std::size_t first = 0; first < n; first += kFetched) {
        const std::size_t last = std::min(first + kFetched, n);
        for (std::size_t h = last; h < std::min(last + kFetched, n); ++h) {
            const std::size_t row = t.hits[h].row;
            for (std::size_t e = 0; e < d; e += 64 / sizeof(T)) __builtin_prefetch(X + row * d + e);
            __builtin_prefetch(closest_ + begin + row);
        }
        table_.hit_sq_dist(X, d, candidates_.data(), t.hits.data() + first, last - first,
                           t.sq_dist.data() + first);
    }
}

template <class T>
std::vector<double> Game<T>::exact_gains(const std::vector<std::size_t>& trials) {
    for (Mine& t : threads_) t.total.assign(trials.size(), 0.0);
    follow([&](std::size_t thread, std::size_t first, std::size_t last) {
        Mine& t = threads_[thread];
        for (std::size_t i = 0; i < trials.size(); ++i) {
            t.hits.clear();
            for (std::size_t word = first; word < last; ++word)
                list(mark(word, trials[i]), (word - first) * kWord, trials[i], t);
            measure_hits(first * kWord, t);
            for (std::size_t h = 0; h < t.hits.size(); ++h) {
                const std::size_t row = first * kWord + t.hits[h].row;
                const double now = closest_[row];
                t.total[i] += mass(row, now) - mass(row, std::min(now, t.sq_dist[h]));
            }
        }
    });
    std::vector<double> gains(trials.size());
    for (const Mine& t : threads_)
        for (std::size_t i = 0; i < trials.size(); ++i) gains[i] += t.total[i];
    return gains;
}

// The one of the trials that gains most, the first of equals.
template <class T>
std::size_t Game<T>::winner(const std::vector<std::size_t>& trials) {
    double least = -std::numeric_limits<double>::infinity();
    for (const std::size_t g : trials) least = std::max(least, gains_[g].low);
    std::vector<std::size_t> open;
    for (const std::size_t g : trials) {
        // The same row once more gains the same, and the first of equals wins.
        const auto same = [&](std::size_t o) { return proposals_.rows[o] == proposals_.rows[g]; };
        if (!(gains_[g].high < least) && std::none_of(open.begin(), open.end(), same))
            open.push_back(g);
    }
    if (open.size() == 1) return open.front();
    const std::vector<double> gains = exact_gains(open);
    return open[static_cast<std::size_t>(std::max_element(gains.begin(), gains.end()) -
                                         gains.begin())];
}

// Lowers the costs in some words of rows, which t.lowered says, t.before what they were. Returns by
// how much the masses fell.
template <class T>
double Game<T>::lower(std::size_t first, std::size_t last, std::size_t winner,
                      std::int32_t number, Mine& t) {
    const std::size_t begin = first * kWord;
    t.lowered.fill(0);
    t.hits.clear();
    for (std::size_t word = first; word < last; ++word)
        list(mark(word, winner), (word - first) * kWord, winner, t);
    measure_hits(begin, t);
    double gain = 0.0;
    for (std::size_t h = 0; h < t.hits.size(); ++h) {
        const std::size_t at = t.hits[h].row, row = begin + at;
        const double now = closest_[row];
        if (!(t.sq_dist[h] < now)) continue;
        gain += mass(row, now) - mass(row, t.sq_dist[h]);
        t.before[at] = now;
        nearest_.lower(row, t.sq_dist[h], number);
        t.lowered[at / kWord] |= std::uint64_t{1} << at % kWord;
    }
    return gain;
}

// Adds to t.total what candidates from `next` on gain less from the rows that were lowered.
template <class T>
void Game<T>::lessen(std::size_t first, std::size_t last, std::size_t next, Mine& t) const {
    t.hits.clear();
    for (std::size_t word = first; word < last; ++word) {
        const std::uint64_t bits = t.lowered[word - first];
        for (std::size_t g = next; bits != 0 && g < m_; ++g)
            list(mark(word, g) & bits, (word - first) * kWord, g, t);
        if (t.hits.size() >= kPairsAtOnce || word + 1 == last) lessen(first * kWord, t);
    }
}

// The same for the hits.
template <class T>
void Game<T>::lessen(std::size_t begin, Mine& t) const {
    measure_hits(begin, t);
    for (std::size_t h = 0; h < t.hits.size(); ++h) {
        const std::size_t at = t.hits[h].row, row = begin + at;
        const double before = t.before[at], now = closest_[row], far = t.sq_dist[h];
        t.total[t.hits[h].centroid] += mass(row, before) - mass(row, std::min(before, far)) -
                                       mass(row, now) + mass(row, std::min(now, far));
    }
    t.hits.clear();
}

// Keeps a candidate; those from `next` on may still be.
template <class T>
double Game<T>::keep(std::size_t winner, std::size_t next, std::int32_t number) {
    for (Mine& t : threads_) {
        t.before.resize(kWordsAtOnce * kWord);
        t.total.assign(m_ + 1, 0.0);  // the last for the winner
    }
    follow([&](std::size_t thread, std::size_t first, std::size_t last) {
        Mine& t = threads_[thread];
        t.total[m_] += lower(first, last, winner, number, t);
        if (next < m_) lessen(first, last, next, t);
    });
    double gain = 0.0;
    for (const Mine& t : threads_) {
        gain += t.total[m_];
        for (std::size_t g = next; g < m_; ++g) {
            gains_[g].low -= t.total[g];
            gains_[g].high -= t.total[g];
        }
    }
    return gain;
}

}  // namespace

template <class T>
Played play_ahead(Team& team, const Kernels& kernels, Rows<T> rows, Proposals proposals,
                  bool scored, double scale, std::size_t n_trials, std::size_t n_rounds,
                  std::uint64_t* marks, Nearest nearest, std::int32_t first) {
    Played played{{}, 0, 0.0};
    Game<T> game(team, kernels, rows, proposals, scale, nearest, marks);
    game.measure(scored);
    while (played.winners.size() < n_rounds) {
        const auto trials = next_trials(proposals, nearest.closest, played.next, n_trials);
        if (trials.empty()) break;
        const std::size_t winner = game.winner(trials);
        const std::int32_t number = first + static_cast<std::int32_t>(played.winners.size());
        played.winners.push_back(static_cast<std::int32_t>(winner));
        played.next = trials.back() + 1;
        played.gain += game.keep(winner, played.next, number);
    }
    return played;
}

template Played play_ahead<float>(Team&, const Kernels&, Rows<float>, Proposals, bool, double,
                                  std::size_t, std::size_t, std::uint64_t*, Nearest,
                                  std::int32_t);
template Played play_ahead<double>(Team&, const Kernels&, Rows<double>, Proposals, bool, double,
                                   std::size_t, std::size_t, std::uint64_t*, Nearest,
                                  std::int32_t);

}  // namespace truemeans
