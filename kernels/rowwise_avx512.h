/*
 * softmax, softmin, log_softmax and logsumexp of contiguous float32 rows, and gradients, for processors with AVX-512.
 * rowwise_real.h includes this file, and has the same for the others.
 *
 * A row is met three times: for its maximum, for its exponentials and their sum, and for its results. On their own, the
 * first and the last wait for the caches, and the second waits for the multipliers. Here they are done side by side,
 * each for another group of rows: the results of the previous group, the exponentials of this one, the maxima of the
 * next one. That and a shorter exponential take two thirds of the time.
 */

#include "primitives/wide.h"

typedef __m512 wide;
enum {
    WIDE = 16,                  /* entries of a vector */
    STEPS = 8,                  /* vectors that are computed together */
    SHORTEST_IN_LINES = 64,     /* entries of a row whose stores are worth to be made line by line */
    RUN = GRID_STEPS * VECTOR,  /* entries whose sums are exact together */
};
#define ALL ((__mmask16)0xffff)

/* What is computed: constant arguments of the functions below. */
enum {
    SCALES = 1,         /* softmax: results are scaled exponentials, else differences */
    NEGATES = 2,        /* softmin: of -x */
    REDUCES = 4,        /* logsumexp: there are no results but the sum's logarithm */
    STREAMS = 8,        /* results are written past the caches */
    FAR = 16,           /* a row so far from 0 that exponentials are taken of its distance to the maximum */
    GRADIENT = 32,      /* what is computed is the gradient of that */
};

/* ---- exponentials ------------------------------------------------------------------------------------------------ */

/* Sixteen powers of 2 stand in a register: they leave |r| <= log(2) / 32 to the polynomial, and three multiplications
   less than powers of 2 alone. All are times UNIT, which cancels in the quotient as 2**-N does: of all factors in
   [1, 2**(1/16)) it is one whose products UNIT 2**(j/16) are next to float32 numbers, at most 0.13 ULP away.
   kernels/coefficients/rowwise.py finds it. */
#define UNIT 1.032365906918

/* The bits of UNIT 2**(j/16), less j at its place above them: adding n there leaves n's integer part to the exponent. */
static ALWAYS_INLINE __m512i powers(void)
{
    /* table powers */
    return _mm512_setr_epi32(0x3f842491, 0x3f81fe49, 0x3f801a50, 0x3f7e7b96, 0x3f7d252c, 0x3f7c1a45, 0x3f7b5e39,
                             0x3f7af486, 0x3f7ae0d1, 0x3f7b26e9, 0x3f7bcac8, 0x3f7cd094, 0x3f7e3ca4, 0x3f80137e,
                             0x3f8259dd, 0x3f8514b1);
}

/* A row's reference, as rowwise_real.h says, for arguments in sixteenths of an octave. */
typedef struct {
    wide low, shift;
} wide_reference;

static inline float sixteenths_shift(float shift)
{
    return ROUNDING_SHIFT + 16 * (shift - (ROUNDING_SHIFT + EXPONENT_BIAS));
}

/* UNIT exp(x) in the reference's unit as power * (1 + excess). NaN stays NaN. */
static ALWAYS_INLINE wide wide_exponential_parts(wide x, wide_reference reference, wide *power)
{
    wide z = _mm512_max_ps(reference.low, x);
    wide t = _mm512_fmadd_ps(z, _mm512_set1_ps(16 * LOG2_E), reference.shift);
    wide n = _mm512_sub_ps(t, reference.shift);
    wide r = _mm512_fmadd_ps(n, _mm512_set1_ps(-LN2_HIGH / 16), z);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(-LN2_LOW / 16), r);
    __m512i sixteenths = _mm512_castps_si512(t);
    __m512i mantissa = _mm512_permutexvar_epi32(sixteenths, powers());          /* by the lowest four bits */
    *power = _mm512_castsi512_ps(_mm512_add_epi32(mantissa, _mm512_slli_epi32(sixteenths, MANTISSA_BITS - 4)));
    return expm1_of_small(r);
}

/* ---- one row of each group --------------------------------------------------------------------------------------- */

