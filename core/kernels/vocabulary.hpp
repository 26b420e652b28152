// The small vector vocabulary every kernel is written in: compiler vector extensions, so that
// GCC and Clang build the same source for every target. A target file sets TM_VECTOR_BYTES and
// includes this once; everything has internal linkage, because two targets' copies of one
// inline function must never be merged by the linker.
#pragma once

#include <cstddef>
#include <cstdint>

#include "records.hpp"

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

#ifndef TM_VECTOR_BYTES
#error "a target file defines TM_VECTOR_BYTES before it includes the vocabulary"
#endif

namespace {

using std::int32_t;
using std::uint16_t;
using std::uint32_t;
using std::int64_t;
using std::size_t;
using std::uint64_t;

// One machine vector of float32 and its mask/index twin.
typedef float VecF __attribute__((vector_size(TM_VECTOR_BYTES)));
typedef int32_t VecI __attribute__((vector_size(TM_VECTOR_BYTES)));
typedef float VecFLoose __attribute__((vector_size(TM_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t VecILoose __attribute__((vector_size(TM_VECTOR_BYTES), aligned(4), may_alias));
constexpr size_t kLanes = TM_VECTOR_BYTES / sizeof(float);

// Exact kernels use eight float64 lanes on every target (the compiler splits them where the
// machine's vectors are narrower), so that one memory layout and one order serve all.
typedef double Vec8 __attribute__((vector_size(64)));
typedef int64_t Mask8 __attribute__((vector_size(64)));
typedef double Vec8Loose __attribute__((vector_size(64), aligned(8), may_alias));
typedef float Vec8F __attribute__((vector_size(32)));
typedef float Vec8FLoose __attribute__((vector_size(32), aligned(4), may_alias));

typedef uint16_t Vec8Half __attribute__((vector_size(16)));
typedef uint16_t Vec8HalfLoose __attribute__((vector_size(16), aligned(2), may_alias));
typedef int32_t Vec8Bits __attribute__((vector_size(32)));
typedef int32_t Vec8BitsLoose __attribute__((vector_size(32), aligned(4), may_alias));

typedef float Vec4FLoose __attribute__((vector_size(16), aligned(4), may_alias));
typedef float Vec4F __attribute__((vector_size(16)));
typedef int32_t Vec4I __attribute__((vector_size(16)));

inline VecF load(const float* p) { return *reinterpret_cast<const VecFLoose*>(p); }
inline void store(float* p, VecF v) { *reinterpret_cast<VecFLoose*>(p) = v; }
inline VecI load(const int32_t* p) { return *reinterpret_cast<const VecILoose*>(p); }
inline void store(int32_t* p, VecI v) { *reinterpret_cast<VecILoose*>(p) = v; }

inline VecF broadcast(float x) { return VecF{} + x; }

inline Vec8 load8(const double* p) { return *reinterpret_cast<const Vec8Loose*>(p); }
inline Vec8 load8(const float* p) {
    return __builtin_convertvector(Vec8F(*reinterpret_cast<const Vec8FLoose*>(p)), Vec8);
}
inline Vec8Bits load8_bits(const int32_t* p) { return *reinterpret_cast<const Vec8BitsLoose*>(p); }
inline void store8(double* p, Vec8 v) { *reinterpret_cast<Vec8Loose*>(p) = v; }

// The first n of eight, the others zero; and back.
template <class T>
inline Vec8 load_some(const T* p, size_t n) {
    if (n == 8) return load8(p);
    T some[8] = {};
    for (size_t i = 0; i < n; ++i) some[i] = p[i];
    return load8(some);
}
inline void store_some(double* p, Vec8 v, size_t n) {
    if (n == 8) return store8(p, v);
    double some[8];
    store8(some, v);
    for (size_t i = 0; i < n; ++i) p[i] = some[i];
}

// One number or eight.
inline Vec8 read(const double* p, Vec8*) { return load8(p); }
inline double read(const double* p, double*) { return *p; }
inline void write(double* p, Vec8 v) { store8(p, v); }
inline void write(double* p, double v) { *p = v; }

// The lesser and the larger of two, lane by lane; the second of equals. Compilers choose in vectors
// wider than the machine's one number after the other, so these choose in parts of its width.
template <class Choose>
inline Vec8 choose_in_parts(Vec8 a, Vec8 b, const Choose& choose) {
    typedef double Part __attribute__((vector_size(TM_VECTOR_BYTES)));
    constexpr size_t kParts = sizeof(Vec8) / sizeof(Part);
    Part x[kParts], y[kParts];
    __builtin_memcpy(x, &a, sizeof a);
    __builtin_memcpy(y, &b, sizeof b);
    for (size_t i = 0; i < kParts; ++i) x[i] = choose(x[i], y[i]);
    __builtin_memcpy(&a, x, sizeof a);
    return a;
}
inline Vec8 lesser8(Vec8 a, Vec8 b) {
    return choose_in_parts(a, b, [](auto x, auto y) { return x < y ? x : y; });
}
inline Vec8 larger8(Vec8 a, Vec8 b) {
    return choose_in_parts(a, b, [](auto x, auto y) { return x > y ? x : y; });
}

inline Vec8 vabs8(Vec8 v) { return v < 0.0 ? -v : v; }

// Fetches what a kernel that walks through memory will read next, 4 kB from p: where a line takes
// as long to work on as to come, waiting for the hardware to notice doubles the time.
constexpr size_t kFetchBytes = 4096;
template <class T>
inline void fetch_ahead(const T* p) {
    __builtin_prefetch(reinterpret_cast<const char*>(p) + kFetchBytes);
}

// The same for n entries.
template <class T>
inline void fetch_rows_ahead(const T* p, size_t n) {
    for (size_t e = 0; e < n; e += 64 / sizeof(T)) fetch_ahead(p + e);
}

// Fetches so many of the lines that are to come, to the second-level cache.
inline void fetch_lines(truemeans::Ahead& ahead, size_t n) {
    for (size_t i = 0; i < n && ahead.n_lines > 0; ++i, --ahead.n_lines) {
        __builtin_prefetch(ahead.from, 0, 2);
        ahead.from += 64;
    }
}

// Fetches n entries, of which a line may be left out that only the last reach into.
template <size_t n, class T>
inline void fetch(const T* p) {
    for (size_t e = 0; e < n; e += 64 / sizeof(T)) __builtin_prefetch(p + e);
}

// a * b + c rounded once, where the target has an instruction for it.
#if defined(__AVX512F__)
#define TM_FUSED 1
inline Vec8 fused(Vec8 a, Vec8 b, Vec8 c) {
    return Vec8(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(c)));
}
#elif defined(__FMA__)
#define TM_FUSED 1
inline Vec8 fused(Vec8 a, Vec8 b, Vec8 c) {
    typedef double Vec4 __attribute__((vector_size(32)));
    const auto low = [](Vec8 v) { return __m256d(__builtin_shufflevector(v, v, 0, 1, 2, 3)); };
    const auto high = [](Vec8 v) { return __m256d(__builtin_shufflevector(v, v, 4, 5, 6, 7)); };
    return __builtin_shufflevector(Vec4(_mm256_fmadd_pd(low(a), low(b), low(c))),
                                   Vec4(_mm256_fmadd_pd(high(a), high(b), high(c))), 0, 1, 2, 3,
                                   4, 5, 6, 7);
}
#endif
#ifdef TM_FUSED
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
#endif

}  // namespace
