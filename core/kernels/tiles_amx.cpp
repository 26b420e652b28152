// Scores by the matrix unit of x86 (AMX, products of bfloat16 or bytes): five to ten times the
// multiply-adds a second of vectors. What scores.inl.hpp says of scores and proofs holds here
// too; only packing and error differ.
//
// Numbers. A float32 value v is kept as two bfloat16 halves of 8 significant bits each,
// hi = bf16(v) and lo = bf16(v - hi), with |v - hi| <= 2^-8 |v| and |v - hi - lo| <= 2^-16 |v|;
// v - hi is exact. A product a.b is summed as hi.hi + hi.lo + lo.hi.
//
// Error of one score, relative to S = sum |a_f| |b'_f| with b' = -2b. What is left out: lo.lo and
// what two halves cannot hold of a and of b', each at most (2^-16 + 2^-23) S. The unit takes 32
// products at a time, exact in float32, and its manual promises rounding to nearest; we assume
// no order and only faithful rounding (2^-23 each), so a product passes through at most 32
// roundings there and one more a step: with K = ceil(d / 32) there are 3 K steps. Adding ||b||^2
// and the roundings of a, b and ||b||^2 to float32 take 4 more. The unit treats values below
// 2^-126 as zero: with ||b||max >= 2^-20 that is far inside the spare.
//     |computed - exact| <= g (||b||^2 + 2 ||a|| ||b||),
//     g = 1.05 (3 * 2^-16 + (3 K + 36) 2^-23),
// and the gap that proves follows as in scores.inl.hpp; tile_error in tiles.cpp computes g.
//
// First halves alone take a third of the products. With r(v) = v - hi(v), known exactly, the
// product errs by at most ||r(a)|| ||b'|| + (||a|| + ||r(a)||) ||r(b')|| (Cauchy-Schwarz), for
// typical values a fifth of what rounding to 8 bits allows; tiles.hpp makes it a margin a row.
//
// Bytes take a sixth. A row is s q + r(a) with whole numbers q of -127 to 127, s the largest
// value over 127, and b' likewise with one factor t for all centroids; both r are known, and the
// same bound holds. Sums of products are whole numbers, exact below 2^31, which up to 65,536
// features they are. There ||r(a)|| <= sqrt(d) s / 2 <= 1.01 ||a||, and so with the largest
// ||b'||: the roundings of the sum to float32, of s t, and of the fused product and norm, 2^-24
// each, err by at most 3 * 2.01^2 * 2^-24 ||a|| ||b'||, far within the 36 * 2^-23 of g.
//
// Layout. Rows are columns of the second operand, so that a result has lanes = rows and nothing
// is reduced across lanes: [16 rows][K][hi, lo][16 pairs of features][16 rows][2]. Centroids:
// [16 centroids][K][hi, lo][16 centroids][32 features]. Up to 16 features, both halves of a row
// share a tile, hi before lo, and a centroid has two, [hi, hi] and [lo, 0], so that two products
// do for three. Up to 10 features, a row is [hi, lo, hi, 1, 1] and a centroid [hi, hi, lo,
// ||b||^2 in halves], so that one product does for all and nothing is left to add; what two halves
// cannot hold of ||b||^2 is no more than what they leave out of the products. Bytes stand in fours
// where halves stand in pairs; byte q of four i is feature 16 q + i of the 64 of a tile, for rows
// and centroids alike.
#define TM_VECTOR_BYTES 64
#include "follow.inl.hpp"
#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "meet_tiles.inl.hpp"
#include "pack_tiles.inl.hpp"
#include "two_nearest.inl.hpp"
#include "vocabulary.hpp"

#include <immintrin.h>

namespace {

using truemeans::TileCentroids;

// products: 16 rows, of these factors, with a centroid of squared norm `norm`.
template <Halves kHalves>
inline VecF score_of(const float* products, VecF factors, float norm) {
    if constexpr (kHalves == Halves::all_in_one) return load(products);
    const VecF p = load(products);
    if constexpr (kHalves == Halves::bytes)
        return __builtin_convertvector(VecI(p), VecF) * factors + broadcast(norm);
    return p + broadcast(norm);
}

// What the products of 16 rows' bytes are multiplied by; of halves, nothing.
template <Halves kHalves>
struct Factors {
    const uint16_t* rows;
    size_t d;
    float unit;

