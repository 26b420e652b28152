// Groups of neighbouring centroids: split in half along the axis of greatest spread until the
// parts fit. The grouping changes what is skipped, never a label.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "bounds.hpp"

namespace truemeans {

namespace {

using Order = std::vector<std::int32_t>;

struct Splitter {
    Centroids centroids;
    std::size_t d;

    const double* row(std::int32_t j) const {
        return centroids.values + static_cast<std::size_t>(j) * d;
    }

    // A few steps of power iteration on the part's covariance.
    std::vector<double> main_axis(const Order& part, const std::vector<double>& mean) const {
        std::vector<double> axis(d, 0.0), next(d);
        double widest = -1.0;
        for (std::int32_t j : part) {
            double sum = 0.0;
            for (std::size_t f = 0; f < d; ++f) {
                const double e = row(j)[f] - mean[f];
                sum += e * e;
            }
            if (sum > widest) {
                widest = sum;
                for (std::size_t f = 0; f < d; ++f) axis[f] = row(j)[f] - mean[f];
            }
        }
        constexpr int kSteps = 6;
        for (int step = 0; step < kSteps; ++step) {
            std::fill(next.begin(), next.end(), 0.0);
            for (std::int32_t j : part) {
                double dot = 0.0;
                for (std::size_t f = 0; f < d; ++f) dot += (row(j)[f] - mean[f]) * axis[f];
                for (std::size_t f = 0; f < d; ++f) next[f] += dot * (row(j)[f] - mean[f]);
            }
            double norm = 0.0;
            for (double v : next) norm += v * v;
            if (!(norm > 0.0)) break;
            for (std::size_t f = 0; f < d; ++f) axis[f] = next[f] / std::sqrt(norm);
        }
        return axis;
    }

    // Orders `part` so that its groups of n_slots are neighbours.
    Order split(Order part, std::size_t n_groups, std::size_t n_slots) const {
        if (n_groups == 1) return part;
        std::vector<double> mean(d, 0.0);
        for (std::int32_t j : part)
            for (std::size_t f = 0; f < d; ++f)
                mean[f] += row(j)[f] / static_cast<double>(part.size());
        const std::vector<double> axis = main_axis(part, mean);
        std::vector<std::pair<double, std::int32_t>> along;
        along.reserve(part.size());
        for (std::int32_t j : part)
            along.emplace_back(std::inner_product(axis.begin(), axis.end(), row(j), 0.0), j);
        std::sort(along.begin(), along.end());
        // Each half gets its share, and no more than its groups hold.
        const std::size_t left = n_groups / 2;
        const std::size_t share = (part.size() * left + n_groups - 1) / n_groups;
        const std::size_t cut = std::min(share, left * n_slots);
        Order low, high;
        for (std::size_t i = 0; i < along.size(); ++i)
            (i < cut ? low : high).push_back(along[i].second);
        low = split(std::move(low), left, n_slots);
        high = split(std::move(high), n_groups - left, n_slots);
        // Groups are of equal length; a short one is padded.
        low.resize(left * n_slots, -1);
        low.insert(low.end(), high.begin(), high.end());
        return low;
    }
};

}  // namespace

Groups::Groups(Centroids centroids, std::size_t d, std::size_t most_groups, std::size_t lanes) {
    const std::size_t k = centroids.k;
    const std::size_t panels = (k + lanes - 1) / lanes;
    const std::size_t groups = std::clamp<std::size_t>(most_groups, 1, panels);
    const std::size_t panels_each = (panels + groups - 1) / groups;
    n_slots = panels_each * lanes;
    n_groups = (k + n_slots - 1) / n_slots;
    Order all(k);
    std::iota(all.begin(), all.end(), 0);
    centroid_of = Splitter{centroids, d}.split(std::move(all), n_groups, n_slots);
    centroid_of.resize(n_groups * n_slots, -1);
    slot_of.resize(k);
    for (std::size_t slot = 0; slot < centroid_of.size(); ++slot)
        if (centroid_of[slot] >= 0)
            slot_of[static_cast<std::size_t>(centroid_of[slot])] = static_cast<std::int32_t>(slot);
}

}  // namespace truemeans
