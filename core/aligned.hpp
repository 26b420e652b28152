// Vectors that start at a cache line, so that a tile's line never straddles two, and whose new
// entries hold nothing until they are written: large ones then get their pages from the threads
// that fill them, not one by one beforehand.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace truemeans {

// Memory at a cache line. Much of it at once has pages of its own, huge ones where the system
// can: they come in a third of the time, and go back when they are freed, where an allocator may
// keep what no later vector fits into.
void* take_lines(std::size_t n_bytes);
void give_lines(void* p, std::size_t n_bytes);

template <class T>
struct LineAllocator {
    using value_type = T;

    LineAllocator() = default;
    template <class U>
    explicit LineAllocator(const LineAllocator<U>&) {}
    T* allocate(std::size_t n) { return static_cast<T*>(take_lines(n * sizeof(T))); }
    void deallocate(T* p, std::size_t n) { give_lines(p, n * sizeof(T)); }
    template <class U>
    void construct(U* p) {
        ::new (static_cast<void*>(p)) U;
    }
    template <class U, class... Args>
    void construct(U* p, Args&&... args) {
        ::new (static_cast<void*>(p)) U(static_cast<Args&&>(args)...);
    }
    bool operator==(const LineAllocator&) const { return true; }
};

template <class T>
using Aligned = std::vector<T, LineAllocator<T>>;

}  // namespace truemeans
