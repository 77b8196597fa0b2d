/*
 * The row-wise loop: one driver for every row-wise function, element type and memory layout.
 *
 * A function reads its row in blocks, in order, into a state (`add`), may ask for the row again (`finish`), and then
 * writes its results from the row and the state (`emit`), again in blocks. So a row of any length, layout and
 * element type is computed in a few buffers that stay in L1. Three layouts have paths of their own:
 *
 *   a contiguous row of its own type is read where it is, whole if it fits in the cache;
 *   a row of a few entries, less than a vector, is computed together with many others: a lane is a row (`tile`);
 *   rows that run across memory (axis 0 of a C-ordered array) are fetched many at a time, along memory.
 *
 * Where a row is cut depends on its length alone, never on the number of threads; nor do the results.
 */
#ifndef FASTACT_ROWWISE_H
#define FASTACT_ROWWISE_H

#include <fenv.h>
#include <math.h>
#include <stdlib.h>

#include "bits.h"
#include "elementwise.h"
#include "inline.h"

/* The compiler may take a loop's iterations as independent, though x and y may be the same array. */
#if defined(__clang__)
#define INDEPENDENT_ITERATIONS _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT_ITERATIONS _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#elif defined(_MSC_VER)
#define INDEPENDENT_ITERATIONS __pragma(loop(ivdep))
#else
#define INDEPENDENT_ITERATIONS
#endif

/* A loop so short that where it lies in memory would be felt, was it not unrolled. */
#if defined(__GNUC__) && !defined(__clang__)
#define SHORT_LOOP _Pragma("GCC unroll 8")
#else
#define SHORT_LOOP
#endif

enum {
    SUM_LANES = 16,
    VECTOR = 2 * SUM_LANES,         /* entries that are computed together: a tail is padded to as many */
    GRID_STEPS = 16,                /* vectors whose float32 sums stay exact */
    STEPS_AT_ONCE = 4,              /* of them are summed together: see ADD_RESTS */
    MAXIMUM_LANES = 4 * SUM_LANES,
    ROWS_AT_ONCE = 16,
    ROWS_IN_L1 = 24 << 10,          /* bytes of several rows that are computed together */
    TERM_BLOCK = 1024,              /* terms of a sum that stay in L1 */
    TILE_ROWS = 64,                 /* rows of a tile */
    TILE_LINES = 256,               /* bytes of a step of a float32 tile */
    TILE_STEPS = 32,                /* entries of a row, at most, in the tiles on the stack */
    SHORTEST_PIPELINED = 20,        /* entries of a row that takes no longer in a pipeline than in a tile */
    CROSSING = 16,                  /* rows across memory that are fetched together: a cache line's worth */
    CROSSING_BLOCK = 128,           /* entries of each that are fetched at a time */
    MAX_ROW_INPUTS = 2,
    MAX_ROW_OPERANDS = MAX_ROW_INPUTS + 2,      /* a mask, and the result */
    MAX_CORE_DIMENSIONS = 4,
};

/* What is known of a row while it is read. The functions' own comments say what the numbers are. */
typedef struct {
    double maximum, sum, carry, result;     /* carry: what `sum` lost to rounding */
    ptrdiff_t count, place, seen;
    int pass;
} row_state;

/* Asks for memory that is read next, so that it comes while something else is computed: to L2, for in L1 it would be in
   the way of what is. */
static inline void fetch_ahead(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64) {
#if defined(__GNUC__)
        __builtin_prefetch((const char *)from + i, 0, 2);
#elif HAVE_STREAMING_STORES
        _mm_prefetch((const char *)from + i, _MM_HINT_T1);
#endif
    }
}

static const row_state NEW_ROW = {-INFINITY, 0, 0, 0, 0, 0, 0, 0};

/* A few contiguous rows that are computed together. */
typedef struct {
    const char *x, *next;           /* the rows after them, which are fetched meanwhile */
    ptrdiff_t x_stride;
    const char *second;             /* the second input's rows, if there is one */
    ptrdiff_t second_stride;
    char *y;
    ptrdiff_t y_stride;
    char *scratch;                  /* for as many rows, or NULL */
    ptrdiff_t scratch_stride;
    line_edge *edge;                /* of results that are written past the caches, or NULL */
    ptrdiff_t n;
    int count, places;              /* places: the count, rounded up to whole vectors */
} row_group;

typedef struct {
    int inputs;
    int reduces;                    /* the result of a row is the one number `result` */
    int negates;                    /* computes on -x */
    double masked;                  /* the result where the mask is false */
    void (*add)(row_state *state, const void *const *inputs, ptrdiff_t n);
    void (*merge)(row_state *state, const row_state *later);
    int (*finish)(row_state *state);            /* 0: read the row again; NULL: nothing to do */
    void (*emit)(const row_state *state, const void *const *inputs, void *output, ptrdiff_t begin, ptrdiff_t n);
    /* A few contiguous rows in cache, or NULL. */
    void (*few)(const row_group *group);
    /* TILE_ROWS rows, or NULL: the tiles of the inputs, one after the other, of which the first takes the results. */
    void (*tile)(void *tiles, ptrdiff_t n, const char *next, ptrdiff_t next_step);
    /* As `few`, for all `rows` from a group's first on, at most `together` of them at once; or NULL. The group's scratch
       is for twice as many. */
    void (*pipeline)(const row_group *first, ptrdiff_t rows, int together);
} row_function;

