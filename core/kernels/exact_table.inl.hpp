// Fills the exact half of a target's table.
#pragma once

namespace {

template <class T>
void fill_rows(truemeans::RowKernels<T>& table) {
    table.nearest = nearest<T>;
    table.nearest_of = nearest_of<T>;
    table.sq_dist = sq_dist<T>;
    table.own_sq_dist = own_sq_dist<T>;
    table.hit_sq_dist = pair_sq_dist<T, uint16_t>;
    table.pair_sq_dist = pair_sq_dist<T, uint32_t>;
    table.row_keys = row_keys<T>;
    table.survey = survey<T>;
    table.move_rows = move_rows<T>;
    table.sum_sq_diff = sum_sq_diff<T>;
    table.max_abs_diff = max_abs_diff<T>;
    table.box_left = box_left<T>;
    table.box_masses = box_masses<T>;
}

void fill(truemeans::Kernels& table) {
    fill_rows(table.f32);
    fill_rows(table.f64);
    table.rows_open = rows_open;
    table.rows_moved = rows_moved;
    table.at_most = at_most;
    table.box_sq_dist = box_sq_dist;
    table.boxes_near = boxes_near;
    table.boxes_worth = boxes_worth;
    table.centroids_near = centroids_near;
    table.centroids_reaching = centroids_reaching;
    table.rows_nearer = rows_nearer;
    table.rows_gaining = rows_gaining;
    table.round_gains = round_gains;
    table.round_lower = round_lower;
    table.round_masses = round_masses;
    table.closer_limits = closer_limits;
    table.cluster_mean = cluster_mean;
    table.inertia_term = inertia_term;
}

}  // namespace
