/* What the formulas need below arithmetic: the bits of a number, and the fused multiply-add. */
#ifndef FASTACT_BITS_H
#define FASTACT_BITS_H

#include <stdint.h>
#include <string.h>

/* memcpy is how C says "the same bits"; compilers make it nothing, and vectorise through it. */

static inline uint32_t bits_of_float32(float x) { uint32_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline uint64_t bits_of_float64(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline float float32_of_bits(uint32_t bits) { float x; memcpy(&x, &bits, sizeof x); return x; }
static inline double float64_of_bits(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }

/* a b + c: in one rounding where the processor can (HAS_FMA), else in two. Never the C library's fma: where the
   processor has none it is a call of a hundred cycles, which would also keep the loop from being vectorised. */

#if defined(__FMA__) || defined(__aarch64__)
#define HAS_FMA 1
static inline float fma_float32(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double fma_float64(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
#define HAS_FMA 0
static inline float fma_float32(float a, float b, float c) { return a * b + c; }
static inline double fma_float64(double a, double b, double c) { return a * b + c; }
#endif

#endif
