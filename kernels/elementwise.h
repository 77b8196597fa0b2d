/*
 * The elementwise loop: one driver for every activation, element type and memory layout.
 *
 * A block kernel (generated from a scalar formula) only ever sees contiguous float or double operands whose length
 * is a multiple of LANES and whose output overlaps no input, so that the compiler can vectorise it whole and every
 * element takes the same instructions wherever it stands. This driver brings any NumPy operands into that form:
 * strided, broadcast and half-precision operands, in-place calls and tails go through buffers that stay in L1.
 */
#ifndef FASTACT_ELEMENTWISE_H
#define FASTACT_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "convert.h"
#include "pool.h"
#include "stream.h"

enum {
    LANES = 16,        /* elements of a 64-byte float vector, the widest of any target */
    BLOCK = 1024,      /* elements of a buffer: four of them in double fill 32 KiB */
    MAX_INPUTS = 4,
};

/* Computes output[i] from inputs[k][i] for i in [0, n); n is a multiple of LANES. */
typedef void (*block_kernel)(const void **inputs, void *output, ptrdiff_t n);

/* How elements of an array type are brought into the type that the kernel computes in, and back. */
typedef struct {
    ptrdiff_t size;                                              /* bytes of an array element */
    ptrdiff_t compute_size;                                      /* bytes of a kernel element */
    void (*widen)(const void *from, void *to, ptrdiff_t n);      /* NULL: both types are the same */
    void (*narrow)(const void *from, void *to, ptrdiff_t n);
} element_type;

static const element_type FLOAT16 = {2, 4, widen_float16, narrow_float16};
static const element_type BFLOAT16 = {2, 4, widen_bfloat16, narrow_bfloat16};
static const element_type FLOAT32 = {4, 4, NULL, NULL};
static const element_type FLOAT64 = {8, 8, NULL, NULL};
static const element_type INTEGER8 = {1, 1, NULL, NULL};
static const element_type INTEGER16 = {2, 2, NULL, NULL};
static const element_type INTEGER32 = {4, 4, NULL, NULL};
static const element_type INTEGER64 = {8, 8, NULL, NULL};

/* Everything about one call of the inner loop, shared by the threads that work on it. */
typedef struct {
    block_kernel kernel;
    const element_type *type;            /* of the arrays */
    const element_type *parameter_type;  /* of the parameters: the type that the kernel computes in */
    int arrays;
    int inputs;                          /* arrays, then parameters */
    char *const *data;                   /* inputs, then the output */
    const ptrdiff_t *strides;
    int place;                           /* of the output: an output_place */
    int streaming;                       /* write past the caches */
} elementwise_call;

static inline const element_type *type_of_input(const elementwise_call *call, int k)
{
    return k < call->arrays ? call->type : call->parameter_type;
}

typedef struct {
    _Alignas(64) char bytes[BLOCK * sizeof(double)];
} block_buffer;

#define COPY_STRIDED(TYPE)                                                                           \
    for (ptrdiff_t i = 0; i < n; i++) {                                                              \
        *(TYPE *)(to + i * to_stride) = *(const TYPE *)(from + i * from_stride);                     \
    }                                                                                                \
    return

/* Copies n elements of `size` bytes between two strided places. */
static void copy_strided(const char *from, ptrdiff_t from_stride, char *to, ptrdiff_t to_stride, ptrdiff_t size,
                         ptrdiff_t n)
{
    switch (size) {
    case 1:
        COPY_STRIDED(uint8_t);
    case 2:
        COPY_STRIDED(uint16_t);
    case 4:
        COPY_STRIDED(uint32_t);
    default:
        COPY_STRIDED(uint64_t);
    }
}
#undef COPY_STRIDED

#define FILL(TYPE)                                                                                   \
    TYPE *items = buffer, first = items[0];                                                          \
    for (ptrdiff_t i = 0; i < n; i++) {                                                              \
        items[i] = first;                                                                            \
    }                                                                                                \
    return

/* Repeats the first element of a buffer over its first n. */
static void fill(void *buffer, ptrdiff_t size, ptrdiff_t n)
{
    switch (size) {
    case 1: {
        FILL(uint8_t);
    }
    case 2: {
        FILL(uint16_t);
    }
    case 4: {
        FILL(uint32_t);
    }
    default: {
        FILL(uint64_t);
    }
    }
}
#undef FILL

