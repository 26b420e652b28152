// Fills the exact half of a target's table.
#pragma once

namespace {

template <class T>
void fill(truemeans::RowKernels<T>& table) {
    table.nearest = nearest<T>;
    table.nearest_of = nearest_of<T>;
    table.sq_dist = sq_dist<T>;
    table.own_sq_dist = own_sq_dist<T>;
    table.row_keys = row_keys<T>;
    table.survey = survey<T>;
    table.move_rows = move_rows<T>;
    table.sum_sq_diff = sum_sq_diff<T>;
    table.max_abs_diff = max_abs_diff<T>;
}

}  // namespace
