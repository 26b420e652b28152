// The rounds of greedy k-means++, however the rows are held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace truemeans {

// Numbers of the rows picked. Game: what is known of the rows, which it knows by their place on
// the line that draws are made from; u: one number in [0, 1) for the first row, n_trials for every
// other. check is called before each round and may throw.
template <class Game, class Check>
std::vector<std::int64_t> play(Game& game, double weight_scale, const double* u,
                               std::size_t n_clusters, std::size_t n_trials, Check check) {
    std::vector<std::int64_t> picked;
    picked.reserve(n_clusters);
    std::vector<std::size_t> drawn(n_trials);
    std::size_t place = game.by_weight(weight_scale, u[0]);
    while (true) {
        check();
        picked.push_back(game.number(place));
        if (picked.size() == n_clusters) return picked;
        game.pick(place);
        const double* mine = u + 1 + (picked.size() - 1) * n_trials;
        if (!game.measure()) {
            place = game.by_weight(weight_scale, mine[0]);
            continue;
        }
        for (std::size_t t = 0; t < n_trials; ++t) drawn[t] = game.draw(mine[t]);
        place = game.best(drawn);
    }
}

}  // namespace truemeans