/* A pipeline's scratch has two halves. Neither lies a multiple of PAGE bytes from the other, nor from the rows of x: a
   load would have to wait for a store to the other that it only seems to depend on. */
enum { PAGE = 4096, APART_IN_PAGE = 21 * 64 };

static ptrdiff_t half_of_scratch(ptrdiff_t together, ptrdiff_t stride)
{
    return ((together * stride + PAGE - 1) & -PAGE) + APART_IN_PAGE;
}

static char *begin_of_scratch(char *scratch, const char *x)
{
    char *begin = scratch + ((uintptr_t)(x + APART_IN_PAGE - scratch) & (PAGE - 1));
    return begin + (-(uintptr_t)begin & 63);
}

static void add_to_sum(row_state *state, double term)
{
    double before = state->sum;
    double after = before + term;
    double added = after - before;
    state->carry += (before - (after - added)) + (term - added);
    state->sum = after;
}

static void merge_sums(row_state *state, const row_state *later)
{
    state->maximum = state->maximum > later->maximum ? state->maximum : later->maximum;
    state->sum += later->sum;
    state->count += later->count;
}

/* The sum of SUM_LANES lanes, two at a time: left to itself, GCC takes them out of their register one by one. */
static inline double sum_of_lanes(const double *lanes)
{
#if defined(__GNUC__)
    typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));
    const pair *pairs = (const pair *)lanes;
    pair sum = ((pairs[0] + pairs[1]) + (pairs[2] + pairs[3])) + ((pairs[4] + pairs[5]) + (pairs[6] + pairs[7]));
    return sum[0] + sum[1];
#else
    double sum = 0;
    for (int l = 0; l < SUM_LANES; l++) {
        sum += lanes[l];
    }
    return sum;
#endif
}

/* log(1 + x) for x >= 0, error below 1 ULP: no branches, so that a loop over it is vectorised. */
static ALWAYS_INLINE double log1p_of(double x)
{
    double u = 1 + x;
    double lost = x > 1 ? 1 - (u - x) : x - (u - 1);
    uint64_t bits = bits_of_float64(u);
    /* u = 2**exponent m with m between sqrt(1/2) and sqrt(2) */
    uint64_t biased = (bits + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu)) >> 52;
    double exponent = float64_of_bits(biased | 0x4330000000000000u) - (0x1p52 + 1023);
    double f = float64_of_bits(bits - (biased << 52) + 0x3ff0000000000000u) - 1;
    double s = f / (2 + f);
    double z = s * s;
    /* remez log1p_wide */
    double tail = 0.14795476106976146;
    tail = fma_float64(tail, z, 0.15314098767669643);
    tail = fma_float64(tail, z, 0.18183562406449433);
    tail = fma_float64(tail, z, 0.22222198610797206);
    tail = fma_float64(tail, z, 0.2857142874201469);
    tail = fma_float64(tail, z, 0.3999999999941638);
    tail = fma_float64(tail, z, 0.6666666666666734);
    double half_square = 0.5 * f * f;
    double low = s * (half_square + z * tail) + (exponent * 1.90821492927058770002e-10 + lost / u);
    return exponent * 6.93147180369123816490e-01 - ((half_square - low) - f);
}

#define R_(name, type) name##_##type
#define R__(name, type) R_(name, type)
#define R(name) R__(name, real)

#define real double
#define IS_FLOAT 0
#include "rowwise_real.h"
#undef real
#undef IS_FLOAT
#define real float
#define IS_FLOAT 1
#include "rowwise_real.h"
#undef real
#undef IS_FLOAT

/* Bytes of a row that is read where it is, as one block: with its result, it stays in the L2 cache. */
static const ptrdiff_t ROW_IN_CACHE = 256 << 10;
/* Bytes of a row up to which a pipeline pays, and has scratch memory for two, where there are so many rows that threads
   need not share each. */
static const ptrdiff_t PIPELINED_ROW = 1 << 20;
enum { MANY_ROWS = 16 };
/* Bytes of a tile that stays in the L2 cache. */
static const ptrdiff_t TILE_IN_CACHE = 512 << 10;
/* Bytes of a longer row's blocks. */
static const ptrdiff_t LONG_ROW_BLOCK = 16 << 10;
/* Entries of the parts of a long row that threads share; there are at most MAX_PARTS. */
static const ptrdiff_t ROW_PART = 1 << 17;
enum { MAX_PARTS = 64 };
/* Elements of rows that a thread claims at a time, at least and at most. */
static const ptrdiff_t SMALLEST_ROWS_CHUNK = 1 << 12, LARGEST_ROWS_CHUNK = 1 << 18;
/* Chunks for each thread, so that one that is held up does not hold up the others for long. */
static const ptrdiff_t CHUNKS_A_THREAD = 16;

