/*
 * The arithmetic of the row-wise functions, on contiguous numbers of one type. rowwise.h includes this file twice: with
 * `real` as float (SUFFIX float, IS_FLOAT 1) and as double.
 *
 * exp(x - maximum) never rounds its argument. Where the maximum is small, x itself is reduced to n log 2 + r, and
 * 2**(n - N) exp(r) stands for exp(x - maximum), N belonging to the maximum: the constant factor cancels in the
 * quotient. Where it is large, x - maximum is exact for every x that matters, for both have nearly the same exponent
 * (Sterbenz). All exponentials carry a factor 2**BIAS, so that those whose quotient is subnormal, or rounds to 0, are
 * normal numbers themselves: no case is special, and quotients underflow gradually.
 */

#if IS_FLOAT
#define BITS_OF bits_of_float32
#define OF_BITS float32_of_bits
#define FMA fma_float32
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define BIAS 60
#define WIDTH 128.5f                /* exp(-WIDTH) 2**BIAS is just normal */
#define LARGE 512.0f                /* from here on x - maximum is exact for the x within WIDTH of the maximum */
#define ROUNDING_SHIFT 0x1.8p23f
#define LOG2_E 1.44269504f
#define LN2_HIGH 0.693359375f       /* few enough bits for exact products with n */
#define LN2_LOW -2.12194440e-4f
typedef int32_t R(integer);
typedef uint32_t R(bits);
#else
#define BITS_OF bits_of_float64
#define OF_BITS float64_of_bits
#define FMA fma_float64
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define BIAS 100
#define WIDTH 777.0
#define LARGE 2048.0
#define ROUNDING_SHIFT 0x1.8p52
#define LOG2_E 1.4426950408889634
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
typedef int64_t R(integer);
typedef uint64_t R(bits);
#endif

/* What exponentials are taken relative to: see above. */
typedef struct {
    real center;        /* subtracted from x: the maximum where it is large, else 0 */
    real low;           /* x - center is taken as at least this: its exponential is as good as 0 */
    real shift;         /* rounds to an integer when added, and turns it into the exponent of the result */
} R(reference);

/* The reference for a row with this maximum; an infinite one makes every exponential NaN. */
static ALWAYS_INLINE R(reference) R(reference_for)(real maximum)
{
    R(reference) reference;
    real magnitude = maximum < 0 ? -maximum : maximum;
    reference.center = magnitude >= LARGE ? maximum : 0;
    real top = maximum - reference.center;
    real exponent = (top * LOG2_E + ROUNDING_SHIFT) - ROUNDING_SHIFT;
    reference.low = top - WIDTH;
    reference.shift = ROUNDING_SHIFT + EXPONENT_BIAS + BIAS - exponent;
    return reference;
}

/* exp(r) - 1 for |r| <= log(2) / 2. */
static ALWAYS_INLINE real R(short_expm1)(real r)
{
#if IS_FLOAT
    /* remez exp32 */
    real q = FMA(FMA(FMA(FMA(0.0013814617f, r, 0.00836871f), r, 0.04166839f), r, 0.16666521f), r, 0.49999994f);
#else
    /* remez exp64 */
    real q = 2.5000067321957548e-08;
    q = FMA(q, r, 2.763023366422882e-07);
    q = FMA(q, r, 2.7557586281944997e-06);
    q = FMA(q, r, 2.480149313700458e-05);
    q = FMA(q, r, 0.0001984126950676485);
    q = FMA(q, r, 0.0013888888943596833);
    q = FMA(q, r, 0.008333333333494336);
    q = FMA(q, r, 0.041666666666530267);
    q = FMA(q, r, 0.16666666666666413);
    q = FMA(q, r, 0.5000000000000011);
#endif
    return FMA(r * r, q, r);
}

/* exp(x - maximum) in the reference's unit as power * (1 + excess). NaN stays NaN. */
static ALWAYS_INLINE real R(exponential_parts)(real x, real center, real low, real shift, real *power)
{
    real z = x - center;
    z = z < low ? low : z;
    real t = FMA(z, LOG2_E, shift);
    real n = t - shift;
    real r = FMA(n, -LN2_LOW, FMA(n, -LN2_HIGH, z));
    *power = OF_BITS(BITS_OF(t) << MANTISSA_BITS);
    return R(short_expm1)(r);
}

static ALWAYS_INLINE real R(exponential)(real x, real center, real low, real shift)
{
    real power, excess = R(exponential_parts)(x, center, low, shift, &power);
    return FMA(excess, power, power);
}

/* exp of the maximum in its own unit, in double whatever the type is: other exponentials are compared with it. */
static ALWAYS_INLINE double R(unit_of)(real maximum)
{
    R(reference) reference = R(reference_for)(maximum);
    double n = (double)(ROUNDING_SHIFT + EXPONENT_BIAS + BIAS) - (double)reference.shift;
    double r = ((double)maximum - reference.center) - n * 6.93147180369123816490e-01 - n * 1.90821492927058770002e-10;
    return (1 + short_expm1_double(r)) * (IS_FLOAT ? 0x1p60 : 0x1p100);
}

/* e / sum as e * (1 / sum), rounded once where the type allows it: of the quotient's error only e's is left. */
#define FACTOR_LOW(sum, reciprocal) (HAS_FMA ? fma_float64(-(reciprocal), sum, 1.0) * (reciprocal) : 0.0)

typedef struct {
    real high, low;
} R(factor);

static ALWAYS_INLINE R(factor) R(factor_of)(double sum)
{
    R(factor) factor;
    double reciprocal = 1 / sum;
    factor.high = (real)reciprocal;
    factor.low = (real)(IS_FLOAT ? reciprocal - factor.high : FACTOR_LOW(sum, reciprocal));
    return factor;
}

/* The share of one exponential in the sum. That of the largest may exceed 1 by its rounding. */
static ALWAYS_INLINE real R(scaled)(real e, real high, real low)
{
#if HAS_FMA || !IS_FLOAT
    return FMA(e, high, e * low);
#else
    return (real)(e * ((double)high + low));
#endif
}

/* Where a row's largest exponential has a share above 1: brings down all that have. */
static void R(cap)(real *e, ptrdiff_t n, real largest, real high, real low)
{
    while (R(scaled)(largest, high, low) > 1) {
        largest = OF_BITS(BITS_OF(largest) - 1);
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        e[i] = e[i] > largest ? largest : e[i];
    }
}

/* The last VECTOR entries of a row of n, and how many of them are none of its tail: a row of fewer entries is led by
   as many -inf, which count as nothing themselves. */
static inline R(integer) R(load_tail)(const real *x, ptrdiff_t n, real *tail)
{
    int before = VECTOR - (int)(n & (VECTOR - 1));
    if (n >= VECTOR) {
        memcpy(tail, x + n - VECTOR, VECTOR * sizeof(real));
        return before;
    }
    for (int i = 0; i < before; i++) {
        tail[i] = -(real)INFINITY;
    }
    memcpy(tail + before, x, (size_t)n * sizeof(real));
    return 0;
}

/* Numbers as integers of the same order, so that the compiler may reduce them in any order. The function is its own
   inverse. */
static inline R(integer) R(ordinal)(R(integer) bits)
{
    return bits ^ ((bits >> (sizeof bits * 8 - 1)) & (R(integer))((R(bits))-1 >> 1));
}

static inline void R(raise_lanes)(real *largest, const real *x, int lanes)
{
    for (int l = 0; l < lanes; l++) {
        largest[l] = x[l] > largest[l] ? x[l] : largest[l];
    }
}

