#include "team.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

#include "float_mode.hpp"

namespace truemeans {

Team::Team(std::size_t n_threads, std::function<bool()> interrupted)
    : interrupted_(std::move(interrupted)), n_threads_(std::max<std::size_t>(n_threads, 1)) {}

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
        }
    } catch (const std::system_error&) {
        // The system gives no more threads: the answer is the same with fewer.
        n_threads_ = workers_.size() + 1;
    }
}

template <class Done>
void Team::wait_until(std::condition_variable& changed, const Done& done) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point patience = Clock::now() + std::chrono::microseconds(50);
    while (Clock::now() < patience) {
        if (done()) return;
        std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    changed.wait(lock, done);
}

void Team::serve(std::size_t thread) {
    use_default_float_mode();
    for (std::size_t seen = 0;; ++seen) {
        wait_until(start_, [&] { return closing_ || generation_ != seen; });
        if (closing_) return;
        take_chunks(thread);
        if (busy_.fetch_sub(1) == 1) {
            std::lock_guard lock(mutex_);
            finish_.notify_one();
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
    const bool alone = n_threads_ == 1 || n <= chunk_;
    if (!alone) {
        if (workers_.empty()) hire();
        busy_ = workers_.size();
        {
            std::lock_guard lock(mutex_);
            ++generation_;
        }
        start_.notify_all();
    }
    take_chunks(0);
    if (!alone) wait_until(finish_, [&] { return busy_ == 0; });
    if (out_of_memory_) throw std::bad_alloc();
    if (stop_) throw Interrupted{};
}

}  // namespace truemeans
