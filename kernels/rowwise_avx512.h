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
    STEPS = 8,                  /* vectors whose rests are added two by two: see ADD_RESTS */
    RUN = GRID_STEPS * VECTOR,  /* entries whose sums are exact together */
};
#define ALL ((__mmask16)0xffff)

/* What is computed: constant arguments of the functions below. */
enum {
    SCALES = 1,         /* softmax: results are scaled exponentials, else differences */
    NEGATES = 2,        /* of -x */
    REDUCES = 4,        /* logsumexp: there are no results but the sum's logarithm */
    STREAMS = 8,        /* results are written past the caches */
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
    ptrdiff_t begin, end;       /* and which, in whole lines */
    wide high, low;             /* the results' terms */
    wide_reference reference;
    float center;
} rows_abreast;

/* What the lanes have at the end of a row: the sums of its last run, and the maximum. */
typedef struct {
    exponential_sums_float sums;
    double before;              /* the sum of the other runs */
    float largest[WIDE];
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
static ALWAYS_INLINE wide step_abreast(const rows_abreast *rows, const float *x, ptrdiff_t i, __mmask16 mask, wide *sum,
                                       wide *largest, int kind)
{
    wide power, entries = load_wide(x, mask, kind);
    *largest = _mm512_max_ps(load_wide(rows->next + i, mask, kind), *largest);
    fetch_ahead(rows->ahead + i, 1);
    if (!(kind & REDUCES) && i >= rows->begin && i < rows->end) {
        put_results(rows, i, wide_results(rows, _mm512_loadu_ps(rows->from + i), kind), kind);
    }
    wide excess = wide_exponential_parts(entries, rows->reference, &power);
    wide e = _mm512_fmadd_ps(excess, power, power);
    if (kind & SCALES) {
        store_wide(rows->e + i, mask, e);
    }
    wide before = *sum, after = _mm512_add_ps(before, e);
    *sum = after;
    return _mm512_fmadd_ps(excess, power, _mm512_sub_ps(power, _mm512_sub_ps(after, before)));
}

/* Entries [i, end) of each row, at most RUN; x: those whose exponentials are summed. */
static ALWAYS_INLINE void run_abreast(const rows_abreast *rows, const float *x, ptrdiff_t i, ptrdiff_t end,
                                      row_lanes *lanes, wide *largest, int kind)
{
    wide sum = _mm512_set1_ps(GRID_ORIGIN), rest = _mm512_setzero_ps();
    for (; i + STEPS * WIDE <= end; i += STEPS * WIDE, x += STEPS * WIDE) {
        wide rests[STEPS];
        SHORT_LOOP
        for (int k = 0; k < STEPS; k++) {
            rests[k] = step_abreast(rows, x + k * WIDE, i + k * WIDE, ALL, &sum, largest, kind);
        }
        SHORT_LOOP
        for (int k = 0; k < STEPS; k += 2) {
            rests[k] = _mm512_add_ps(rests[k], rests[k + 1]);
        }
        rests[0] = _mm512_add_ps(_mm512_add_ps(rests[0], rests[2]), _mm512_add_ps(rests[4], rests[6]));
        rest = _mm512_add_ps(rest, rests[0]);
    }
    for (; i + WIDE <= end; i += WIDE, x += WIDE) {
        rest = _mm512_add_ps(rest, step_abreast(rows, x, i, ALL, &sum, largest, kind));
    }
    if (i < end) {
        rest = _mm512_add_ps(rest, step_abreast(rows, x, i, first_lanes(end - i), &sum, largest, kind));
    }
    _mm512_storeu_ps(lanes->sums.sum, sum);
    _mm512_storeu_ps(lanes->sums.rest, rest);
}

/* A row far from 0 is first brought to it, a run at a time: without an error where it counts. */
static void move_run(const float *x, float *moved, ptrdiff_t n, float center, int negates)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        moved[i] = negates ? x[i] + center : x[i] - center;
    }
}

/* Whole rows. What the lanes have of a row's last run is added up later, together with other rows': to wait for the sum
   of one takes as long as to compute those of many. */
