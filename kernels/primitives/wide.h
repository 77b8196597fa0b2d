/*
 * What the formulas of activations/wide.h share: float32 arithmetic on a batch of four AVX-512 vectors.
 *
 * The formulas of the other files are for one number, and the compiler makes vectors of them. These are for what it
 * would not find: small tables in registers, from which one instruction takes an entry for each lane, and the
 * processor's rough inverse, where a division would occupy the multipliers for six cycles. Four vectors go through a
 * formula abreast, for on its own each would wait for the last instruction's result.
 */
#ifndef FASTACT_WIDE_H
#define FASTACT_WIDE_H

#include <float.h>
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "convert.h"
#include "inline.h"
#include "primitives/wide_tables.h"

enum {
    VECTORS_ABREAST = 4,
    VECTOR_LANES = 16,
    BATCH = VECTORS_ABREAST * VECTOR_LANES,
};

typedef struct {
    __m512 vector[VECTORS_ABREAST];
} batch;

/* A truth about each number of a batch. */
typedef struct {
    __mmask16 vector[VECTORS_ABREAST];
} batch_mask;

/* A function's body: what vector k of the result is. */
#define VECTORWISE(type, expression)                                                                 \
    type result;                                                                                     \
    for (int k = 0; k < VECTORS_ABREAST; k++) {                                                      \
        result.vector[k] = (expression);                                                             \
    }                                                                                                \
    return result

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Where vector k of n numbers stands. Of a batch that is not full, the others are copies of the first. */
static ALWAYS_INLINE ptrdiff_t place_of_vector(int k, ptrdiff_t n)
{
    return k * VECTOR_LANES < n ? k * VECTOR_LANES : 0;
}

/* For each array type: n <= BATCH of its elements, whole vectors of them, as float32, and back, or past the caches. */
#define ARRAY_TYPE(name, type, load, widen, narrow, store, stream)                                   \
    static ALWAYS_INLINE batch load_##name(const void *from, ptrdiff_t i, ptrdiff_t n)               \
    {                                                                                                \
        const type *x = (const type *)from + i;                                                      \
        VECTORWISE(batch, widen(load((const void *)(x + place_of_vector(k, n)))));                   \
    }                                                                                                \
    static ALWAYS_INLINE void store_##name(void *to, ptrdiff_t i, batch x, ptrdiff_t n)              \
    {                                                                                                \
        for (int k = 0; k * VECTOR_LANES < n; k++) {                                                 \
            store((void *)((type *)to + i + k * VECTOR_LANES), narrow(x.vector[k]));                 \
        }                                                                                            \
    }                                                                                                \
    static ALWAYS_INLINE void stream_##name(void *to, ptrdiff_t i, batch x, ptrdiff_t n)             \
    {                                                                                                \
        for (int k = 0; k * VECTOR_LANES < n; k++) {                                                 \
            stream((void *)((type *)to + i + k * VECTOR_LANES), narrow(x.vector[k]));                \
        }                                                                                            \
    }

#define AS_IT_IS(x) (x)
ARRAY_TYPE(float, float, _mm512_loadu_ps, AS_IT_IS, AS_IT_IS, _mm512_storeu_ps, _mm512_stream_ps)
ARRAY_TYPE(float16, uint16_t, _mm256_loadu_si256, widened_float16, narrowed_float16, _mm256_storeu_si256,
           _mm256_stream_si256)
ARRAY_TYPE(bfloat16, uint16_t, _mm256_loadu_si256, widened_bfloat16, narrowed_bfloat16, _mm256_storeu_si256,
           _mm256_stream_si256)
#undef ARRAY_TYPE
#undef AS_IT_IS

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

static ALWAYS_INLINE batch all(float x)
{
    VECTORWISE(batch, _mm512_set1_ps(x));
}

static ALWAYS_INLINE batch plus(batch a, batch b)
{
    VECTORWISE(batch, _mm512_add_ps(a.vector[k], b.vector[k]));
}

