// Settling a row that the scores could not decide: canonical distances to the few centroids whose
// score is within the margin of the best. Any other is proved farther than the best.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"
#include "panels.hpp"

namespace truemeans {

template <class T>
struct Settler {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Centroids centroids;
    std::size_t d;
    const ScorePanels<T>* panels;           // lanes = centroids; null when no proof holds
    const std::int32_t* centroid_of;        // of a slot of the panels, null for the same
    std::vector<double> exact;              // exact_panels, for when no proof holds

    // What a thread needs to settle a row.
    struct Scratch {
        std::vector<float> row;
        std::vector<std::int32_t> list;
        explicit Scratch(const Settler& s)
            : row(s.d), list(s.panels ? s.panels->sq_norms.size() + 2 : 0) {}
    };

    // The label of row x, whose best score is `best` and squared packed norm `norm`.
    std::int32_t label(const T* x, float best, float norm, Scratch& t) const {
        const std::size_t all = panels ? panels->n_panels : 0;
        return label_among(x, best, norm, -1, t, [&](const auto& visit) { visit(0, all); });
    }

    // The same when only some runs of panels can hold the nearest centroid, besides `also` (-1
    // for none): runs calls its argument with the first panel and the number of each run.
    template <class Runs>
    std::int32_t label_among(const T* x, float best, float norm, std::int32_t also, Scratch& t,
                             const Runs& runs) const {
        std::size_t m = 0;
        // Twice the margin: this time the sums may be ordered otherwise than in `best`.
        const float limit =
            panels ? best + 2.0f * panels->margin_of_row(norm) : 0.0f;
        // Far below the scores of padding lanes; false for what is not a number.
        if (panels && limit < 1e30f) {
            float again;
            table.pack_rows(x, nullptr, 1, d, panels->centering(), t.row.data(), &again);
            const std::size_t lanes = kernels.centroid_lanes;
            runs([&](std::size_t first, std::size_t n_panels) {
                const std::size_t found = kernels.slots_within(
                    t.row.data(), d, panels->packed.data() + first * lanes * d,
                    panels->sq_norms.data() + first * lanes, n_panels, limit, t.list.data() + m);
                for (std::size_t i = 0; i < found; ++i) {
                    const std::size_t slot =
                        first * lanes + static_cast<std::size_t>(t.list[m + i]);
                    t.list[m + i] =
                        centroid_of ? centroid_of[slot] : static_cast<std::int32_t>(slot);
                }
                m += found;
            });
            if (also >= 0) t.list[m++] = also;
        }
        if (m == 0) return table.nearest(x, d, exact.data(), centroids.k);
        return table.nearest_of(x, d, centroids.values, t.list.data(), m);
    }
};

}  // namespace truemeans