/* The largest of x but for NaN; -inf where all are. */
static real R(maximum)(const real *x, ptrdiff_t n)
{
    real largest[MAXIMUM_LANES], tail[VECTOR];
    ptrdiff_t i = 0;
    for (int l = 0; l < MAXIMUM_LANES; l++) {
        largest[l] = -(real)INFINITY;
    }
    for (; i + MAXIMUM_LANES <= n; i += MAXIMUM_LANES) {
        R(raise_lanes)(largest, x + i, MAXIMUM_LANES);
    }
    for (; i + VECTOR <= n; i += VECTOR) {
        R(raise_lanes)(largest, x + i, VECTOR);
    }
    if (i < n && n >= VECTOR) {
        R(raise_lanes)(largest, x + n - VECTOR, VECTOR);        /* the tail, and some once more */
    }
    else if (i < n) {
        R(load_tail)(x, n, tail);
        R(raise_lanes)(largest, tail, VECTOR);
    }
    R(raise_lanes)(largest, largest + 2 * SUM_LANES, 2 * SUM_LANES);
    R(raise_lanes)(largest, largest + SUM_LANES, SUM_LANES);
    R(integer) ordinal = R(ordinal)((R(integer))BITS_OF(largest[0]));
    for (int l = 0; l < SUM_LANES; l++) {
        R(integer) other = R(ordinal)((R(integer))BITS_OF(largest[l]));
        ordinal = other > ordinal ? other : ordinal;
    }
    return OF_BITS((R(bits))R(ordinal)(ordinal));
}

static int R(any_nan)(const real *x, ptrdiff_t n)
{
    int found = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        found |= x[i] != x[i];
    }
    return found;
}

#if !IS_FLOAT
/* A sum in SUM_LANES lanes, with the rounding errors in `carry`. */
typedef struct {
    double sum[SUM_LANES], carry[SUM_LANES];
} lane_sums;

static inline void add_to_lane(lane_sums *sums, int lane, double term)
{
    double before = sums->sum[lane];
    double after = before + term;
    double added = after - before;
    sums->carry[lane] += (before - (after - added)) + (term - added);
    sums->sum[lane] = after;
}

static inline void add_to_lanes(lane_sums *sums, const double *x, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    for (; i + VECTOR <= n; i += VECTOR) {
        for (int lane = 0; lane < SUM_LANES; lane++) {
            add_to_lane(sums, lane, x[i + lane] + x[i + lane + SUM_LANES]);
        }
    }
    if (i < n) {
        double last[VECTOR] = {0};
        memcpy(last, x + i, (size_t)(n - i) * sizeof(double));
        for (int lane = 0; lane < SUM_LANES; lane++) {
            add_to_lane(sums, lane, last[lane] + last[lane + SUM_LANES]);
        }
    }
}

static inline double total_of(const lane_sums *sums)
{
    double lanes[SUM_LANES];
    for (int l = 0; l < SUM_LANES; l++) {
        lanes[l] = sums->sum[l] + sums->carry[l];
    }
    return sum_of_lanes(lanes);
}
#endif

/* ---- softmax, log_softmax and logsumexp -------------------------------------------------------------------------- */

/* Takes the sums of a row over to the reference of a larger maximum. */
static void R(move_sums)(row_state *state, double maximum)
{
    if (state->maximum > -INFINITY) {
        R(reference) from = R(reference_for)((real)state->maximum), to = R(reference_for)((real)maximum);
        double factor = ldexp(from.center == to.center ? 1.0 : exp((double)from.center - (double)to.center),
                              (int)fmax((double)to.shift - (double)from.shift, -3000.0));
        add_to_sum(state, (double)state->count * R(unit_of)((real)state->maximum));
        state->sum *= factor;
        state->carry *= factor;
    }
    state->maximum = maximum;
    state->count = 0;
}

/* The sum of a row's exponentials. With `counts` set, the maximum's are not in it but are counted: they would take the
   sum's last digits, and log1p needs these where one entry towers above the others. Exponentials that are stored, to
   `e`, are rounded, those in the sum are not: where few entries count, each one's rounding does. */
#define EXPONENTIAL(x, power) R(exponential_parts)(x, reference.center, reference.low, reference.shift, &power)
#define ROUNDED(excess, power) FMA(excess, power, power)

#if IS_FLOAT
/* float32 sums whose rounding errors do not count (Rump, Ogita and Oishi 2008): added to a number as large as
   GRID_ORIGIN, a term is rounded to a multiple of 2**44, and such sums are exact; what that left goes into `rest`. */
#define GRID_ORIGIN 0x1.8p67f       /* GRID_STEPS steps, of two terms up to 2**(BIAS + 0.5), stay in its binade */

typedef struct {
    float sum[SUM_LANES], rest[SUM_LANES];
    int32_t ties[SUM_LANES];
} R(exponential_sums);

static inline void R(start_sums)(R(exponential_sums) *sums)
{
    for (int l = 0; l < SUM_LANES; l++) {
        sums->sum[l] = GRID_ORIGIN;
        sums->rest[l] = 0;
        sums->ties[l] = 0;
    }
}

/* What of an exponential the sum does not take. */
static inline float R(put_on_grid)(R(exponential_sums) *sums, int l, float excess, float power)
{
    float before = sums->sum[l];
    float after = before + ROUNDED(excess, power);
    sums->sum[l] = after;
    return FMA(excess, power, power - (after - before));
}

static inline void R(add_rest)(R(exponential_sums) *sums, int l, float rest)
{
    sums->rest[l] += rest;
}

static inline double R(lane_total)(const R(exponential_sums) *sums, int l)
{
    return (double)(sums->sum[l] - GRID_ORIGIN) + (double)sums->rest[l];
}

static inline double R(total_of)(const R(exponential_sums) *sums)
{
#if defined(__GNUC__)                   /* as in sum_of_lanes; four sums on the grid are still exact together */
    typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));
    typedef double wide __attribute__((vector_size(32)));
    const quad *sum = (const quad *)sums->sum, *rest = (const quad *)sums->rest;
    quad exact = ((sum[0] - GRID_ORIGIN) + (sum[1] - GRID_ORIGIN)) + ((sum[2] - GRID_ORIGIN) + (sum[3] - GRID_ORIGIN));
    quad small = (rest[0] + rest[1]) + (rest[2] + rest[3]);
    wide total = __builtin_convertvector(exact, wide) + __builtin_convertvector(small, wide);
    return (total[0] + total[1]) + (total[2] + total[3]);
#else
    double total = 0;
    for (int l = 0; l < SUM_LANES; l++) {
        total += R(lane_total)(sums, l);
    }
    return total;
#endif
}
#else
typedef struct {
    lane_sums sums;
    int64_t ties[SUM_LANES];
} R(exponential_sums);

static inline void R(start_sums)(R(exponential_sums) *sums)
{
    memset(sums, 0, sizeof *sums);
}

/* The sum takes all, and there is no rest. */
static inline double R(put_on_grid)(R(exponential_sums) *sums, int l, double excess, double power)
{
    add_to_lane(&sums->sums, l, ROUNDED(excess, power));
    return 0;
}

static inline void R(add_rest)(R(exponential_sums) *sums, int l, double rest)
{
    (void)sums, (void)l, (void)rest;
}

static inline double R(lane_total)(const R(exponential_sums) *sums, int l)
{
    return sums->sums.sum[l] + sums->sums.carry[l];
}

static inline double R(total_of)(const R(exponential_sums) *sums)
{
    return total_of(&sums->sums);
}
#endif


/* Sums a lane's two entries of a vector, but for the rest, which it returns. The first `skip` entries of the vector do
   not count. */
static ALWAYS_INLINE real R(sum_two)(R(exponential_sums) *sums, int l, const real *x, real *e, int store, int counts,
                                     real maximum, R(reference) reference, R(integer) skip)
{
    real x0 = x[l], x1 = x[l + SUM_LANES], power0, power1;
    real excess0 = EXPONENTIAL(x0, power0), excess1 = EXPONENTIAL(x1, power1);
    R(integer) in0 = l >= skip, in1 = l + SUM_LANES >= skip;
    if (store) {
        e[l] = ROUNDED(excess0, power0);
        e[l + SUM_LANES] = ROUNDED(excess1, power1);
    }
    if (counts) {
        sums->ties[l] += (in0 & (x0 == maximum)) + (in1 & (x1 == maximum));
        power0 = x0 == maximum ? 0 : power0;
        power1 = x1 == maximum ? 0 : power1;
    }
    real rest0 = R(put_on_grid)(sums, l, excess0, in0 ? power0 : 0);
    return rest0 + R(put_on_grid)(sums, l, excess1, in1 ? power1 : 0);
}

static ALWAYS_INLINE void R(sum_step)(R(exponential_sums) *sums, const real *x, real *e, int store, int counts,
                                      real maximum, R(reference) reference, R(integer) skip)
{
    INDEPENDENT_ITERATIONS
    for (int l = 0; l < SUM_LANES; l++) {
        R(add_rest)(sums, l, R(sum_two)(sums, l, x, e, store, counts, maximum, reference, skip));
    }
}

