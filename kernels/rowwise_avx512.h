/*
 * softmax, softmin, log_softmax and logsumexp of contiguous float32 rows, for processors with AVX-512. rowwise_real.h
 * includes this file, and has the same for the others.
 *
 * A row is met three times: for its maximum, for its exponentials and their sum, and for its results. On their own, the
 * first and the last wait for the caches, and the second waits for the multipliers. Here they are done side by side,
 * each for another group of rows: the results of the previous group, the exponentials of this one, the maxima of the
 * next one. That and a shorter exponential take two thirds of the time.
 */

typedef __m512 wide;
enum {
    WIDE = 16,                  /* entries of a vector */
    STEPS = 8,                  /* vectors that are computed together */
    RUN = GRID_STEPS * VECTOR,  /* entries whose sums are exact together */
};
#define ALL ((__mmask16)0xffff)

/* What is computed: constant arguments of the functions below. */
enum {
    SCALES = 1,         /* softmax: results are scaled exponentials, else differences */
    NEGATES = 2,        /* of -x */
    REDUCES = 4,        /* logsumexp: there are no results but the sum's logarithm */
    STREAMS = 8,        /* results are written past the caches */
    FAR = 16,           /* a row so far from 0 that exponentials are taken of its distance to the maximum */
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
    /* remez exp_sixteenth */
    wide q = _mm512_fmadd_ps(_mm512_set1_ps(0.16666718f), r, _mm512_set1_ps(0.50001615f));
    return _mm512_fmadd_ps(_mm512_mul_ps(r, r), q, r);
}

/* ---- one row of each group --------------------------------------------------------------------------------------- */

typedef struct {
    const float *x;             /* the row whose exponentials are summed */
    float *e;                   /* and, with SCALES, stored */
    const float *next;          /* the row whose maximum is taken */
    const float *ahead;         /* the row that is fetched into the cache */
    const float *from;          /* what results are made of, */
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

static ALWAYS_INLINE __mmask16 first_lanes(ptrdiff_t n)
{
    return (__mmask16)((1u << n) - 1);
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

static ALWAYS_INLINE wide wide_results(const rows_abreast *rows, wide from, int kind)
{
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
        _mm512_store_ps(rows->to + i, results);
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
        put_results(rows, i, wide_results(rows, _mm512_loadu_ps(rows->from + i), kind), kind);
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
#define FOLD(vectors, count, fold, first, second)                                                    \
    for (int k = 0; k < (count); k++) {                                                              \
        wide a = (vectors)[2 * k], b = (vectors)[2 * k + 1];                                         \
        (vectors)[k] = fold(first, second);                                                          \
    }
#define FOLD_TO_QUARTERS(vectors, fold)                                                              \
    FOLD(vectors, 8, fold, _mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b))                       \
    FOLD(vectors, 4, fold, _mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee))

static ALWAYS_INLINE wide maxima_of(const row_lanes *lanes)
{
    wide largest[ROWS_AT_ONCE];
    memcpy(largest, lanes->largest, sizeof largest);
    FOLD_TO_QUARTERS(largest, _mm512_max_ps)
    FOLD(largest, 2, _mm512_max_ps, _mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))
    FOLD(largest, 1, _mm512_max_ps, _mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))
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
            __mmask16 mask = group->n - i < WIDE ? first_lanes(group->n - i) : ALL;
            largest = _mm512_max_ps(load_wide(x + i, mask, kind), largest);
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
static ALWAYS_INLINE ptrdiff_t put_head(const rows_abreast *rows, const float *from, float *y, ptrdiff_t n,
                                        line_edge *edge, int kind)
{
    ptrdiff_t head = (ptrdiff_t)((-(uintptr_t)y & 63) / sizeof(float)), lanes_before = WIDE - head;
    head = head < n ? head : n;
    if (kind & STREAMS) {
        edge_before(edge, (char *)y);
    }
    if (head == 0) {
        return 0;
    }
    __mmask16 lanes = (__mmask16)(first_lanes(head) << lanes_before);
    wide results = wide_results(rows, _mm512_maskz_loadu_ps(lanes, from - lanes_before), kind);
    if ((kind & STREAMS) && edge->bytes != 0) {
        _mm512_stream_ps(y - lanes_before, _mm512_mask_mov_ps(_mm512_load_ps(edge->line), lanes, results));
    }
    else {
        _mm512_mask_storeu_ps(y - lanes_before, lanes, results);
    }
    return head;
}

/* The results from `done` on, less than a line: with STREAMS, they wait for the next row. */
static ALWAYS_INLINE void put_foot(const rows_abreast *rows, const float *from, float *y, ptrdiff_t n, ptrdiff_t done,
                                   line_edge *edge, int kind)
{
    __mmask16 lanes = first_lanes(n - done);
    wide results = wide_results(rows, _mm512_maskz_loadu_ps(lanes, from + done), kind);
    if (kind & STREAMS) {
        _mm512_store_ps(edge->line, results);
        edge->bytes = (n - done) * (ptrdiff_t)sizeof(float);
        edge->place = (char *)(y + done);
    }
    else {
        _mm512_mask_storeu_ps(y + done, lanes, results);
    }
}

/* Puts the results of a row but for its whole lines, which are left to step_abreast. */
static ALWAYS_INLINE void begin_results(rows_abreast *rows, const row_group *group, int r, const row_terms_float *terms,
                                        int kind)
{
    const float *from = source_of(group, r, kind);
    float *y = results_of_float(group, r);
    rows->high = _mm512_set1_ps(terms->high[r]);
    rows->low = _mm512_set1_ps(terms->low[r]);
    ptrdiff_t head = put_head(rows, from, y, group->n, group->edge, kind);
    ptrdiff_t lines = (group->n - head) & -WIDE;
    rows->begin = head > 0 ? WIDE : 0;
    rows->results = (size_t)lines;
    rows->from = from + head - rows->begin;
    rows->to = y + head - rows->begin;
    if (head + lines < group->n) {
        put_foot(rows, from, y, group->n, head + lines, group->edge, kind);
    }
    else if (kind & STREAMS) {
        group->edge->bytes = 0;
    }
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
        begin_results(&abreast, &pipeline->previous, r, &pipeline->terms, kind);
    }
    pass_abreast(&abreast, pipeline->current.n, &pipeline->lanes, r, kind);
}

/* Few rows are far from 0: one function serves every kind. */
static NEVER_INLINE void pass_far_row(row_pipeline *pipeline, int r, int kind)
{
    pass_row(pipeline, r, kind | FAR);
}

/* The sums of the current group, the maxima of the next one, and the results of the previous one, as far as they are
   no more rows. */
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

static void softmax_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    if (all->edge != NULL) {
        compute_pipelined(all, rows, together, SCALES | STREAMS);
    }
    else {
        compute_pipelined(all, rows, together, SCALES);
    }
}

static void softmin_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    if (all->edge != NULL) {
        compute_pipelined(all, rows, together, SCALES | NEGATES | STREAMS);
    }
    else {
        compute_pipelined(all, rows, together, SCALES | NEGATES);
    }
}

static void log_softmax_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    if (all->edge != NULL) {
        compute_pipelined(all, rows, together, STREAMS);
    }
    else {
        compute_pipelined(all, rows, together, 0);
    }
}

static void logsumexp_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    compute_pipelined(all, rows, together, REDUCES);
}

#undef FOLD
#undef FOLD_TO_QUARTERS
#undef ALL
#undef UNIT
