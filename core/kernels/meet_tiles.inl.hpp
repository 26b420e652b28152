// The matrix unit at work: which tiles of rows and centroids meet when. While the unit multiplies,
// the vector units look at the products before; what they do with them is a Work.
//
// The unit multiplies two tiles in 16 cycles; its eight registers hold sums and operands. Storing
// a tile of sums takes as long as multiplying, and goes on beside it only if other registers
// take the next sums.
#pragma once

#include <immintrin.h>

#include "kernels.hpp"
#include "pack_tiles.inl.hpp"
#include "vocabulary.hpp"

#define TM_INLINE inline __attribute__((always_inline))

namespace {

constexpr size_t kResult = kSide * kSide;  // products of one tile
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

// Rows and centroids by number: a side is 16 rows, a pair two panels of 16 centroids.
struct Place {
    size_t side, pair;
};

inline size_t at_least_one(size_t n) { return n > 1 ? n : 1; }

constexpr bool once(Halves halves) {
    return halves == Halves::first || halves == Halves::all_in_one || halves == Halves::bytes;
}

// Up to 32 features the tiles of a side stay in registers, 4 and for second halves 5, while
// panel after panel passes through 6 and 7. While two sums are made, the two before are stored.
template <Halves kHalves>
inline void take_side(const uint16_t* rows) {
    _tile_loadd(4, rows, kStride);
    if (kHalves == Halves::both) _tile_loadd(5, rows + kTile, kStride);
}

// A macro, because the number of a tile must be a literal.
#define TM_MULTIPLY_PANEL(sums)                                 \
    _tile_zero(sums);                                           \
    _tile_loadd(6, panel, kStride);                             \
    _tile_dpbf16ps(sums, 6, 4);                                 \
    if (kHalves == Halves::both) _tile_dpbf16ps(sums, 6, 5);    \
    if (!once(kHalves)) {                                       \
        _tile_loadd(7, panel + kTile, kStride);                 \
        _tile_dpbf16ps(sums, 7, 4);                             \
    }

template <Halves kHalves, size_t kSums>
inline void multiply_panel(const uint16_t* panel) {
    if constexpr (kSums == 0) {
        TM_MULTIPLY_PANEL(0)
    } else if constexpr (kSums == 1) {
        TM_MULTIPLY_PANEL(1)
    } else if constexpr (kSums == 2) {
        TM_MULTIPLY_PANEL(2)
    } else {
        TM_MULTIPLY_PANEL(3)
    }
}
#undef TM_MULTIPLY_PANEL

template <size_t kSums>
inline void store_panel(float* products) {
    float* to = products + kSums * kResult;
    if constexpr (kSums == 0) _tile_stored(0, to, kStride);
    if constexpr (kSums == 1) _tile_stored(1, to, kStride);
    if constexpr (kSums == 2) _tile_stored(2, to, kStride);
    if constexpr (kSums == 3) _tile_stored(3, to, kStride);
}

// So many bytes of centroids stay in a first-level cache while all sides pass.
constexpr size_t kNarrowRunBytes = 24u << 10;

// work.one(products, place): of one side with a pair of panels, [32 centroids][16 rows].
template <Halves kHalves, class Work>
TM_INLINE void meet_narrow(const uint16_t* rows, size_t n_sides, const uint16_t* centroids,
                           size_t n_pairs, Work& work) {
    const size_t side = kSide * truemeans::tile_row_entries(kHalves, kDeep);
    const size_t panel = kSide * truemeans::tile_centroid_entries(kHalves, kDeep);
    const size_t run = at_least_one(kNarrowRunBytes / (2 * panel * sizeof(uint16_t)));
    alignas(64) float products[4 * kResult];
    for (size_t from = 0; from < n_pairs; from += run) {
        const size_t end = from + run < n_pairs ? from + run : n_pairs;
        const size_t n = n_sides * (end - from);
        Place next{0, from}, done{0, from};
        // Whether a new side is to be taken.
        const auto step = [&](Place& place) {
            if (++place.pair < end) return false;
            place.pair = from;
            ++place.side;
            return true;
        };
        // Multiplies pair i, stores the one before, works on the one before that.
        const auto stage = [&]<size_t kNow>(size_t i) {
            constexpr size_t kBefore = 2 - kNow;
            const uint16_t* panels = centroids + next.pair * 2 * panel;
            if (i < n) multiply_panel<kHalves, kNow>(panels);
            if (i >= 1 && i <= n) store_panel<kBefore>(products);
            if (i < n) {
                multiply_panel<kHalves, kNow + 1>(panels + panel);
                if (step(next) && next.side < n_sides)
                    take_side<kHalves>(rows + next.side * side);
            }
            if (i >= 1 && i <= n) store_panel<kBefore + 1>(products);
            if (i >= 2) {
                work.one(products + kNow * kResult, done);
                step(done);
            }
        };
        take_side<kHalves>(rows);
        for (size_t i = 0; i < n + 2; i += 2) {
            stage.template operator()<0>(i);
            if (i + 1 < n + 2) stage.template operator()<2>(i + 1);
        }
    }
}

template <Halves kHalves>
inline void multiply_four() {
    if constexpr (kHalves == Halves::bytes) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    } else {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

// Into the first-level cache: bytes leave it to two sides of rows, so that centroids come from the
// second for every two sides anew, and the unit's loads would wait for each line of them.
inline void fetch_two(const uint16_t* tile, const uint16_t* other) {
    constexpr size_t kLine = kStride / sizeof(uint16_t);
    for (size_t i = 0; i < kTile; i += kLine) {
        __builtin_prefetch(tile + i);
        __builtin_prefetch(other + i);
    }
}

// Any number of features: two sides with two panels, into tiles 0 to 3: [panel][side].
// meanwhile(i) is called once for i = 0, 1 while products are under way.
template <Halves kHalves, class Meanwhile>
TM_INLINE void multiply(const uint16_t* rows, const uint16_t* panels, size_t d,
                        const Meanwhile& meanwhile) {
    constexpr size_t kStep = once(kHalves) ? kTile : 2 * kTile;
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
        if (kHalves == Halves::bytes) fetch_two(panels + i + kStep, panels1 + i + kStep);
        if (kHalves == Halves::both) {
            _tile_loadd(6, rows + i + kTile, kStride);
            _tile_loadd(7, rows1 + i + kTile, kStride);
            multiply_four<kHalves>();
        }
        _tile_loadd(6, rows + i, kStride);
        _tile_loadd(7, rows1 + i, kStride);
        multiply_four<kHalves>();
        if (i == 0) meanwhile(0);
        if (!once(kHalves)) {
            _tile_loadd(4, panels + i + kTile, kStride);
            _tile_loadd(5, panels1 + i + kTile, kStride);
            multiply_four<kHalves>();
            if (i == 0) meanwhile(1);
        }
    }
    if (once(kHalves)) meanwhile(1);
}

// So many bytes of centroids stay in a second-level cache beside a chunk of rows.
constexpr size_t kRunBytes = 512u << 10;

// So many bytes of rows stay in a first-level cache while a pair of panels meets them all.
constexpr size_t kRowBytes = 16u << 10;

// work.begin(place), work.half(products, place, 0 and 1), work.end(place): of two sides, the
// first of which is place.side, with a pair of panels; products: [side][32 centroids][16 rows].
template <Halves kHalves, class Work>
TM_INLINE void meet_wide(const uint16_t* rows, size_t n_sides, size_t d, const uint16_t* centroids,
                         size_t n_pairs, Work& work) {
    const size_t block = 2 * kSide * truemeans::tile_row_entries(kHalves, d);
    const size_t pair = 2 * kSide * truemeans::tile_centroid_entries(kHalves, d);
    const size_t run = at_least_one(kRunBytes / (pair * sizeof(uint16_t)));
    const size_t group = at_least_one(kRowBytes / (block * sizeof(uint16_t)));
    const size_t n_blocks = n_sides / 2;
    alignas(64) float products[2][4 * kResult];
    size_t now = 0;
    bool any = false;
    Place done{0, 0};
    const auto half = [&](size_t i) { work.half(products[now], done, i); };
    for (size_t from = 0; from < n_pairs; from += run)
        for (size_t first = 0; first < n_blocks; first += group)
            for (size_t p = from; p < n_pairs && p < from + run; ++p)
                for (size_t b = first; b < n_blocks && b < first + group; ++b) {
                    if (any) {
                        work.begin(done);
                        multiply<kHalves>(rows + b * block, centroids + p * pair, d, half);
                        work.end(done);
                    } else {
                        multiply<kHalves>(rows + b * block, centroids + p * pair, d,
                                          [](size_t) {});
                    }
                    now ^= 1;
                    _tile_stored(0, products[now], kStride);
                    _tile_stored(1, products[now] + 2 * kResult, kStride);
                    _tile_stored(2, products[now] + kResult, kStride);
                    _tile_stored(3, products[now] + 3 * kResult, kStride);
                    done = {2 * b, p};
                    any = true;
                }
    work.begin(done);
    half(0);
    half(1);
    work.end(done);
}

}  // namespace