    TM_INLINE VecF of(size_t side) const {
        if constexpr (kHalves != Halves::bytes) return VecF{};
        const size_t tiles = kSide * truemeans::tile_centroid_entries(kHalves, d);
        VecF factors;
        __builtin_memcpy(&factors,
                         rows + side * kSide * truemeans::tile_row_entries(kHalves, d) + tiles,
                         sizeof factors);
        return factors * unit;
    }
};

// The best and the second best of each row; the Work of meet_wide.
template <Halves kHalves>
struct Search {
    Factors<kHalves> factors;
    const float* sq_norms;
    truemeans::TwoNearest out;
    truemeans::Ahead ahead;
    size_t lines_at_a_time;
    Two two[2]{};  // one a side
    VecF factor[2]{};

    TM_INLINE void begin(Place place) {
        for (size_t side = 0; side < 2; ++side) {
            factor[side] = factors.of(place.side + side);
            const size_t row = (place.side + side) * kSide;
            two[side] = place.pair == 0 ? nothing_yet()
                                        : Two{load(out.best + row), load(out.second + row),
                                              load(out.index + row)};
        }
    }
    // products: of both sides with one panel, the sides two tiles apart.
    TM_INLINE void half(const float* products, Place place, size_t panel) {
        const size_t slot = (2 * place.pair + panel) * kSide;
        for (size_t j = 0; j < kSide; ++j) {
            const VecI id = VecI{} + static_cast<int32_t>(slot + j);
            for (size_t side = 0; side < 2; ++side) {
                const float* line = products + (2 * side + panel) * kResult + j * kSide;
                two[side].offer(score_of<kHalves>(line, factor[side], sq_norms[slot + j]), id);
            }
        }
    }
    TM_INLINE void end(Place place) {
        for (size_t side = 0; side < 2; ++side) {
            const size_t row = (place.side + side) * kSide;
            store(out.best + row, two[side].best);
            store(out.second + row, two[side].second);
            store(out.index + row, two[side].index);
        }
        fetch_lines(ahead, lines_at_a_time);
    }
};

template <Halves kHalves>
void score(const uint16_t* rows, size_t n_sides, size_t d, TileCentroids centroids,
           truemeans::TwoNearest out, truemeans::Ahead ahead) {
    const size_t n_times = n_sides / 2 * centroids.n_panels;
    Search<kHalves> search{{rows, d, centroids.unit}, centroids.sq_norms, out, ahead,
                           (ahead.n_lines + n_times - 1) / at_least_one(n_times)};
    meet_wide<kHalves>(rows, n_sides, d, centroids.packed, centroids.n_panels, search);
}

// One bit for each of 16 rows and each centroid of a panel.
template <Halves kHalves>
__attribute__((noinline)) void mark_panel(const float* products, VecF factors,
                                          const float* sq_norms, VecF limit, uint16_t* marks) {
    for (size_t j = 0; j < kSide; ++j) {
        const VecF score = score_of<kHalves>(products + j * kSide, factors, sq_norms[j]);
        _store_mask16(marks + j, _mm512_cmp_ps_mask(__m512(score), __m512(limit), _CMP_LE_OQ));
    }
}

// Marks of rows and centroids; the Work of meet_wide and meet_narrow. The least of 16 scores
// tells of all that none is within the limit, as mostly none is.
template <Halves kHalves>
struct Marks {
    Factors<kHalves> factors;
    const float* sq_norms;
    size_t n_pairs;
    const float* limit;
    uint16_t* marks;

