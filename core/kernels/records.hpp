// What kernels are called with and answer: plain records of pointers and sizes, and the sizes that
// both sides must know.
#pragma once

#include <cstddef>
#include <cstdint>

namespace truemeans {

constexpr std::size_t kBoxFeatures = 3;  // the most that boxes are made for

// How rows and centroids are brought to float32 for the scores: v -> (v - center) * scale,
// scale a power of two.
template <class T>
struct Centering {
    const T* center;  // (n_features,)
    T scale;
};

// Fixed per-feature grids for order-free sums; magic = 1.5 * 2^52 * spacing, so that
// (v + magic) - magic is v rounded to the grid. See sums.inl.hpp.
struct Grids {
    const double* magic;  // (n_grids, n_features + 1), the last column for the weight
    std::size_t n_grids;
};

// Rows that change cluster, by index into the block.
struct Moves {
    const std::int32_t* rows;  // (n_moves,) row numbers in the block
    const std::int32_t* from;  // (n_moves,) old label, -1 for a row seen for the first time
    const std::int32_t* to;    // (n_moves,) new label
    std::size_t n_moves;
    const std::int32_t* copies = nullptr;  // (n_moves,) how often each counts, null for once;
                                           // only for few features without weights
};

// The scores of a chunk of rows against all centroids: the best, the second best, and which.
// A gap above constant + slope * norm between two scores of a row is a proof.
struct Margin {
    float constant;
    float slope;
};

constexpr std::size_t kFewCentroids = 11;  // with a row's norm three squares of sums
constexpr std::size_t kRoundRows = 32;  // rows at a time in rounds.hpp
constexpr std::size_t kSummedFeatures = 64;
constexpr float kFarScore = 3.0e38f;
constexpr float kWildScore = 1.0e30f;  // scores of rows with larger norms may overflow
// What tiles hold of a value (tiles_amx.cpp): both its halves, both in one tile for up to 16
// features, all that is multiplied in one tile for up to 10, or the first alone; or a whole number
// of 8 bits, to be multiplied by a factor of the row and one of all centroids.
enum class Halves { both, both_in_one, all_in_one, first, bytes };
constexpr std::size_t kTileSide = 16;  // rows, or centroids, of one tile
constexpr std::size_t kNarrowTile = 16;
constexpr std::size_t kNarrowestTile = 10;
constexpr std::size_t kMostByteFeatures = 1u << 16;
// Entries of one row, and of one centroid, in tiles. After the bytes of 16 rows their factors
// follow, float32.
constexpr std::size_t tile_centroid_entries(Halves halves, std::size_t d) {
    if (halves == Halves::all_in_one) return 32;
    if (halves == Halves::bytes) return (d + 63) / 64 * 32;
    return (d + 31) / 32 * (halves == Halves::first ? 32 : 64);
}
constexpr std::size_t tile_row_entries(Halves halves, std::size_t d) {
    if (halves == Halves::both_in_one) return 32;
    return tile_centroid_entries(halves, d) + (halves == Halves::bytes ? 2 : 0);
}
// Rows, or panels of candidates, along axes: whole numbers in steps of their own, so many words of
// some each; rests: what the axes leave of each; starts: of candidates, what sums start from.
struct Along {
    const std::int32_t* values;
    std::size_t words;
    const float *steps, *rests;
    const std::int32_t* starts;
};
// What rounding to whole steps left out of a line, the squared norm in steps; the sum of the steps.
struct Rounded {
    float sq_left;
    std::int32_t sum;
};
// Whole panels of centroids in tiles, holding -2 times the packed centroid; sq_norms: one each,
// large for padding; unit: the factor of their bytes.
struct TileCentroids {
    Halves halves;
    const std::uint16_t* packed;
    const float* sq_norms;
    std::size_t n_panels;
    float unit;
};
// What each of k centroids, as packed, moved by: its bytes in a line of whole tiles and their
// factor, the change of its squared norm, its length and the length of what bytes leave out (both
// too large by 2^-7 rather than too small), 128 times the sum of its bytes.
struct CentroidMoves {
    const std::uint16_t* bytes;
    const float *units, *norm_changes, *lengths, *rests;
    const std::int32_t* offsets;
};
// What a kernel that computes asks memory for meanwhile: lines of what comes next, or none.
struct Ahead {
    const char* from;
    std::size_t n_lines;
};
struct TwoNearest {
    float* best;
    float* second;
    std::int32_t* index;
};

// A row of a chunk, and a centroid (or candidate) whose distance to it must be known.
template <class Index>
struct Match {
    Index row;
    Index centroid;
};
using Hit = Match<std::uint16_t>;  // seeding holds one for every pair of a chunk

// Least and largest value and finest bit of each feature; columns are summed up by `survey`.
template <class T>
struct Extent {
    T* low;
    T* high;
    T* finest;  // the least power of two (or less) all entries are multiples of; inf for zeros
};

// Rows of one box (boxed_rounds.hpp). The mass of a row is copies * round(weight * scale * cost).
template <class T>
struct BoxRows {
    const T* columns;  // [feature][n]
    std::size_t n;
    std::size_t d;
    const double* weight;       // (n,) null for ones
    const std::int32_t* first;  // (n + 1,) where the copies of each begin, null for one each
    double scale;
};

// Packed rows whose gains are asked for: cols as of pack_samples; limits: of each, with the margin
// that covers its score; weight: null for ones; at most kMostGainRows of them, in whole blocks, what
// pads them with a limit that no score is below.
constexpr std::size_t kMostGainRows = 512;
struct GainRows {
    const float* cols;
    std::size_t n_blocks;
    std::size_t d;
    const float *norms, *limits, *weight;
};
// Of every candidate: bit i of marks[w * stride] is for row 64 w + i, set where its score is at most
// the limit; gains: the sum of what limits are above scores; errors: the most that this is above
// what the candidate would gain, but for the rounding of the sum.
struct Gains {
    std::uint64_t* marks;
    std::size_t stride;
    float *gains, *errors;
};
// Other centroids that rows of one cluster may be closer to, the nearest to its own first:
// centroids (m, d); gaps: squared distances from the own one; weights: of their clusters.
struct Nearby {
    const double* centroids;
    const double* gaps;
    const double* weights;
    std::size_t m;
};

}  // namespace truemeans
