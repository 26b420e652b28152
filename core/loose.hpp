// Rows in no order, one of which is drawn by where it would stand if they were sorted by value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "boxes.hpp"

namespace truemeans {

// One copy of a row in a cell of the grid.
template <class T>
struct Loose {
    std::array<T, kBoxFeatures> x;
    std::int32_t number;
    std::size_t place;
    double mass;
    bool operator<(const Loose& o) const { return x != o.x ? x < o.x : number < o.number; }
};

// Of the rows, which change order, that which `place` in their masses falls on. Halving takes a few
// looks at each, where sorting takes many.
template <class T>
const Loose<T>& loose_at(std::vector<Loose<T>>& rows, double place) {
    auto begin = rows.begin(), end = rows.end();
    while (end - begin > 1) {
        const auto middle = begin + (end - begin) / 2;
        std::nth_element(begin, middle, end);
        double below = 0.0;
        for (auto i = begin; i != middle; ++i) below += i->mass;
        if (place < below) {
            end = middle;
        } else {
            place -= below;
            begin = middle;
        }
    }
    return *begin;
}

}  // namespace truemeans
