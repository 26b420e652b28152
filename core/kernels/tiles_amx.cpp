// Scores by the matrix unit of x86 (AMX, bfloat16 products into float32): five to ten times the
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
// Layout. Rows are columns of the second operand, so that a result has lanes = rows and nothing
// is reduced across lanes: [16 rows][K][hi, lo][16 pairs of features][16 rows][2]. Centroids:
// [16 centroids][K][hi, lo][16 centroids][32 features]. Up to 16 features, both halves of a row
// share a tile, hi before lo, and a centroid has two, [hi, hi] and [lo, 0], so that two products
// do for three. Up to 10 features, a row is [hi, lo, hi, 1, 1] and a centroid [hi, hi, lo,
// ||b||^2 in halves], so that one product does for all and nothing is left to add; what two halves
// cannot hold of ||b||^2 is no more than what they leave out of the products. Two by two tiles of
// results take four of the eight registers. While the unit multiplies for one pair of panels, the
// vector units look for the best and second best of the pair before.
#define TM_VECTOR_BYTES 64
#include "kernels.hpp"
#include "pack_tiles.inl.hpp"
#include "two_nearest.inl.hpp"
#include "vocabulary.hpp"

#include <immintrin.h>

namespace {

constexpr size_t kResult = kSide * kSide;  // scores of one tile
constexpr long kStride = 64;               // bytes of a tile's line

struct alignas(64) TileShapes {
    uint8_t bytes[64];
};

// Eight tiles of 16 lines of 64 bytes.
constexpr TileShapes all_full() {
    TileShapes shapes{};
    shapes.bytes[0] = 1;
    for (size_t t = 0; t < 8; ++t) {
        shapes.bytes[16 + 2 * t] = 64;
        shapes.bytes[48 + t] = 16;
    }
    return shapes;
}
const TileShapes kFull = all_full();

inline void multiply_four() {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

// Two sides of rows with two panels of centroids, into tiles 0 to 3: [panel][side].
// meanwhile(i) is called once for i = 0, 1 while products are under way: work for the vector
// units that the matrix unit does not wait for.
template <Halves kHalves, class Work>
inline void multiply(const uint16_t* rows, const uint16_t* panels, size_t d,
                     const Work& meanwhile) {
    constexpr bool kBoth = kHalves == Halves::both;
    constexpr bool kOnce = kHalves == Halves::first || kHalves == Halves::all_in_one;
    constexpr size_t kStep = kOnce ? kTile : 2 * kTile;
    const uint16_t* rows1 = rows + kSide * truemeans::tile_row_entries(kHalves, d);
    const size_t panel = kSide * truemeans::tile_centroid_entries(kHalves, d);
    const uint16_t* panels1 = panels + panel;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t i = 0; i < panel; i += kStep) {
        _tile_loadd(4, panels + i, kStride);
        _tile_loadd(5, panels1 + i, kStride);
        if (kBoth) {
            _tile_loadd(6, rows + i + kTile, kStride);
            _tile_loadd(7, rows1 + i + kTile, kStride);
            multiply_four();
        }
        _tile_loadd(6, rows + i, kStride);
        _tile_loadd(7, rows1 + i, kStride);
        multiply_four();
        if (i == 0) meanwhile(0);
        if (!kOnce) {
            _tile_loadd(4, panels + i + kTile, kStride);
            _tile_loadd(5, panels1 + i + kTile, kStride);
            multiply_four();
            if (i == 0) meanwhile(1);
        }
    }
    if (kOnce) meanwhile(1);
}

inline void store_products(float* products) {
    _tile_stored(0, products, kStride);
    _tile_stored(1, products + kResult, kStride);
    _tile_stored(2, products + 2 * kResult, kStride);
    _tile_stored(3, products + 3 * kResult, kStride);
}

// products: 16 rows with a centroid of squared norm `norm`.
template <Halves kHalves>
inline VecF score_of(const float* products, float norm) {
    return kHalves == Halves::all_in_one ? load(products) : load(products) + broadcast(norm);
}

// products: [side][16 centroids][16 rows] of one panel; two: one a side.
template <Halves kHalves>
inline void offer_products(const float* products, const float* sq_norms, size_t first,
                           Two (&two)[2]) {
    for (size_t j = 0; j < kSide; ++j) {
        const VecI id = VecI{} + static_cast<int32_t>(first + j);
        const float* line = products + j * kSide;
        for (size_t side = 0; side < 2; ++side)
            two[side].offer(score_of<kHalves>(line + side * kResult, sq_norms[j]), id);
    }
}

// Appends the slots of each row whose score is within its limit. products as above.
template <Halves kHalves>
inline void list_products(const float* products, const float* sq_norms, size_t first,
                          const float* limit, size_t most, int32_t* list, int32_t* count) {
    const __m512 limits[2] = {__m512(load(limit)), __m512(load(limit + kSide))};
    for (size_t j = 0; j < 2 * kSide; ++j) {
        const float* line = products + j / kSide * 2 * kResult + j % kSide * kSide;
        for (size_t side = 0; side < 2; ++side) {
            const VecF score = score_of<kHalves>(line + side * kResult, sq_norms[j]);
            unsigned found = _mm512_cmp_ps_mask(__m512(score), limits[side], _CMP_LE_OQ);
            for (; found; found &= found - 1) {
                const size_t row =
                    side * kSide + static_cast<size_t>(__builtin_ctz(found));
                const auto n = static_cast<size_t>(count[row]++);
                if (n < most) list[row * most + n] = static_cast<int32_t>(first + j);
            }
        }
    }
}

inline size_t at_least_one(size_t n) { return n > 1 ? n : 1; }

// So many bytes of centroids stay in a second-level cache beside a chunk of rows.
constexpr size_t kRunBytes = 512u << 10;

// So many bytes of rows stay in a first-level cache while a pair of panels meets them all.
constexpr size_t kRowBytes = 16u << 10;

// Best and second best are looked for one pair of panels behind: while the unit multiplies.
template <Halves kHalves>
void score(const uint16_t* rows, size_t n_blocks, size_t d, const uint16_t* centroids,
           const float* sq_norms, size_t n_panels, truemeans::TwoNearest out) {
    const size_t block = 2 * kSide * truemeans::tile_row_entries(kHalves, d);
    const size_t pair = 2 * kSide * truemeans::tile_centroid_entries(kHalves, d);
    const size_t run = at_least_one(kRunBytes / (pair * sizeof(uint16_t)));
    const size_t group = at_least_one(kRowBytes / (block * sizeof(uint16_t)));
    alignas(64) float products[2][4 * kResult];
    size_t now = 0, row = 0, slot = 0;  // of the products before: buffer, first row, first slot
    bool any = false;
    Two two[2];
    const auto offer = [&](size_t panel) {
        const size_t first = slot + panel * kSide;
        offer_products<kHalves>(products[now] + panel * 2 * kResult, sq_norms + first, first, two);
    };
    const auto take = [&] {
        for (size_t side = 0; side < 2; ++side) {
            const size_t at = row + side * kSide;
            two[side] = slot == 0 ? nothing_yet()
                                  : Two{load(out.best + at), load(out.second + at),
                                        load(out.index + at)};
        }
    };
    const auto put = [&] {
        for (size_t side = 0; side < 2; ++side) {
            const size_t at = row + side * kSide;
            store(out.best + at, two[side].best);
            store(out.second + at, two[side].second);
            store(out.index + at, two[side].index);
        }
    };
    for (size_t from = 0; from < n_panels; from += run)
        for (size_t first = 0; first < n_blocks; first += group)
            for (size_t p = from; p < n_panels && p < from + run; ++p)
                for (size_t b = first; b < n_blocks && b < first + group; ++b) {
                    if (any) {
                        take();
                        multiply<kHalves>(rows + b * block, centroids + p * pair, d, offer);
                        put();
                    } else {
                        multiply<kHalves>(rows + b * block, centroids + p * pair, d,
                                          [](size_t) {});
                    }
                    now ^= 1;
                    store_products(products[now]);
                    row = b * 2 * kSide;
                    slot = p * 2 * kSide;
                    any = true;
                }
    take();
    offer(0);
    offer(1);
    put();
}

template <Halves kHalves>
void list_within(const uint16_t* rows, size_t n_blocks, size_t d, const uint16_t* centroids,
                 const float* sq_norms, size_t n_panels, const float* limit, size_t most,
                 int32_t* list, int32_t* count) {
    const size_t block = 2 * kSide * truemeans::tile_row_entries(kHalves, d);
    const size_t pair = 2 * kSide * truemeans::tile_centroid_entries(kHalves, d);
    alignas(64) float products[4 * kResult];
    for (size_t p = 0; p < n_panels; ++p)
        for (size_t b = 0; b < n_blocks; ++b) {
            const size_t at = b * 2 * kSide;
            multiply<kHalves>(rows + b * block, centroids + p * pair, d, [](size_t) {});
            store_products(products);
            list_products<kHalves>(products, sq_norms + p * 2 * kSide, p * 2 * kSide, limit + at,
                                   most, list + at * most, count + at);
        }
}

// The shapes of the tiles, for as long as one call of a kernel. The fence is for the compiler,
// which does not know that tiles are read from memory.
struct Tiles {
    Tiles() {
        __asm__ volatile("" ::: "memory");
        _tile_loadconfig(&kFull);
    }
    ~Tiles() { _tile_release(); }
    Tiles(const Tiles&) = delete;
    Tiles& operator=(const Tiles&) = delete;
};

void score_tiles(Halves halves, const uint16_t* rows, size_t n_blocks, size_t d,
                 const uint16_t* centroids, const float* sq_norms, size_t n_panels,
                 truemeans::TwoNearest out) {
    const Tiles tiles;
    const auto run = halves == Halves::both          ? score<Halves::both>
                     : halves == Halves::both_in_one ? score<Halves::both_in_one>
                     : halves == Halves::all_in_one  ? score<Halves::all_in_one>
                                                     : score<Halves::first>;
    run(rows, n_blocks, d, centroids, sq_norms, n_panels, out);
}

void tiles_within(Halves halves, const uint16_t* rows, size_t n_blocks, size_t d,
                  const uint16_t* centroids, const float* sq_norms, size_t n_panels,
                  const float* limit, size_t most, int32_t* list, int32_t* count) {
    const Tiles tiles;
    const auto run = halves == Halves::both          ? list_within<Halves::both>
                     : halves == Halves::both_in_one ? list_within<Halves::both_in_one>
                     : halves == Halves::all_in_one  ? list_within<Halves::all_in_one>
                                                     : list_within<Halves::first>;
    run(rows, n_blocks, d, centroids, sq_norms, n_panels, limit, most, list, count);
}

}  // namespace

namespace truemeans {
extern void fill_tiles_amx(Kernels& table);
void fill_tiles_amx(Kernels& table) {
    table.tile_rows = 2 * kSide;
    table.f32.pack_tiles = pack_tiles<float>;
    table.f64.pack_tiles = pack_tiles<double>;
    table.score_tiles = score_tiles;
    table.tiles_within = tiles_within;
}
}  // namespace truemeans
