/* Holds float32 results against true values in double, a billion a few seconds: errors, order, range and parity.

   Every function adds what it finds to a verdict. The loops over whole arrays are written so that compilers vectorise
   them; only where one finds something does a second, slower one look for its place. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    double error;          /* the largest, in ULP */
    float error_at;        /* the input that has it */
    float error_in;        /* the result that has it */
    int64_t falls;         /* neighbouring inputs whose results are in the wrong order */
    double fall;           /* the largest step in the wrong direction, in ULP of the result */
    float fall_at;         /* the smaller input of the two */
    int64_t outside;       /* results out of the function's range */
    float outside_at;
    int64_t asymmetric;    /* results whose mirror image is another */
    float asymmetric_at;
} verdict;

enum { BLOCK = 1024 };

/* Exponents, as the bits of a double hold them. */
enum { SMALLEST_ULP = 1023 - 149, ULP_OF_1 = 1023 - 23 };

/* The ULP of a true value is that of its binade, and at least 2 to an exponent; numbers beyond the largest are cut to
   2**128. Returns the error's bits, whose order as integers is that of numbers that are not negative. */
static inline int64_t error_bits(float y, double truth, int64_t least_exponent)
{
    const double edge = 0x1p128;
    double computed = y > edge ? edge : y < -edge ? -edge : y;
    double cut = truth > edge ? edge : truth < -edge ? -edge : truth;
    double error, per_ulp;
    int64_t bits, exponent;
    memcpy(&bits, &cut, sizeof bits);
    exponent = (bits >> 52 & 0x7ff) - 23;
    exponent = exponent < least_exponent ? least_exponent : exponent;
    bits = (2046 - exponent) << 52;
    memcpy(&per_ulp, &bits, sizeof bits);
    error = fabs(computed - cut) * per_ulp;
    error = (y != y) & (truth != truth) ? 0 : error;
    memcpy(&bits, &error, sizeof bits);
    return bits;
}

/* Within `zone` of a root, an ULP is at least that of 1. */
static int64_t least_exponent(float x, const double *roots, int n_roots, double zone)
{
    for (int k = 0; k < n_roots; k++)
        if (fabs(x - roots[k]) <= zone)
            return ULP_OF_1;
    return SMALLEST_ULP;
}

void judge_errors(const float *x, const float *y, const double *truth, ptrdiff_t n, const double *roots, int n_roots,
                  double zone, verdict *v)
{
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t end = start + BLOCK < n ? start + BLOCK : n;
        int64_t largest = 0, known;
        memcpy(&known, &v->error, sizeof known);
        for (ptrdiff_t i = start; i < end; i++) {
            int64_t bits = error_bits(y[i], truth[i], SMALLEST_ULP);
            largest = bits > largest ? bits : largest;
        }
        if (largest <= known)
            continue;
        for (ptrdiff_t i = start; i < end; i++) {
            int64_t bits = error_bits(y[i], truth[i], least_exponent(x[i], roots, n_roots, zone));
            if (bits > known) {
                double error;
                known = bits;
                memcpy(&error, &bits, sizeof error);
                v->error = isnan(error) ? INFINITY : error;
                v->error_at = x[i];
                v->error_in = y[i];
            }
        }
    }
}

/* x ascends, or with `descending` it descends. */
void judge_order(const float *x, const float *y, ptrdiff_t n, int descending, verdict *v)
{
    const float *lower = y + descending, *upper = y + !descending;
    for (ptrdiff_t start = 0; start < n - 1; start += BLOCK) {
        ptrdiff_t end = start + BLOCK < n - 1 ? start + BLOCK : n - 1;
        int falls = 0;
        for (ptrdiff_t i = start; i < end; i++)
            falls += lower[i] > upper[i];
        if (!falls)
            continue;
        v->falls += falls;
        for (ptrdiff_t i = start; i < end; i++) {
            if (lower[i] > upper[i]) {
                double fall = ((double)lower[i] - upper[i]) / (nextafterf(fabsf(lower[i]), INFINITY) - fabsf(lower[i]));
                if (fall > v->fall) {
                    v->fall = fall;
                    v->fall_at = x[i + descending];
                }
            }
        }
    }
}

void judge_range(const float *x, const float *y, ptrdiff_t n, float low, float high, verdict *v)
{
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t end = start + BLOCK < n ? start + BLOCK : n;
        int outside = 0;
        for (ptrdiff_t i = start; i < end; i++)
            outside += (y[i] < low) | (y[i] > high);
        v->outside += outside;
        for (ptrdiff_t i = start; outside && i < end; i++)
            if (y[i] < low || y[i] > high)
                v->outside_at = x[i];
    }
}

/* `mirrored` holds the results at -x: the same, or with `odd` their opposites. A zero's sign is free. */
void judge_parity(const float *x, const float *y, const float *mirrored, ptrdiff_t n, int odd, verdict *v)
{
    for (ptrdiff_t start = 0; start < n; start += BLOCK) {
        ptrdiff_t end = start + BLOCK < n ? start + BLOCK : n;
        float sign = odd ? -1 : 1;
        int asymmetric = 0;
        for (ptrdiff_t i = start; i < end; i++)
            asymmetric += (y[i] != sign * mirrored[i]) & (y[i] == y[i]);
        v->asymmetric += asymmetric;
        for (ptrdiff_t i = start; asymmetric && i < end; i++)
            if (y[i] != sign * mirrored[i] && y[i] == y[i])
                v->asymmetric_at = x[i];
    }
}
