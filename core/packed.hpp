// Rows as the matrix unit takes them, kept from pass to pass where the room is there, with what is
// known of their scores: packing a wide row takes as long as reading it, and a score of its own
// centroid, followed by bytes (kernels/follow.inl.hpp), need not read it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "panels.hpp"

namespace truemeans {

// Rows of a chunk: tiles, squared norms, the squared norms of what tiles leave out. own: the score
// of each with the centroid of its label, doubt: how far that may be from the same score of the
// packed numbers in exact arithmetic, kUnknown or more where it is not known. doubt is null where
// nothing is kept.
struct TileRows {
    std::uint16_t* tiles;
    float *norms, *rests, *own, *doubt;
};

constexpr float kUnknown = kFarScore;

class PackedRows {
  public:
    // Room for bytes of n rows of d features; the threads that pack them get the memory.
    PackedRows(std::size_t n_rows, std::size_t n_features);

    std::size_t n_rows() const { return n_; }
    bool fits(std::size_t n_rows, std::size_t n_features) const {
        return n_ == n_rows && d_ == n_features;
    }
    // What rows and centroids must be brought to float32 with; null while no rows are packed.
    const Frame* frame() const { return is_packed_ ? &frame_ : nullptr; }
    bool is_packed() const { return is_packed_; }

    // Forgets everything, before rows are packed in another frame, or not at all.
    void forget();
    // A pass begins, of these centroids (k, d), -2 times what they are, and squared norms.
    // Until it ends nothing is known of own scores, and nothing of rows that were not packed.
    void begin(const Kernels& kernels, const Frame& frame, const std::vector<float>& centroids,
               const std::vector<float>& sq_norms);
    // The pass has ended; follows: own scores are those of its labels and centroids.
    void end(bool follows, std::vector<float>&& centroids, std::vector<float>&& sq_norms);

    // The rows from `first` on, whole blocks of rows from the beginning.
    TileRows from(std::size_t first);
    // What the centroids moved by since own scores were last known, null where they are not.
    const CentroidMoves* moves() const { return can_follow_ ? &moves_ : nullptr; }

  private:
    std::size_t n_, d_;
    bool is_packed_ = false, follows_ = false, can_follow_ = false;
    Frame frame_;
    Aligned<std::uint16_t> tiles_;
    Aligned<float> norms_, rests_, own_, doubt_;
    std::vector<float> centroids_, sq_norms_;  // of the last pass that knew own scores
    Aligned<std::uint16_t> moved_;             // (k, tiles, 32): bytes of what centroids moved by
    std::vector<float> units_, changes_, lengths_, left_out_;
    std::vector<std::int32_t> offsets_;
    CentroidMoves moves_{};
};

}  // namespace truemeans
