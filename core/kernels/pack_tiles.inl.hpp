// Rows packed into tiles for the matrix unit, and the score of each with one centroid.
#pragma once

#include "pack_bytes.inl.hpp"
#include "pack_halves.inl.hpp"

namespace {

// Packing takes less time than reading, so rows are fetched: narrow ones so many rows ahead, wider
// ones, of which the first-level cache holds few, while the 16 before them are packed.
constexpr size_t kAhead = 3 * kSide;

template <class T>
void pack_tiles(Halves halves, const T* X, const int32_t* list, size_t n_rows, size_t d,
                truemeans::Centering<T> c, uint16_t* tiles, float* norms, float* rests) {
    const size_t side = kSide * truemeans::tile_row_entries(halves, d);
    const auto row = [&](size_t i) { return X + (list ? static_cast<size_t>(list[i]) : i) * d; };
    // Whole blocks of two sides, as score_tiles takes them.
    for (size_t first = 0; first < (n_rows + 2 * kSide - 1) / (2 * kSide) * (2 * kSide);
         first += kSide) {
        const size_t n = first >= n_rows ? 0 : n_rows - first < kSide ? n_rows - first : kSide;
        const T* rows[kSide] = {};
        const T* next[kSide] = {};
        for (size_t r = 0; r < n; ++r) {
            rows[r] = row(first + r);
            next[r] = first + kSide + r < n_rows ? row(first + kSide + r) : rows[r];
        }
        if (d <= kNarrow)
            for (size_t i = first + kAhead; i < first + kAhead + kSide && i < n_rows; ++i)
                for (size_t f = 0; f < d; f += 64 / sizeof(T)) __builtin_prefetch(row(i) + f);
        uint16_t* out = tiles + first / kSide * side;
        if (halves == Halves::all_in_one)
            pack_narrow_side<true>(rows, n, d, c, out, norms + first);
        else if (halves == Halves::both_in_one)
            pack_narrow_side<false>(rows, n, d, c, out, norms + first);
        else if (halves == Halves::both)
            pack_side<true>(rows, next, n, d, c, out, norms + first, nullptr);
        else if (halves == Halves::bytes)
            pack_byte_side(rows, next, n, d, c, out, norms + first, rests + first);
        else
            pack_side<false>(rows, next, n, d, c, out, norms + first, rests + first);
    }
}

// Fewer roundings on the way of a term than when all are added one by one: ceil(d / 16) products,
// the 16 lanes two by two, the norm.
template <class T>
void score_labels(const T* X, const int32_t* list, size_t n_rows, size_t d,
                  truemeans::Centering<T> c, const float* centroids, const float* sq_norms,
                  const int32_t* labels, float* out) {
    const auto row_of = [&](size_t i) {
        return X + (list ? static_cast<size_t>(list[i]) : i) * d;
    };
    const auto centroid_of = [&](size_t i) {
        return centroids + static_cast<size_t>(labels[i]) * d;
    };
    for (size_t first = 0; first < n_rows; first += kSide) {
        const size_t n = n_rows - first < kSide ? n_rows - first : kSide;
        VecF dots[kLanes], norms{};
        for (size_t r = 0; r < kSide; ++r) dots[r] = VecF{};
        for (size_t r = 0; r < n; ++r) {
            const T* x = row_of(first + r);
            const float* b = centroid_of(first + r);
            // The next pair is fetched meanwhile: rows are wide, and centroids all over the place.
            const size_t next = first + r + 1 < n_rows ? first + r + 1 : first + r;
            const T* next_x = row_of(next);
            const float* next_b = centroid_of(next);
            norms[r] = sq_norms[static_cast<size_t>(labels[first + r])];
            size_t f = 0;
            for (; f + kLanes <= d; f += kLanes) {
                dots[r] += centred(x + f, c.center + f, c.scale, 0xffff) * load(b + f);
                __builtin_prefetch(next_b + f);
                for (size_t i = 0; i < kLanes; i += 64 / sizeof(T))
                    __builtin_prefetch(next_x + f + i);
            }
            if (f < d) {
                const __mmask16 width = first_lanes(d - f);
                dots[r] += centred(x + f, c.center + f, c.scale, width) *
                           VecF(_mm512_maskz_loadu_ps(width, b + f));
            }
        }
        store(out + first, line_sums(dots) + norms);
    }
}

}  // namespace
