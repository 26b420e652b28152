#include "team.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

#include "float_mode.hpp"

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

namespace truemeans {

namespace {

// Moves a thread that has not begun away from this one's processor, where some systems start it
// and leave it for milliseconds while others are idle. It may go anywhere afterwards.
void place_elsewhere(std::thread& worker) {
#ifdef __linux__
    cpu_set_t all, others;
    const int here = sched_getcpu();
    if (here < 0 || sched_getaffinity(0, sizeof all, &all) != 0) return;
    others = all;
    CPU_CLR(static_cast<std::size_t>(here), &others);
    if (CPU_COUNT(&others) == 0) return;
    if (pthread_setaffinity_np(worker.native_handle(), sizeof others, &others) == 0)
        pthread_setaffinity_np(worker.native_handle(), sizeof all, &all);
#else
    (void)worker;
#endif
}

}  // namespace

Team::Team(std::size_t n_threads, std::function<bool()> interrupted)
    : interrupted_(std::move(interrupted)),
      n_threads_(std::max<std::size_t>(n_threads, 1)),
      shares_(n_threads_) {}

Team::~Team() {
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
    }
    start_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void Team::hire() {
    workers_.reserve(n_threads_ - 1);
    try {
        while (workers_.size() + 1 < n_threads_) {
            const std::size_t thread = workers_.size() + 1;
            workers_.emplace_back([this, thread] { serve(thread); });
            place_elsewhere(workers_.back());
        }
    } catch (const std::system_error&) {
        // The system gives no more threads: the answer is the same with fewer.
        n_threads_ = workers_.size() + 1;
    }
}

template <class Done>
void Team::wait_until(std::condition_variable& changed, const Done& done) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point patience = Clock::now() + std::chrono::microseconds(200);
    while (Clock::now() < patience) {
        if (done()) return;
        std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    changed.wait(lock, done);
}

void Team::serve(std::size_t thread) {
    use_default_float_mode();
    for (State seen = 0;;) {
        wait_until(start_, [&] { return closing_ || run_of(state_) != seen; });
        if (closing_) return;
        State state = state_;
        const bool joined = join(state);
        seen = run_of(state);
        if (!joined) continue;
        take_chunks(thread);
        const State before = state_.fetch_sub(kOneWorker);
        if ((before & kOpen) == 0 && (before & kWorkers) == 1) {
            std::lock_guard lock(mutex_);
            finish_.notify_one();
        }
    }
}

// Whether this thread takes part in the run that is on, which it does if that is still open; state
// becomes what it was then.
bool Team::join(State& state) {
    while ((state & kOpen) != 0)
        if (state_.compare_exchange_weak(state, state + kOneWorker)) return true;
    return false;
}

void Team::share_out(bool alone) {
    n_shares_ = alone ? 1 : n_threads_;
    const std::size_t n_chunks = (n_ + chunk_ - 1) / chunk_;
    std::size_t begin = 0;
    for (std::size_t s = 0; s < n_shares_; ++s) {
        shares_[s].next = begin;
        begin = std::min((s + 1) * n_chunks / n_shares_ * chunk_, n_);
        shares_[s].end = begin;
    }
}

void Team::take_chunks(std::size_t thread) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kPeriod = std::chrono::milliseconds(50);
    const bool watching = thread == 0;
    Clock::time_point asked = watching ? Clock::now() : Clock::time_point{};
    try {
        for (std::size_t done = 0; !stop_.load(std::memory_order_relaxed);) {
            Share& share = shares_[(thread + done) % n_shares_];
            const std::size_t begin = share.next.fetch_add(chunk_, std::memory_order_relaxed);
            if (begin >= share.end) {
                if (++done == n_shares_) return;
                continue;
            }
            (*work_)(thread, begin, std::min(begin + chunk_, share.end));
            if (watching && Clock::now() - asked > kPeriod) {
                if (interrupted_()) stop_ = true;
                asked = Clock::now();
            }
        }
    } catch (const std::bad_alloc&) {
        out_of_memory_ = true;
        stop_ = true;
    }
}

void Team::run(std::size_t n, std::size_t chunk, const Work& work) {
    work_ = &work;
    n_ = n;
    chunk_ = std::max<std::size_t>(chunk, 1);
    stop_ = false;
    out_of_memory_ = false;
    const bool alone = n_threads_ == 1 || n <= chunk_;
    if (!alone && workers_.empty()) hire();
    share_out(alone);
    if (!alone) {
        {
            std::lock_guard lock(mutex_);
            state_ += kNext | kOpen;
        }
        start_.notify_all();
    }
    take_chunks(0);
    if (!alone) {
        state_ -= kOpen;
        wait_until(finish_, [&] { return (state_ & kWorkers) == 0; });
    }
    if (out_of_memory_) throw std::bad_alloc();
    if (stop_) throw Interrupted{};
}

}  // namespace truemeans