static ALWAYS_INLINE batch minus(batch a, batch b)
{
    VECTORWISE(batch, _mm512_sub_ps(a.vector[k], b.vector[k]));
}

static ALWAYS_INLINE batch product(batch a, batch b)
{
    VECTORWISE(batch, _mm512_mul_ps(a.vector[k], b.vector[k]));
}

/* a b + c, rounded once, as the next two. */
static ALWAYS_INLINE batch product_plus(batch a, batch b, batch c)
{
    VECTORWISE(batch, _mm512_fmadd_ps(a.vector[k], b.vector[k], c.vector[k]));
}

/* a b - c. */
static ALWAYS_INLINE batch product_minus(batch a, batch b, batch c)
{
    VECTORWISE(batch, _mm512_fmsub_ps(a.vector[k], b.vector[k], c.vector[k]));
}

/* a - b c. */
static ALWAYS_INLINE batch minus_product(batch a, batch b, batch c)
{
    VECTORWISE(batch, _mm512_fnmadd_ps(b.vector[k], c.vector[k], a.vector[k]));
}

/* 1 / a, to 14 binary places. */
static ALWAYS_INLINE batch rough_inverse(batch a)
{
    VECTORWISE(batch, _mm512_rcp14_ps(a.vector[k]));
}

/* In the next two NaN stays: of a number and NaN the instructions return the second. */
static ALWAYS_INLINE batch at_least(float low, batch x)
{
    VECTORWISE(batch, _mm512_max_ps(_mm512_set1_ps(low), x.vector[k]));
}

static ALWAYS_INLINE batch at_most(float high, batch x)
{
    VECTORWISE(batch, _mm512_min_ps(_mm512_set1_ps(high), x.vector[k]));
}

/* x with the largest number in place of infinity: its product with a small number that may be 0 is a number. */
static ALWAYS_INLINE batch without_infinity(batch x)
{
    /* The smaller magnitude, with the first one's sign. */
    VECTORWISE(batch, _mm512_range_ps(x.vector[k], _mm512_set1_ps(FLT_MAX), 2));
}

static ALWAYS_INLINE batch magnitude(batch x)
{
    VECTORWISE(batch, _mm512_abs_ps(x.vector[k]));
}

static ALWAYS_INLINE batch negative(batch x)
{
    VECTORWISE(batch, _mm512_xor_ps(x.vector[k], _mm512_set1_ps(-0.0f)));
}

/* a >= 0 with the sign of another number. */
static ALWAYS_INLINE batch with_sign(batch a, batch sign)
{
    VECTORWISE(batch, _mm512_or_ps(a.vector[k], _mm512_and_ps(sign.vector[k], _mm512_set1_ps(-0.0f))));
}

static ALWAYS_INLINE batch_mask is_above(float limit, batch x)
{
    VECTORWISE(batch_mask, _mm512_cmp_ps_mask(x.vector[k], _mm512_set1_ps(limit), _CMP_GT_OQ));
}

static ALWAYS_INLINE int any(batch_mask mask)
{
    int found = 0;
    for (int k = 0; k < VECTORS_ABREAST; k++) {
        found |= mask.vector[k];
    }
    return found;
}

/* a 2**n, for any float n, rounded down: where the result is subnormal, it is rounded only here. */
static ALWAYS_INLINE batch scaled(batch a, batch n)
{
    VECTORWISE(batch, _mm512_scalef_ps(a.vector[k], n.vector[k]));
}

static ALWAYS_INLINE batch choose(batch_mask which, batch yes, batch no)
{
    VECTORWISE(batch, _mm512_mask_mov_ps(no.vector[k], which.vector[k], yes.vector[k]));
}

/* ---- exponentials ------------------------------------------------------------------------------------------------ */

/* e**v = 2**(n/16) e**r, |r| <= log(2) / 32. To add ROUNDER leaves n/16 in the lowest bits of a sum, four binary places
   of it, and the lowest four name an entry of the table of powers. */
