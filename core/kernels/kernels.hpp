// The list of kernels and the contract of each. A kernel is a pure function of pointers, sizes
// and row ranges: no threads, no allocation, no exceptions, no globals. Every target fills one
// table from the same source.
//
// Two kinds. *Scores* are float32 and may round as they like within the bound derived in
// scores.inl.hpp; they only ever rule centroids out. *Exact* kernels are compiled without
// contraction or reassociation and give the same bits on every target.
#pragma once

#include <cstddef>
#include <cstdint>

#include "records.hpp"

namespace truemeans {

template <class T>
struct RowKernels {
    // Scores, lanes = samples. cols (out): [block][feature][sample_lanes]; norms (out): squared
    // norm of each packed row. Rows are padded with zeros to a whole block. list (n_rows):
    // numbers of the rows to pack, null for all.
    void (*pack_samples)(const T* X, const std::int32_t* list, std::size_t n_rows, std::size_t d,
                         Centering<T> centering, float* cols, float* norms);
    // Scores by a matrix unit; null without one. tiles (out): whole blocks of tile_rows rows,
    // tile_row_entries a row; norms, and of what first halves or bytes leave out (rests), padded
    // likewise. list as above.
    void (*pack_tiles)(Halves halves, const T* X, const std::int32_t* list, std::size_t n_rows,
                       std::size_t d, Centering<T> centering, std::uint16_t* tiles, float* norms,
                       float* rests);
    // Scores, by the same targets, of each row with the centroid of its label; centroids (k, d)
    // holding -2 times the packed centroid. out: padded to kTileSide. list as above.
    void (*score_labels)(const T* X, const std::int32_t* list, std::size_t n_rows, std::size_t d,
                         Centering<T> centering, const float* centroids, const float* sq_norms,
                         const std::int32_t* labels, float* out);
    // Scores, lanes = centroids. rows (out): [row][d]. list as above.
    void (*pack_rows)(const T* X, const std::int32_t* list, std::size_t n_rows, std::size_t d,
                      Centering<T> centering, float* rows, float* norms);

    // Scores, lanes = features, of rows as they are with 2 to kFewCentroids centroids, (k, d)
    // holding -2 times the packed centroid, from 64 features on. norms, list as above.
    void (*score_few)(const T* X, const std::int32_t* list, std::size_t n_rows, std::size_t d,
                      Centering<T> centering, const float* centroids, const float* sq_norms,
                      std::size_t k, float* norms, TwoNearest out);

    // Exact. Nearest centroid by canonical distance; panels: [k / 8][feature][8] float64, the
    // lanes beyond k repeat the last centroid.
    std::int32_t (*nearest)(const T* x, std::size_t d, const double* panels, std::size_t k);
    // Exact. As nearest, among the m centroids of a list only; centroids: (k, d).
    std::int32_t (*nearest_of)(const T* x, std::size_t d, const double* centroids,
                               const std::int32_t* list, std::size_t m);
    // Exact. out: (n_rows, k) canonical squared distances.
    void (*sq_dist)(const T* X, std::size_t n_rows, std::size_t d, const double* panels,
                    std::size_t k, double* out);
    // Exact. out: (n_rows,) canonical squared distance to the row's own centroid.
    void (*own_sq_dist)(const T* X, std::size_t n_rows, std::size_t d, const double* centroids,
                        const std::int32_t* labels, double* out);
    // Exact. out: (n_pairs,) canonical squared distance between the two of each pair; centroids:
    // (k, d).
    void (*pair_sq_dist)(const T* X, std::size_t d, const double* centroids,
                         const Match<std::uint32_t>* pairs, std::size_t n_pairs, double* out);
    void (*hit_sq_dist)(const T* X, std::size_t d, const double* centroids, const Hit* hits,
                        std::size_t n_hits, double* out);
    // Exact. keys: (n_rows,) a fixed linear function of each row, the same for equal rows.
    void (*row_keys)(const T* X, std::size_t n_rows, std::size_t d, double* keys);
    // Exact. Widens the extent by the rows; returns the index of the first entry that is not
    // finite, or n_rows * d.
    std::size_t (*survey)(const T* X, std::size_t n_rows, std::size_t d, Extent<T> extent);
    // Exact. Moves rows between clusters; sums: [cluster][grid][stride].
    void (*move_rows)(const T* X, std::size_t d, const double* weight, Moves moves, Grids grids,
                      double* sums, std::size_t stride);
    // Exact. The masses of a box with these costs, added up, if the candidate lowered them.
    double (*box_left)(BoxRows<T> rows, const double* candidate, const double* costs);
    // Exact. Lowers the costs (in/out) to the canonical squared distance to the candidate, unless
    // that is null. Returns the masses, added up; top (out): the largest cost.
    double (*box_masses)(BoxRows<T> rows, const double* candidate, double* costs, double* top);
    // Exact. Adds the weighted squared differences to each row's center on three grids, in
    // total[3]; labels null: all rows belong to centers[0].
    void (*sum_sq_diff)(const T* X, std::size_t n_rows, std::size_t d, const double* weight,
                        const double* centers, const std::int32_t* labels, const double* magic,
                        double* total);
    // Exact. Raises *top to the largest |x - center| of any row and feature.
    void (*max_abs_diff)(const T* X, std::size_t n_rows, std::size_t d, const double* centers,
                         const std::int32_t* labels, double* top);
};

struct Kernels {
    const char* name;
    const char* description;
    std::size_t sample_lanes;    // rows per block of pack_samples
    std::size_t centroid_lanes;  // centroids per panel and rows per square, lanes = centroids