typedef struct {
    const row_function *function;
    const element_type *type;
    char *const *data;              /* inputs, a mask if there is one, the result */
    int operands;
    int masked;
    ptrdiff_t rows, n;
    const ptrdiff_t *row_strides;   /* of each operand */
    int dimensions;                 /* of a row */
    ptrdiff_t shape[MAX_CORE_DIMENSIONS];
    ptrdiff_t strides[MAX_ROW_OPERANDS][MAX_CORE_DIMENSIONS];
    int streaming;
} rowwise_call;

/* ---- elements of a row to and from memory ------------------------------------------------------------------------ */

static char *row_of(const rowwise_call *call, int operand, ptrdiff_t row)
{
    return call->data[operand] + row * call->row_strides[operand];
}

static int is_contiguous(const rowwise_call *call, int operand, ptrdiff_t size)
{
    return call->dimensions == 1 && (call->strides[operand][0] == size || call->n == 1);
}

/* Copies entries [i, i + n) of a row to a contiguous place, or back. */
static void copy_entries(const rowwise_call *call, int operand, ptrdiff_t row, ptrdiff_t i, ptrdiff_t n, char *packed,
                         ptrdiff_t size, int back)
{
    copy_elements(call->dimensions, call->shape, call->strides[operand], row_of(call, operand, row), i, n, packed,
                  size, back);
}

#define SELECT_MASKED(TYPE)                                                                          \
    for (ptrdiff_t k = 0; k < n; k++) {                                                              \
        ((TYPE *)values)[k] = mask[k] ? ((TYPE *)values)[k] : (TYPE)instead;                         \
    }

/* Puts `instead` where the mask is false. */
static void select_masked(void *values, ptrdiff_t size, const uint8_t *mask, ptrdiff_t n, double instead)
{
    if (size == 4) {
        SELECT_MASKED(float)
    }
    else {
        SELECT_MASKED(double)
    }
}
#undef SELECT_MASKED

static void apply_mask(const rowwise_call *call, ptrdiff_t row, ptrdiff_t i, ptrdiff_t n, void *values, double instead)
{
    int operand = call->function->inputs;
    uint8_t mask[BLOCK];
    copy_entries(call, operand, row, i, n, (char *)mask, 1, 0);
    select_masked(values, call->type->compute_size, mask, n, instead);
}

static void negate(void *values, ptrdiff_t size, ptrdiff_t n)
{
    for (ptrdiff_t k = 0; k < n; k++) {
        if (size == 4) {
            ((float *)values)[k] = -((float *)values)[k];
        }
        else {
            ((double *)values)[k] = -((double *)values)[k];
        }
    }
}

/* Whether an input's rows lie in memory as they are computed on. */
static int lies_ready(const rowwise_call *call, int input)
{
    return call->type->widen == NULL && !call->masked && is_contiguous(call, input, call->type->size);
}

static int reads_directly(const rowwise_call *call, int input)
{
    return lies_ready(call, input) && !call->function->negates;
}

/* n <= BLOCK entries of an input, in the type that is computed in. */
static void load_entries(const rowwise_call *call, int input, ptrdiff_t row, ptrdiff_t i, ptrdiff_t n, void *buffer)
{
    const element_type *type = call->type;
    uint16_t packed[BLOCK];
    char *raw = type->widen == NULL ? (char *)buffer : (char *)packed;
    copy_entries(call, input, row, i, n, raw, type->size, 0);
    if (type->widen != NULL) {
        type->widen(packed, buffer, n);
    }
    if (call->function->negates) {
        negate(buffer, type->compute_size, n);
    }
    if (call->masked) {
        apply_mask(call, row, i, n, buffer, -INFINITY);
    }
}

static int writes_rows_directly(const rowwise_call *call)
{
    return call->type->narrow == NULL && !call->masked && !call->streaming
        && (call->function->reduces || is_contiguous(call, call->operands - 1, call->type->size));
}

/* Stores n <= BLOCK results. */
static void store_entries(const rowwise_call *call, ptrdiff_t row, ptrdiff_t i, ptrdiff_t n, void *buffer)
{
    const element_type *type = call->type;
    int out = call->operands - 1;
    uint16_t packed[BLOCK];
    char *raw = buffer;
    if (call->masked) {
        apply_mask(call, row, i, n, buffer, call->function->masked);
    }
    if (type->narrow != NULL) {
        type->narrow(buffer, packed, n);
        raw = (char *)packed;
    }
    if (call->streaming) {
        stream_copy(row_of(call, out, row) + i * type->size, raw, (size_t)(n * type->size));
    }
    else {
        copy_entries(call, out, row, i, n, raw, type->size, 1);
    }
}

/* Stores the one number that a row was reduced to. */
static void store_result(const rowwise_call *call, ptrdiff_t row, double result)
{
    const element_type *type = call->type;
    char *place = row_of(call, call->operands - 1, row);
    float narrowed = (float)result;
    uint16_t half;
    if (type->compute_size == 8) {
        memcpy(place, &result, 8);
    }
    else if (type->narrow == NULL) {
        memcpy(place, &narrowed, 4);
    }
    else {
        type->narrow(&narrowed, &half, 1);
        memcpy(place, &half, 2);
    }
}