#define ROUNDER 786432.0f
#define FLOAT_LOG2_E 1.442695f
#define FLOAT_LOG_2 0.6931472f
#define FLOAT_LOG_2_REST -1.9046542e-09f  /* what log(2) has beyond that */
#define UP 1.8446744073709552e+19f  /* 2**64 */
#define DOWN 5.4210109e-20f         /* 2**-64 */
enum { SCALE = 64 };

/* power (1 + excess). */
typedef struct {
    batch power, excess;
} exponential;

static ALWAYS_INLINE batch entry_of_16(batch index, const float *table)
{
    VECTORWISE(batch, _mm512_permutexvar_ps(_mm512_castps_si512(index.vector[k]), _mm512_loadu_ps(table)));
}

/* 2**(n/16) from the sum: the table's entry, with n's integer part added to its exponent. */
static ALWAYS_INLINE __m512 power_of_2(__m512 sum)
{
    __m512i n = _mm512_castps_si512(sum);
    __m512i mantissa = _mm512_permutexvar_epi32(n, _mm512_loadu_si512(POWERS));
    return _mm512_castsi512_ps(_mm512_add_epi32(mantissa, _mm512_slli_epi32(n, 19)));
}

static ALWAYS_INLINE batch powers_of_2(batch sum)
{
    VECTORWISE(batch, power_of_2(sum.vector[k]));
}

/* e**r - 1 for |r| <= log(2) / 32. */
static ALWAYS_INLINE __m512 expm1_of_small(__m512 r)
{
    /* remez exp_sixteenth */
    __m512 ratio = _mm512_fmadd_ps(_mm512_set1_ps(0.16666718f), r, _mm512_set1_ps(0.50001615f));
    return _mm512_fmadd_ps(_mm512_mul_ps(r, r), ratio, r);
}

static ALWAYS_INLINE batch excess_of(batch r, batch sum)
{
    VECTORWISE(batch, _mm512_add_ps(expm1_of_small(r.vector[k]), entry_of_16(sum, POWERS_MISS).vector[k]));
}

/* A number in two parts. */
typedef struct {
    batch high, low;
} batch_parts;

/* 2**scale e**(v + v_low). */
static ALWAYS_INLINE exponential exp_of_sum(batch v, batch v_low, int scale)
{
    batch rounder = all(ROUNDER + (float)scale);
    batch sum = product_plus(v, all(FLOAT_LOG2_E), rounder);
    batch n = minus(sum, rounder);
    batch r = plus(minus_product(v, n, all(FLOAT_LOG_2)), minus_product(v_low, n, all(FLOAT_LOG_2_REST)));
    return (exponential){powers_of_2(sum), excess_of(r, sum)};
}

/* 2**scale e**v. */
static ALWAYS_INLINE exponential exp_of(batch v, int scale)
{
    batch rounder = all(ROUNDER + (float)scale);
    batch sum = product_plus(v, all(FLOAT_LOG2_E), rounder);
    batch n = minus(sum, rounder);
    batch r = minus_product(minus_product(v, n, all(FLOAT_LOG_2)), n, all(FLOAT_LOG_2_REST));
    return (exponential){powers_of_2(sum), excess_of(r, sum)};
}

/* 2**n (1 + excess), for arguments whose exponential a float32 may not hold. */
typedef struct {
    batch sum;          /* powers_of_2 makes 2**n of it */
    batch fraction;     /* 2**n without n's integer part */
    batch excess, n;
} far_exponential;

static ALWAYS_INLINE far_exponential far_exp_of(batch v, batch v_low)
{
    batch sum = product_plus(v, all(FLOAT_LOG2_E), all(ROUNDER)), n = minus(sum, all(ROUNDER));
    batch r = plus(minus_product(v, n, all(FLOAT_LOG_2)), minus_product(v_low, n, all(FLOAT_LOG_2_REST)));
    return (far_exponential){sum, entry_of_16(sum, FRACTIONS), excess_of(r, sum), n};
}

