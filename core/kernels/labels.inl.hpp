// From scores to labels: which rows the gap leaves open, and which change their label.
#pragma once

#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "vocabulary.hpp"

namespace {

// Written so that a score that is not a number leaves its row open.
size_t rows_open(const float* best, const float* second, const float* margins, size_t n,
                 int32_t* list) {
    size_t n_open = 0;
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const VecI decided = load(second + i) - load(best + i) > load(margins + i);
        n_open = append_bits(lane_bits(~decided), i, list, n_open);
    }
    for (; i < n; ++i) {
        list[n_open] = static_cast<int32_t>(i);
        n_open += !(second[i] - best[i] > margins[i]);
    }
    return n_open;
}

size_t rows_moved(const int32_t* fresh, const int32_t* rows, size_t n, int32_t* labels,
                  int32_t* moved, int32_t* from, int32_t* to) {
    size_t n_moves = 0;
    const auto move = [&](size_t i) {
        const int32_t row = rows ? rows[i] : static_cast<int32_t>(i);
        moved[n_moves] = row;
        from[n_moves] = labels[row];
        to[n_moves] = fresh[i];
        labels[row] = fresh[i];
        ++n_moves;
    };
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const VecI number = rows ? load(rows + i) : numbers_from(i);
        const VecI before = rows ? gather(labels, number) : load(labels + i);
        const VecI now = load(fresh + i);
        const uint32_t bits = lane_bits(before != now);
        if (bits == 0) continue;
        const size_t first = n_moves;
        append_lanes(bits, before, from, first);
        append_lanes(bits, now, to, first);
        n_moves = append_lanes(bits, number, moved, first);
        if (rows)
            scatter(labels, number, now, bits);
        else
            store(labels + i, now);
    }
    for (; i < n; ++i)
        if (fresh[i] != labels[rows ? rows[i] : static_cast<int32_t>(i)]) move(i);
    return n_moves;
}

size_t at_most(const double* values, size_t n, double limit, int32_t* list) {
    size_t n_found = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        n_found = append_bits(lane_bits8(load8(values + i) <= limit), i, list, n_found);
    for (; i < n; ++i)
        if (values[i] <= limit) list[n_found++] = static_cast<int32_t>(i);
    return n_found;
}

}  // namespace