/* ---- one row after the other ------------------------------------------------------------------------------------- */

typedef struct {
    block_buffer inputs[MAX_ROW_INPUTS], output;
} row_buffers;

/* Entries of a row that are read as one block. */
static ptrdiff_t block_length(const rowwise_call *call)
{
    for (int k = 0; k < call->function->inputs; k++) {
        if (!reads_directly(call, k)) {
            return BLOCK;
        }
    }
    return (call->n * call->type->size <= ROW_IN_CACHE ? ROW_IN_CACHE : LONG_ROW_BLOCK) / call->type->size;
}

static void load_inputs(const rowwise_call *call, ptrdiff_t row, ptrdiff_t i, ptrdiff_t n, row_buffers *buffers,
                        const void **inputs)
{
    for (int k = 0; k < call->function->inputs; k++) {
        inputs[k] = reads_directly(call, k) ? row_of(call, k, row) + i * call->type->size : buffers->inputs[k].bytes;
        if (!reads_directly(call, k)) {
            load_entries(call, k, row, i, n, buffers->inputs[k].bytes);
        }
    }
}

static void read_part(const rowwise_call *call, ptrdiff_t row, ptrdiff_t begin, ptrdiff_t end, row_state *state)
{
    row_buffers buffers;
    const void *inputs[MAX_ROW_INPUTS];
    ptrdiff_t block = block_length(call);
    for (ptrdiff_t i = begin; i < end; i += block) {
        ptrdiff_t n = end - i < block ? end - i : block;
        load_inputs(call, row, i, n, &buffers, inputs);
        call->function->add(state, inputs, n);
    }
}

static void emit_loaded(const rowwise_call *call, ptrdiff_t row, ptrdiff_t begin, ptrdiff_t n, const row_state *state,
                        const void *const *inputs, row_buffers *buffers)
{
    int out = call->operands - 1;
    ptrdiff_t size = call->type->compute_size;
    if (writes_rows_directly(call)) {
        call->function->emit(state, inputs, row_of(call, out, row) + begin * size, begin, n);
        return;
    }
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        const void *places[MAX_ROW_INPUTS];
        for (int k = 0; k < call->function->inputs; k++) {
            places[k] = (const char *)inputs[k] + i * size;
        }
        call->function->emit(state, places, buffers->output.bytes, begin + i, m);
        store_entries(call, row, begin + i, m, buffers->output.bytes);
    }
}

static void write_part(const rowwise_call *call, ptrdiff_t row, ptrdiff_t begin, ptrdiff_t end, const row_state *state)
{
    row_buffers buffers;
    const void *inputs[MAX_ROW_INPUTS];
    ptrdiff_t block = block_length(call);
    for (ptrdiff_t i = begin; i < end; i += block) {
        ptrdiff_t n = end - i < block ? end - i : block;
        load_inputs(call, row, i, n, &buffers, inputs);
        emit_loaded(call, row, i, n, state, inputs, &buffers);
    }
}

/* Ends a pass over a row; 0 if another one is needed. */
static int finish_pass(const row_function *function, row_state *state)
{
    if (function->finish == NULL || function->finish(state)) {
        return 1;
    }
    state->pass++;
    state->sum = 0;
    state->carry = 0;
    state->count = 0;
    return 0;
}

/* A row that is one block: loaded once. */
static void short_row(const rowwise_call *call, ptrdiff_t row)
{
    row_buffers buffers;
    const void *inputs[MAX_ROW_INPUTS];
    const row_function *function = call->function;
    row_state state = NEW_ROW;
    load_inputs(call, row, 0, call->n, &buffers, inputs);
    do {
        function->add(&state, inputs, call->n);
    } while (!finish_pass(function, &state));
    if (function->reduces) {
        store_result(call, row, state.result);
    }
    else {
        emit_loaded(call, row, 0, call->n, &state, inputs, &buffers);
    }
}

static int few_serves(const rowwise_call *call)
{
    int pipelined = call->function->pipeline != NULL && call->rows >= MANY_ROWS;
    return call->function->few != NULL && lies_ready(call, 0) && lies_ready(call, call->function->inputs - 1)
        && (call->function->reduces || is_contiguous(call, call->operands - 1, call->type->size))
        && call->n * call->type->size <= (pipelined ? PIPELINED_ROW : ROW_IN_CACHE);
}

static void one_group_after_the_other(const rowwise_call *call, row_group *group, ptrdiff_t begin, ptrdiff_t end,
                                      int together)
{
    for (ptrdiff_t row = begin; row < end; row += together) {
        group->count = (int)(end - row < together ? end - row : together);
        group->places = (group->count + 7) & -8;
        group->x = row_of(call, 0, row);
        group->second = row_of(call, call->function->inputs - 1, row);
        group->next = row_of(call, 0, row + 2 * together <= end ? row + together : row);
        group->y = row_of(call, call->operands - 1, row);
        call->function->few(group);
    }
}

