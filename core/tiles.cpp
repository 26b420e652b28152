#include "tiles.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

namespace truemeans {

namespace {

constexpr std::size_t kSide = kTileSide;
constexpr std::size_t kDeep = 32;  // features of one tile
// Own scores are taken anew where their doubt is more than this share of the margin of tiles.
constexpr float kMostDoubt = 0.125f;

// Rounded to nearest, ties to even; the values here are far from overflow.
std::uint16_t to_bf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

float from_bf16(std::uint16_t half) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

double sq_norm(const std::array<float, kDeep>& v) {
    std::array<double, 8> sums{};
    for (std::size_t f = 0; f < kDeep; f += 8)
        for (std::size_t i = 0; i < 8; ++i) {
            const double e = static_cast<double>(v[f + i]);
            sums[i] += e * e;
        }
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// g of kernels/tiles_amx.cpp; for coarse tiles without what they leave out.
double tile_error(Halves halves, std::size_t d) {
    const double steps = 3.0 * static_cast<double>((d + kDeep - 1) / kDeep);
    const double left_out = are_coarse(halves) ? 0.0 : 3.0 * 0x1p-16;
    return 1.05 * (left_out + (steps + 36.0) * 0x1p-23);
}

}  // namespace

TilePanels::TilePanels(const Kernels& kernels, Halves which, const std::vector<float>& rows,
                       const std::vector<float>& norms, double sq_norm_top, std::size_t d)
    : halves(which),
      margin(margin_of(tile_error(which, d), sq_norm_top)),
      norm_top(1.01f * 2.0f * static_cast<float>(std::sqrt(sq_norm_top))) {
    const std::size_t k = norms.size(), tile_rows = kernels.tile_rows;
    n_panels = (k + tile_rows - 1) / tile_rows;
    sq_norms.assign(n_panels * tile_rows, kPaddingNorm);
    std::copy(norms.begin(), norms.end(), sq_norms.begin());
    packed.assign(sq_norms.size() * tile_centroid_entries(halves, d), 0);
    if (halves == Halves::all_in_one)
        pack_all(rows, d);
    else if (halves == Halves::bytes)
        pack_bytes(kernels, rows, d);
    else
        pack_halves(rows, d);
}

void TilePanels::pack_halves(const std::vector<float>& rows, std::size_t d) {
    const std::size_t entries = tile_centroid_entries(halves, d);
    const std::size_t step = (halves == Halves::first ? 1 : 2) * kSide * kDeep;
    double most = 0.0;
    for (std::size_t j = 0; j < rows.size() / d; ++j) {
        std::uint16_t* hi = packed.data() + j / kSide * kSide * entries + j % kSide * kDeep;
        double left_out = 0.0;
        for (std::size_t f = 0; f < d; f += kDeep, hi += step) {
            const std::size_t n = std::min(kDeep, d - f);
            const float* v = rows.data() + j * d + f;
            std::array<float, kDeep> rest{};
            for (std::size_t i = 0; i < n; ++i) {
                hi[i] = to_bf16(v[i]);
                rest[i] = v[i] - from_bf16(hi[i]);
            }
            for (std::size_t i = 0; halves != Halves::first && i < n; ++i)
                hi[kSide * kDeep + i] = to_bf16(rest[i]);
            if (halves == Halves::both_in_one) std::copy_n(hi, n, hi + kDeep / 2);
            left_out += sq_norm(rest);
        }
        most = std::max(most, left_out);
    }
    rest_top = 1.01f * static_cast<float>(std::sqrt(most));
}

void TilePanels::pack_all(const std::vector<float>& rows, std::size_t d) {
    for (std::size_t j = 0; j < sq_norms.size(); ++j) {
        std::uint16_t* line = packed.data() + j * kDeep;
        for (std::size_t f = 0; f < d && j * d < rows.size(); ++f) {
            const float v = rows[j * d + f];
            line[f] = line[d + f] = to_bf16(v);
            line[2 * d + f] = to_bf16(v - from_bf16(line[f]));
        }
        line[3 * d] = to_bf16(sq_norms[j]);
        line[3 * d + 1] = to_bf16(sq_norms[j] - from_bf16(line[3 * d]));
    }
}

void TilePanels::pack_bytes(const Kernels& kernels, const std::vector<float>& rows,
                            std::size_t d) {
    const std::size_t entries = tile_centroid_entries(halves, d);
    // Usable panels have a largest norm that is far from zero.
    unit = kernels.largest(rows.data(), rows.size()) / 127.0f;
    const std::vector<float> zeros(d);
    float most = 0.0f;
    for (std::size_t j = 0; j < rows.size() / d; ++j) {
        std::uint16_t* line = packed.data() + j / kSide * kSide * entries + j % kSide * kDeep;
        float sq_norm = 0.0f, left_out = 0.0f;
        kernels.pack_line(rows.data() + j * d, d, zeros.data(), unit, line, kSide * kDeep, &sq_norm,
                          &left_out);
        most = std::max(most, left_out);
    }
    rest_top = 1.01f * std::sqrt(most);
}

template <class T>
TileSettler<T>::Scratch::Scratch(const TileSettler& s, std::size_t n_rows) {
    if (s.tiles.n_panels == 0) return;
    const std::size_t block = s.kernels.tile_rows;
    const std::size_t padded = (n_rows + block - 1) / block * block;
    rows.resize(padded);
    limit.resize(padded);
    norms.resize(padded);
    rests.resize(padded);
    own.resize(padded);
    likely.resize(padded);
    doubt.resize(padded);
    tiles.resize(padded * tile_row_entries(s.tiles.halves, s.d));
    marks.resize(s.tiles.n_marks(padded));
    list.resize(padded * kMost);
    count.resize(padded);
    pairs.reserve(padded * kMost);
    sq_dist.resize(padded * kMost);
    all.resize(s.centroids.k);
    std::iota(all.begin(), all.end(), 0);
}

template <class T>
void TileSettler<T>::score_likely(const T* X, std::size_t n, Scratch& t) const {
    t.scores.resize(n + kSide);
    table.score_labels(X, t.rows.data(), n, d, panels.centering(), panels.packed.data(),
                       panels.sq_norms.data(), t.likely.data(), t.scores.data());
}

template <class T>
void TileSettler<T>::label(const T* X, std::size_t n, bool scored, Scratch& t) const {
    if (n == 0) return;
    table.pack_tiles(tiles.halves, X, t.rows.data(), n, d, panels.centering(), t.tiles.data(),
                     t.norms.data(), t.rests.data());
    std::fill(t.limit.begin() + static_cast<std::ptrdiff_t>(n), t.limit.end(), -kFarScore);
    tiles.list_within(kernels, t.tiles.data(), n, d, t.limit.data(), kMost, t.marks.data(),
                       t.list.data(), t.count.data(), [](auto...) {});
    // Far below the scores of padding; false for what is not a number.
    for (std::size_t p = 0; p < n; ++p)
        if (!(t.limit[p] < kWildScore)) t.count[p] = 0;
    for (std::size_t p = 0; scored && p < n; ++p) {
        if (t.count[p] < 1 || t.count[p] > static_cast<std::int32_t>(kMost)) continue;
        std::int32_t* list = t.list.data() + p * kMost;
        std::int32_t* last = list + t.count[p] - 1;
        std::int32_t* found = std::find(list, last, t.likely[p]);
        std::swap(*found, *last);
        if (*last != t.likely[p]) t.count[p] = 0;
    }
    decide(X, n, scored, t);
}

template <class T>
void TileSettler<T>::narrow(const T* X, std::size_t n, bool scored, Scratch& t) const {
    const auto listed = [&](std::size_t p) {
        const auto m = static_cast<std::size_t>(t.count[p]);
        return m <= kMost ? m : 0;
    };
    t.scored_rows.clear();
    t.scored_with.clear();
    for (std::size_t p = 0; p < n; ++p) {
        const auto list = t.list.begin() + static_cast<std::ptrdiff_t>(p * kMost);
        const std::size_t m = listed(p) - (scored && listed(p) > 0);
        t.scored_rows.insert(t.scored_rows.end(), m, t.rows[p]);
        t.scored_with.insert(t.scored_with.end(), list, list + static_cast<std::ptrdiff_t>(m));
    }
    t.scores.resize(t.scored_rows.size() + kSide);
    table.score_labels(X, t.scored_rows.data(), t.scored_rows.size(), d, panels.centering(),
                       panels.packed.data(), panels.sq_norms.data(), t.scored_with.data(),
                       t.scores.data());
    const float* score = t.scores.data();
    for (std::size_t p = 0; p < n; ++p) {
        const std::size_t m = listed(p);
        if (m == 0) continue;
        std::int32_t* list = t.list.data() + p * kMost;
        const std::size_t fresh = m - scored;
        float best = scored ? t.own[p] + t.doubt[p] : kFarScore;
        for (std::size_t i = 0; i < fresh; ++i) best = std::min(best, score[i]);
        const float limit = best + panels.margin_of_row(t.norms[p]);
        std::int32_t left = 0;
        for (std::size_t i = 0; i < m; ++i)
            if ((i < fresh ? score[i] : t.own[p] - t.doubt[p]) <= limit) list[left++] = list[i];
        t.count[p] = left;
        score += fresh;
    }
}

template <class T>
void TileSettler<T>::decide(const T* X, std::size_t n, bool scored, Scratch& t) const {
    if (d >= kScored) narrow(X, n, scored, t);
    t.pairs.clear();
    for (std::size_t p = 0; p < n; ++p) {
        const auto row = static_cast<std::uint32_t>(t.rows[p]);
        const auto m = static_cast<std::size_t>(t.count[p]);
        if (m > 0 && m <= kMost) {
            for (std::size_t i = 0; i < m && m > 1; ++i)
                t.pairs.push_back({row, static_cast<std::uint32_t>(t.list[p * kMost + i])});
        } else {
            t.list[p * kMost] = table.nearest_of(X + row * d, d, centroids.values, t.all.data(),
                                                 centroids.k);
            t.count[p] = 1;
        }
    }
    table.pair_sq_dist(X, d, centroids.values, t.pairs.data(), t.pairs.size(), t.sq_dist.data());
    const double* sq_dist = t.sq_dist.data();
    for (std::size_t p = 0; p < n; ++p) {
        const std::int32_t* list = t.list.data() + p * kMost;
        const auto m = static_cast<std::size_t>(t.count[p]);
        std::size_t best = 0;
        for (std::size_t i = 1; i < m; ++i)
            if (sq_dist[i] < sq_dist[best] || (sq_dist[i] == sq_dist[best] && list[i] < list[best]))
                best = i;
        t.count[p] = list[best];
        if (m > 1) sq_dist += m;
    }
}

template <class T>
void TileKeeper<T>::score_own(const T* X, std::size_t n, const std::int32_t* label,
                              const Chunk& chunk, typename TileSettler<T>::Scratch& t) const {
    const ScorePanels<T>& panels = settler.panels;
    const TileRows& rows = chunk.rows;
    const auto score = [&](const std::int32_t* list, std::size_t m, const std::int32_t* with,
                           float* out) {
        settler.table.score_labels(X, list, m, settler.d, panels.centering(),
                                   panels.packed.data(), panels.sq_norms.data(), with, out);
    };
    const auto doubt_of = [&](std::size_t p) { return 0.5f * panels.margin_of_row(rows.norms[p]); };
    if (!chunk.moves) {
        score(nullptr, n, label, rows.own);
        for (std::size_t p = 0; rows.doubt && p < n; ++p) rows.doubt[p] = doubt_of(p);
        return;
    }
    settler.kernels.follow_scores(rows.tiles, n, settler.d, *chunk.moves, label, rows.norms,
                                  rows.rests, rows.own, rows.doubt);
    t.scored_rows.clear();
    t.scored_with.clear();
    for (std::size_t p = 0; p < n; ++p)
        if (!(rows.doubt[p] <= std::min(kMostDoubt * chunk.limit[p], kWildScore))) {
            t.scored_rows.push_back(static_cast<std::int32_t>(p));
            t.scored_with.push_back(label[p]);
        }
    t.scores.resize(t.scored_rows.size() + kSide);
    score(t.scored_rows.data(), t.scored_rows.size(), t.scored_with.data(), t.scores.data());
    for (std::size_t i = 0; i < t.scored_rows.size(); ++i) {
        const auto p = static_cast<std::size_t>(t.scored_rows[i]);
        rows.own[p] = t.scores[i];
        rows.doubt[p] = doubt_of(p);
    }
}

template <class T>
std::size_t TileKeeper<T>::label(const T* X, std::size_t n, std::int32_t* label, Chunk chunk,
                                 typename TileSettler<T>::Scratch& t) const {
    const Kernels& kernels = settler.kernels;
    const TilePanels& tiles = settler.tiles;
    const ScorePanels<T>& panels = settler.panels;
    const std::size_t d = settler.d;
    constexpr std::size_t kMost = TileSettler<T>::kMost;
    const TileRows& rows = chunk.rows;
    tiles.margins_of_rows(rows.norms, rows.rests, n, chunk.limit);
    score_own(X, n, label, chunk, t);
    for (std::size_t p = 0; p < n; ++p)
        chunk.limit[p] = rows.own[p] + (rows.doubt ? rows.doubt[p] : 0.0f) +
                         panels.margin_of_row(rows.norms[p]) + 0.5f * chunk.limit[p];
    const std::size_t block = kernels.tile_rows;
    std::fill(chunk.limit + n, chunk.limit + (n + block - 1) / block * block, -kFarScore);
    // The mark of a row's own centroid is taken away. A row without it, or with a limit out of
    // range, has too many candidates to list.
    const auto take_own = [&](std::size_t first, std::size_t n_slots, std::uint16_t* marks) {
        for (std::size_t p = 0; p < n; ++p) {
            const std::size_t slot = static_cast<std::size_t>(label[p]) - first;
            if (slot >= n_slots) continue;
            std::uint16_t& of_slot = marks[p / kSide * n_slots + slot];
            const auto bit = static_cast<std::uint16_t>(1u << p % kSide);
            if ((of_slot & bit) == 0 || !(chunk.limit[p] < kWildScore)) t.count[p] = kMost;
            of_slot = static_cast<std::uint16_t>(of_slot & ~bit);
        }
    };
    tiles.list_within(kernels, rows.tiles, n, d, chunk.limit, kMost, t.marks.data(),
                      t.list.data(), t.count.data(), take_own);
    std::size_t n_open = 0;
    for (std::size_t p = 0; p < n; ++p) {
        if (t.count[p] == 0) continue;
        const auto m = static_cast<std::size_t>(t.count[p]);
        std::int32_t* list = t.list.data() + n_open * kMost;
        if (m < kMost) {
            if (n_open != p) std::copy_n(t.list.data() + p * kMost, m, list);
            list[m] = label[p];
        }
        t.rows[n_open] = static_cast<std::int32_t>(p);
        t.norms[n_open] = rows.norms[p];
        t.own[n_open] = rows.own[p];
        t.doubt[n_open] = rows.doubt ? rows.doubt[p] : 0.0f;
        t.count[n_open++] = static_cast<std::int32_t>(m + 1);
    }
    settler.decide(X, n_open, true, t);
    for (std::size_t i = 0; i < n_open; ++i) {
        if (rows.doubt && label[t.rows[i]] != t.count[i]) rows.doubt[t.rows[i]] = kUnknown;
        label[t.rows[i]] = t.count[i];
    }
    return n_open;
}

template struct TileSettler<float>;
template struct TileSettler<double>;
template struct TileKeeper<float>;
template struct TileKeeper<double>;

}  // namespace truemeans
