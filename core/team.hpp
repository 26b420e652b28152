// A thread team that lives as long as one call from Python: fixed threads, work handed out in
// chunks from a shared counter. All sums are order-free, so who gets which chunk does not show
// in any result. No global pool: nothing survives the call, so fork is safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace truemeans {

// Thrown on the calling thread when `interrupted` said so; all threads have stopped by then.
struct Interrupted {};

// Asks about twenty times a second, however often it is called, whether to stop; throws then.
class Pulse {
  public:
    explicit Pulse(std::function<bool()> interrupted) : interrupted_(std::move(interrupted)) {}

    void operator()() {
        const auto now = Clock::now();
        if (now < next_) return;
        next_ = now + std::chrono::milliseconds(50);
        if (interrupted_()) throw Interrupted{};
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::function<bool()> interrupted_;
    Clock::time_point next_ = Clock::now();
};

class Team {
  public:
    // `interrupted` is asked on the calling thread about twenty times a second during a run.
    Team(std::size_t n_threads, std::function<bool()> interrupted);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    std::size_t n_threads() const { return workers_.size() + 1; }

    // Calls work(thread, begin, end) for consecutive chunks of [0, n) until all are done.
    // work must not throw anything but std::bad_alloc.
    using Work = std::function<void(std::size_t thread, std::size_t begin, std::size_t end)>;
    void run(std::size_t n, std::size_t chunk, const Work& work);

    // For the calling thread between runs: throws Interrupted where `interrupted` says so.
    void check() {
        if (interrupted_()) throw Interrupted{};
    }

  private:
    void serve(std::size_t thread);
    void take_chunks(std::size_t thread);

    std::function<bool()> interrupted_;
    std::vector<std::thread> workers_;

    std::mutex mutex_;
    std::condition_variable start_;   // guarded by mutex_: generation_ advanced or closing_
    std::condition_variable finish_;  // guarded by mutex_: busy_ reached 0
    std::size_t generation_ = 0;      // guarded by mutex_
    std::size_t busy_ = 0;            // guarded by mutex_
    bool closing_ = false;            // guarded by mutex_

    // Set before a run starts, read-only during it.
    const Work* work_ = nullptr;
    std::size_t n_ = 0;
    std::size_t chunk_ = 1;

    std::atomic<std::size_t> next_{0};
    std::atomic<bool> stop_{false};
    std::atomic<bool> out_of_memory_{false};
};

}  // namespace truemeans