typedef struct {
    const float *x;             /* the row whose exponentials are summed */
    float *e;                   /* and, with SCALES, stored */
    const float *next;          /* the row whose maximum is taken */
    const float *ahead;         /* the row that is fetched into the cache */
    const float *from, *second; /* what results are made of: gradients of grad and y, */
    float *to;                  /* where they go, */
    ptrdiff_t begin;            /* and which: from here on, */
    size_t results;             /* in whole lines */
    wide high, low;             /* the results' terms */
    wide_reference reference;
    wide center;
} rows_abreast;

/* What the lanes have at the end of each row of a group: the sums of its last run, and the maximum. They are added up
   for all rows at once: to wait for the sum of one row takes as long as to compute those of many. */
typedef struct {
    _Alignas(64) float sum[ROWS_AT_ONCE][WIDE], rest[ROWS_AT_ONCE][WIDE], largest[ROWS_AT_ONCE][WIDE];
    double before[ROWS_AT_ONCE];            /* the sums of the other runs */
} row_lanes;

/* The first n lanes; all of them where there are no more than that. */
static ALWAYS_INLINE __mmask16 first_lanes(ptrdiff_t n)
{
    return n < WIDE ? (__mmask16)((1u << n) - 1) : ALL;
}

static ALWAYS_INLINE wide load_wide(const float *x, __mmask16 mask, int kind)
{
    wide nothing = _mm512_set1_ps(kind & NEGATES ? INFINITY : -INFINITY);
    wide entries = mask == ALL ? _mm512_loadu_ps(x) : _mm512_mask_loadu_ps(nothing, mask, x);
    return kind & NEGATES ? _mm512_xor_ps(entries, _mm512_set1_ps(-0.0f)) : entries;
}

static ALWAYS_INLINE void store_wide(float *to, __mmask16 mask, wide numbers)
{
    if (mask == ALL) {
        _mm512_storeu_ps(to, numbers);
    }
    else {
        _mm512_mask_storeu_ps(to, mask, numbers);
    }
}

/* The gradient from grad and the function's result y. log_softmax's sum is in the unit of the exponentials. */
static ALWAYS_INLINE wide wide_gradient(const rows_abreast *rows, wide grad, wide y, int kind)
{
    if (kind & NEGATES) {
        return _mm512_mul_ps(y, _mm512_add_ps(_mm512_sub_ps(rows->high, grad), rows->low));
    }
    if (kind & SCALES) {
        return _mm512_mul_ps(y, _mm512_sub_ps(_mm512_sub_ps(grad, rows->high), rows->low));
    }
    wide power, excess = wide_exponential_parts(y, rows->reference, &power);
    __mmask16 counts = _mm512_cmp_ps_mask(y, rows->reference.low, _CMP_NLT_UQ);     /* else the exponential is 0 */
    wide e = _mm512_maskz_fmadd_ps(counts, excess, power, power);
    return _mm512_fnmadd_ps(rows->low, e, _mm512_fnmadd_ps(rows->high, e, grad));
}

static ALWAYS_INLINE wide wide_results(const rows_abreast *rows, ptrdiff_t i, __mmask16 mask, int kind)
{
    wide from = _mm512_maskz_loadu_ps(mask, rows->from + i);
    if (kind & GRADIENT) {
        return wide_gradient(rows, from, _mm512_maskz_loadu_ps(mask, rows->second + i), kind);
    }
    if (kind & SCALES) {
        return _mm512_fmadd_ps(from, rows->high, _mm512_mul_ps(from, rows->low));
    }
    return _mm512_sub_ps(_mm512_sub_ps(from, rows->high), rows->low);
}

static ALWAYS_INLINE void put_results(const rows_abreast *rows, ptrdiff_t i, wide results, int kind)
{
    if (kind & STREAMS) {
        _mm512_stream_ps(rows->to + i, results);
    }
    else {
        _mm512_storeu_ps(rows->to + i, results);
    }
}

/* A vector of each row; returns what the sum does not take. All loads come before the stores: rows may lie a multiple
   of 4096 bytes apart, where a load would wait for a store that it only seems to depend on. */