static inline ptrdiff_t round_up_to_lanes(ptrdiff_t n)
{
    return (n + LANES - 1) & -(ptrdiff_t)LANES;
}

/* The kernel's view of n <= BLOCK elements of an operand: its own memory where that serves, else `buffer`. */
static const void *load_block(const element_type *type, const char *data, ptrdiff_t stride, ptrdiff_t n,
                              block_buffer *buffer)
{
    int contiguous = stride == type->size;
    if (contiguous && type->widen == NULL && n % LANES == 0) {
        return data;
    }
    if (stride == 0) {
        type->widen ? type->widen(data, buffer->bytes, 1) : (void)memcpy(buffer->bytes, data, (size_t)type->size);
        fill(buffer->bytes, type->compute_size, round_up_to_lanes(n));
        return buffer->bytes;
    }
    if (type->widen == NULL) {
        copy_strided(data, stride, buffer->bytes, type->size, type->size, n);
    }
    else if (contiguous) {
        type->widen(data, buffer->bytes, n);
    }
    else {
        uint16_t packed[BLOCK];
        copy_strided(data, stride, (char *)packed, type->size, type->size, n);
        type->widen(packed, buffer->bytes, n);
    }
    /* The lanes past a tail repeat its last element: no made-up value meets the kernel. */
    for (ptrdiff_t i = n; i < round_up_to_lanes(n); i++) {
        memcpy(buffer->bytes + i * type->compute_size, buffer->bytes + (n - 1) * type->compute_size,
               (size_t)type->compute_size);
    }
    return buffer->bytes;
}

/* Moves n <= BLOCK results from `buffer` to an operand's memory. */
static void store_block(const elementwise_call *call, const block_buffer *buffer, char *data, ptrdiff_t stride,
                        ptrdiff_t n)
{
    const element_type *type = call->type;
    const char *results = buffer->bytes;
    uint16_t narrowed[BLOCK];
    if (type->narrow != NULL) {
        type->narrow(results, narrowed, n);
        results = (const char *)narrowed;
    }
    if (call->streaming) {
        stream_copy(data, results, (size_t)(n * type->size));
    }
    else if (stride == type->size) {
        memcpy(data, results, (size_t)(n * type->size));
    }
    else {
        copy_strided(results, type->size, data, stride, type->size, n);
    }
}

/*
 * How the output lies to the inputs in memory. NumPy copies an input that it overlaps, except where walking the
 * operands in order is safe: an input may be the output itself, or lie ahead of it.
 */
typedef enum {
    APART,      /* no byte is shared */
    IN_PLACE,   /* what is shared is shared element by element */
    BEHIND,     /* an element may be some other's input: they are computed in order, on one thread */
} output_place;

static output_place place_of_output(const elementwise_call *call, ptrdiff_t n)
{
    int out = call->inputs;
    const char *first[MAX_INPUTS + 1], *end[MAX_INPUTS + 1];
    output_place place = APART;
    for (int k = 0; k <= out; k++) {
        ptrdiff_t size = k == out ? call->type->size : type_of_input(call, k)->size;
        ptrdiff_t reach = (n - 1) * call->strides[k];
        first[k] = call->data[k] + (reach < 0 ? reach : 0);
        end[k] = call->data[k] + (reach < 0 ? 0 : reach) + size;
    }
    for (int k = 0; k < out; k++) {
        if (call->data[k] == call->data[out] && call->strides[k] == call->strides[out]) {
            place = place == APART ? IN_PLACE : place;
        }
        else if (first[k] < end[out] && first[out] < end[k]) {
            place = BEHIND;
        }
    }
    return place;
}

static int all_contiguous(const elementwise_call *call)
{
    for (int k = 0; k < call->inputs; k++) {
        if (call->strides[k] != type_of_input(call, k)->size) {
            return 0;
        }
    }
    return 1;
}

/* Computes elements [begin, end), at least LANES of them, straight from memory to memory. */
static void compute_directly(const elementwise_call *call, ptrdiff_t begin, ptrdiff_t end)
{
    int out = call->inputs;
    const void *inputs[MAX_INPUTS];
    for (int k = 0; k < out; k++) {
        inputs[k] = call->data[k] + begin * call->strides[k];
    }
    call->kernel(inputs, call->data[out] + begin * call->strides[out], end - begin);
}