/* Rows that stay in L1 together, at least 1. */
static ptrdiff_t rows_at_once(const rowwise_call *call)
{
    ptrdiff_t together = ROWS_IN_L1 / (call->n * call->type->size);
    return together < 1 ? 1 : together > ROWS_AT_ONCE ? ROWS_AT_ONCE : together;
}

/* Rows that a thread should claim at a time, for the first and the last group of a pipeline lack company. */
static ptrdiff_t rows_in_company(const rowwise_call *call)
{
    ptrdiff_t rows = 2 * rows_at_once(call);
    return rows < 8 ? 8 : rows;
}

/* Contiguous rows, a few at a time. */
static void few_rows(const rowwise_call *call, ptrdiff_t begin, ptrdiff_t end)
{
    char in_l1[2 * (ROWS_IN_L1 + 64 * ROWS_AT_ONCE + 2 * PAGE) + PAGE];
    line_edge edge = {.bytes = 0};
    int out = call->operands - 1, streaming = call->streaming && call->n >= VECTOR;
    int pipelined = call->function->pipeline != NULL;
    ptrdiff_t bytes = call->n * call->type->size, together = rows_at_once(call);
    ptrdiff_t stride = pipelined ? (bytes + 63) & -64 : bytes;
    char *on_heap = bytes > ROWS_IN_L1 && streaming ? malloc((size_t)(2 * half_of_scratch(1, stride) + PAGE)) : NULL;
    char *scratch = bytes > ROWS_IN_L1 ? on_heap : in_l1;
    row_group group = {
        .x = row_of(call, 0, begin),
        .x_stride = call->row_strides[0],
        .second = row_of(call, call->function->inputs - 1, begin),
        .second_stride = call->row_strides[call->function->inputs - 1],
        .y = row_of(call, out, begin),
        .y_stride = call->row_strides[out],
        .scratch_stride = stride,
        .n = call->n,
    };
    if (pipelined && scratch != NULL) {
        group.scratch = begin_of_scratch(scratch, group.x);
    }
    else if (streaming && scratch != NULL) {    /* lines of the results are lines of the scratch */
        group.scratch = scratch + ((uintptr_t)(group.y - scratch) & 63);
    }
    group.edge = streaming ? &edge : NULL;
    if (pipelined) {        /* two groups at least, for one would have no company */
        together = end - begin < 2 * together ? (end - begin + 1) / 2 : together;
        call->function->pipeline(&group, end - begin, (int)together);
    }
    else {
        one_group_after_the_other(call, &group, begin, end, (int)together);
    }
    free(on_heap);
    if (streaming) {
        edge_before(&edge, NULL);
        stream_fence();
    }
}

/* A row in parts, which threads may share. */
typedef struct {
    const rowwise_call *call;
    ptrdiff_t row, part;
    row_state *states;
    const row_state *state;
} parted_row;

static void read_parts(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const parted_row *parted = context;
    for (ptrdiff_t k = begin; k < end; k++) {
        ptrdiff_t stop = (k + 1) * parted->part;
        read_part(parted->call, parted->row, k * parted->part, stop < parted->call->n ? stop : parted->call->n,
                  &parted->states[k]);
    }
}

static void write_parts(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const parted_row *parted = context;
    ptrdiff_t stop = end * parted->part;
    write_part(parted->call, parted->row, begin * parted->part, stop < parted->call->n ? stop : parted->call->n,
               parted->state);
    if (parted->call->streaming) {
        stream_fence();
    }
}

static void long_row(const rowwise_call *call, ptrdiff_t row)
{
    row_state states[MAX_PARTS], state = NEW_ROW;
    ptrdiff_t part = (call->n + MAX_PARTS - 1) / MAX_PARTS;
    part = part < ROW_PART ? ROW_PART : (part + BLOCK - 1) & -(ptrdiff_t)BLOCK;
    ptrdiff_t parts = (call->n + part - 1) / part;
    parted_row parted = {call, row, part, states, &state};
    do {
        for (ptrdiff_t k = 0; k < parts; k++) {
            states[k] = state.pass == 0 ? NEW_ROW : state;
        }
        pool_run(read_parts, &parted, parts, 1);
        for (ptrdiff_t k = 0; k < parts; k++) {
            call->function->merge(&state, &states[k]);
        }
    } while (!finish_pass(call->function, &state));
    if (call->function->reduces) {
        store_result(call, row, state.result);
    }
    else {
        pool_run(write_parts, &parted, parts, 1);
    }
}

static void rows_one_by_one(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const rowwise_call *call = context;
    if (few_serves(call)) {
        few_rows(call, begin, end);
        return;
    }
    for (ptrdiff_t row = begin; row < end; row++) {
        if (call->n <= block_length(call)) {
            short_row(call, row);
        }
        else {
            long_row(call, row);
        }
    }
    if (call->streaming) {
        stream_fence();
    }
}

/* ---- many rows at once ------------------------------------------------------------------------------------------- */