static ALWAYS_INLINE wide step_abreast(const rows_abreast *rows, ptrdiff_t i, __mmask16 mask, wide *sum, wide *largest,
                                       int kind)
{
    wide power, entries = load_wide(rows->x + i, mask, kind);
    *largest = _mm512_max_ps(load_wide(rows->next + i, mask, kind), *largest);
    fetch_ahead(rows->ahead + i, 1);
    if (!(kind & REDUCES) && (size_t)(i - rows->begin) < rows->results) {
        put_results(rows, i, wide_results(rows, i, ALL, kind), kind);
    }
    entries = kind & FAR ? _mm512_sub_ps(entries, rows->center) : entries;
    wide excess = wide_exponential_parts(entries, rows->reference, &power);
    wide e = _mm512_fmadd_ps(excess, power, power);
    if (kind & SCALES) {
        store_wide(rows->e + i, mask, e);
    }
    wide before = *sum, after = _mm512_add_ps(before, e);
    *sum = after;
    return _mm512_fmadd_ps(excess, power, _mm512_sub_ps(power, _mm512_sub_ps(after, before)));
}

/* If there are `count` vectors from entry i on, a power of 2: adds them, and returns where they end, else i. What the
   sum does not take is added two by two: where it is equal, without an error. */
static ALWAYS_INLINE ptrdiff_t steps_abreast(const rows_abreast *rows, ptrdiff_t i, ptrdiff_t end, int count, wide *sum,
                                             wide *rest, wide *largest, int kind)
{
    wide rests[STEPS];
    if (i + count * WIDE > end) {
        return i;
    }
    SHORT_LOOP
    for (int k = 0; k < count; k++) {
        rests[k] = step_abreast(rows, i + k * WIDE, ALL, sum, largest, kind);
    }
    SHORT_LOOP
    for (int half = count / 2; half > 0; half /= 2) {
        SHORT_LOOP
        for (int k = 0; k < half; k++) {
            rests[k] = _mm512_add_ps(rests[2 * k], rests[2 * k + 1]);
        }
    }
    *rest = _mm512_add_ps(*rest, rests[0]);
    return i + count * WIDE;
}

/* Entries [i, end) of each row, at most RUN. */
static ALWAYS_INLINE void run_abreast(const rows_abreast *rows, ptrdiff_t i, ptrdiff_t end, row_lanes *lanes, int r,
                                      wide *largest, int kind)
{
    wide sum = _mm512_set1_ps(GRID_ORIGIN), rest = _mm512_setzero_ps();
    while (i + STEPS * WIDE <= end) {
        i = steps_abreast(rows, i, end, STEPS, &sum, &rest, largest, kind);
    }
    i = steps_abreast(rows, i, end, STEPS / 2, &sum, &rest, largest, kind);
    i = steps_abreast(rows, i, end, STEPS / 4, &sum, &rest, largest, kind);
    i = steps_abreast(rows, i, end, STEPS / 8, &sum, &rest, largest, kind);
    if (i < end) {
        rest = _mm512_add_ps(rest, step_abreast(rows, i, first_lanes(end - i), &sum, largest, kind));
    }
    _mm512_store_ps(lanes->sum[r], sum);
    _mm512_store_ps(lanes->rest[r], rest);
}

static double total_of_run(const row_lanes *lanes, int r)
{
    exponential_sums_float sums;
    memcpy(sums.sum, lanes->sum[r], sizeof sums.sum);
    memcpy(sums.rest, lanes->rest[r], sizeof sums.rest);
    return total_of_float(&sums);
}

/* Whole rows, the r-th of their groups. */
static ALWAYS_INLINE void pass_abreast(const rows_abreast *rows, ptrdiff_t n, row_lanes *lanes, int r, int kind)
{
    wide largest = _mm512_set1_ps(-INFINITY);
    lanes->before[r] = 0;
    for (ptrdiff_t i = 0; i < n; i += RUN) {
        if (i > 0) {
            lanes->before[r] += total_of_run(lanes, r);
        }
        run_abreast(rows, i, n - i < RUN ? n : i + RUN, lanes, r, &largest, kind);
    }
    _mm512_store_ps(lanes->largest[r], largest);
}

/* ---- the lanes of sixteen rows ----------------------------------------------------------------------------------- */

/* Folds vectors two by two, so that one has what two had. After two folds, each quarter of a vector has one number of
   each of four rows; after two more, a vector has one number of each row, in order. */