/* Adds what `rest_of` returns for each of STEPS_AT_ONCE steps, two by two: where they are equal, without an error. */
#define ADD_RESTS(sums, l, rest_of)                                                                  \
    real rest01 = rest_of(0);                                                                        \
    rest01 += rest_of(1);                                                                            \
    real rest23 = rest_of(2);                                                                        \
    R(add_rest)(sums, l, rest01 + (rest23 + rest_of(3)));

/* The same for STEPS_AT_ONCE vectors. */
static ALWAYS_INLINE void R(sum_steps)(R(exponential_sums) *sums, const real *x, real *e, int store, int counts,
                                       real maximum, R(reference) reference)
{
#define SUM_TWO(k) R(sum_two)(sums, l, x + k * VECTOR, e + k * VECTOR, store, counts, maximum, reference, 0)
    INDEPENDENT_ITERATIONS
    for (int l = 0; l < SUM_LANES; l++) {
        ADD_RESTS(sums, l, SUM_TWO)
    }
#undef SUM_TWO
}

/* Entries from the first on whose sums are exact together, but for a last vector of fewer. */
static inline ptrdiff_t R(exact_run)(ptrdiff_t n)
{
    ptrdiff_t whole = n & -VECTOR, most = GRID_STEPS * VECTOR;
    return !IS_FLOAT || whole <= most ? n : most;
}

/* Sums the first of n exponentials, as many as exact_run says. With `store` set, they go to `e`. Meanwhile as many
   entries from `next` on are fetched into the cache. */
static ALWAYS_INLINE void R(sum_run)(R(exponential_sums) *sums, const real *x, real *e, ptrdiff_t n, int store,
                                     int counts, real maximum, R(reference) reference, const real *next)
{
    ptrdiff_t run = R(exact_run)(n), whole = run & -VECTOR;
    real last[VECTOR];
    R(integer) skip = whole < run ? R(load_tail)(x, n, last) : 0;       /* e may be x */
    ptrdiff_t i = 0;
    R(start_sums)(sums);
    for (; i + STEPS_AT_ONCE * VECTOR <= whole && IS_FLOAT; i += STEPS_AT_ONCE * VECTOR) {
        fetch_ahead(next + i, STEPS_AT_ONCE * VECTOR * sizeof(real));
        R(sum_steps)(sums, x + i, e + i, store, counts, maximum, reference);
    }
    for (; i < whole; i += VECTOR) {
        fetch_ahead(next + i, VECTOR * sizeof(real));
        R(sum_step)(sums, x + i, e + i, store, counts, maximum, reference, 0);
    }
    if (whole < run) {
        fetch_ahead(next + whole, 1);
        R(sum_step)(sums, last, last, store, counts, maximum, reference, skip);
        if (store && n >= VECTOR) {
            memcpy(e + n - VECTOR, last, sizeof last);      /* some once more, to the same bits */
        }
        else if (store) {
            memcpy(e, last + VECTOR - n, (size_t)n * sizeof(real));
        }
    }
}

static inline ptrdiff_t R(ties_of)(const R(exponential_sums) *sums)
{
    R(integer) ties = 0;
    for (int l = 0; l < SUM_LANES; l++) {
        ties += sums->ties[l];
    }
    return (ptrdiff_t)ties;
}

/* The sum of all n. */
static ALWAYS_INLINE double R(sum_exponentials)(const real *x, real *e, ptrdiff_t n, int store, int counts,
                                                real maximum, R(reference) reference, ptrdiff_t *count,
                                                const real *next)
{
    double total = 0;
    R(exponential_sums) sums;
    for (ptrdiff_t i = 0; i < n; i += R(exact_run)(n - i)) {
        R(sum_run)(&sums, x + i, e + i, n - i, store, counts, maximum, reference, next + i);
        total += R(total_of)(&sums);
        *count += counts ? R(ties_of)(&sums) : 0;
    }
    return total;
}

/* The sum but for the maximum's, which are counted. */
static double R(sum_others)(const real *x, ptrdiff_t n, real maximum, ptrdiff_t *count, const real *next)
{
    return R(sum_exponentials)(x, NULL, n, 0, 1, maximum, R(reference_for)(maximum), count, next);
}

/* Whether so much of a logsumexp cancels against its maximum that float32's sums have not the digits for it. */
static inline int R(is_near_root)(double total, double maximum)
{
    return IS_FLOAT && fabs(total) < 0.25 * fabs(maximum);
}

#if IS_FLOAT
/* As sum_others, for every step-th of x and in double throughout, in double's unit. */
static double R(sum_others_precisely)(const float *x, ptrdiff_t step, ptrdiff_t n, double maximum, ptrdiff_t *count)
{
    double block[TERM_BLOCK], sum = 0;
    for (ptrdiff_t begin = 0; begin < n; begin += TERM_BLOCK) {
        ptrdiff_t size = n - begin < TERM_BLOCK ? n - begin : TERM_BLOCK;
        for (ptrdiff_t i = 0; i < size; i++) {
            block[i] = x[(begin + i) * step];
        }
        sum += sum_others_double(block, size, maximum, count, block);
    }
    return sum;
}

/* The sum but for one maximum's, in its unit. */
static double R(precise_rest)(const float *x, ptrdiff_t step, ptrdiff_t n, double maximum)
{
    ptrdiff_t count = 0;
    double sum = R(sum_others_precisely)(x, step, n, maximum, &count), unit = unit_of_double(maximum);
    return (sum + (double)(count - 1) * unit) / unit;
}
#endif

/* Adds n entries to the maximum, the number of entries equal to it, and the sum of the other exponentials; with
   `counts` unset, an equal entry after a block's first is one of the others. */
static ALWAYS_INLINE void R(add_block)(row_state *state, const void *const *inputs, ptrdiff_t n, int counts)
{
    const real *x = inputs[0];
    real maximum = R(maximum)(x, n);
    if (!(maximum - maximum == 0) || state->maximum == INFINITY) {
        if (R(any_nan)(x, n)) {
            state->sum = NAN;
        }
        state->maximum = state->maximum > maximum ? state->maximum : maximum;
        return;
    }
    if (maximum > state->maximum) {
        R(move_sums)(state, maximum);
    }
    int reaches = maximum == (real)state->maximum;
    maximum = (real)state->maximum;
    if (counts) {
        add_to_sum(state, R(sum_others)(x, n, maximum, &state->count, x + n));
        return;
    }
    R(reference) reference = R(reference_for)(maximum);
    double sum = R(sum_exponentials)(x, NULL, n, 0, 0, maximum, reference, &state->count, x + n);
    if (reaches) {
        real power, excess = EXPONENTIAL(maximum, power);
        sum -= fma_float64((double)excess, power, power);
    }
    state->count += reaches;
    add_to_sum(state, sum);
}

static void R(add_exponentials)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
#if IS_FLOAT
    if (state->pass == 1) {
        add_to_sum(state, R(sum_others_precisely)(inputs[0], 1, n, state->maximum, &state->count));
        return;
    }
#endif
    R(add_block)(state, inputs, n, 1);
}

/* For float32's softmax, which needs no logarithm. */
static void R(add_softmax)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
    R(add_block)(state, inputs, n, !IS_FLOAT);
}

static void R(merge_exponentials)(row_state *state, const row_state *other)
{
    row_state moved = *other;
    double maximum = state->maximum > other->maximum ? state->maximum : other->maximum;
    if (maximum - maximum == 0) {
        if (state->maximum < maximum) {
            R(move_sums)(state, maximum);
        }
        if (moved.maximum < maximum) {
            R(move_sums)(&moved, maximum);
        }
    }
    state->maximum = maximum;
    add_to_sum(state, moved.sum);
    state->carry += moved.carry;
    state->count += moved.count;
}

static int R(finish_softmax)(row_state *state)
{
    add_to_sum(state, (double)state->count * R(unit_of)((real)state->maximum));
    state->result = state->sum + state->carry;
    return 1;
}

static int R(finish_log)(row_state *state)
{
    double unit = state->pass == 1 ? unit_of_double(state->maximum) : R(unit_of)((real)state->maximum);
    add_to_sum(state, (double)(state->count - 1) * unit);
    state->result = log1p_of((state->sum + state->carry) / unit);
    return 1;
}

