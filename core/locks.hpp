// Lets threads add to shared cluster sums: each holds the clusters a row leaves and enters.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "kernels/kernels.hpp"

namespace truemeans {

class ClusterLocks {
  public:
    // Calls move for each of the moves alone, no other thread touching its clusters meanwhile.
    template <class Move>
    void one_by_one(const Moves& moves, const Move& move) {
        for (std::size_t i = 0; i < moves.n_moves; ++i) {
            const Moves one{moves.rows + i, moves.from + i, moves.to + i, 1};
            const std::size_t to = lock_of(moves.to[i]);
            const std::size_t from = moves.from[i] < 0 ? to : lock_of(moves.from[i]);
            // Lower numbers first, so that no two threads wait for each other.
            std::unique_lock first(locks_[std::min(from, to)]);
            std::unique_lock<std::mutex> second;
            if (from != to) second = std::unique_lock(locks_[std::max(from, to)]);
            move(one);
        }
    }

  private:
    std::size_t lock_of(std::int32_t cluster) const {
        return static_cast<std::size_t>(cluster) % locks_.size();
    }
    std::array<std::mutex, 64> locks_;
};

}  // namespace truemeans
