// Some centroids, turned so that one point meets eight of them at once, and kept up to date.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/kernels.hpp"

namespace truemeans {

using Index = std::int32_t;

struct Near {
    double gap;  // squared distance between the centroids
    Index cluster;
};

class Field {
  public:
    // Of k clusters, none so far.
    Field(const Kernels& kernels, std::size_t d, std::size_t k)
        : kernels_(kernels), d_(d), column_(k, -1) {}

    const std::vector<Index>& clusters() const { return clusters_; }

    // These from now on; centroids: (k, d).
    void hold(const std::vector<Index>& clusters, const double* centroids) {
        for (const Index j : clusters_) column_[static_cast<std::size_t>(j)] = -1;
        clusters_ = clusters;
        n_ = (clusters.size() + 7) / 8 * 8;
        // What pads is far from everything.
        columns_.assign(n_ * d_, std::numeric_limits<double>::infinity());
        list_.resize(n_);
        values_.resize(n_);
        for (std::size_t at = 0; at < clusters.size(); ++at) {
            const auto j = static_cast<std::size_t>(clusters[at]);
            column_[j] = static_cast<Index>(at);
            put(j, centroids + j * d_);
        }
    }

    // A centroid that changed, if it is one of these.
    void put(std::size_t j, const double* centroid) {
        if (column_[j] < 0) return;
        double* column = columns_.data() + column_[j];
        for (std::size_t f = 0; f < d_; ++f) column[f * n_] = centroid[f];
    }

    // Those but j within `reach` (squared) of its centroid, nearest first.
    void find_near(std::size_t j, const double* centroid, double reach, std::vector<Near>& out) {
        const std::size_t n = kernels_.centroids_near(columns_.data(), n_, d_, centroid, reach,
                                                      list_.data(), values_.data());
        out.clear();
        for (std::size_t m = 0; m < n; ++m) {
            const Index l = clusters_[static_cast<std::size_t>(list_[m])];
            if (static_cast<std::size_t>(l) != j) out.push_back({values_[m], l});
        }
        std::sort(out.begin(), out.end(), [](const Near& a, const Near& b) {
            return a.gap < b.gap || (a.gap == b.gap && a.cluster < b.cluster);
        });
    }

    // Marks those that some point reaches: within reach[j] (squared) of the centroid of j.
    void mark_reached(const std::vector<Index>& points, const double* centroids,
                      const std::vector<double>& reach, std::vector<char>& mark) {
        for (std::size_t at = 0; at < clusters_.size(); ++at)
            values_[at] = reach[static_cast<std::size_t>(clusters_[at])];
        for (const Index point : points) {
            const std::size_t n = kernels_.centroids_reaching(
                columns_.data(), n_, d_, centroids + static_cast<std::size_t>(point) * d_,
                values_.data(), list_.data());
            for (std::size_t m = 0; m < n; ++m)
                mark[static_cast<std::size_t>(clusters_[static_cast<std::size_t>(list_[m])])] = 1;
        }
    }

  private:
    const Kernels& kernels_;
    std::size_t d_, n_ = 0;
    std::vector<Index> clusters_, column_;  // (k,): where each is, -1 for nowhere
    std::vector<double> columns_;           // [feature][n]
    std::vector<Index> list_;
    std::vector<double> values_;
};

}  // namespace truemeans