#define FOLD(type, vectors, count, fold, first, second)                                              \
    for (int k = 0; k < (count); k++) {                                                              \
        type a = (vectors)[2 * k], b = (vectors)[2 * k + 1];                                         \
        (vectors)[k] = fold(first, second);                                                          \
    }
#define FOLD_TO_QUARTERS(vectors, fold)                                                              \
    FOLD(wide, vectors, 8, fold, _mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b))                 \
    FOLD(wide, vectors, 4, fold, _mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee))

static ALWAYS_INLINE wide maxima_of(const row_lanes *lanes)
{
    wide largest[ROWS_AT_ONCE];
    memcpy(largest, lanes->largest, sizeof largest);
    FOLD_TO_QUARTERS(largest, _mm512_max_ps)
    FOLD(wide, largest, 2, _mm512_max_ps, _mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))
    FOLD(wide, largest, 1, _mm512_max_ps, _mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))
    return largest[0];
}

/* Both halves of a vector, as doubles, added up. */
static ALWAYS_INLINE __m512d add_halves(wide numbers)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(numbers));
    return _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_extractf32x8_ps(numbers, 1)));
}

/* What two vectors of four rows' quarters have for each row. */
static ALWAYS_INLINE __m512d add_quarters(wide four, wide next_four)
{
    __m512d a = add_halves(four), b = add_halves(next_four);
    return _mm512_add_pd(_mm512_shuffle_f64x2(a, b, 0x44), _mm512_shuffle_f64x2(a, b, 0xee));
}