    std::size_t tile_rows;       // rows per block, and centroids per panel, of score_tiles

    RowKernels<float> f32;
    RowKernels<double> f64;

    // Exact. The mean of a cluster's sums ([grid][d + 1]), rounded once; previous without weight.
    // Returns the squared distance from previous, 0 only where both are equal.
    double (*cluster_mean)(const double* sums, std::size_t n_grids, std::size_t d, bool single,
                         const double* previous, double* out);
    // Exact. What a cluster adds to the inertia about center (update.inl.hpp): high part, low
    // part, and the sizes that bound the error; top bounds every |x|.
    void (*inertia_term)(const double* sums, std::size_t n_grids, std::size_t d,
                         const double* centroid, const double* center, double top, double* out);

    // The rows of n whose second best is not above the best by more than their margin: list (out,
    // n), returns how many.
    std::size_t (*rows_open)(const float* best, const float* second, const float* margins,
                             std::size_t n, std::int32_t* list);
    // Gives each of n rows its fresh label and lists those that had another (out, n each):
    // returns how many. rows: where in labels each row is, null for in order.
    std::size_t (*rows_moved)(const std::int32_t* fresh, const std::int32_t* rows, std::size_t n,
                              std::int32_t* labels, std::int32_t* moved, std::int32_t* from,
                              std::int32_t* to);
    // The values that are at most limit, by number: list (out, n), returns how many.
    std::size_t (*at_most)(const double* values, std::size_t n, double limit, std::int32_t* list);
    // Exact. Rounds of k-means++ over n rows, a multiple of kRoundRows, in blocks of so many:
    // [block][feature][row]. gains (out, m): by how much each candidate, (m, d), would lower the
    // total of masses, which are round(scaled * closest).
    void (*round_gains)(const double* blocks, std::size_t n, std::size_t d,
                        const double* candidates, std::size_t m, const double* scaled,
                        const double* closest, const double* masses, double* gains);
    // Exact. closest (in/out): the lesser of itself and the canonical squared distance.
    void (*round_lower)(const double* blocks, std::size_t n, std::size_t d, const double* candidate,
                        double* closest);
    // Exact. masses (out, n), and their sums (out) over kRoundRows rows at a time.
    void (*round_masses)(const double* scaled, const double* closest, std::size_t n,
                         double* masses, double* sums);
    // Exact. The boxes of n, a multiple of 8, in which some row may be closer to the candidate than
    // its box's largest cost: list (out, n), returns how many. low, high: [feature][stride].
    std::size_t (*boxes_near)(const double* low, const double* high, std::size_t stride,
                              std::size_t n, std::size_t d, const double* candidate,
                              const double* top, std::int32_t* list);
    // Fast. About the most that a candidate can lower the masses of these boxes by in all. sums:
    // the masses of each; slopes: these over its largest cost.
    double (*boxes_worth)(const double* low, const double* high, std::size_t stride,
                          std::size_t n, std::size_t d, const double* candidate,
                          const double* sums, const double* slopes);
    // Exact. The points of n, a multiple of 8, whose squared distance from another is below reach:
    // list, gaps (out, n): number and squared distance; returns how many. columns: [feature][n].
    std::size_t (*centroids_near)(const double* columns, std::size_t n, std::size_t d,
                                  const double* point, double reach, std::int32_t* list,
                                  double* gaps);
    // Exact. The same for a reach of each of the points (n,).
    std::size_t (*centroids_reaching)(const double* columns, std::size_t n, std::size_t d,
                                      const double* point, const double* reach,
                                      std::int32_t* list);
    // Exact. The rows of a cluster, n numbers in a list, that are closer to one of the others, of
    // which there is one at least, unless that is more than twice as far from the own one as the
    // farthest of eight rows: out (n): their places in the list, returns how many. near: by row,
    // the squared distance to the own one; turned: scratch, (d, 8).
    std::size_t (*rows_nearer)(const double* rows, std::size_t d, const std::int32_t* list,
                               std::size_t n, const double* near, Nearby others, double* turned,
                               std::int32_t* out);
    // Exact. Bit i: row i of at most eight in a list, of weight w, leaves its cluster for one of
    // the others by Hartigan's rule, W_b/(W_b + w) |x - b|^2 < share * W_a/(W_a - w) |x - a|^2.
    std::uint32_t (*rows_gaining)(const double* rows, std::size_t d, const std::int32_t* list,
                                  std::size_t n, const double* row_weights, const double* own,
                                  double own_weight, double share, Nearby others, double* turned);
    // Exact to a few units in the last place. The squared distances from each centroid to the
    // nearest point of a box; panels as for nearest, near (out) padded to 8. Returns the least
    // over centroids of the squared distance to the farthest point.
    double (*box_sq_dist)(const double* low, const double* high, std::size_t d,
                          const double* panels, std::size_t k, double* near);

