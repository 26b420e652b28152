#include "aligned.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace truemeans {

namespace {

constexpr std::align_val_t kLine{64};

#ifdef __linux__
// A huge page: in less none would lie.
constexpr std::size_t kMuch = std::size_t(2) << 20;

// Only whole huge pages are put where one may lie; what is over gets small ones as it is written.
std::size_t mapped(std::size_t n_bytes) { return (n_bytes + kMuch - 1) / kMuch * kMuch; }
#endif

}  // namespace

#ifdef __linux__

void* take_lines(std::size_t n_bytes) {
    if (n_bytes < kMuch) return ::operator new(n_bytes, kLine);
    void* p = ::mmap(nullptr, mapped(n_bytes), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    // A system without huge pages refuses, and nothing is lost.
    (void)::madvise(p, n_bytes, MADV_HUGEPAGE);
    return p;
}

void give_lines(void* p, std::size_t n_bytes) {
    if (n_bytes < kMuch)
        ::operator delete(p, kLine);
    else
        ::munmap(p, mapped(n_bytes));
}

#else

void* take_lines(std::size_t n_bytes) { return ::operator new(n_bytes, kLine); }
void give_lines(void* p, std::size_t) { ::operator delete(p, kLine); }

#endif

}  // namespace truemeans
