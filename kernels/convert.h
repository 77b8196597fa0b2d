/*
 * Half-precision conversions: a vector at a time where the target has the instructions, else in arithmetic that the
 * compiler vectorises. Widening is exact; narrowing rounds to nearest, ties to even, overflows to infinity, and keeps
 * NaN a NaN. bfloat16's knows no NaN: it would carry one whose last 15 digits are set out of the exponent. Arithmetic
 * makes none from widened halves; a float32 parameter that may be one goes through plain_nan().
 */
#ifndef FASTACT_CONVERT_H
#define FASTACT_CONVERT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__) || defined(__AVX512BW__)
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
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline float plain_nan(float value)
{
    return value == value ? value : bits_to_float(0x7fc00000u);
}

#if defined(__F16C__)

static inline float float16_to_float(uint16_t half) { return _cvtsh_ss(half); }
static inline uint16_t float_to_float16(float value) { return _cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT); }

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

#endif

#if defined(__AVX512BW__)

enum { HALVES_IN_VECTOR = 16 };

static inline __m512 widened_float16(__m256i halves)
{
    return _mm512_cvtph_ps(halves);
}

static inline __m256i narrowed_float16(__m512 floats)
{
    return _mm512_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT);
}

/* The index of each word in the vector that it moves to: into every second one, and back. */
static inline __m512i spread_words(void)
{
    return _mm512_slli_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 16);
}

static inline __m512i odd_words(void)
{
    return _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0x1f001d, 0x1b0019, 0x170015, 0x130011, 0x0f000d, 0x0b0009,
                            0x070005, 0x030001);
}

static inline __m512 widened_bfloat16(__m256i brains)
{
    return _mm512_castsi512_ps(
        _mm512_maskz_permutexvar_epi16(0xaaaaaaaa, spread_words(), _mm512_castsi256_si512(brains)));
}

static inline __m256i narrowed_bfloat16(__m512 floats)
{
    __m512i bits = _mm512_castps_si512(floats);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    return _mm512_castsi512_si256(_mm512_permutexvar_epi16(odd_words(), rounded));
}

static inline void widen_vector_float16(const uint16_t *from, float *to)
{
    _mm512_storeu_ps(to, widened_float16(_mm256_loadu_si256((const __m256i *)from)));
}

static inline void narrow_vector_float16(const float *from, uint16_t *to)
{
    _mm256_storeu_si256((__m256i *)to, narrowed_float16(_mm512_loadu_ps(from)));
}

static inline void widen_vector_bfloat16(const uint16_t *from, float *to)
{
    _mm512_storeu_ps(to, widened_bfloat16(_mm256_loadu_si256((const __m256i *)from)));
}

static inline void narrow_vector_bfloat16(const float *from, uint16_t *to)
{
    _mm256_storeu_si256((__m256i *)to, narrowed_bfloat16(_mm512_loadu_ps(from)));
}

#elif defined(__F16C__) && defined(__AVX2__)

enum { HALVES_IN_VECTOR = 8 };

static inline void widen_vector_float16(const uint16_t *from, float *to)
{
    _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from)));
}

static inline void narrow_vector_float16(const float *from, uint16_t *to)
{
    _mm_storeu_si128((__m128i *)to, _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
}

static inline void widen_vector_bfloat16(const uint16_t *from, float *to)
{
    __m256i brains = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)from));
    _mm256_storeu_si256((__m256i *)to, _mm256_slli_epi32(brains, 16));
}

static inline void narrow_vector_bfloat16(const float *from, uint16_t *to)
{
    __m256i bits = _mm256_loadu_si256((const __m256i *)from);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    rounded = _mm256_srli_epi32(rounded, 16);
    _mm_storeu_si128((__m128i *)to, _mm_packus_epi32(_mm256_castsi256_si128(rounded),
                                                     _mm256_extracti128_si256(rounded, 1)));
}

#else

enum { HALVES_IN_VECTOR = 0 };
#define VECTORS(VECTOR)

#endif

#if !defined(VECTORS)
#define VECTORS(VECTOR)                                                                              \
    for (; i + HALVES_IN_VECTOR <= n; i += HALVES_IN_VECTOR) {                                       \
        VECTOR(source + i, target + i);                                                              \
    }
#endif

#define CONVERSION(NAME, FROM, TO, VECTOR, SCALAR)                                                   \
    static inline void NAME(const void *from, void *to, ptrdiff_t n)                                 \
    {                                                                                                \
        const FROM *source = from;                                                                   \
        TO *target = to;                                                                             \
        ptrdiff_t i = 0;                                                                             \
        VECTORS(VECTOR)                                                                              \
        for (; i < n; i++) {                                                                         \
            target[i] = SCALAR(source[i]);                                                           \
        }                                                                                            \
    }

CONVERSION(widen_float16, uint16_t, float, widen_vector_float16, float16_to_float)
CONVERSION(narrow_float16, float, uint16_t, narrow_vector_float16, float_to_float16)
CONVERSION(widen_bfloat16, uint16_t, float, widen_vector_bfloat16, bfloat16_to_float)
CONVERSION(narrow_bfloat16, float, uint16_t, narrow_vector_bfloat16, float_to_bfloat16)

#undef CONVERSION
#undef VECTORS

#endif