static ALWAYS_INLINE void take_sums(const row_lanes *lanes, double *sums)
{
    wide exact[ROWS_AT_ONCE], rests[ROWS_AT_ONCE];
    memcpy(rests, lanes->rest, sizeof rests);
    for (int r = 0; r < ROWS_AT_ONCE; r++) {
        exact[r] = _mm512_sub_ps(_mm512_load_ps(lanes->sum[r]), _mm512_set1_ps(GRID_ORIGIN));
    }
    FOLD_TO_QUARTERS(rests, _mm512_add_ps)
    FOLD_TO_QUARTERS(exact, _mm512_add_ps)      /* four sums on the grid are still exact together */
    for (int k = 0; k < ROWS_AT_ONCE / 4; k += 2) {
        __m512d sum = add_quarters(exact[k], exact[k + 1]), rest = add_quarters(rests[k], rests[k + 1]);
        sum = _mm512_add_pd(_mm512_add_pd(sum, rest), _mm512_loadu_pd(lanes->before + 4 * k));
        _mm512_storeu_pd(sums + 4 * k, sum);
    }
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static ALWAYS_INLINE const float *source_of(const row_group *group, int r, int kind)
{
    return kind & SCALES ? exponentials_of_float(group, r) : entries_of_float(group, r);
}

/* The group of at most `together` rows that begins at `row`. Exponentials of two groups are kept. */
static row_group group_at(const row_group *all, ptrdiff_t row, ptrdiff_t rows, int together)
{
    row_group group = *all;
    group.count = rows - row < together ? rows < row ? 0 : (int)(rows - row) : together;
    group.places = (group.count + 7) & -8;
    group.x = all->x + row * all->x_stride;
    group.second = all->second + row * all->second_stride;
    group.y = all->y + row * all->y_stride;
    if (all->scratch != NULL) {
        group.scratch = all->scratch + (row / together & 1) * half_of_scratch(together, all->scratch_stride);
    }
    return group;
}

static void take_maxima(const row_group *group, row_lanes *lanes, int kind)
{
    for (int r = 0; r < group->count; r++) {
        const float *x = entries_of_float(group, r);
        wide largest = _mm512_set1_ps(-INFINITY);
        for (ptrdiff_t i = 0; i < group->n; i += WIDE) {
            largest = _mm512_max_ps(load_wide(x + i, first_lanes(group->n - i), kind), largest);
        }
        _mm512_store_ps(lanes->largest[r], largest);
    }
}

/* The references of a group whose maxima are known. */
static ALWAYS_INLINE void take_references(some_rows_float *rows, const row_group *group, const row_lanes *lanes)
{
    _mm512_storeu_ps(rows->maximum, maxima_of(lanes));
    for (int r = 0; r < group->places; r++) {
        reference_float reference = reference_for_float(rows->maximum[r]);
        rows->center[r] = reference.center;
        rows->low[r] = reference.low;
        rows->shift[r] = sixteenths_shift(reference.shift);
    }
}

/* The results of a row before its first whole line: with STREAMS, the rest of the line that the row before began. */
static ALWAYS_INLINE ptrdiff_t put_head(const rows_abreast *rows, ptrdiff_t n, line_edge *edge, int kind)
{
    ptrdiff_t head = (ptrdiff_t)((-(uintptr_t)rows->to & 63) / sizeof(float)), before = WIDE - head;
    if (kind & STREAMS) {
        edge_before(edge, (char *)rows->to);
    }
    if (head == 0 || (!(kind & STREAMS) && n < SHORTEST_IN_LINES)) {
        return 0;
    }
    __mmask16 lanes = (__mmask16)(first_lanes(head) << before);
    wide results = wide_results(rows, -before, lanes, kind);
    if ((kind & STREAMS) && edge->bytes != 0) {
        _mm512_stream_ps(rows->to - before, _mm512_mask_mov_ps(_mm512_load_ps(edge->line), lanes, results));
    }
    else {
        _mm512_mask_storeu_ps(rows->to - before, lanes, results);
    }
    return head;
}

/* The results from `done` on, less than a line: with STREAMS, they wait for the next row. */
static ALWAYS_INLINE void put_foot(const rows_abreast *rows, ptrdiff_t n, ptrdiff_t done, line_edge *edge, int kind)
{
    __mmask16 lanes = first_lanes(n - done);
    if (kind & STREAMS) {
        _mm512_store_ps(edge->line, wide_results(rows, done, lanes, kind));
        edge->bytes = (n - done) * (ptrdiff_t)sizeof(float);
        edge->place = (char *)(rows->to + done);
    }
    else if (done < n) {
        _mm512_mask_storeu_ps(rows->to + done, lanes, wide_results(rows, done, lanes, kind));
    }
}

/* Puts the results of a row but for its whole lines, of which `begin` and `results` then tell. They lag behind by a
   vector where a line is not a vector of x: a load of x would wait for the store of a line that seems to overlap it. */
static ALWAYS_INLINE void begin_results(rows_abreast *rows, ptrdiff_t n, line_edge *edge, int kind)
{
    ptrdiff_t head = put_head(rows, n, edge, kind), lines = (n - head) & -WIDE;
    put_foot(rows, n, head + lines, edge, kind);
    rows->begin = head > 0 ? WIDE : 0;
    rows->results = (size_t)lines;
    rows->from += head - rows->begin;
    rows->second += kind & GRADIENT ? head - rows->begin : 0;
    rows->to += head - rows->begin;
}

/* Groups that follow each other, and what is known of them. */
typedef struct {
    row_group previous, current, next, ahead;
    row_terms_float terms;                  /* of the previous one's results */
    some_rows_float rows;                   /* the current one's */
    row_lanes lanes;                        /* its sums, and maxima: its own at first, then the next one's */
} row_pipeline;

/* One row of each group, as far as there is one. */
static ALWAYS_INLINE void pass_row(row_pipeline *pipeline, int r, int kind)
{
    const float *x = entries_of_float(&pipeline->current, r);
    const some_rows_float *rows = &pipeline->rows;
    rows_abreast abreast = {
        .x = x,
        .e = kind & SCALES ? exponentials_of_float(&pipeline->current, r) : NULL,
        .next = r < pipeline->next.count ? entries_of_float(&pipeline->next, r) : x,
        .ahead = r < pipeline->ahead.count ? entries_of_float(&pipeline->ahead, r) : x,
        .reference = {_mm512_set1_ps(rows->low[r]), _mm512_set1_ps(rows->shift[r])},
        .center = _mm512_set1_ps(rows->center[r]),
    };
    if (!(kind & REDUCES) && r < pipeline->previous.count) {
        abreast.from = source_of(&pipeline->previous, r, kind);
        abreast.to = results_of_float(&pipeline->previous, r);
        abreast.high = _mm512_set1_ps(pipeline->terms.high[r]);
        abreast.low = _mm512_set1_ps(pipeline->terms.low[r]);
        begin_results(&abreast, pipeline->previous.n, pipeline->previous.edge, kind);
    }
    pass_abreast(&abreast, pipeline->current.n, &pipeline->lanes, r, kind);
}

/* Few rows are far from 0: one function serves every kind. */
static NEVER_INLINE void pass_far_row(row_pipeline *pipeline, int r, int kind)
{
    pass_row(pipeline, r, kind | FAR);
}

/* The sums of the current group, the maxima of the next one, and the results of the previous one's rows, of as many as
   the current one has. */
static ALWAYS_INLINE void pass_groups(row_pipeline *pipeline, int kind)
{
    some_rows_float *rows = &pipeline->rows;
    for (int r = 0; r < pipeline->current.count; r++) {
        if (rows->center[r] != 0) {
            pass_far_row(pipeline, r, kind);
        }
        else {
            pass_row(pipeline, r, kind);
        }
    }
    take_sums(&pipeline->lanes, rows->sum);
}

/* The results of a group's rows from `first` on. */
static ALWAYS_INLINE void put_rows(const row_group *group, int first, const row_terms_float *terms, int kind)
{
    for (int r = first; r < group->count && !(kind & REDUCES); r++) {
        put_row_float(group, r, source_of(group, r, kind), kind & SCALES, terms->high[r], terms->low[r]);
    }
}

/* What is known of a group once its sums are. */
static ALWAYS_INLINE void finish_group(some_rows_float *rows, const row_group *group, row_terms_float *terms, int kind)
{
    float largest[ROWS_AT_ONCE], excesses[ROWS_AT_ONCE], units[ROWS_AT_ONCE];
    wide_reference references = {_mm512_loadu_ps(rows->low), _mm512_loadu_ps(rows->shift)};
    wide top = _mm512_sub_ps(_mm512_loadu_ps(rows->maximum), _mm512_loadu_ps(rows->center));
    wide power, excess = wide_exponential_parts(top, references, &power);
    _mm512_storeu_ps(largest, _mm512_fmadd_ps(excess, power, power));
    if (kind & SCALES) {
        take_factors_float(terms, group, rows->sum, largest);
        return;
    }
    _mm512_storeu_ps(excesses, excess);
    _mm512_storeu_ps(units, power);
    for (int r = 0; r < group->places; r++) {
        rows->unit[r] = UNIT * unit_of_float(rows->maximum[r]);
        rows->rest[r] = rows->sum[r] - fma_float64((double)excesses[r], units[r], units[r]);
    }
    if (kind & REDUCES) {
        put_logsumexps_float(rows, group);
    }
    else {
        take_log_totals_float(terms, rows, group);
    }
}

static ALWAYS_INLINE void compute_pipelined(const row_group *all, ptrdiff_t rows, int together, int kind)
{
    row_pipeline pipeline;
    pipeline.previous.count = 0;
    pipeline.current = group_at(all, 0, rows, together);
    memset(&pipeline.rows, 0, sizeof pipeline.rows);
    memset(&pipeline.lanes, 0, sizeof pipeline.lanes);      /* there may be fewer rows */
    take_maxima(&pipeline.current, &pipeline.lanes, kind);
    for (ptrdiff_t row = 0; row < rows; row += together) {
        pipeline.next = group_at(all, row + together, rows, together);
        pipeline.ahead = group_at(all, row + 2 * together, rows, together);
        take_references(&pipeline.rows, &pipeline.current, &pipeline.lanes);
        pass_groups(&pipeline, kind);
        put_rows(&pipeline.previous, pipeline.current.count, &pipeline.terms, kind);
        finish_group(&pipeline.rows, &pipeline.current, &pipeline.terms, kind);
        pipeline.previous = pipeline.current;
        pipeline.current = pipeline.next;
    }
    put_rows(&pipeline.previous, 0, &pipeline.terms, kind);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* Adds sixteen terms to a sum in double, in which float32's products are exact. */
static ALWAYS_INLINE void add_terms(__m512d *sum, wide grad, wide y, int kind)
{
    for (int half = 0; half < 2; half++) {
        __m512d term = _mm512_cvtps_pd(half ? _mm512_extractf32x8_ps(grad, 1) : _mm512_castps512_ps256(grad));
        __m512d factor = _mm512_cvtps_pd(half ? _mm512_extractf32x8_ps(y, 1) : _mm512_castps512_ps256(y));
        sum[half] = kind & SCALES ? _mm512_fmadd_pd(term, factor, sum[half]) : _mm512_add_pd(sum[half], term);
    }
}

static ALWAYS_INLINE const float *second_of(const row_group *group, ptrdiff_t r)
{
    return (const float *)(group->second + r * group->second_stride);
}

/* Groups that follow each other, and the sums of the previous one. */
typedef struct {
    row_group previous, current, ahead;
    double sum[ROWS_AT_ONCE];
} gradient_pipeline;

/* A sum in the unit that wide_gradient takes it in, in two parts. */
static ALWAYS_INLINE float gradient_terms(double sum, float *low, int kind)
{
    return in_parts_float(kind & SCALES ? sum : in_unit_of_0_float(sum) / UNIT, low);
}

static ALWAYS_INLINE wide_reference reference_for_results(void)
{
    reference_float reference = reference_for_float(0);
    wide_reference result = {_mm512_set1_ps(reference.low), _mm512_set1_ps(sixteenths_shift(reference.shift))};
    return result;
}

static ALWAYS_INLINE void take_gradient_terms(rows_abreast *rows, double sum, int kind)
{
    float low, high = gradient_terms(sum, &low, kind);
    rows->high = _mm512_set1_ps(high);
    rows->low = _mm512_set1_ps(low);
    rows->reference = reference_for_results();
}

/* What the gradients of a row are made of. */
static ALWAYS_INLINE void begin_gradients(rows_abreast *rows, const row_group *group, int r, double sum, int kind)
{
    take_gradient_terms(rows, sum, kind);
    rows->from = entries_of_float(group, r);
    rows->second = second_of(group, r);
    rows->to = results_of_float(group, r);
    begin_results(rows, group->n, group->edge, kind);
}

/* The sum of a row's terms, and meanwhile the gradients of a row of the previous group. */
static ALWAYS_INLINE __m512d pass_gradients(const gradient_pipeline *pipeline, int r, int kind)
{
    const row_group *group = &pipeline->current;
    int from_ahead = r < pipeline->ahead.count;
    const float *grad = entries_of_float(group, r), *y = second_of(group, r);
    const float *grad_ahead = from_ahead ? entries_of_float(&pipeline->ahead, r) : grad;
    const float *y_ahead = from_ahead ? second_of(&pipeline->ahead, r) : y;
    __m512d sum[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
    rows_abreast rows = {.results = 0};
    if (r < pipeline->previous.count) {
        begin_gradients(&rows, &pipeline->previous, r, pipeline->sum[r], kind);
    }
    for (ptrdiff_t i = 0; i < group->n; i += WIDE) {
        __mmask16 mask = first_lanes(group->n - i);
        fetch_ahead(grad_ahead + i, 1);
        fetch_ahead(y_ahead + i, 1);
        add_terms(sum, _mm512_maskz_loadu_ps(mask, grad + i), _mm512_maskz_loadu_ps(mask, y + i), kind);
        if ((size_t)(i - rows.begin) < rows.results) {
            put_results(&rows, i, wide_results(&rows, i, ALL, kind), kind);
        }
    }
    return _mm512_add_pd(sum[0], sum[1]);
}

/* The gradients of a group's rows from `first` on. */
static ALWAYS_INLINE void put_gradients(const row_group *group, int first, const double *sum, int kind)
{
    for (int r = first; r < group->count; r++) {
        rows_abreast rows;
        begin_gradients(&rows, group, r, sum[r], kind);
        for (ptrdiff_t i = rows.begin; i < rows.begin + (ptrdiff_t)rows.results; i += WIDE) {
            put_results(&rows, i, wide_results(&rows, i, ALL, kind), kind);
        }
    }
}

static ALWAYS_INLINE void compute_gradients(const row_group *all, ptrdiff_t rows, int together, int kind)
{
    gradient_pipeline pipeline;
    __m512d sums[ROWS_AT_ONCE];
    pipeline.previous.count = 0;
    for (ptrdiff_t row = 0; row < rows; row += together) {
        pipeline.current = group_at(all, row, rows, together);
        pipeline.ahead = group_at(all, row + together, rows, together);
        for (int r = 0; r < ROWS_AT_ONCE; r++) {
            sums[r] = r < pipeline.current.count ? pass_gradients(&pipeline, r, kind) : _mm512_setzero_pd();
        }
        put_gradients(&pipeline.previous, pipeline.current.count, pipeline.sum, kind);
        FOLD(__m512d, sums, 8, _mm512_add_pd, _mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b))
        FOLD(__m512d, sums, 4, _mm512_add_pd, _mm512_shuffle_f64x2(a, b, 0x88), _mm512_shuffle_f64x2(a, b, 0xdd))
        FOLD(__m512d, sums, 2, _mm512_add_pd, _mm512_shuffle_f64x2(a, b, 0x88), _mm512_shuffle_f64x2(a, b, 0xdd))
        _mm512_storeu_pd(pipeline.sum, sums[0]);
        _mm512_storeu_pd(pipeline.sum + 8, sums[1]);
        pipeline.previous = pipeline.current;
    }
    put_gradients(&pipeline.previous, 0, pipeline.sum, kind);
}

/* log_softmax's gradient in other layouts: from the same exponentials, and so with the same bits. */
static void wide_emit_log_softmax_backward(const row_state *state, const void *const *inputs, void *output,
                                           ptrdiff_t begin, ptrdiff_t n)
{
    float *result = output;
    rows_abreast rows = {.from = inputs[0], .second = inputs[1]};
    (void)begin;
    take_gradient_terms(&rows, state->sum, GRADIENT);
    for (ptrdiff_t i = 0; i < n; i += WIDE) {
        __mmask16 mask = first_lanes(n - i);
        store_wide(result + i, mask, wide_results(&rows, i, mask, GRADIENT));
    }
}

static void wide_log_softmax_backward_tile(void *tile, ptrdiff_t n, const char *next, ptrdiff_t next_step)
{
    float *grad = tile, high[TILE_ROWS], low[TILE_ROWS];
    double sum[TILE_ROWS];
    rows_abreast rows = {.from = grad, .second = grad + n * TILE_ROWS, .reference = reference_for_results()};
    (void)next, (void)next_step;
    sum_gradients_float(grad, n, 0, sum);
    for (int l = 0; l < TILE_ROWS; l++) {
        high[l] = gradient_terms(sum[l], &low[l], GRADIENT);
    }
    for (int l = 0; l < TILE_ROWS; l += WIDE) {
        rows.high = _mm512_loadu_ps(high + l);
        rows.low = _mm512_loadu_ps(low + l);
        for (ptrdiff_t i = l; i < n * TILE_ROWS; i += TILE_ROWS) {
            _mm512_storeu_ps(grad + i, wide_results(&rows, i, ALL, GRADIENT));
        }
    }
}

/* ---- the pipelines ----------------------------------------------------------------------------------------------- */

#define PIPELINE_OF(NAME, COMPUTE, KIND)                                                             \
    static void NAME(const row_group *all, ptrdiff_t rows, int together)                             \
    {                                                                                                \
        if (all->edge != NULL) {                                                                     \
            COMPUTE(all, rows, together, (KIND) | STREAMS);                                          \
        }                                                                                            \
        else {                                                                                       \
            COMPUTE(all, rows, together, KIND);                                                      \
        }                                                                                            \
    }

PIPELINE_OF(softmax_pipeline, compute_pipelined, SCALES)
PIPELINE_OF(softmin_pipeline, compute_pipelined, SCALES | NEGATES)
PIPELINE_OF(log_softmax_pipeline, compute_pipelined, 0)
PIPELINE_OF(softmax_backward_pipeline, compute_gradients, GRADIENT | SCALES)
PIPELINE_OF(softmin_backward_pipeline, compute_gradients, GRADIENT | SCALES | NEGATES)
PIPELINE_OF(log_softmax_backward_pipeline, compute_gradients, GRADIENT)

static void logsumexp_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    compute_pipelined(all, rows, together, REDUCES);
}

#undef PIPELINE_OF
#undef FOLD
#undef FOLD_TO_QUARTERS
#undef ALL
#undef UNIT