#define COPY_PLANE(TYPE)                                                                             \
    for (ptrdiff_t j = 0; j < steps; j++) {                                                          \
        SHORT_LOOP                                                                                   \
        for (ptrdiff_t l = 0; l < lanes; l++) {                                                      \
            *(TYPE *)(to + j * to_step + l * to_lane) = *(const TYPE *)(from + j * from_step + l * from_lane); \
        }                                                                                            \
    }                                                                                                \
    return

/* Copies a plane of elements, step by step, so that each cache line is met once where lanes lie side by side. */
static void copy_plane(const char *from, ptrdiff_t from_step, ptrdiff_t from_lane, char *to, ptrdiff_t to_step,
                       ptrdiff_t to_lane, ptrdiff_t steps, ptrdiff_t lanes, ptrdiff_t size)
{
    if (from_lane == size && to_lane == size && lanes * size == TILE_LINES) {      /* a size the compiler knows */
        for (ptrdiff_t j = 0; j < steps; j++) {
            memcpy(to + j * to_step, from + j * from_step, TILE_LINES);
        }
        return;
    }
    if (from_lane == size && to_lane == size) {
        for (ptrdiff_t j = 0; j < steps; j++) {
            memcpy(to + j * to_step, from + j * from_step, (size_t)(lanes * size));
        }
        return;
    }
    switch (size) {
    case 1:
        COPY_PLANE(uint8_t);
    case 2:
        COPY_PLANE(uint16_t);
    case 4:
        COPY_PLANE(uint32_t);
    default:
        COPY_PLANE(uint64_t);
    }
}
#undef COPY_PLANE

/* One step of a tile: as load_entries and store_entries, but for one entry of each row. */
static void mask_step(const rowwise_call *call, ptrdiff_t row, ptrdiff_t lanes, ptrdiff_t j, void *step, double instead)
{
    int operand = call->function->inputs;
    uint8_t mask[TILE_ROWS];
    copy_strided(row_of(call, operand, row) + j * call->strides[operand][0], call->row_strides[operand], (char *)mask,
                 1, 1, lanes);
    select_masked(step, call->type->compute_size, mask, lanes, instead);
}

static void load_tile(const rowwise_call *call, int input, ptrdiff_t row, ptrdiff_t lanes, char *tile)
{
    const element_type *type = call->type;
    ptrdiff_t step = TILE_ROWS * type->compute_size;
    const char *from = row_of(call, input, row);
    if (lanes < TILE_ROWS) {
        memset(tile, 0, (size_t)(call->n * step));
    }
    if (type->widen == NULL) {
        copy_plane(from, call->strides[input][0], call->row_strides[input], tile, step, type->size, call->n, lanes,
                   type->size);
    }
    for (ptrdiff_t j = 0; j < call->n; j++) {
        char *place = tile + j * step;
        if (type->widen != NULL) {
            uint16_t packed[TILE_ROWS];
            copy_strided(from + j * call->strides[input][0], call->row_strides[input], (char *)packed, 2, 2, lanes);
            type->widen(packed, place, lanes);
        }
        if (call->function->negates) {
            negate(place, type->compute_size, lanes);
        }
        if (call->masked) {
            mask_step(call, row, lanes, j, place, -INFINITY);
        }
    }
}

static void store_tile(const rowwise_call *call, ptrdiff_t row, ptrdiff_t lanes, char *tile)
{
    const element_type *type = call->type;
    int out = call->operands - 1;
    char *to = row_of(call, out, row);
    ptrdiff_t steps = call->function->reduces ? 1 : call->n;
    ptrdiff_t step = TILE_ROWS * type->compute_size, to_step = call->strides[out][0];
    for (ptrdiff_t j = 0; j < steps && (call->masked || type->narrow != NULL); j++) {
        char *place = tile + j * step;
        if (call->masked && !call->function->reduces) {
            mask_step(call, row, lanes, j, place, call->function->masked);
        }
        if (type->narrow != NULL) {
            uint16_t packed[TILE_ROWS];
            type->narrow(place, packed, lanes);
            copy_strided((const char *)packed, 2, to + j * to_step, call->row_strides[out], 2, lanes);
        }
    }
    if (type->narrow == NULL && call->streaming) {
        for (ptrdiff_t j = 0; j < steps; j++) {
            stream_copy(to + j * to_step, tile + j * step, (size_t)(lanes * type->size));
        }
    }
    else if (type->narrow == NULL) {
        copy_plane(tile, step, type->size, to, to_step, call->row_strides[out], steps, lanes, type->size);
    }
}

/* Rows of the tile that begins at `row`: where results are written past the caches, a tile ends with a line. */
static ptrdiff_t lanes_at(const rowwise_call *call, ptrdiff_t row)
{
    size_t past = ((uintptr_t)row_of(call, call->operands - 1, row) & 63) / (size_t)call->type->size;
    return call->streaming ? TILE_ROWS - (ptrdiff_t)past : TILE_ROWS;
}

