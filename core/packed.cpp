#include "packed.hpp"

#include <bit>
#include <cmath>
#include <utility>

namespace truemeans {

PackedRows::PackedRows(std::size_t n_rows, std::size_t n_features) : n_(n_rows), d_(n_features) {
    // Whole blocks of two sides, as kernels take them.
    const std::size_t padded = (n_ + 2 * kTileSide - 1) / (2 * kTileSide) * (2 * kTileSide);
    tiles_.resize(padded * tile_row_entries(Halves::bytes, d_));
    for (auto* floats : {&norms_, &rests_, &own_, &doubt_}) floats->resize(padded);
}

void PackedRows::forget() { is_packed_ = follows_ = can_follow_ = false; }

TileRows PackedRows::from(std::size_t first) {
    return {tiles_.data() + first * tile_row_entries(Halves::bytes, d_), norms_.data() + first,
            rests_.data() + first, own_.data() + first, doubt_.data() + first};
}

void PackedRows::begin(const Kernels& kernels, const Frame& frame,
                       const std::vector<float>& centroids, const std::vector<float>& sq_norms) {
    if (!is_packed_) frame_ = frame;
    can_follow_ = follows_ && centroids.size() == centroids_.size();
    follows_ = false;
    if (!can_follow_) return;
    const std::size_t k = sq_norms.size(), entries = tile_centroid_entries(Halves::bytes, d_);
    moved_.resize(k * entries);
    for (auto* floats : {&units_, &changes_, &lengths_, &left_out_}) floats->resize(k);
    offsets_.resize(k);
    const std::vector<float> zeros(d_);
    std::vector<float> line(d_);
    for (std::size_t j = 0; j < k; ++j) {
        for (std::size_t f = 0; f < d_; ++f)
            line[f] = centroids[j * d_ + f] - centroids_[j * d_ + f];
        std::uint16_t* bytes = moved_.data() + j * entries;
        // A centroid that stands still, or all but, has bytes of zero.
        units_[j] = std::max(kernels.largest(line.data(), d_), 0x1p-90f) / 127.0f;
        float sq_norm = 0.0f, left_out = 0.0f;
        kernels.pack_line(line.data(), d_, zeros.data(), units_[j], bytes, kTileSide * 2, &sq_norm,
                          &left_out);
        lengths_[j] = (1.0f + 0x1p-7f) * std::sqrt(sq_norm);
        left_out_[j] = (1.0f + 0x1p-7f) * std::sqrt(left_out);
        changes_[j] = sq_norms[j] - sq_norms_[j];
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < entries; ++i) {
            sum += std::bit_cast<std::int8_t>(static_cast<std::uint8_t>(bytes[i] & 0xffu));
            sum += std::bit_cast<std::int8_t>(static_cast<std::uint8_t>(bytes[i] >> 8));
        }
        offsets_[j] = 128 * sum;
    }
    moves_ = {moved_.data(),   units_.data(),    changes_.data(),
              lengths_.data(), left_out_.data(), offsets_.data()};
}

void PackedRows::end(bool follows, std::vector<float>&& centroids, std::vector<float>&& sq_norms) {
    is_packed_ = true;
    follows_ = follows;
    centroids_ = std::move(centroids);
    sq_norms_ = std::move(sq_norms);
}

}  // namespace truemeans
