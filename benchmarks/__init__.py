"""Measures truemeans beside its peers.

    make bench                                     everything: an hour
    make bench-quick                               main workloads and peers: three minutes
    python -m benchmarks run --only geo,midk --peers sklearn,faiss,truemeans --repeats 3
    python -m benchmarks sweep                     every shape: slower than scikit-learn anywhere?
    python -m benchmarks seeding                   k-means++, and its share of a fit
    python -m benchmarks starts                    where fits end from k-means++ and k-means||
    python -m benchmarks growth                    over iterations, rows, threads
    python -m benchmarks memory                    peak against the formula
    python -m benchmarks kernels layout            single passes, to set the numbers in the plan

How it measures: every peer has a fresh process, the same rows (made from a seed), the same
initial centroids and number of iterations (no tolerance), two threads. One small job and one
full-data step warm up; then the peers take turns, and the median counts. The SSE is recomputed in
float64 from what was returned. Memory is the peak beyond imports and rows.

`workloads` says what is measured and `data` makes the rows; `peers` has an adapter for each peer,
`worker` is the process it lives in, `handle` its other end, `turns` the order of play; `report`
prints.
"""