    TM_INLINE void begin(Place) const {}
    TM_INLINE void end(Place) const {}
    TM_INLINE void half(const float* products, Place place, size_t side) const {
        one(products + side * 2 * kResult, {place.side + side, place.pair});
    }
    // products: of one side with a pair of panels.
    TM_INLINE void one(const float* products, Place place) const {
        const size_t slot = place.pair * 2 * kSide;
        const VecF limits = load(limit + place.side * kSide);
        const VecF factor = factors.of(place.side);
        uint16_t* out = marks + place.side * n_pairs * 2 * kSide + slot;
        _mm512_storeu_si512(out, _mm512_setzero_si512());
        for (size_t panel = 0; panel < 2 * kSide; panel += kSide) {
            constexpr size_t kChains = 4;
            VecF least[kChains];
            for (size_t j = 0; j < kSide; ++j) {
                const VecF score = score_of<kHalves>(products + (panel + j) * kSide, factor,
                                                     sq_norms[slot + panel + j]);
                least[j % kChains] = j < kChains ? score : vmin(score, least[j % kChains]);
            }
            const VecF all = vmin(vmin(least[0], least[1]), vmin(least[2], least[3]));
            if (_mm512_cmp_ps_mask(__m512(all), __m512(limits), _CMP_LE_OQ) != 0)
                mark_panel<kHalves>(products + panel * kSide, factor, sq_norms + slot + panel,
                                    limits, out + panel);
        }
    }
};

template <Halves kHalves>
void mark(const uint16_t* rows, size_t n_sides, size_t d, TileCentroids centroids,
          const float* limit, uint16_t* marks) {
    const Marks<kHalves> work{
        {rows, d, centroids.unit}, centroids.sq_norms, centroids.n_panels, limit, marks};
    if constexpr (kHalves != Halves::bytes)
        if (d <= kDeep)
            return meet_narrow<kHalves>(rows, n_sides, centroids.packed, centroids.n_panels, work);
    meet_wide<kHalves>(rows, n_sides, d, centroids.packed, centroids.n_panels, work);
}

void list_marked(const uint16_t* marks, size_t n, size_t n_slots, int32_t first, size_t most,
                 int32_t* list, int32_t* count) {
    for (size_t row = 0; row < n; row += kSide, marks += n_slots)
        for (size_t from = 0; from < n_slots; from += 2 * kSide) {
            const __m512i some = _mm512_loadu_si512(marks + from);
            uint32_t slots = _mm512_test_epi16_mask(some, some);
            for (; slots != 0; slots &= slots - 1) {
                const size_t slot = from + static_cast<size_t>(__builtin_ctz(slots));
                for (unsigned bits = marks[slot]; bits != 0; bits &= bits - 1) {
                    const size_t r = row + static_cast<size_t>(__builtin_ctz(bits));
                    const auto at = static_cast<size_t>(count[r]++);
                    if (at < most) list[r * most + at] = first + static_cast<int32_t>(slot);
                }
            }
        }
}

size_t list_hits(const uint16_t* marks, size_t n, size_t n_slots, truemeans::Hit* out) {
    size_t n_hits = 0;
    for (size_t row = 0; row < n; row += kSide, marks += n_slots) {
        const VecI rows = numbers_from(row);
        for (size_t from = 0; from < n_slots; from += 2 * kSide) {
            const __m512i some = _mm512_loadu_si512(marks + from);
            uint32_t slots = _mm512_test_epi16_mask(some, some);
            for (; slots != 0; slots &= slots - 1) {
                const size_t slot = from + static_cast<size_t>(__builtin_ctz(slots));
                n_hits = append_lanes(marks[slot], rows | static_cast<int32_t>(slot << 16),
                                      reinterpret_cast<int32_t*>(out), n_hits);
            }
        }
    }
    return n_hits;
}

// The kernel for what the tiles hold, of the five that `of` makes.
template <class Of>
auto for_halves(Halves halves, const Of& of) {
    switch (halves) {
        case Halves::both: return of.template operator()<Halves::both>();
        case Halves::both_in_one: return of.template operator()<Halves::both_in_one>();
        case Halves::all_in_one: return of.template operator()<Halves::all_in_one>();
        case Halves::bytes: return of.template operator()<Halves::bytes>();
        default: return of.template operator()<Halves::first>();
    }
}

void score_tiles(const uint16_t* rows, size_t n_blocks, size_t d, TileCentroids centroids,
                 truemeans::TwoNearest out, truemeans::Ahead ahead) {
    const Tiles tiles;
    const auto run = for_halves(centroids.halves, []<Halves kHalves>() { return score<kHalves>; });
    run(rows, 2 * n_blocks, d, centroids, out, ahead);
}

void mark_tiles(const uint16_t* rows, size_t n_blocks, size_t d, TileCentroids centroids,
                const float* limit, uint16_t* marks) {
    const Tiles tiles;
    const auto run = for_halves(centroids.halves, []<Halves kHalves>() { return mark<kHalves>; });
    run(rows, 2 * n_blocks, d, centroids, limit, marks);
}

}  // namespace

namespace truemeans {
extern void fill_tiles_amx(Kernels& table);
void fill_tiles_amx(Kernels& table) {
    table.tile_rows = 2 * kSide;
    table.f32.pack_tiles = pack_tiles<float>;
    table.f64.pack_tiles = pack_tiles<double>;
    table.score_tiles = score_tiles;
    table.f32.score_labels = score_labels<float>;
    table.f64.score_labels = score_labels<double>;
    table.mark_tiles = mark_tiles;
    table.list_marked = list_marked;
    table.list_hits = list_hits;
    table.pack_line = pack_line;
    table.largest = largest;
    table.follow_scores = follow_scores;
}
}  // namespace truemeans
