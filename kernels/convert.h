/*
 * Half-precision conversions: by the processor's instructions where the target has them, else in integer arithmetic
 * that the compiler vectorises. Widening is exact; narrowing rounds to nearest, ties to even, overflows to infinity,
 * and keeps NaN a quiet NaN.
 */
#ifndef FASTACT_CONVERT_H
#define FASTACT_CONVERT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__)
#include <immintrin.h>
#endif

static inline uint32_t float_to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bits_to_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float bfloat16_to_float(uint16_t brain)
{
    return bits_to_float((uint32_t)brain << 16);
}

static inline uint16_t float_to_bfloat16(float value)
{
    uint32_t bits = float_to_bits(value);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    uint32_t quiet_nan = ((bits >> 16) & 0x8000) | 0x7fc0;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000u ? quiet_nan : rounded);
}

#define CONVERSION(NAME, FROM, TO, CONVERT)                                                          \
    static void NAME(const void *from, void *to, ptrdiff_t n)                                        \
    {                                                                                                \
        const FROM *source = from;                                                                   \
        TO *target = to;                                                                             \
        for (ptrdiff_t i = 0; i < n; i++) {                                                          \
            target[i] = CONVERT(source[i]);                                                          \
        }                                                                                            \
    }

CONVERSION(widen_bfloat16, uint16_t, float, bfloat16_to_float)
CONVERSION(narrow_bfloat16, float, uint16_t, float_to_bfloat16)

#if defined(__F16C__)

enum { HALVES = 8 };    /* that one instruction converts */

static void widen_float16(const void *from, void *to, ptrdiff_t n)
{
    const uint16_t *source = from;
    float *target = to;
    ptrdiff_t i = 0;
    for (; i + HALVES <= n; i += HALVES) {
        _mm256_storeu_ps(target + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(source + i))));
    }
    for (; i < n; i++) {
        target[i] = _cvtsh_ss(source[i]);
    }
}

static void narrow_float16(const void *from, void *to, ptrdiff_t n)
{
    const float *source = from;
    uint16_t *target = to;
    ptrdiff_t i = 0;
    for (; i + HALVES <= n; i += HALVES) {
        _mm_storeu_si128((__m128i *)(target + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(source + i), _MM_FROUND_TO_NEAREST_INT));
    }
    for (; i < n; i++) {
        target[i] = _cvtss_sh(source[i], _MM_FROUND_TO_NEAREST_INT);
    }
}

#else

/* What the exponents of a float are greater by than a half's, in place in a float's bits. */
#define REBIAS (112u << 23)

static inline float float16_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    /* A subnormal has no hidden digit: with one put before it, the float subtraction takes it off and normalises. */
    uint32_t subnormal = float_to_bits(bits_to_float(magnitude + REBIAS + (1u << 23))
                                       - bits_to_float(REBIAS + (1u << 23)));
    uint32_t special = magnitude + 2 * REBIAS;    /* infinity and NaN have the highest exponent */
    uint32_t bits = magnitude < (1u << 23) ? subnormal : magnitude + REBIAS;
    bits = magnitude >= (31u << 23) ? special : bits;
    return bits_to_float(bits | sign);
}

static inline uint16_t float_to_float16(float value)
{
    uint32_t bits = float_to_bits(value);
    uint32_t sign = (bits >> 16) & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    /* Normal results: drop 13 digits, rounding half to even; the carry runs into the exponent as it should. */
    uint32_t normal = (magnitude - REBIAS + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    /* Subnormal results: beside 1/2 the float addition rounds at the last digit that a half has. */
    uint32_t subnormal = float_to_bits(bits_to_float(magnitude) + 0.5f) - float_to_bits(0.5f);
    uint32_t half = magnitude < (113u << 23) ? subnormal : normal;
    half = magnitude >= (143u << 23) ? 0x7c00u : half;
    half = magnitude > 0x7f800000u ? 0x7e00u : half;
    return (uint16_t)(half | sign);
}

CONVERSION(widen_float16, uint16_t, float, float16_to_float)
CONVERSION(narrow_float16, float, uint16_t, float_to_float16)

#endif
#undef CONVERSION

#endif
