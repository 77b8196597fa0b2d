/*
 * The elementwise loop over arrays of several dimensions, such as the halves of an array's rows. NumPy would call a
 * ufunc's loop once a row; here all rows are one job, which threads share. A kernel has one result, or two: both
 * gradients of a function of two operands, whose common parts are then computed once.
 */
#ifndef FASTACT_PLANES_H
#define FASTACT_PLANES_H

#include "elementwise.h"

enum {
    MAX_PLANES = 5,             /* inputs and outputs */
    MAX_DIMENSIONS = 64,        /* of an array in NumPy 2 */
    SHORTEST_OWN_ROW = 256,     /* elements of a row that is computed by itself, if it is no whole number of vectors */
};

/* Computes n elements, a multiple of LANES, of both results. */
typedef void (*pair_kernel)(const void **inputs, void *first, void *second, ptrdiff_t n);

typedef struct {
    block_kernel kernel;        /* of one result, or NULL: then there are two */
    pair_kernel pair;
    const element_type *type;
    int inputs, operands;       /* the operands: inputs, then outputs */
    int apart;                  /* no output shares memory with an input */
    int streaming;              /* write past the caches */
    char *data[MAX_PLANES];
    ptrdiff_t elements;
    int dimensions;
    ptrdiff_t shape[MAX_DIMENSIONS], strides[MAX_PLANES][MAX_DIMENSIONS];
} planes_call;

/* Adds a dimension, inside of those that there are. If all operands' elements go on at the same distance from one row
   to the next, the two are one. */
static void add_dimension(planes_call *call, ptrdiff_t size, const ptrdiff_t *strides)
{
    if (size == 1) {
        return;
    }
    int last = call->dimensions - 1, merges = last >= 0;
    for (int k = 0; k < call->operands && merges; k++) {
        merges = call->strides[k][last] == strides[k] * size;
    }
    if (!merges) {
        last = call->dimensions++;
        call->shape[last] = 1;
    }
    call->shape[last] *= size;
    call->elements *= size;
    for (int k = 0; k < call->operands; k++) {
        call->strides[k][last] = strides[k];
    }
}

static inline int is_output(const planes_call *call, int k)
{
    return k >= call->inputs;
}

/* Elements from the i-th on that are computed together: of one row where it has enough, of several where it has not. */
static ptrdiff_t block_at(const planes_call *call, ptrdiff_t i, ptrdiff_t end)
{
    ptrdiff_t row = call->shape[call->dimensions - 1], n = end - i < BLOCK ? end - i : BLOCK;
    if (row >= SHORTEST_OWN_ROW || row % LANES == 0) {
        n = row - i % row < n ? row - i % row : n;
        n = n > LANES ? n & -(ptrdiff_t)LANES : n;
    }
    return n;
}

/* Where the kernel finds n <= BLOCK elements of an operand, or puts them: in their place if it can, else in `buffer`. */
static char *place_at(const planes_call *call, int k, ptrdiff_t i, ptrdiff_t n, block_buffer *buffer)
{
    const ptrdiff_t *strides = call->strides[k];
    ptrdiff_t offset, size = call->type->size, run = run_at(call->dimensions, call->shape, strides, i, &offset);
    int ready = run >= n && strides[call->dimensions - 1] == size && n % LANES == 0;
    if (ready && (!is_output(call, k) || (call->apart && !call->streaming))) {
        return call->data[k] + offset;
    }
    if (!is_output(call, k)) {
        copy_elements(call->dimensions, call->shape, strides, call->data[k], i, n, buffer->bytes, size, 0);
        repeat_last(buffer->bytes, size, n);
    }
    return buffer->bytes;
}

/* Moves n <= BLOCK results from `buffer` to where they belong. */
static void put_at(const planes_call *call, int k, ptrdiff_t i, ptrdiff_t n, block_buffer *buffer)
{
    const ptrdiff_t *strides = call->strides[k];
    ptrdiff_t offset, size = call->type->size, run = run_at(call->dimensions, call->shape, strides, i, &offset);
    if (call->streaming && run >= n && strides[call->dimensions - 1] == size) {
        stream_copy(call->data[k] + offset, buffer->bytes, (size_t)(n * size));
    }
    else {
        copy_elements(call->dimensions, call->shape, strides, call->data[k], i, n, buffer->bytes, size, 1);
    }
}

/* Computes n <= BLOCK elements from the i-th on. */
static void compute_block(const planes_call *call, ptrdiff_t i, ptrdiff_t n)
{
    block_buffer buffers[MAX_PLANES];
    char *places[MAX_PLANES];
    const void *inputs[MAX_PLANES];
    for (int k = 0; k < call->operands; k++) {
        inputs[k] = places[k] = place_at(call, k, i, n, &buffers[k]);
    }
    if (call->kernel != NULL) {
        call->kernel(inputs, places[call->inputs], round_up_to_lanes(n), 0);
    }
    else {
        call->pair(inputs, places[call->inputs], places[call->inputs + 1], round_up_to_lanes(n));
    }
    for (int k = call->inputs; k < call->operands; k++) {
        if (places[k] == buffers[k].bytes) {
            put_at(call, k, i, n, &buffers[k]);
        }
    }
}

static void planes_range(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const planes_call *call = context;
    ptrdiff_t row = call->shape[call->dimensions - 1], n;
    int twice = call->apart && !call->streaming;        /* some elements, to the same bits, spare a row's tail a copy */
    for (ptrdiff_t i = begin; i < end; i += n) {
        n = block_at(call, i, end);
        if (n < LANES && twice && i % row + n >= LANES && i + n - begin >= LANES) {
            compute_block(call, i + n - LANES, LANES);
        }
        else {
            compute_block(call, i, n);
        }
    }
    if (call->streaming) {
        stream_fence();
    }
}

/* Computes all elements. An output may be an input, element by element, or else is apart from all of them. */
static void over_planes(planes_call *call)
{
    if (call->dimensions == 0) {        /* one element */
        call->dimensions = 1;
        call->shape[0] = 1;
        for (int k = 0; k < call->operands; k++) {
            call->strides[k][0] = call->type->size;
        }
    }
    /* A shorter row would mostly be the ends of its lines. */
    call->streaming = call->apart && call->shape[call->dimensions - 1] >= BLOCK
        && streaming_pays(call->elements * call->type->size);
    if (call->elements != 0) {
        share_elements(planes_range, call, call->elements);
    }
}

#endif