/* power (1 + excess) (high + low), where the first factor and low are small beside 1 and high. */
static ALWAYS_INLINE batch_parts product_of_exp(batch power, batch excess, batch high, batch low)
{
    batch first = product(power, high), rest = product_minus(power, high, first);
    return (batch_parts){first, product_plus(power, product_plus(excess, plus(high, low), low), rest)};
}

/* ---- quotients ---------------------------------------------------------------------------------------------------- */

/* 1 + e**v for v >= 0, over 2**64, from the exponential over that. */
static ALWAYS_INLINE batch_parts one_plus(exponential e)
{
    batch one = all(DOWN), high = plus(e.power, one);
    return (batch_parts){high, product_plus(e.power, e.excess, plus(minus(e.power, high), one))};
}

/* 1 / d = y (1 + rest). The remainder e is exact but for d.low, and 1 / (1 - e) = 1 + e + e**2 + ...; with the square,
   the function that the inverse serves does not fall from one argument to the next where the rough inverse jumps. */
static ALWAYS_INLINE batch rest_of_inverse(batch y, batch_parts d)
{
    batch e = minus_product(minus_product(all(1.0f), y, d.high), y, d.low);
    return product_plus(e, e, e);
}

static ALWAYS_INLINE batch inverse_of(batch_parts d)
{
    batch y = rough_inverse(plus(d.high, d.low));
    return product_plus(y, rest_of_inverse(y, d), y);
}

static ALWAYS_INLINE batch_parts inverse_in_parts(batch_parts d)
{
    batch y = rough_inverse(plus(d.high, d.low));
    return (batch_parts){y, product(y, rest_of_inverse(y, d))};
}

/* a / d. */
static ALWAYS_INLINE batch quotient_of(batch a, batch_parts d)
{
    batch inverse = rough_inverse(plus(d.high, d.low)), y = product(a, inverse);
    batch rest = minus_product(minus_product(a, y, d.high), y, d.low);
    return product_plus(inverse, rest, y);
}

/* ---- functions piece by piece ------------------------------------------------------------------------------------- */

/* A function of a >= 0 as one of 32 polynomials in u = a - t, of the fifth degree: see kernels/coefficients/wide.py. */
typedef const float pieces[7][32];

/* Which polynomial, and u. */
typedef struct {
    batch index, u;
} piece;

static ALWAYS_INLINE batch entry_of_32(batch index, const float *table)
{
    VECTORWISE(batch, _mm512_permutex2var_ps(_mm512_loadu_ps(table), _mm512_castps_si512(index.vector[k]),
                                             _mm512_loadu_ps(table + VECTOR_LANES)));
}

static ALWAYS_INLINE batch exponent_and_three_bits(batch b)
{
    VECTORWISE(batch, _mm512_castsi512_ps(_mm512_srli_epi32(_mm512_castps_si512(b.vector[k]), 20)));
}

static ALWAYS_INLINE piece piece_at(batch a, float scale, pieces table)
{
    batch index = exponent_and_three_bits(product_plus(a, all(scale), all(1.0f)));
    return (piece){index, minus(a, entry_of_32(index, table[0]))};
}

static ALWAYS_INLINE batch coefficient(piece p, int power, pieces table)
{
    return entry_of_32(p.index, table[power + 1]);
}

/* u (c2 + u (c3 + u (c4 + u c5))). */
static ALWAYS_INLINE batch curve(piece p, pieces table)
{
    batch y = product_plus(p.u, coefficient(p, 5, table), coefficient(p, 4, table));
    y = product_plus(p.u, y, coefficient(p, 3, table));
    return product(p.u, product_plus(p.u, y, coefficient(p, 2, table)));
}

/* All but c0. */
static ALWAYS_INLINE batch change(piece p, pieces table)
{
    return product(p.u, plus(curve(p, table), coefficient(p, 1, table)));
}

#endif
