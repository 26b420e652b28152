// Fills the scores half of a target's table.
#pragma once

namespace {

void fill(truemeans::Kernels& table) {
    table.sample_lanes = kSampleLanes;
    table.centroid_lanes = kLanes;
    table.f32.pack_samples = pack_samples<float>;
    table.f32.pack_rows = pack_rows<float>;
    table.f64.pack_samples = pack_samples<double>;
    table.f64.pack_rows = pack_rows<double>;
    table.f32.score_few = score_few<float>;
    table.f64.score_few = score_few<double>;
    table.score_samples = score_samples;
    table.slots_within = slots_within;
    table.score_own = score_own;
    table.distance_at_most = distance_at_most;
    table.distance_at_least = distance_at_least;
    table.score_panels = score_panels;
    table.closer_samples = closer_samples;
    table.closer_panels = closer_panels;
    table.gain_samples = gain_samples;
    table.project = project;
    fill_along<Shorts>(table);
    table.score_hits = score_hits;
    table.keep_slack = keep_slack;
    table.rows_reached = rows_reached;
    table.rows_within = rows_within;
    table.least_bound = least_bound;
}

}  // namespace
