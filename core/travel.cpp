#include "travel.hpp"

#include <algorithm>
#include <cmath>

namespace truemeans {

void Travel::start(Centroids centroids, std::size_t d, double scale) {
    d_ = d;
    scale_ = scale;
    last_.assign(centroids.values, centroids.values + centroids.k * d);
    step_.assign(centroids.k, 0.0);
    exact_.assign(centroids.k, 0.0);
    sum_.assign(centroids.k, 0.0f);
    exact_farthest_ = 0.0;
    farthest_ = 0.0f;
}

void Travel::advance(Centroids centroids) {
    double most = 0.0;
    for (std::size_t j = 0; j < centroids.k; ++j) {
        double sum = 0.0;
        for (std::size_t f = 0; f < d_; ++f) {
            const double e = centroids.values[j * d_ + f] - last_[j * d_ + f];
            sum += e * e;
        }
        // The float64 operations err by less than the slack of round_up.
        step_[j] = std::sqrt(sum) * scale_;
        exact_[j] += step_[j];
        sum_[j] = round_up(exact_[j]);
        most = std::max(most, step_[j]);
    }
    exact_farthest_ += most;
    farthest_ = round_up(exact_farthest_);
    std::copy_n(centroids.values, last_.size(), last_.begin());
}

}  // namespace truemeans