static int R(finish_logsumexp)(row_state *state)
{
    int infinite = !(state->maximum - state->maximum == 0) && state->sum == state->sum;
    R(finish_log)(state);
    state->result = state->maximum + (infinite ? 0 : state->result);
    return state->pass == 1 || !R(is_near_root)(state->result, state->maximum);
}

static void R(emit_softmax)(const row_state *state, const void *const *inputs, void *output, ptrdiff_t begin,
                            ptrdiff_t n)
{
    (void)begin;
    const real *x = inputs[0];
    real *y = output;
    R(reference) reference = R(reference_for)((real)state->maximum);
    R(factor) factor = R(factor_of)(state->result);
    INDEPENDENT_ITERATIONS
    for (ptrdiff_t i = 0; i < n; i++) {
        real e = R(exponential)(x[i], reference.center, reference.low, reference.shift);
        real share = R(scaled)(e, factor.high, factor.low);
        y[i] = share > 1 ? 1 : share;
    }
}

/* maximum + log_sum, and what the rounding left of it. */
static ALWAYS_INLINE real R(log_total)(double maximum, double log_sum, real *low)
{
    real high = (real)(maximum + log_sum);
    *low = (real)((maximum - high) + log_sum);
    return high;
}

static inline void R(emit_differences)(const real *x, real *y, double maximum, double log_sum, ptrdiff_t n)
{
    real low, high = R(log_total)(maximum, log_sum, &low);
    INDEPENDENT_ITERATIONS
    for (ptrdiff_t i = 0; i < n; i++) {
        y[i] = (x[i] - high) - low;
    }
}

static void R(emit_log_softmax)(const row_state *state, const void *const *inputs, void *output, ptrdiff_t begin,
                                ptrdiff_t n)
{
    (void)begin;
    R(emit_differences)(inputs[0], output, state->maximum, state->result, n);
}

/* A few rows in cache, at most ROWS_AT_ONCE. What there is to compute once a row (the reference, the unit, the
   reciprocal or logarithm of the sum) takes longer than a vector of exponentials: here it is done for all rows at once,
   in loops of one length that the compiler knows. */
typedef struct {
    real maximum[ROWS_AT_ONCE], center[ROWS_AT_ONCE], low[ROWS_AT_ONCE], shift[ROWS_AT_ONCE];
    double sum[ROWS_AT_ONCE];               /* of the exponentials, but for `ties` that are the maximum's */
    ptrdiff_t ties[ROWS_AT_ONCE];
    double rest[ROWS_AT_ONCE];              /* the sum but for one maximum's, */
    double unit[ROWS_AT_ONCE];              /* which is this */
} R(some_rows);

/* What a row's results are made with, in two parts: the factor of its exponentials, or the logarithm of their sum. */
typedef struct {
    real high[ROWS_AT_ONCE], low[ROWS_AT_ONCE];
} R(row_terms);

static inline const real *R(entries_of)(const row_group *group, int r)
{
    return (const real *)(group->x + r * group->x_stride);
}

static inline real *R(results_of)(const row_group *group, int r)
{
    return (real *)(group->y + r * group->y_stride);
}

/* Where a row's exponentials are kept. */
static inline real *R(exponentials_of)(const row_group *group, int r)
{
    return group->scratch == NULL ? R(results_of)(group, r) : (real *)(group->scratch + r * group->scratch_stride);
}

/* The sum of a row's exponentials but for one maximum's, to double's accuracy, from what was summed and counted: the
   maximum's own exponential, as it is in the sum, gives way to its unit. */
static inline double R(sum_of_rest)(real maximum, R(reference) reference, double unit, double sum, ptrdiff_t ties)
{
    if (!IS_FLOAT) {
        return sum + (double)(ties - 1) * unit;
    }
    real power, excess = EXPONENTIAL(maximum, power);
    return sum - fma_float64((double)excess, power, power);
}

static inline void R(sum_rows)(R(some_rows) *rows, const row_group *group, int store)
{
    memset(rows->maximum, 0, sizeof rows->maximum);
    memset(rows->sum, 0, sizeof rows->sum);
    memset(rows->ties, 0, sizeof rows->ties);
    for (int r = 0; r < group->count; r++) {
        rows->maximum[r] = R(maximum)(R(entries_of)(group, r), group->n);
    }
    for (int r = 0; r < group->places; r++) {
        R(reference) reference = R(reference_for)(rows->maximum[r]);
        rows->center[r] = reference.center;
        rows->low[r] = reference.low;
        rows->shift[r] = reference.shift;
    }
    /* The lanes of short rows are added up together: while one row's are, no other one's exponentials would be begun. */
    R(exponential_sums) sums[ROWS_AT_ONCE];
    int short_rows = R(exact_run)(group->n) == group->n;
    for (int r = 0; r < group->count; r++) {
        const real *x = R(entries_of)(group, r), *next = (const real *)(group->next + r * group->x_stride);
        real *e = R(exponentials_of)(group, r);
        R(reference) reference = {rows->center[r], rows->low[r], rows->shift[r]};
        if (short_rows) {
            R(sum_run)(&sums[r], x, e, group->n, store, !IS_FLOAT, rows->maximum[r], reference, next);
        }
        else {
            rows->sum[r] = R(sum_exponentials)(x, e, group->n, store, !IS_FLOAT, rows->maximum[r], reference,
                                               &rows->ties[r], next);
        }
    }
    for (int r = 0; r < group->count && short_rows; r++) {
        rows->sum[r] = R(total_of)(&sums[r]);
        rows->ties[r] = IS_FLOAT ? 0 : R(ties_of)(&sums[r]);
    }
    for (int r = 0; r < group->places; r++) {
        R(reference) reference = {rows->center[r], rows->low[r], rows->shift[r]};
        rows->unit[r] = R(unit_of)(rows->maximum[r]);
        rows->rest[r] = R(sum_of_rest)(rows->maximum[r], reference, rows->unit[r], rows->sum[r], rows->ties[r]);
    }
}

/* Results from exponentials, which are scaled, or from x, from which log_total is subtracted. */
static inline void R(make_results)(const real *from, real *to, ptrdiff_t n, int scales, real high, real low)
{
    INDEPENDENT_ITERATIONS
    for (ptrdiff_t i = 0; i < n; i++) {
        to[i] = scales ? R(scaled)(from[i], high, low) : (from[i] - high) - low;
    }
}

/* Makes a row of results in memory, line by line. What lies before the first line and behind the last one is made with
   entries of these lines, to the same bits; from may be y. */
static inline void R(write_row)(const real *from, real *y, ptrdiff_t n, int scales, real high, real low)
{
    enum { LINE = 64 / sizeof(real) };
    real head[LINE], foot[LINE];
    ptrdiff_t i = (ptrdiff_t)((-(uintptr_t)y & 63) / sizeof(real));
    if (n < LINE) {
        R(make_results)(from, y, n, scales, high, low);
        return;
    }
    int ragged = ((i | n) & (LINE - 1)) != 0;
    if (ragged) {
        R(make_results)(from, head, LINE, scales, high, low);
        R(make_results)(from + n - LINE, foot, LINE, scales, high, low);
    }
    R(make_results)(from + i, y + i, (n - i) & -(ptrdiff_t)LINE, scales, high, low);
    if (ragged) {
        memcpy(y, head, sizeof head);
        memcpy(y + n - LINE, foot, sizeof foot);
    }
}

/* The same past the caches, and no line in two pieces: what the row has of its last line waits in the edge for the next
   row. */
static inline void R(stream_row)(const real *from, real *y, ptrdiff_t n, line_edge *edge, int scales, real high,
                                 real low)
{
    enum { LINE = 64 / sizeof(real) };
    real line[LINE], foot[2 * LINE];
    ptrdiff_t i = (ptrdiff_t)((-(uintptr_t)y & 63) / sizeof(real));
    edge_before(edge, (char *)y);
    R(make_results)(from, line, LINE, scales, high, low);
    R(make_results)(from + n - LINE, foot, LINE, scales, high, low);
    if (i != 0 && edge->bytes != 0) {
        memcpy(edge->line + edge->bytes, line, sizeof line);
        stream_lines((char *)(y + i) - 64, edge->line, 64);
    }
    else {
        memcpy(y, line, (size_t)i * sizeof(real));
    }
    for (; i + LINE <= n; i += LINE) {
        R(make_results)(from + i, line, LINE, scales, high, low);
        stream_lines(y + i, line, sizeof line);
    }
    memcpy(edge->line, foot + LINE - (n - i), sizeof line);
    edge->bytes = (n - i) * (ptrdiff_t)sizeof(real);
    edge->place = (char *)(y + i);
}