    // centroids: (k, d) holding -2 times the packed centroid; sq_norms: (k,).
    void (*score_samples)(const float* cols, std::size_t n_blocks, std::size_t d,
                          const float* centroids, const float* sq_norms, std::size_t k,
                          TwoNearest out);
    // Scores by a matrix unit; null without one. Panels are of tile_rows centroids.
    void (*score_tiles)(const std::uint16_t* rows, std::size_t n_blocks, std::size_t d,
                        TileCentroids centroids, TwoNearest out, Ahead ahead);
    // One bit for each row and slot, whether the score of score_tiles is at most the row's limit
    // (n_blocks * tile_rows): marks (out): [16 rows][n_panels * tile_rows].
    void (*mark_tiles)(const std::uint16_t* rows, std::size_t n_blocks, std::size_t d,
                       TileCentroids centroids, const float* limit, std::uint16_t* marks);
    // A line of d values as bytes of this factor, 64 of them every `step` entries of out; its
    // squared norm and that of what bytes leave out. zeros: (d,). And the largest size of n values.
    void (*pack_line)(const float* v, std::size_t d, const float* zeros, float unit,
                      std::uint16_t* out, std::size_t step, float* sq_norm, float* left_out);
    float (*largest)(const float* v, std::size_t n);
    // Follows the scores (own, in/out) of rows packed as bytes with the centroids of their labels;
    // doubt (in/out) grows by the error of that. norms, rests: as of pack_tiles; all padded.
    void (*follow_scores)(const std::uint16_t* rows, std::size_t n_rows, std::size_t d,
                          CentroidMoves moves, const std::int32_t* labels, const float* norms,
                          const float* rests, float* own, float* doubt);
    // The slots that are marked for n rows, counted from `first`: count (in/out) adds how many a
    // row, list (out): [row][most], the first of them.
    void (*list_marked)(const std::uint16_t* marks, std::size_t n, std::size_t n_slots,
                        std::int32_t first, std::size_t most, std::int32_t* list,
                        std::int32_t* count);
    // The same marks as hits, by 16 rows, slots and rows: out has room for all; returns how many.
    std::size_t (*list_hits)(const std::uint16_t* marks, std::size_t n, std::size_t n_slots,
                             Hit* out);
    // The slots whose score with one packed row is at most limit: list (out, all slots), returns
    // how many. Padding lanes are never among them.
    std::size_t (*slots_within)(const float* row, std::size_t d, const float* panels,
                                const float* sq_norms, std::size_t n_panels, float limit,
                                std::int32_t* list);
    // out (n_rows): the score of each row with one centroid of its own; centroids (k, d) holding
    // -2 times the packed centroid, own: offset of its first value.
    void (*score_own)(const float* rows, std::size_t n_rows, std::size_t d,
                      const float* centroids, const std::int32_t* own, const float* sq_norms,
                      float* out);
    // slack (out): of each of n rows a lower bound on the second best's distance less an upper
    // bound on the best's, with what its label and the farthest centroid have travelled added.
    // rows: where in slack each row is, null for in order.
    void (*keep_slack)(const float* best, const float* second, const float* norms,
                       const float* margins, const std::int32_t* label, const float* travel,
                       float farthest, const std::int32_t* rows, std::size_t n, float* slack);
    // The rows whose slack is not above farthest plus their label's travel: list (out, n_rows),
    // returns how many. Labels are not negative.
    std::size_t (*rows_reached)(const float* slack, const std::int32_t* labels,
                                const float* travel, float farthest, std::size_t n_rows,
                                std::int32_t* list);
    // The rows whose slack is not above gone, by number: list (out, n_rows); returns how many.
    std::size_t (*rows_within)(const float* slack, float gone, std::size_t n_rows,
                               std::int32_t* list);
    // out (n_list): the least of a row's lower bounds less the groups' travel; lower:
    // [row][n_groups] in 16 bits, n_groups a multiple of 8.
    void (*least_bound)(const std::uint16_t* lower, std::size_t n_groups, const float* travel,
                        const std::int32_t* list, std::size_t n_list, float* out);
    // out (n): bounds on the distance behind a score, safe against the margin (scores.inl.hpp):
    // never too small, or never too large, cut to 16 bits after adding travel.
    void (*distance_at_most)(const float* scores, const float* norms, std::size_t n,
                             Margin margin, float* out);
    void (*distance_at_least)(const float* scores, const float* norms, std::size_t n,
                              Margin margin, float travel, std::uint16_t* out);
    // Exact. out (n): the limit of each row (closer.cpp), below every score where closest or
    // weight (null for ones) is 0. Returns whether scores of some other row may overflow.
    bool (*closer_limits)(const double* closest, const double* weight, const float* norms,
                          std::size_t n, double sq_scale, Margin margin, float* out);
    // The pairs whose score is at most the row's limit: out (as many as there are pairs), returns
    // how many. Lanes = samples, as score_samples; limits: padded to whole blocks.
    std::size_t (*closer_samples)(const float* cols, std::size_t n_blocks, std::size_t d,
                                  const float* candidates, const float* sq_norms, std::size_t k,
                                  const float* limits, Hit* out);
    // The same with lanes = candidates, panels as for score_panels; limits: padded with numbers
    // that no score is below to a multiple of centroid_lanes.
    std::size_t (*closer_panels)(const float* rows, std::size_t n_rows, std::size_t d,
                                 const float* panels, const float* sq_norms,
                                 std::size_t n_panels, const float* limits, Hit* out);
    // What k candidates would gain, and from which rows (gains.inl.hpp); lanes = samples,
    // candidates and sq_norms as of score_samples. Lines of rows to come are fetched meanwhile.
    void (*gain_samples)(GainRows rows, Margin margin, const float* candidates,
                         const float* sq_norms, std::size_t k, Gains out, Ahead ahead);
    // out [row][stride]: the products of packed rows with m axes, sums of kSummedFeatures added up;
    // panels: [panel][feature][centroid_lanes], padded with zeros.
    void (*project)(const float* rows, std::size_t n_rows, std::size_t d, const float* panels,
                    std::size_t m, float* out, std::size_t stride);
    // Along axes numbers are so many a word; rows' are stored with this added.
    std::size_t numbers_a_word;
    std::int32_t row_bias;
    // The step in which y, of this length, is stored. And out (words): y (n) in whole steps, a bias
    // added.
    double (*step_along)(const float* y, std::size_t n, double length);
    Rounded (*to_words)(const float* y, std::size_t n, float step, std::int32_t bias,
                        std::int32_t* out);
    // The pairs whose score along axes is at most the row's limit, as closer_panels; steps, rests
    // and limits of rows padded likewise.
    std::size_t (*closer_along)(Along rows, std::size_t n_rows, Along candidates,
                                const float* sq_norms, std::size_t n_panels,
                                const float* limits, Hit* out);
    // out (n_hits): the scores of pairs; rows, candidates: [row][d], the latter holding -2 times
    // the packed one.
    void (*score_hits)(const float* rows, std::size_t d, const float* candidates,
                       const float* sq_norms, const Hit* hits, std::size_t n_hits, float* out);
    // panels: [panel][feature][centroid_lanes] holding -2 times the packed centroid; sq_norms:
    // [panel][centroid_lanes], padding lanes hold a large value. list (n_rows): numbers of the
    // rows, null for all; first: index of the first centroid. out (in/out): what was found
    // among other centroids before, kFarScore and 0 at first; padded to centroid_lanes.
    void (*score_panels)(const float* rows, const std::int32_t* list, std::size_t n_rows,
                         std::size_t d, const float* panels, const float* sq_norms,
                         std::size_t n_panels, std::int32_t first, TwoNearest out);
};

inline const RowKernels<float>& kernels_for(const Kernels& k, const float*) { return k.f32; }
inline const RowKernels<double>& kernels_for(const Kernels& k, const double*) { return k.f64; }

}  // namespace truemeans
