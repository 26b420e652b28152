// How far each centroid has moved since some first pass: what every bound is paid in.
#pragma once

#include <cstddef>
#include <vector>

#include "pass.hpp"

namespace truemeans {

class Travel {
  public:
    // scale: distances are multiplied by it, a power of two.
    void start(Centroids centroids, std::size_t d, double scale);
    // Adds the moves since the last pass.
    void advance(Centroids centroids);

    // Sums over passes, rounded up: of each centroid's moves (n_clusters,), and of the farthest.
    const std::vector<float>& of() const { return sum_; }
    float farthest() const { return farthest_; }
    // The moves of the last pass (n_clusters,).
    const std::vector<double>& step() const { return step_; }

    // Slack for one rounding of a travelled distance.
    static float round_up(double v) { return static_cast<float>(v) * (1.0f + 0x1p-22f); }

  private:
    std::size_t d_ = 0;
    double scale_ = 1.0;
    std::vector<double> last_, step_, exact_;
    std::vector<float> sum_;
    double exact_farthest_ = 0.0;
    float farthest_ = 0.0f;
};

}  // namespace truemeans