static inline void R(put_row)(const row_group *group, int r, const real *from, int scales, real high, real low)
{
    if (group->edge != NULL) {
        R(stream_row)(from, R(results_of)(group, r), group->n, group->edge, scales, high, low);
    }
    else {
        R(write_row)(from, R(results_of)(group, r), group->n, scales, high, low);
    }
}

/* The factors that make results of exponentials whose sums are `total`. */
static inline void R(take_factors)(R(row_terms) *terms, const row_group *group, const double *total,
                                   const real *largest)
{
    real share[ROWS_AT_ONCE];
    for (int r = 0; r < group->places; r++) {
        R(factor) factor = R(factor_of)(total[r]);
        terms->high[r] = factor.high;
        terms->low[r] = factor.low;
        share[r] = R(scaled)(largest[r], factor.high, factor.low);
    }
    for (int r = 0; r < group->count; r++) {
        if (share[r] > 1) {
            R(cap)(R(exponentials_of)(group, r), group->n, largest[r], terms->high[r], terms->low[r]);
        }
    }
}

/* softmax: each exponential is taken once, and kept till its row's sum is known. */
static void R(softmax_rows)(const row_group *group)
{
    R(some_rows) rows;
    R(row_terms) factors;
    double total[ROWS_AT_ONCE];
    real largest[ROWS_AT_ONCE];
    R(sum_rows)(&rows, group, 1);
    for (int r = 0; r < group->places; r++) {
        total[r] = rows.rest[r] + rows.unit[r];
        largest[r] = R(exponential)(rows.maximum[r], rows.center[r], rows.low[r], rows.shift[r]);
    }
    R(take_factors)(&factors, group, total, largest);
    for (int r = 0; r < group->count; r++) {
        R(put_row)(group, r, R(exponentials_of)(group, r), 1, factors.high[r], factors.low[r]);
    }
}

/* Where a row's results are made: in their place, or where deliver_row takes them past the caches. There, few rows take
   turns, so that inputs stay in L1 beside them; but not one, for it would be made while it is still taken. */
static inline real *R(results_before)(const row_group *group, int r)
{
    ptrdiff_t turns = 1 + (ROWS_IN_L1 / 4) / (group->n * (ptrdiff_t)sizeof(real));
    if (group->edge == NULL || group->scratch == NULL) {
        return R(results_of)(group, r);
    }
    return (real *)(group->scratch + r % turns * group->scratch_stride);
}

static inline void R(deliver_row)(const row_group *group, int r, const real *results)
{
    if (group->edge != NULL && group->scratch != NULL) {
        stream_copy((char *)R(results_of)(group, r), (const char *)results, (size_t)group->n * sizeof(real));
    }
}

static void R(negate)(const real *x, real *negated, ptrdiff_t n)
{
    INDEPENDENT_ITERATIONS
    for (ptrdiff_t i = 0; i < n; i++) {
        negated[i] = -x[i];
    }
}

/* The negated entries stand where their exponentials will. */
static void R(softmin_rows)(const row_group *group)
{
    row_group negated = *group;
    negated.x = (const char *)R(exponentials_of)(group, 0);
    negated.x_stride = group->scratch == NULL ? group->y_stride : group->scratch_stride;
    for (int r = 0; r < group->count; r++) {
        R(negate)(R(entries_of)(group, r), R(exponentials_of)(group, r), group->n);
    }
    R(softmax_rows)(&negated);
}

#if IS_FLOAT
/* Below this share of the maximum's, float32's sum of the other exponentials lacks digits beside it. */
#define TOWERING 0x1p-12
#endif

/* log1p of each row's sum without its maximum, in the maximum's unit. */
static inline void R(log_sums)(const R(some_rows) *rows, const row_group *group, double *log_sum)
{
    int places = group->places;
    for (int r = 0; r < places; r++) {
        log_sum[r] = rows->rest[r] / rows->unit[r];
    }
#if IS_FLOAT
    for (int r = 0; r < group->count; r++) {
        if (log_sum[r] < TOWERING) {
            log_sum[r] = R(precise_rest)(R(entries_of)(group, r), 1, group->n, rows->maximum[r]);
        }
    }
#undef TOWERING
#endif
    for (int r = 0; r < places; r++) {
        log_sum[r] = log1p_of(log_sum[r]);
    }
}

/* What log_softmax subtracts from the entries. */
static inline void R(take_log_totals)(R(row_terms) *terms, const R(some_rows) *rows, const row_group *group)
{
    double log_sum[ROWS_AT_ONCE];
    R(log_sums)(rows, group, log_sum);
    for (int r = 0; r < group->places; r++) {
        terms->high[r] = R(log_total)(rows->maximum[r], log_sum[r], &terms->low[r]);
    }
}

static void R(log_softmax_rows)(const row_group *group)
{
    R(some_rows) rows;
    R(row_terms) totals;
    R(sum_rows)(&rows, group, 0);
    R(take_log_totals)(&totals, &rows, group);
    for (int r = 0; r < group->count; r++) {
        R(put_row)(group, r, R(entries_of)(group, r), 0, totals.high[r], totals.low[r]);
    }
}

/* Each result is stored in its row's first place of y. */
static inline void R(put_logsumexps)(const R(some_rows) *rows, const row_group *group)
{
    double log_sum[ROWS_AT_ONCE];
    R(log_sums)(rows, group, log_sum);
    for (int r = 0; r < group->count; r++) {
        real maximum = rows->maximum[r], *result = R(results_of)(group, r);
        double total = maximum + log_sum[r];
#if IS_FLOAT
        if (R(is_near_root)(total, maximum)) {
            total = maximum + log1p_of(R(precise_rest)(R(entries_of)(group, r), 1, group->n, maximum));
        }
#endif
        *result = (real)total;
        if (!(maximum - maximum == 0)) {
            *result = R(any_nan)(R(entries_of)(group, r), group->n) ? (real)NAN : maximum;
        }
    }
}

static void R(logsumexp_rows)(const row_group *group)
{
    R(some_rows) rows;
    R(sum_rows)(&rows, group, 0);
    R(put_logsumexps)(&rows, group);
}

/* ---- hardmax ----------------------------------------------------------------------------------------------------- */

/* The first place of a number that is there. */
static ptrdiff_t R(place_of)(const real *x, ptrdiff_t n, real number)
{
    ptrdiff_t i = 0;
    for (int found = 0; i + VECTOR <= n; i += VECTOR) {
        for (int l = 0; l < VECTOR; l++) {
            found |= x[i + l] == number;
        }
        if (found) {
            break;
        }
    }
    while (x[i] != number) {
        i++;
    }
    return i;
}

/* The place of the first maximum; NaN in `sum` once there is one. */
static void R(add_places)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
    const real *x = inputs[0];
    real maximum = R(maximum)(x, n);
    if (R(any_nan)(x, n)) {
        state->sum = NAN;
    }
    else if (maximum > state->maximum || state->seen == 0) {
        state->maximum = maximum;
        state->place = state->seen + R(place_of)(x, n, maximum);
    }
    state->seen += n;
}

static void R(emit_hardmax)(const row_state *state, const void *const *inputs, void *output, ptrdiff_t begin,
                            ptrdiff_t n)
{
    real *y = output;
    real nothing = (real)state->sum;    /* 0, or NaN for the whole row */
    (void)inputs;
    for (ptrdiff_t i = 0; i < n; i++) {
        y[i] = nothing;
    }
    if (state->place >= begin && state->place < begin + n && nothing == 0) {
        y[state->place - begin] = 1;
    }
}

