// A thread team that lives as long as one call from Python: fixed threads, work handed out in
// chunks from a shared counter. All sums are order-free, so who gets which chunk does not show
// in any result. No global pool: nothing survives the call, so fork is safe.
//
// Threads start with the first run that has more than one chunk. Between runs they look for work
// for some microseconds before they sleep, yielding to whoever else wants the processor: a small
// fit has a run every ten microseconds, and waking a thread takes longer than that. A run ends
// when its chunks are done: who wakes later is not waited for, and finds it closed.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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

    // The most threads that work at once.
    std::size_t n_threads() const { return n_threads_; }

    // Calls work(thread, begin, end) for consecutive chunks of [0, n) until all are done.
    // work must not throw anything but std::bad_alloc.
    using Work = std::function<void(std::size_t thread, std::size_t begin, std::size_t end)>;
    void run(std::size_t n, std::size_t chunk, const Work& work);

    // For the calling thread between runs: throws Interrupted where `interrupted` says so.
    void check() {
        if (interrupted_()) throw Interrupted{};
    }

  private:
    // The run that is on, in one number: its workers, whether more may join, and which it is.
    using State = std::uint64_t;
    static constexpr State kOneWorker = 1, kWorkers = 0xffff, kOpen = 0x10000, kNext = 0x20000;
    static State run_of(State state) { return state / kNext; }

    void hire();
    void serve(std::size_t thread);
    bool join(State& state);
    void share_out(bool alone);
    void take_chunks(std::size_t thread);
    // Returns once done() holds: looks for it a while, then sleeps until `changed` is notified.
    template <class Done>
    void wait_until(std::condition_variable& changed, const Done& done);

    std::function<bool()> interrupted_;
    std::size_t n_threads_;
    std::vector<std::thread> workers_;

    // Who makes a sleeper's condition true holds the mutex before notifying.
    std::mutex mutex_;
    std::condition_variable start_;   // state_ is of another run, or closing_
    std::condition_variable finish_;  // state_ has no workers
    std::atomic<State> state_{0};
    std::atomic<bool> closing_{false};

    // Set before a run opens, read-only for those who joined it.
    const Work* work_ = nullptr;
    std::size_t n_ = 0;
    std::size_t chunk_ = 1;
    std::size_t n_shares_ = 1;

    // A share of the rows, the same for a thread from run to run, so that what it read last time
    // may still be in its cache; who is done helps with the others'.
    struct alignas(64) Share {
        std::atomic<std::size_t> next{0};  // row
        std::size_t end = 0;
    };
    std::vector<Share> shares_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> out_of_memory_{false};
};

}  // namespace truemeans