static void rows_in_tiles(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const rowwise_call *call = context;
    int inputs = call->function->inputs, along = call->row_strides[0] == call->type->size;
    int fits = inputs * call->n <= TILE_STEPS;
    ptrdiff_t bytes = call->n * TILE_ROWS * call->type->compute_size;
    _Alignas(64) char on_stack[TILE_STEPS * TILE_ROWS * sizeof(double)];
    char *on_heap = fits ? NULL : malloc((size_t)(inputs * bytes + 64));
    if (!fits && on_heap == NULL) {
        rows_one_by_one(context, begin, end);
        return;
    }
    char *tiles = on_heap == NULL ? on_stack : on_heap + (-(uintptr_t)on_heap & 63);
    for (ptrdiff_t row = begin, lanes; row < end; row += lanes) {
        lanes = lanes_at(call, row);
        lanes = end - row < lanes ? end - row : lanes;
        for (int k = 0; k < inputs; k++) {
            load_tile(call, k, row, lanes, tiles + k * bytes);
        }
        if (along && row + lanes + TILE_ROWS <= end) {      /* the next tile lies beside this one, and is fetched */
            call->function->tile(tiles, call->n, row_of(call, 0, row + lanes), call->strides[0][0]);
        }
        else {
            call->function->tile(tiles, call->n, tiles, TILE_ROWS * call->type->compute_size);
        }
        store_tile(call, row, lanes, tiles);
    }
    free(on_heap);
    if (call->streaming) {
        stream_fence();
    }
}

/* Rows that run across memory, CROSSING of them together: entries are fetched along memory, CROSSING_BLOCK of each. */
typedef struct {
    _Alignas(64) char raw[CROSSING * CROSSING_BLOCK * sizeof(double)];
    _Alignas(64) char inputs[MAX_ROW_INPUTS][CROSSING * CROSSING_BLOCK * sizeof(double)];
} crossing_buffers;

/* Entries [i, i + n) of several rows to contiguous places `size` * CROSSING_BLOCK bytes apart, or back. */
static void copy_crossing(const rowwise_call *call, int operand, ptrdiff_t row, ptrdiff_t lanes, ptrdiff_t i,
                          ptrdiff_t n, char *packed, ptrdiff_t size, int back)
{
    ptrdiff_t stride = call->strides[operand][0], lane = call->row_strides[operand];
    char *place = row_of(call, operand, row) + i * stride;
    if (back) {
        copy_plane(packed, size, size * CROSSING_BLOCK, place, stride, lane, n, lanes, size);
    }
    else {
        copy_plane(place, stride, lane, packed, size, size * CROSSING_BLOCK, n, lanes, size);
    }
}

static void load_crossing(const rowwise_call *call, ptrdiff_t row, ptrdiff_t lanes, ptrdiff_t i, ptrdiff_t n,
                          crossing_buffers *buffers)
{
    const element_type *type = call->type;
    ptrdiff_t whole = lanes * CROSSING_BLOCK;
    for (int k = 0; k < call->function->inputs; k++) {
        char *to = buffers->inputs[k];
        copy_crossing(call, k, row, lanes, i, n, type->widen == NULL ? to : buffers->raw, type->size, 0);
        if (type->widen != NULL) {
            type->widen(buffers->raw, to, whole);
        }
        if (call->function->negates) {
            negate(to, type->compute_size, whole);
        }
    }
    if (call->masked) {
        copy_crossing(call, call->function->inputs, row, lanes, i, n, buffers->raw, 1, 0);
        select_masked(buffers->inputs[0], type->compute_size, (const uint8_t *)buffers->raw, whole, -INFINITY);
    }
}

/* Puts the results, which stand in the place of the first input, into memory. */
static void store_crossing(const rowwise_call *call, ptrdiff_t row, ptrdiff_t lanes, ptrdiff_t i, ptrdiff_t n,
                           crossing_buffers *buffers)
{
    const element_type *type = call->type;
    ptrdiff_t whole = lanes * CROSSING_BLOCK;
    char *results = buffers->inputs[0];
    if (call->masked) {
        copy_crossing(call, call->function->inputs, row, lanes, i, n, buffers->raw, 1, 0);
        select_masked(results, type->compute_size, (const uint8_t *)buffers->raw, whole, call->function->masked);
    }
    if (type->narrow != NULL) {
        type->narrow(results, buffers->raw, whole);
        results = buffers->raw;
    }
    copy_crossing(call, call->operands - 1, row, lanes, i, n, results, type->size, 1);
}