/* A few contiguous rows in cache; the result may stand in x's place. */
static void R(hardmax_rows)(const row_group *group)
{
    for (int r = 0; r < group->count; r++) {
        real *result = R(results_before)(group, r);
        const void *row[] = {R(entries_of)(group, r)};
        row_state state = NEW_ROW;
        R(add_places)(&state, row, group->n);
        R(emit_hardmax)(&state, row, result, 0, group->n);
        R(deliver_row)(group, r, result);
    }
}

static void R(merge_places)(row_state *state, const row_state *other)
{
    if (other->maximum > state->maximum || state->seen == 0) {
        state->maximum = other->maximum;
        state->place = state->seen + other->place;
    }
    state->seen += other->seen;
    state->sum += other->sum;
}

/* ---- sparsemax --------------------------------------------------------------------------------------------------- */

/* Michelot's iteration (1986): starting from a set that contains the support, the threshold that would make the set's
   entries sum to 1 drops some of them, until none drops. Entries of at most maximum - 1 never belong to the support. */
static void R(add_support)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
    const real *x = inputs[0];
    if (state->pass == 0) {
        real maximum = R(maximum)(x, n);
        state->maximum = state->maximum > maximum ? state->maximum : maximum;
        state->sum += R(any_nan)(x, n) ? NAN : 0;
        return;
    }
    double above[TERM_BLOCK], maximum = state->maximum, threshold = state->result;
    lane_sums sums = {{0}, {0}};
    for (ptrdiff_t begin = 0; begin < n; begin += TERM_BLOCK) {
        ptrdiff_t size = n - begin < TERM_BLOCK ? n - begin : TERM_BLOCK;
        const real *block = x + begin;
        R(integer) count = 0;
        for (ptrdiff_t i = 0; i < size; i++) {
            double z = block[i] - maximum;
            above[i] = z > threshold ? z : 0;
        }
        for (ptrdiff_t i = 0; i < size; i++) {
            count += block[i] - maximum > threshold;
        }
        add_to_lanes(&sums, above, size);
        state->count += (ptrdiff_t)count;
    }
    state->sum += total_of(&sums);
}

static int R(finish_sparsemax)(row_state *state)
{
    if (state->pass == 0) {
        int proper = state->sum == 0 && state->maximum - state->maximum == 0;
        state->result = proper ? -1 : NAN;
        return !proper;
    }
    state->result = (state->sum - 1) / (double)state->count;
    int settled = state->pass > 1 && state->count >= state->place;
    state->place = state->count;    /* of the pass before */
    return settled;
}

static void R(emit_sparsemax)(const row_state *state, const void *const *inputs, void *output, ptrdiff_t begin,
                              ptrdiff_t n)
{
    const real *x = inputs[0];
    real *y = output;
    double maximum = state->maximum, threshold = state->result;
    (void)begin;
    INDEPENDENT_ITERATIONS
    for (ptrdiff_t i = 0; i < n; i++) {
        double above = (x[i] - maximum) - threshold;
        y[i] = (real)(above < 0 ? 0 : above);
    }
}

/* ---- gradients: inputs are grad and the function's result y ------------------------------------------------------ */

/* Sums in double: float32's terms are exact in it, and so many that a compensated sum would be felt. */
#if IS_FLOAT
#define ADD_TERMS(TERM)                                                                              \
    double sums[VECTOR] = {0}, lanes[SUM_LANES];                                                                       \
    ptrdiff_t i = 0;                                                                                 \
    for (; i + VECTOR <= n; i += VECTOR) {                                                           \
        for (int l = 0; l < VECTOR; l++) {                                                           \
            sums[l] += TERM(i + l);                                                                  \
        }                                                                                            \
    }                                                                                                \
    if (i < n && n >= VECTOR) {         /* the tail is led by terms that are in the sums */          \
        for (int l = 0; l < VECTOR; l++) {                                                           \
            sums[l] += n - VECTOR + l >= i ? TERM(n - VECTOR + l) : 0;                               \
        }                                                                                            \
        i = n;                                                                                       \
    }                                                                                                \
    for (int l = 0; i + l < n; l++) {                                                                \
        sums[l] += TERM(i + l);                                                                      \
    }                                                                                                \
    for (int l = 0; l < SUM_LANES; l++) {                                                            \
        lanes[l] = sums[l] + sums[l + SUM_LANES];                                                    \
    }                                                                                                \
    state->sum += sum_of_lanes(lanes);
#else
#define ADD_TERMS(TERM)                                                                              \
    double terms[TERM_BLOCK];                                                                        \
    lane_sums sums = {{0}, {0}};                                                                     \
    for (ptrdiff_t begin = 0; begin < n; begin += TERM_BLOCK) {                                      \
        ptrdiff_t size = n - begin < TERM_BLOCK ? n - begin : TERM_BLOCK;                            \
        for (ptrdiff_t i = 0; i < size; i++) {                                                       \
            terms[i] = TERM(begin + i);                                                              \
        }                                                                                            \
        add_to_lanes(&sums, terms, size);                                                            \
    }                                                                                                \
    state->sum += total_of(&sums);
#endif

static void R(add_products)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
    const real *grad = inputs[0], *y = inputs[1];
#define PRODUCT(i) (double)grad[i] * y[i]
    ADD_TERMS(PRODUCT)
#undef PRODUCT
}

static void R(add_gradients)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
    const real *grad = inputs[0];
#define GRADIENT(i) (double)grad[i]
    ADD_TERMS(GRADIENT)
#undef GRADIENT
}

/* The sum over the support, and its size. */
static void R(add_supported_gradients)(row_state *state, const void *const *inputs, ptrdiff_t n)
{
    const real *grad = inputs[0], *y = inputs[1];
#define SUPPORTED(i) (y[i] > 0 ? (double)grad[i] : 0.0)
    ADD_TERMS(SUPPORTED)
#undef SUPPORTED
    R(integer) count = 0;       /* a block has fewer entries than float32's integers */
    for (ptrdiff_t k = 0; k < n; k++) {
        count += y[k] > 0;
    }
    state->count += (ptrdiff_t)count;
}
#undef ADD_TERMS

#define EMIT_GRADIENT(NAME, PREPARATION, GRADIENT)                                                   \
    static void R(NAME)(const row_state *state, const void *const *inputs, void *output, ptrdiff_t begin, ptrdiff_t n) \
    {                                                                                                \
        const real *grad = inputs[0], *y = inputs[1];                                                \
        real *result = output;                                                                       \
        PREPARATION                                                                                  \
        (void)begin;                                                                                 \
        INDEPENDENT_ITERATIONS                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) {                                                          \
            result[i] = (real)(GRADIENT);                                                            \
        }                                                                                            \
    }

/* The mean of the gradients as the sum of two numbers. */
static inline real R(in_parts)(double mean, real *low)
{
    real high = (real)mean;
    *low = high - high == 0 ? (real)(mean - high) : 0;
    return high;
}

static inline real R(softmax_gradient)(real grad, real y, real high, real low, int negative)
{
    return negative ? y * ((high - grad) + low) : y * ((grad - high) - low);
}

/* The sum is that of the gradients, in the unit of the reference for 0. */
static inline real R(log_softmax_gradient)(real grad, real y, double sum, R(reference) reference)
{
    return (real)(grad - sum * (y < reference.low ? 0 : R(exponential)(y, 0, reference.low, reference.shift)));
}

static inline double R(in_unit_of_0)(double sum)
{
    return sum * (IS_FLOAT ? 0x1p-60 : 0x1p-100);
}

#define MEAN_IN_PARTS real low, high = R(in_parts)(state->sum, &low);
EMIT_GRADIENT(emit_softmax_backward, MEAN_IN_PARTS, R(softmax_gradient)(grad[i], y[i], high, low, 0))
EMIT_GRADIENT(emit_softmin_backward, MEAN_IN_PARTS, R(softmax_gradient)(grad[i], y[i], high, low, 1))
#undef MEAN_IN_PARTS
EMIT_GRADIENT(emit_log_softmax_backward,
              R(reference) reference = R(reference_for)(0); double sum = R(in_unit_of_0)(state->sum);,
              R(log_softmax_gradient)(grad[i], y[i], sum, reference))
EMIT_GRADIENT(emit_sparsemax_backward, double mean = state->sum / (double)state->count;,
              y[i] > 0 ? grad[i] - mean : (double)(y[i] == y[i] ? 0 : y[i]))
