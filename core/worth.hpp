// What a centroid is worth where it is, and what one more would be, before the neighbours follow.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "clusters.hpp"

namespace truemeans {

class Worth {
  public:
    // What the inertia gains when cluster j is taken away and its rows go to the nearest of the
    // other centroids, which follow them; receivers() says where which row goes.
    double removal(const Clusters& clusters, std::size_t j);
    void find_receivers(const Clusters& clusters, std::size_t j);
    // What the inertia loses when cluster j is halved by two means, begun across its widest
    // feature; upper() says who is in the second half.
    double halves(const Clusters& clusters, std::size_t j);

    // One entry a member of the cluster last asked for.
    const std::vector<Index>& receivers() const { return to_; }
    const std::vector<char>& upper() const { return upper_; }
    // The clusters among receivers(), each once, after removal().
    const std::vector<Index>& heirs() const { return heirs_; }

  private:
    void begin_halves(const Clusters& clusters, std::size_t j);

    std::vector<Index> to_, heirs_;
    std::vector<double> alternative_, mass_, sums_, means_;
    std::vector<char> upper_;
    std::vector<std::pair<double, Index>> order_;
};

}  // namespace truemeans