static ALWAYS_INLINE void pass_abreast(const rows_abreast *rows, ptrdiff_t n, row_lanes *lanes, int kind)
{
    wide largest = _mm512_set1_ps(-INFINITY);
    float moved[RUN];
    lanes->before = 0;
    for (ptrdiff_t i = 0; i < n; i += RUN) {
        ptrdiff_t end = n - i < RUN ? n : i + RUN;
        const float *x = rows->x + i;
        if (i > 0) {
            lanes->before += total_of_float(&lanes->sums);
        }
        if (rows->center != 0) {
            move_run(x, moved, end - i, rows->center, kind & NEGATES);
            x = moved;
        }
        run_abreast(rows, x, i, end, lanes, &largest, kind);
    }
    _mm512_storeu_ps(lanes->largest, largest);
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
        group.scratch = all->scratch + (row / together & 1) * together * all->scratch_stride;
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
        _mm512_storeu_ps(lanes[r].largest, largest);
    }
}

/* The references of a group whose maxima are known. */
static ALWAYS_INLINE void take_references(some_rows_float *rows, const row_group *group, const row_lanes *lanes)
{
    memset(rows->maximum, 0, sizeof rows->maximum);
    for (int r = 0; r < group->count; r++) {
        rows->maximum[r] = _mm512_reduce_max_ps(_mm512_loadu_ps(lanes[r].largest));
    }
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
    rows->end = rows->begin + lines;
    rows->from = from + head - rows->begin;
    rows->to = y + head - rows->begin;
    put_foot(rows, from, y, group->n, head + lines, group->edge, kind);
}

/* The sums of a group, and the maxima of the next one; the results of the first rows of the previous one. */
static ALWAYS_INLINE void pass_groups(const row_group *previous, const row_group *group, const row_group *next,
                                      const row_group *ahead, const row_terms_float *terms, some_rows_float *rows,
                                      row_lanes *lanes, int kind)
{
    for (int r = 0; r < group->count; r++) {
        const float *x = entries_of_float(group, r);
        rows_abreast abreast = {
            .x = x,
            .e = kind & SCALES ? exponentials_of_float(group, r) : NULL,
            .next = r < next->count ? entries_of_float(next, r) : x,
            .ahead = r < ahead->count ? entries_of_float(ahead, r) : x,
            .reference = {_mm512_set1_ps(rows->low[r]), _mm512_set1_ps(rows->shift[r])},
            .center = rows->center[r],
        };
        if (!(kind & REDUCES) && r < previous->count) {
            begin_results(&abreast, previous, r, terms, kind);
        }
        pass_abreast(&abreast, group->n, &lanes[r], kind);
    }
    for (int r = 0; r < group->count; r++) {
        rows->sum[r] = lanes[r].before + total_of_float(&lanes[r].sums);
    }
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

static ALWAYS_INLINE void pipeline(const row_group *all, ptrdiff_t rows, int together, int kind)
{
    some_rows_float sums;
    row_lanes lanes[ROWS_AT_ONCE];
    row_terms_float terms;
    row_group previous = {.count = 0}, group = group_at(all, 0, rows, together);
    memset(&sums, 0, sizeof sums);
    take_maxima(&group, lanes, kind);
    for (ptrdiff_t row = 0; row < rows; row += together) {
        row_group next = group_at(all, row + together, rows, together);
        row_group ahead = group_at(all, row + 2 * together, rows, together);
        take_references(&sums, &group, lanes);
        pass_groups(&previous, &group, &next, &ahead, &terms, &sums, lanes, kind);
        put_rows(&previous, group.count, &terms, kind);
        finish_group(&sums, &group, &terms, kind);
        previous = group;
        group = next;
    }
    put_rows(&previous, 0, &terms, kind);
}

static void softmax_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    if (all->edge != NULL) {
        pipeline(all, rows, together, SCALES | STREAMS);
    }
    else {
        pipeline(all, rows, together, SCALES);
    }
}

static void softmin_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    if (all->edge != NULL) {
        pipeline(all, rows, together, SCALES | NEGATES | STREAMS);
    }
    else {
        pipeline(all, rows, together, SCALES | NEGATES);
    }
}

static void log_softmax_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    if (all->edge != NULL) {
        pipeline(all, rows, together, STREAMS);
    }
    else {
        pipeline(all, rows, together, 0);
    }
}

static void logsumexp_pipeline(const row_group *all, ptrdiff_t rows, int together)
{
    pipeline(all, rows, together, REDUCES);
}

#undef ALL
#undef UNIT
