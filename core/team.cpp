#include "team.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

#include "float_mode.hpp"

namespace truemeans {

Team::Team(std::size_t n_threads, std::function<bool()> interrupted)
    : interrupted_(std::move(interrupted)) {
    workers_.reserve(n_threads);
    try {
        for (std::size_t t = 1; t < n_threads; ++t) workers_.emplace_back([this, t] { serve(t); });
    } catch (const std::system_error&) {
        // The system gives no more threads: the answer is the same with fewer.
    }
}

Team::~Team() {
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
    }
    start_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void Team::serve(std::size_t thread) {
    use_default_float_mode();
    std::size_t seen = 0;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            start_.wait(lock, [&] { return closing_ || generation_ != seen; });
            if (closing_) return;
            seen = generation_;
        }
        take_chunks(thread);
        {
            std::lock_guard lock(mutex_);
            if (--busy_ == 0) finish_.notify_one();
        }
    }
}

void Team::take_chunks(std::size_t thread) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kPeriod = std::chrono::milliseconds(50);
    const bool watching = thread == 0;
    Clock::time_point asked = watching ? Clock::now() : Clock::time_point{};
    try {
        while (!stop_.load(std::memory_order_relaxed)) {
            const std::size_t begin = next_.fetch_add(chunk_, std::memory_order_relaxed);
            if (begin >= n_) return;
            (*work_)(thread, begin, std::min(begin + chunk_, n_));
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
    next_ = 0;
    stop_ = false;
    out_of_memory_ = false;
    const bool alone = workers_.empty() || n <= chunk_;
    if (!alone) {
        {
            std::lock_guard lock(mutex_);
            busy_ = workers_.size();
            ++generation_;
        }
        start_.notify_all();
    }
    take_chunks(0);
    if (!alone) {
        std::unique_lock lock(mutex_);
        finish_.wait(lock, [&] { return busy_ == 0; });
    }
    if (out_of_memory_) throw std::bad_alloc();
    if (stop_) throw Interrupted{};
}

}  // namespace truemeans
