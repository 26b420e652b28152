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
// and the gap that proves follows as in scores.inl.hpp; tile_error in panels.cpp computes g.
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
#include "transpose.inl.hpp"
#include "two_nearest.inl.hpp"
#include "vocabulary.hpp"

#include <immintrin.h>

namespace {

using truemeans::Halves;

constexpr size_t kSide = 16;                   // rows, and centroids, of one tile
constexpr size_t kDeep = 32;                   // features of one tile
constexpr size_t kNarrow = truemeans::kNarrowTile;
constexpr size_t kTile = kSide * kDeep;        // entries of one tile
constexpr size_t kResult = kSide * kSide;      // scores of one tile
constexpr long kStride = 64;                   // bytes of a tile's line

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

// The first `width` of 16 values, centred, scaled and rounded to float32; zeros beyond.
inline VecF centred(const float* x, const float* center, float scale, __mmask16 width) {
    const __m512 v = _mm512_maskz_loadu_ps(width, x);
    const __m512 c = _mm512_maskz_loadu_ps(width, center);
    return (VecF(v) - VecF(c)) * scale;
}

inline VecF centred(const double* x, const double* center, double scale, __mmask16 width) {
    Vec8F half[2];
    for (size_t h = 0; h < 2; ++h) {
        const auto m = static_cast<__mmask8>(width >> (8 * h));
        const __m512d v = _mm512_maskz_loadu_pd(m, x + 8 * h);
        const __m512d c = _mm512_maskz_loadu_pd(m, center + 8 * h);
        half[h] = __builtin_convertvector((Vec8(v) - Vec8(c)) * scale, Vec8F);
    }
    return __builtin_shufflevector(half[0], half[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                   14, 15);
}

inline __mmask16 first_lanes(size_t n) {
    return static_cast<__mmask16>(n >= 16 ? 0xffffu : (1u << n) - 1u);
}

typedef uint16_t Halves16 __attribute__((vector_size(32)));

// The first bfloat16 halves of 32 values, in order, and what they leave out.
inline void halve(VecF first, VecF last, VecF& hi, VecF& rest0, VecF& rest1) {
    const auto both = _mm512_cvtne2ps_pbh(__m512(last), __m512(first));
    Halves16 halves[2];
    __builtin_memcpy(halves, &both, sizeof halves);
    hi = VecF(both);
    rest0 = first - VecF(__builtin_convertvector(halves[0], VecI) << 16);
    rest1 = last - VecF(__builtin_convertvector(halves[1], VecI) << 16);
}

inline void store_tile(uint16_t* tile, const VecF (&lines)[kLanes]) {
    for (size_t i = 0; i < kSide; ++i)
        _mm512_storeu_si512(tile + i * kDeep, __m512i(lines[i]));
}

// 16 rows, or the n there are. norms (out): squared norm of each packed row; rests (out): of what
// its first halves leave out.
template <bool kBoth, class T>
inline void pack_side(const T* const (&rows)[kSide], size_t n, size_t d,
                      truemeans::Centering<T> c, uint16_t* tiles, float* norms, float* rests) {
    VecF squares[kLanes], left_out[kLanes];
    for (size_t r = 0; r < kSide; ++r) squares[r] = left_out[r] = VecF{};
    for (size_t f = 0; f < d; f += kDeep) {
        const size_t left = d - f;
        const __mmask16 m0 = first_lanes(left), m1 = first_lanes(left > 16 ? left - 16 : 0);
        // An empty half is read where the row is: nothing of it is loaded.
        const size_t second = left > 16 ? 16 : 0;
        VecF hi[kLanes], lo[kLanes];
        for (size_t r = 0; r < kSide; ++r) {
            hi[r] = lo[r] = VecF{};
            if (r >= n) continue;
            const T* x = rows[r] + f;
            const VecF v0 = centred(x, c.center + f, c.scale, m0);
            const VecF v1 = centred(x + second, c.center + f + second, c.scale, m1);
            squares[r] += v0 * v0;
            squares[r] += v1 * v1;
            VecF rest0, rest1;
            halve(v0, v1, hi[r], rest0, rest1);
            if (kBoth) {
                lo[r] = VecF(_mm512_cvtne2ps_pbh(__m512(rest1), __m512(rest0)));
            } else {
                left_out[r] += rest0 * rest0;
                left_out[r] += rest1 * rest1;
            }
        }
        transpose(hi);
        store_tile(tiles, hi);
        tiles += kTile;
        if (kBoth) {
            transpose(lo);
            store_tile(tiles, lo);
            tiles += kTile;
        }
    }
    store(norms, line_sums(squares));
    if (!kBoth) store(rests, line_sums(left_out));
}

// v cut to its upper 16 bits, rounded: its first half.
inline VecI first_half(VecF v) {
    return (VecI(v) + 0x8000) & static_cast<int32_t>(0xffff0000u);
}

// A line of a tile: the upper halves of two features of 16 rows, next to each other.
inline VecI paired(VecI first, VecI second) {
    typedef uint32_t Bits __attribute__((vector_size(64)));
    return VecI(Bits(first) >> 16) | second;
}

// The same for up to 16 features, turned before they are halved: a vector is one feature of all
// rows.
template <bool kAll, class T>
inline void pack_narrow_side(const T* const (&rows)[kSide], size_t n, size_t d,
                             truemeans::Centering<T> c, uint16_t* tile, float* norms) {
    const __mmask16 width = first_lanes(d);
    VecF v[kLanes];
    for (size_t r = 0; r < kSide; ++r)
        v[r] = r < n ? centred(rows[r], c.center, c.scale, width) : VecF{};
    transpose(v);
    VecF squares{};
    VecI line[kDeep] = {};
    const size_t second = kAll ? d : kNarrow;
    for (size_t f = 0; f < (kAll ? d : kNarrow); ++f) {
        squares += v[f] * v[f];
        line[f] = first_half(v[f]);
        line[second + f] = first_half(v[f] - VecF(line[f]));
        if (kAll) line[2 * d + f] = line[f];
    }
    if (kAll) line[3 * d] = line[3 * d + 1] = VecI(broadcast(1.0f));
    for (size_t i = 0; i < kSide; ++i)
        _mm512_storeu_si512(tile + i * kDeep, __m512i(paired(line[2 * i], line[2 * i + 1])));
    store(norms, squares);
}

// So many rows ahead, rows of so many features are fetched: packing takes less time than reading.
constexpr size_t kAhead = 3 * kSide;
constexpr size_t kFetched = 256;

template <class T>
void pack_tiles(Halves halves, const T* X, const int32_t* list, size_t n_rows, size_t d,
                truemeans::Centering<T> c, uint16_t* tiles, float* norms, float* rests) {
    const size_t side = kSide * truemeans::tile_row_entries(halves, d);
    // Whole blocks of two sides, as score_tiles takes them.
    for (size_t first = 0; first < (n_rows + 2 * kSide - 1) / (2 * kSide) * (2 * kSide);
         first += kSide) {
        const size_t n = first >= n_rows ? 0 : n_rows - first < kSide ? n_rows - first : kSide;
        const T* rows[kSide] = {};
        for (size_t r = 0; r < n; ++r)
            rows[r] = X + (list ? static_cast<size_t>(list[first + r]) : first + r) * d;
        if (d <= kFetched)
            for (size_t i = first + kAhead; i < first + kAhead + kSide && i < n_rows; ++i) {
                const T* x = X + (list ? static_cast<size_t>(list[i]) : i) * d;
                for (size_t f = 0; f < d; f += 64 / sizeof(T)) __builtin_prefetch(x + f);
            }
        uint16_t* out = tiles + first / kSide * side;
        if (halves == Halves::all_in_one)
            pack_narrow_side<true>(rows, n, d, c, out, norms + first);
        else if (halves == Halves::both_in_one)
            pack_narrow_side<false>(rows, n, d, c, out, norms + first);
        else if (halves == Halves::both)
            pack_side<true>(rows, n, d, c, out, norms + first, nullptr);
        else
            pack_side<false>(rows, n, d, c, out, norms + first, rests + first);
    }
}

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