#undef EMIT_GRADIENT

/* A few contiguous rows in cache, one after the other. What is no whole vector at a row's end is made with entries
   before it, to the same bits; the result may stand in an input's place. */
static ALWAYS_INLINE void R(gradient_rows)(const row_group *group,
                                           void (*add)(row_state *, const void *const *, ptrdiff_t),
                                           void (*emit)(const row_state *, const void *const *, void *, ptrdiff_t,
                                                        ptrdiff_t))
{
    ptrdiff_t n = group->n, whole = n < SUM_LANES ? n : n & -SUM_LANES;
    real foot[SUM_LANES];
    for (int r = 0; r < group->count; r++) {
        const real *grad = R(entries_of)(group, r), *y = (const real *)(group->second + r * group->second_stride);
        const void *row[] = {grad, y}, *last[] = {grad + n - SUM_LANES, y + n - SUM_LANES};
        real *result = R(results_before)(group, r);
        row_state state = NEW_ROW;
        add(&state, row, n);
        if (whole < n) {
            emit(&state, last, foot, 0, SUM_LANES);
        }
        emit(&state, row, result, 0, whole);
        if (whole < n) {
            memcpy(result + n - SUM_LANES, foot, sizeof foot);
        }
        R(deliver_row)(group, r, result);
    }
}

static void R(softmax_backward_rows)(const row_group *group)
{
    R(gradient_rows)(group, R(add_products), R(emit_softmax_backward));
}

static void R(softmin_backward_rows)(const row_group *group)
{
    R(gradient_rows)(group, R(add_products), R(emit_softmin_backward));
}

static void R(log_softmax_backward_rows)(const row_group *group)
{
    R(gradient_rows)(group, R(add_gradients), R(emit_log_softmax_backward));
}

/* ---- many short rows at once: lane l of step j is entry j of row l ----------------------------------------------- */

typedef struct {
    real maximum[TILE_ROWS], center[TILE_ROWS], low[TILE_ROWS], shift[TILE_ROWS];
} R(lane_references);

static void R(refer_lanes)(R(lane_references) *lanes, const real *x, ptrdiff_t n)
{
    for (int l = 0; l < TILE_ROWS; l++) {
        lanes->maximum[l] = -(real)INFINITY;
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        const real *step = x + j * TILE_ROWS;
        for (int l = 0; l < TILE_ROWS; l++) {
            lanes->maximum[l] = step[l] > lanes->maximum[l] ? step[l] : lanes->maximum[l];
        }
    }
    for (int l = 0; l < TILE_ROWS; l++) {
        R(reference) reference = R(reference_for)(lanes->maximum[l]);
        lanes->center[l] = reference.center;
        lanes->low[l] = reference.low;
        lanes->shift[l] = reference.shift;
    }
}

/* Sums one entry of row first + l, but for the rest, which is returned. */
static ALWAYS_INLINE real R(sum_one)(R(exponential_sums) *sums, int l, real *step, int store, int counts,
                                     const R(lane_references) *lanes, int first)
{
    real entry = step[l], power;
    R(reference) reference = {lanes->center[first + l], lanes->low[first + l], lanes->shift[first + l]};
    real excess = EXPONENTIAL(entry, power);
    if (store) {
        step[l] = ROUNDED(excess, power);
    }
    if (counts) {
        sums->ties[l] += entry == lanes->maximum[first + l];
        power = entry == lanes->maximum[first + l] ? 0 : power;
    }
    return R(put_on_grid)(sums, l, excess, power);
}

/* The sums of SUM_LANES rows, as of one, and the counts of their maxima. With `store` set, the exponentials take the
   place of x. */
static inline void R(sum_lanes)(real *x, ptrdiff_t n, int store, int counts, const R(lane_references) *lanes, int first,
                                double *total, R(integer) *ties, const char *next, ptrdiff_t next_step)
{
#define SUM_ONE(k) R(sum_one)(&sums, l, x + (j + k) * TILE_ROWS, store, counts, lanes, first)
    R(exponential_sums) sums;
    ptrdiff_t most = IS_FLOAT ? GRID_STEPS : n;
    for (ptrdiff_t j = 0; j < n;) {
        ptrdiff_t end = n - j < most ? n : j + most;
        for (ptrdiff_t k = j; k < end; k++) {
            fetch_ahead(next + k * next_step, SUM_LANES * sizeof(real));
        }
        R(start_sums)(&sums);
        for (; j + STEPS_AT_ONCE <= end; j += STEPS_AT_ONCE) {
            INDEPENDENT_ITERATIONS
            for (int l = 0; l < SUM_LANES; l++) {
                ADD_RESTS(&sums, l, SUM_ONE)
            }
        }
        for (; j < end; j++) {
            INDEPENDENT_ITERATIONS
            for (int l = 0; l < SUM_LANES; l++) {
                R(add_rest)(&sums, l, SUM_ONE(0));
            }
        }
        for (int l = 0; l < SUM_LANES; l++) {
            total[l] += R(lane_total)(&sums, l);
            ties[l] += sums.ties[l];
        }
    }
#undef SUM_ONE
}
#undef ADD_RESTS

typedef struct {
    double sum[TILE_ROWS];
    R(integer) ties[TILE_ROWS];
} R(tile_sums);

static inline void R(sum_tile)(real *x, ptrdiff_t n, int store, R(lane_references) *lanes, R(tile_sums) *sums,
                               const char *next, ptrdiff_t next_step)
{
    R(refer_lanes)(lanes, x, n);
    memset(sums, 0, sizeof *sums);
    for (int first = 0; first < TILE_ROWS; first += SUM_LANES) {
        R(sum_lanes)(x + first, n, store, !(IS_FLOAT && store), lanes, first, sums->sum + first,
                     sums->ties + first, next + first * (ptrdiff_t)sizeof(real), next_step);
    }
}

static void R(softmax_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    real *x = tile, high[TILE_ROWS], low[TILE_ROWS];
    R(lane_references) lanes;
    R(tile_sums) sums;
    R(sum_tile)(x, n, 1, &lanes, &sums, next, next_step);
    for (int l = 0; l < TILE_ROWS; l++) {
        R(reference) reference = {lanes.center[l], lanes.low[l], lanes.shift[l]};
        double unit = R(unit_of)(lanes.maximum[l]);
        double rest = R(sum_of_rest)(lanes.maximum[l], reference, unit, sums.sum[l], (ptrdiff_t)sums.ties[l]);
        R(factor) factor = R(factor_of)(rest + unit);
        high[l] = factor.high;
        low[l] = factor.low;
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        real *step = x + j * TILE_ROWS;
        for (int l = 0; l < TILE_ROWS; l++) {
            real share = R(scaled)(step[l], high[l], low[l]);
            step[l] = share > 1 ? 1 : share;
        }
    }
}
#undef EXPONENTIAL
#undef ROUNDED

/* log1p of each row's sum without its maximum. */
static void R(log_sums_of_tile)(real *x, ptrdiff_t n, real *maximum, double *log_sums, const char *next,
                                ptrdiff_t next_step)
{
    R(lane_references) lanes;
    R(tile_sums) sums;
    R(sum_tile)(x, n, 0, &lanes, &sums, next, next_step);
    for (int l = 0; l < TILE_ROWS; l++) {
        double unit = R(unit_of)(lanes.maximum[l]);
        log_sums[l] = log1p_of((sums.sum[l] + (double)(sums.ties[l] - 1) * unit) / unit);
        maximum[l] = lanes.maximum[l];
    }
}

static void R(log_softmax_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    real *x = tile;
    real maximum[TILE_ROWS], high[TILE_ROWS], low[TILE_ROWS];
    double log_sums[TILE_ROWS];
    R(log_sums_of_tile)(x, n, maximum, log_sums, next, next_step);
    for (int l = 0; l < TILE_ROWS; l++) {
        high[l] = R(log_total)(maximum[l], log_sums[l], &low[l]);
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        real *step = x + j * TILE_ROWS;
        for (int l = 0; l < TILE_ROWS; l++) {
            step[l] = (step[l] - high[l]) - low[l];
        }
    }
}

