/*
 * Half-precision conversions, in integer arithmetic where the processor has no instruction for them, so that the
 * compiler vectorises them on every target. Widening is exact; narrowing rounds to nearest, ties to even, keeps
 * NaN a quiet NaN, and overflows to infinity.
 */
#ifndef FASTACT_CONVERT_H
#define FASTACT_CONVERT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static inline float float16_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    /* Multiplying by 2**112 rebiases the exponent and normalises subnormals; infinities and NaN are then mended. */
    float scaled = bits_to_float(magnitude) * 0x1p112f;
    uint32_t bits = float_to_bits(scaled);
    uint32_t special = magnitude >= (0x7c00u << 13) ? 0x7f800000u : 0u;
    return bits_to_float(bits | special | sign);
}

static inline uint16_t float_to_float16(float value)
{
    uint32_t bits = float_to_bits(value);
    uint32_t sign = (bits >> 16) & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    /* Normal results: drop 13 bits, rounding half to even; the carry runs into the exponent as it should. */
    uint32_t normal = (magnitude - (112u << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    /* Subnormal results: adding 2**-1 * 2**... lets the float adder do the rounding at the right place. */
    uint32_t subnormal = float_to_bits(bits_to_float(magnitude) + 0.5f) - float_to_bits(0.5f);
    uint32_t half = magnitude < (113u << 23) ? subnormal : normal;
    half = magnitude >= (143u << 23) ? 0x7c00u : half;
    half = magnitude > 0x7f800000u ? 0x7e00u : half;
    return (uint16_t)(half | sign);
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

CONVERSION(widen_float16, uint16_t, float, float16_to_float)
CONVERSION(widen_bfloat16, uint16_t, float, bfloat16_to_float)
CONVERSION(narrow_float16, float, uint16_t, float_to_float16)
CONVERSION(narrow_bfloat16, float, uint16_t, float_to_bfloat16)
#undef CONVERSION

#endif
