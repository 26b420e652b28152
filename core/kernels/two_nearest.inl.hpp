// The best and the second best of the scores offered so far, a row a lane.
#pragma once

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

inline VecF vmin(VecF a, VecF b) { return a < b ? a : b; }
inline VecF vmax(VecF a, VecF b) { return a < b ? b : a; }

struct Two {
    VecF best, second;
    VecI index;

    inline void offer(VecF score, VecI id) {
        second = vmin(second, vmax(best, score));
        index = score < best ? id : index;
        best = vmin(best, score);
    }
};

inline Two nothing_yet() {
    return {broadcast(truemeans::kFarScore), broadcast(truemeans::kFarScore), VecI{}};
}

}  // namespace