static void R(hardmax_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    real *x = tile, largest[TILE_ROWS], nothing[TILE_ROWS];
    R(integer) place[TILE_ROWS];
    (void)next, (void)next_step;
    for (int l = 0; l < TILE_ROWS; l++) {
        largest[l] = x[l];
        place[l] = 0;
        nothing[l] = x[l] == x[l] ? 0 : (real)NAN;
    }
    for (ptrdiff_t j = 1; j < n; j++) {
        const real *step = x + j * TILE_ROWS;
        for (int l = 0; l < TILE_ROWS; l++) {
            place[l] = step[l] > largest[l] ? (R(integer))j : place[l];
            largest[l] = step[l] > largest[l] ? step[l] : largest[l];
            nothing[l] = step[l] == step[l] ? nothing[l] : (real)NAN;
        }
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        real *step = x + j * TILE_ROWS;
        for (int l = 0; l < TILE_ROWS; l++) {
            real one = 1 + nothing[l];
            step[l] = place[l] == (R(integer))j ? one : nothing[l];
        }
    }
}

/* The sums of each row's gradients, or of their products with y, whose steps follow those of the gradients. */
static ALWAYS_INLINE void R(sum_gradients)(const real *grad, ptrdiff_t n, int products, double *sum)
{
    const real *y = grad + n * TILE_ROWS;
    for (int first = 0; first < TILE_ROWS; first += SUM_LANES) {
        lane_sums sums = {{0}, {0}};
        for (ptrdiff_t i = first; i < n * TILE_ROWS; i += TILE_ROWS) {
            for (int l = 0; l < SUM_LANES; l++) {
                double term = products ? (double)grad[i + l] * y[i + l] : (double)grad[i + l];
                if (IS_FLOAT) {
                    sums.sum[l] += term;
                }
                else {
                    add_to_lane(&sums, l, term);
                }
            }
        }
        for (int l = 0; l < SUM_LANES; l++) {
            sum[first + l] = sums.sum[l] + sums.carry[l];
        }
    }
}

static ALWAYS_INLINE void R(softmax_gradients)(real *grad, ptrdiff_t n, int negative)
{
    real *y = grad + n * TILE_ROWS, high[TILE_ROWS], low[TILE_ROWS];
    double sum[TILE_ROWS];
    R(sum_gradients)(grad, n, 1, sum);
    for (int l = 0; l < TILE_ROWS; l++) {
        high[l] = R(in_parts)(sum[l], &low[l]);
    }
    for (ptrdiff_t i = 0; i < n * TILE_ROWS; i += TILE_ROWS) {
        for (int l = 0; l < TILE_ROWS; l++) {
            grad[i + l] = R(softmax_gradient)(grad[i + l], y[i + l], high[l], low[l], negative);
        }
    }
}

static void R(softmax_backward_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    (void)next, (void)next_step;
    R(softmax_gradients)(tile, n, 0);
}

static void R(softmin_backward_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    (void)next, (void)next_step;
    R(softmax_gradients)(tile, n, 1);
}

static void R(log_softmax_backward_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    real *grad = tile, *y = grad + n * TILE_ROWS;
    R(reference) reference = R(reference_for)(0);
    double sum[TILE_ROWS];
    (void)next, (void)next_step;
    R(sum_gradients)(grad, n, 0, sum);
    for (int l = 0; l < TILE_ROWS; l++) {
        sum[l] = R(in_unit_of_0)(sum[l]);
    }
    for (ptrdiff_t i = 0; i < n * TILE_ROWS; i += TILE_ROWS) {
        for (int l = 0; l < TILE_ROWS; l++) {
            grad[i + l] = R(log_softmax_gradient)(grad[i + l], y[i + l], sum[l], reference);
        }
    }
}

/* Leaves the results in the tile's first step. */
static void R(logsumexp_tile)(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    real *x = tile;
    real maximum[TILE_ROWS];
    double log_sums[TILE_ROWS];
    R(log_sums_of_tile)(x, n, maximum, log_sums, next, next_step);
    int infinite = 0;
    for (int l = 0; l < TILE_ROWS; l++) {
        infinite |= !(maximum[l] - maximum[l] == 0);
    }
    for (int l = 0; l < TILE_ROWS && infinite; l++) {
        real difference = 0;    /* NaN where the row has one */
        for (ptrdiff_t j = 0; j < n; j++) {
            difference += x[j * TILE_ROWS + l] != x[j * TILE_ROWS + l] ? (real)NAN : 0;
        }
        log_sums[l] = maximum[l] - maximum[l] == 0 ? log_sums[l] : difference;
    }
#if IS_FLOAT
    int near_root = 0;
    for (int l = 0; l < TILE_ROWS; l++) {
        near_root |= R(is_near_root)(maximum[l] + log_sums[l], maximum[l]);
    }
    for (int l = 0; l < TILE_ROWS && near_root; l++) {
        if (R(is_near_root)(maximum[l] + log_sums[l], maximum[l])) {
            log_sums[l] = log1p_of(R(precise_rest)(x + l, TILE_ROWS, n, maximum[l]));
        }
    }
#endif
    for (int l = 0; l < TILE_ROWS; l++) {
        x[l] = (real)(maximum[l] + log_sums[l]);
    }
}

#if IS_FLOAT && defined(__AVX512DQ__)
#include "rowwise_avx512.h"
#define PIPELINE(function) function##_pipeline
#define WIDE_OR_REAL(function) wide_##function
#else
#define PIPELINE(function) NULL
#define WIDE_OR_REAL(function) R(function)
#endif

static const row_function R(SOFTMAX) = {
    1, 0, 0, 0.0, R(add_softmax), R(merge_exponentials), R(finish_softmax), R(emit_softmax), R(softmax_rows),
    R(softmax_tile), PIPELINE(softmax)};
static const row_function R(SOFTMIN) = {
    1, 0, 1, 0.0, R(add_softmax), R(merge_exponentials), R(finish_softmax), R(emit_softmax), R(softmin_rows),
    R(softmax_tile), PIPELINE(softmin)};
static const row_function R(LOG_SOFTMAX) = {
    1, 0, 0, -INFINITY, R(add_exponentials), R(merge_exponentials), R(finish_log), R(emit_log_softmax),
    R(log_softmax_rows), R(log_softmax_tile), PIPELINE(log_softmax)};
static const row_function R(LOGSUMEXP) = {
    1, 1, 0, 0.0, R(add_exponentials), R(merge_exponentials), R(finish_logsumexp), NULL, R(logsumexp_rows),
    R(logsumexp_tile), PIPELINE(logsumexp)};
static const row_function R(HARDMAX) = {
    1, 0, 0, 0.0, R(add_places), R(merge_places), NULL, R(emit_hardmax), R(hardmax_rows), R(hardmax_tile), NULL};
static const row_function R(SPARSEMAX) = {
    1, 0, 0, 0.0, R(add_support), merge_sums, R(finish_sparsemax), R(emit_sparsemax), NULL, NULL, NULL};
static const row_function R(SOFTMAX_BACKWARD) = {
    2, 0, 0, 0.0, R(add_products), merge_sums, NULL, R(emit_softmax_backward),
    R(softmax_backward_rows), R(softmax_backward_tile), PIPELINE(softmax_backward)};
static const row_function R(SOFTMIN_BACKWARD) = {
    2, 0, 0, 0.0, R(add_products), merge_sums, NULL, R(emit_softmin_backward),
    R(softmin_backward_rows), R(softmin_backward_tile), PIPELINE(softmin_backward)};
static const row_function R(LOG_SOFTMAX_BACKWARD) = {
    2, 0, 0, 0.0, R(add_gradients), merge_sums, NULL, WIDE_OR_REAL(emit_log_softmax_backward),
    R(log_softmax_backward_rows), WIDE_OR_REAL(log_softmax_backward_tile), PIPELINE(log_softmax_backward)};
static const row_function R(SPARSEMAX_BACKWARD) = {
    2, 0, 0, 0.0, R(add_supported_gradients), merge_sums, NULL, R(emit_sparsemax_backward), NULL, NULL, NULL};

#undef PIPELINE
#undef WIDE_OR_REAL
#undef GRID_ORIGIN
#undef BITS_OF
#undef OF_BITS
#undef FMA
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef BIAS
#undef WIDTH
#undef LARGE
#undef ROUNDING_SHIFT
#undef LOG2_E
#undef LN2_HIGH
#undef LN2_LOW