/* Computes elements [begin, end) of a call block by block. */
static void elementwise_range(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const elementwise_call *call = context;
    int out = call->inputs;
    /* The kernel may then write straight to the output. */
    int direct = call->place == APART && call->strides[out] == call->type->size && call->type->narrow == NULL
                 && !call->streaming;
    block_buffer buffers[MAX_INPUTS], results;
    const void *inputs[MAX_INPUTS];
    ptrdiff_t n;

    if (direct && end - begin >= LANES && all_contiguous(call)) {
        ptrdiff_t tail = (end - begin) % LANES;
        compute_directly(call, begin, end - tail);
        if (tail != 0) {
            compute_directly(call, end - LANES, end);    /* some elements twice, to the same bits */
        }
        return;
    }
    for (ptrdiff_t i = begin; i < end; i += n) {
        n = end - i;
        if (n > BLOCK) {
            n = BLOCK;
        }
        else if (n > LANES && n % LANES != 0) {
            n &= -(ptrdiff_t)LANES;
        }
        for (int k = 0; k < out; k++) {
            /* A broadcast operand's first block serves all the later ones, none of which is longer. */
            if (call->strides[k] != 0 || i == begin) {
                inputs[k] = load_block(type_of_input(call, k), call->data[k] + i * call->strides[k], call->strides[k],
                                       n, &buffers[k]);
            }
        }
        char *place = call->data[out] + i * call->strides[out];
        if (direct && n % LANES == 0) {
            call->kernel(inputs, place, n);
        }
        else {
            call->kernel(inputs, results.bytes, round_up_to_lanes(n));
            store_block(call, &results, place, call->strides[out], n);
        }
    }
    if (call->streaming) {
        stream_fence();
    }
}

/* Elements of a chunk that one thread claims at a time. */
enum { CHUNK = 16 * BLOCK };

/*
 * The whole inner loop of a ufunc: out[i] = kernel(in[0][i], ...), for i in [0, n). `threshold` is the number of
 * elements from which helper threads pay.
 */
static void elementwise(block_kernel kernel, const element_type *type, int arrays, int parameters, char *const *data,
                        const ptrdiff_t *strides, ptrdiff_t n, ptrdiff_t threshold)
{
    elementwise_call call = {
        .kernel = kernel,
        .type = type,
        .parameter_type = type->widen ? &FLOAT32 : type,
        .arrays = arrays,
        .inputs = arrays + parameters,
        .data = data,
        .strides = strides,
    };
    call.place = place_of_output(&call, n);
    call.streaming = call.place == APART && strides[call.inputs] == type->size && streaming_pays(n * type->size);
    if (n < threshold || call.place == BEHIND || pool_num_threads() == 1) {
        elementwise_range(&call, 0, n);
    }
    else {
        pool_run(elementwise_range, &call, n, CHUNK);
    }
}

static int is_1(const element_type *type, const char *data)
{
    float number32 = 1;
    double number64 = 1;
    return memcmp(data, type == &FLOAT32 ? (void *)&number32 : (void *)&number64, (size_t)type->size) == 0;
}

/* The same for a function of one parameter that has another kernel, without it, for where it is 1 for all elements. */
static void elementwise_at_1(block_kernel kernel, block_kernel kernel_at_1, const element_type *type, int arrays,
                             char *const *data, const ptrdiff_t *strides, ptrdiff_t n, ptrdiff_t threshold)
{
    char *operands[MAX_INPUTS];
    ptrdiff_t steps[MAX_INPUTS];
    if (strides[arrays] != 0 || !is_1(type->widen ? &FLOAT32 : type, data[arrays])) {
        elementwise(kernel, type, arrays, 1, data, strides, n, threshold);
        return;
    }
    for (int k = 0; k <= arrays; k++) {
        operands[k] = data[k < arrays ? k : arrays + 1];
        steps[k] = strides[k < arrays ? k : arrays + 1];
    }
    elementwise(kernel_at_1, type, arrays, 0, operands, steps, n, threshold);
}

#endif