static void cross_rows(const rowwise_call *call, ptrdiff_t row, ptrdiff_t lanes)
{
    crossing_buffers buffers;
    row_state states[CROSSING];
    ptrdiff_t line = CROSSING_BLOCK * call->type->compute_size;
    int finished[CROSSING] = {0};
    const row_function *function = call->function;
    memset(&buffers, 0, sizeof buffers);
    for (int l = 0; l < lanes; l++) {
        states[l] = NEW_ROW;
    }
    for (int all = 0; !all;) {
        for (ptrdiff_t i = 0; i < call->n; i += CROSSING_BLOCK) {
            ptrdiff_t n = call->n - i < CROSSING_BLOCK ? call->n - i : CROSSING_BLOCK;
            load_crossing(call, row, lanes, i, n, &buffers);
            for (int l = 0; l < lanes; l++) {
                const void *inputs[] = {buffers.inputs[0] + l * line, buffers.inputs[1] + l * line};
                if (!finished[l]) {
                    function->add(&states[l], inputs, n);
                }
            }
        }
        all = 1;
        for (int l = 0; l < lanes; l++) {
            finished[l] = finished[l] || finish_pass(function, &states[l]);
            all &= finished[l];
        }
    }
    for (int l = 0; l < lanes && function->reduces; l++) {
        store_result(call, row + l, states[l].result);
    }
    for (ptrdiff_t i = 0; i < call->n && !function->reduces; i += CROSSING_BLOCK) {
        ptrdiff_t n = call->n - i < CROSSING_BLOCK ? call->n - i : CROSSING_BLOCK;
        load_crossing(call, row, lanes, i, n, &buffers);
        for (int l = 0; l < lanes; l++) {
            const void *inputs[] = {buffers.inputs[0] + l * line, buffers.inputs[1] + l * line};
            function->emit(&states[l], inputs, buffers.inputs[0] + l * line, i, n);
        }
        store_crossing(call, row, lanes, i, n, &buffers);
    }
}

static void rows_crossing(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    for (ptrdiff_t row = begin; row < end; row += CROSSING) {
        cross_rows(context, row, end - row < CROSSING ? end - row : CROSSING);
    }
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void over_rows(pool_task task, rowwise_call *call, ptrdiff_t granule)
{
    ptrdiff_t elements = call->rows * call->n / (CHUNKS_A_THREAD * pool_num_threads());
    elements = elements < SMALLEST_ROWS_CHUNK ? SMALLEST_ROWS_CHUNK
             : elements > LARGEST_ROWS_CHUNK ? LARGEST_ROWS_CHUNK : elements;
    ptrdiff_t chunk = elements / (call->n + 1) / granule * granule;
    chunk = chunk < granule ? granule : chunk;
    pool_run(task, call, call->rows, chunk);
}

static int is_in_place(const rowwise_call *call)
{
    for (int k = 0; k < call->operands - 1; k++) {
        if (call->data[k] == call->data[call->operands - 1]) {
            return 1;
        }
    }
    return 0;
}

/* Forgets which floating-point exceptions there were. NumPy has cleared them before the loop and asks after it, even
   where a generalised ufunc's loop is registered as raising none. */
static inline void forget_exceptions(void)
{
#if HAVE_STREAMING_STORES      /* x86: the C library's function also visits the old x87 unit, which takes long */
    _mm_setcsr(_mm_getcsr() & ~0x3fu);
#else
    feclearexcept(FE_ALL_EXCEPT);
#endif
}

/* The whole inner loop of a generalised ufunc whose core dimensions make up a row. */
static void rowwise(const row_function *function, const element_type *type, int masked, int dimensions,
                    char *const *data, const ptrdiff_t *sizes, const ptrdiff_t *strides)
{
    rowwise_call call = {function, type, data, function->inputs + masked + 1, masked, sizes[0], 1, strides,
                         dimensions, {0}, {{0}}, 0};
    const ptrdiff_t *core = strides + call.operands;
    for (int d = 0; d < dimensions; d++) {
        call.shape[d] = sizes[1 + d];
        call.n *= sizes[1 + d];
    }
    for (int k = 0; k < call.operands - function->reduces; k++) {
        for (int d = 0; d < dimensions; d++) {
            call.strides[k][d] = *core++;
        }
    }
    if (call.n == 0) {
        for (ptrdiff_t row = 0; function->reduces && row < call.rows; row++) {
            store_result(&call, row, -INFINITY);
        }
        return;
    }
    int out = call.operands - 1, past_caches = streaming_pays(call.rows * call.n * type->size) && !function->reduces
        && !is_in_place(&call);
    call.streaming = past_caches && is_contiguous(&call, out, type->size);
    int many = dimensions == 1 && call.rows >= CROSSING;
    int crossing = many && llabs(call.strides[0][0]) > llabs(strides[0]);
    ptrdiff_t entries = function->inputs * call.n;
    int in_cache = entries * TILE_ROWS * type->compute_size <= TILE_IN_CACHE;
    int pipelined = function->pipeline != NULL && few_serves(&call);
    int short_rows = entries < (pipelined ? SHORTEST_PIPELINED : TILE_STEPS + 1);
    if (many && function->tile != NULL && (short_rows || (crossing && in_cache))) {
        call.streaming = past_caches && strides[out] == type->size && type->narrow == NULL;
        over_rows(rows_in_tiles, &call, TILE_ROWS);
    }
    else if (crossing) {
        over_rows(rows_crossing, &call, CROSSING);
    }
    else {
        ptrdiff_t most = call.rows / (4 * pool_num_threads()), rows = pipelined ? rows_in_company(&call) : 1;
        over_rows(rows_one_by_one, &call, rows < most ? rows : most > 1 ? most : 1);
    }
    forget_exceptions();
}

#endif
