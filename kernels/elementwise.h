/*
 * The elementwise loop: one driver for every activation, element type and memory layout.
 *
 * A block kernel (generated from a scalar formula) only ever sees contiguous operands whose length is a multiple of
 * LANES and whose output overlaps no input, but for one that it is itself, so that the compiler can vectorise it whole
 * and every element takes the same instructions wherever it stands. This driver brings any NumPy operands into that
 * form: strided and broadcast operands and tails go through buffers that stay in L1.
 */
#ifndef FASTACT_ELEMENTWISE_H
#define FASTACT_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "convert.h"
#include "pool.h"
#include "stream.h"
#include "strided.h"

enum {
    LANES = 16,        /* elements of a 64-byte float vector, the widest of any target */
    STREAMED = 32,     /* elements that fill whole lines of 64 bytes, whatever their type */
    BLOCK = 1024,      /* elements of a buffer: four of them in double fill 32 KiB */
    MAX_INPUTS = 4,
};

/*
 * Computes output[i] from inputs[k][i] for i in [0, n); n is a multiple of LANES. If `uniform`, each parameter is one
 * number, inputs[k][0], which the compiler then keeps in a register, with whatever follows from it alone.
 */
typedef void (*block_kernel)(const void **inputs, void *output, ptrdiff_t n, int uniform);

/* Where streaming never pays, no kernel of its own is needed for it, nor compiled. */
#if HAVE_STREAMING_STORES
#define FOR_STREAMING(kernel) (kernel)
#else
#define FOR_STREAMING(kernel) NULL
#endif

/* What a kernel returns. A formula is inlined into it whole, for a call would keep the loop from being vectorised. */
#if defined(__GNUC__)
#define KERNEL_RESULT __attribute__((flatten)) void
#else
#define KERNEL_RESULT void
#endif

/* An array type, and how the row-wise functions bring its elements into the type that they compute in, and back. */
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

/* Parameters have the type that is computed in. */
static inline const element_type *parameter_type_of(const element_type *type)
{
    return type->widen ? &FLOAT32 : type;
}

/* Everything about one call of the inner loop, shared by the threads that work on it. */
typedef struct {
    block_kernel kernel;
    block_kernel streaming_kernel;       /* writes whole lines past the caches; NULL: it cannot serve */
    const element_type *type;            /* of the arrays */
    const element_type *parameter_type;  /* of the parameters */
    int arrays;
    int inputs;                          /* arrays, then parameters */
    char *const *data;                   /* inputs, then the output */
    const ptrdiff_t *strides;
    int uniform;                         /* there are parameters, and none is an array */
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

static inline ptrdiff_t round_up_to_lanes(ptrdiff_t n)
{
    return (n + LANES - 1) & -(ptrdiff_t)LANES;
}

/* Fills the lanes past a tail with its last element: no made-up value meets the kernel. */
static void repeat_last(char *elements, ptrdiff_t size, ptrdiff_t n)
{
    for (ptrdiff_t i = n; i < round_up_to_lanes(n); i++) {
        memcpy(elements + i * size, elements + (n - 1) * size, (size_t)size);
    }
}

/* The kernel's view of n <= BLOCK elements of an operand: its own memory where that serves, else `buffer`. */
static const void *load_block(ptrdiff_t size, const char *data, ptrdiff_t stride, ptrdiff_t n, block_buffer *buffer)
{
    if (stride == size && n % LANES == 0) {
        return data;
    }
    copy_strided(data, stride, buffer->bytes, size, size, n);
    repeat_last(buffer->bytes, size, n);
    return buffer->bytes;
}

/* Moves n <= BLOCK results from `buffer` to an operand's memory. */
static void store_block(const elementwise_call *call, const block_buffer *buffer, char *data, ptrdiff_t stride,
                        ptrdiff_t n)
{
    ptrdiff_t size = call->type->size;
    if (call->streaming) {
        stream_copy(data, buffer->bytes, (size_t)(n * size));
    }
    else if (stride == size) {
        memcpy(data, buffer->bytes, (size_t)(n * size));
    }
    else {
        copy_strided(buffer->bytes, size, data, stride, size, n);
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

static inline int is_uniform(const elementwise_call *call, int k)
{
    return call->uniform && k >= call->arrays;
}

/* Whether the kernel may read every operand where it lies. */
static int all_readable(const elementwise_call *call)
{
    for (int k = 0; k < call->inputs; k++) {
        if (call->strides[k] != type_of_input(call, k)->size && !is_uniform(call, k)) {
            return 0;
        }
    }
    return 1;
}

/* Has a kernel compute elements [begin, end), a multiple of LANES, from where they lie to `output`. */
static void compute_to(const elementwise_call *call, block_kernel kernel, ptrdiff_t begin, ptrdiff_t end, char *output)
{
    const void *inputs[MAX_INPUTS];
    for (int k = 0; k < call->inputs; k++) {
        inputs[k] = call->data[k] + begin * call->strides[k];
    }
    kernel(inputs, output, end - begin, call->uniform);
}

/* The same straight from memory to memory. */
static void compute_directly(const elementwise_call *call, block_kernel kernel, ptrdiff_t begin, ptrdiff_t end)
{
    compute_to(call, kernel, begin, end, call->data[call->inputs] + begin * call->type->size);
}

/* Computes at least STREAMED elements [begin, end) and writes whole lines past the caches, straight from the registers, so
 * that memory takes them while others are computed. What there is of a line at either end is computed with its
 * neighbours. */
static void compute_past_caches(const elementwise_call *call, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t size = call->type->size;
    char *to = call->data[call->inputs];
    ptrdiff_t first = begin + (ptrdiff_t)(-(uintptr_t)(to + begin * size) & 63) / size;
    ptrdiff_t last = first + ((end - first) & -(ptrdiff_t)STREAMED);
    block_buffer edge;
    if (first > begin) {
        compute_to(call, call->kernel, begin, begin + STREAMED, edge.bytes);
        memcpy(to + begin * size, edge.bytes, (size_t)((first - begin) * size));
    }
    compute_directly(call, call->streaming_kernel, first, last);
    if (last < end) {
        compute_to(call, call->kernel, end - STREAMED, end, edge.bytes);
        memcpy(to + last * size, edge.bytes + (STREAMED - (end - last)) * size, (size_t)((end - last) * size));
    }
    stream_fence();
}

/* Computes elements [begin, end) of a call, block by block where they cannot be computed directly. */
static void elementwise_range(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    const elementwise_call *call = context;
    int out = call->inputs;
    /* The kernel may then write straight to the output. */
    int direct = call->place != BEHIND && call->strides[out] == call->type->size && !call->streaming;
    block_buffer buffers[MAX_INPUTS], results;
    const void *inputs[MAX_INPUTS];
    ptrdiff_t n;

    if (call->streaming_kernel != NULL && end - begin >= STREAMED) {
        compute_past_caches(call, begin, end);
        return;
    }
    if (direct && end - begin >= LANES && all_readable(call)) {
        ptrdiff_t tail = (end - begin) % LANES;
        compute_directly(call, call->kernel, begin, end - tail);
        begin = end - tail;
        if (tail != 0 && call->place == APART) {
            compute_directly(call, call->kernel, end - LANES, end);    /* some elements twice, to the same bits */
            return;
        }
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
                const char *data = call->data[k] + i * call->strides[k];
                inputs[k] = is_uniform(call, k)
                                ? data
                                : load_block(type_of_input(call, k)->size, data, call->strides[k], n, &buffers[k]);
            }
        }
        char *place = call->data[out] + i * call->strides[out];
        if (direct && n % LANES == 0) {
            call->kernel(inputs, place, n, call->uniform);
        }
        else {
            call->kernel(inputs, results.bytes, round_up_to_lanes(n), call->uniform);
            store_block(call, &results, place, call->strides[out], n);
        }
    }
    if (call->streaming) {
        stream_fence();
    }
}

static int all_uniform(const elementwise_call *call)
{
    for (int k = call->arrays; k < call->inputs; k++) {
        if (call->strides[k] != 0) {
            return 0;
        }
    }
    return call->inputs > call->arrays;
}

/* Elements from which threads may share an array: below, asking the clock would be felt. */
static const ptrdiff_t SMALLEST_SHARED = 32 * BLOCK;
/* Elements of a chunk that a thread claims at a time, and the number of chunks of an array in between. */
static const ptrdiff_t SMALLEST_CHUNK = 4 * BLOCK, LARGEST_CHUNK = 16 * BLOCK, CHUNKS = 16;

/* Runs a task over n elements, on several threads where that pays. */
static void share_elements(pool_task task, void *context, ptrdiff_t n)
{
    ptrdiff_t chunk = n / CHUNKS & -(ptrdiff_t)BLOCK;
    chunk = chunk < SMALLEST_CHUNK ? SMALLEST_CHUNK : chunk > LARGEST_CHUNK ? LARGEST_CHUNK : chunk;
    if (n < SMALLEST_SHARED) {
        task(context, 0, n);
    }
    else {
        pool_run(task, context, n, chunk);
    }
}

/* The whole inner loop of a ufunc: out[i] = kernel(in[0][i], ...), for i in [0, n). The streaming kernel, if there is one,
 * computes the same but for array parameters. */
static void elementwise(block_kernel kernel, block_kernel streaming_kernel, const element_type *type, int arrays,
                        int parameters, char *const *data, const ptrdiff_t *strides, ptrdiff_t n)
{
    elementwise_call call = {
        .kernel = kernel,
        .type = type,
        .parameter_type = parameter_type_of(type),
        .arrays = arrays,
        .inputs = arrays + parameters,
        .data = data,
        .strides = strides,
    };
    call.place = place_of_output(&call, n);
    call.uniform = call.place != BEHIND && all_uniform(&call);    /* else the output may overwrite a parameter */
    call.streaming = call.place == APART && strides[call.inputs] == type->size && streaming_pays(n * type->size);
    if (call.streaming && (parameters == 0 || call.uniform) && all_readable(&call)) {
        call.streaming_kernel = streaming_kernel;
    }
    if (call.place == BEHIND) {
        elementwise_range(&call, 0, n);
    }
    else {
        share_elements(elementwise_range, &call, n);
    }
}

/* Whether the parameter beside arrays of this type is 1. */
static int is_1(const element_type *type, const char *data)
{
    float number32 = 1;
    double number64 = 1;
    const element_type *parameter_type = parameter_type_of(type);
    return memcmp(data, parameter_type == &FLOAT32 ? (void *)&number32 : (void *)&number64,
                  (size_t)parameter_type->size) == 0;
}

/* The same for a function of one parameter that has another kernel, without it, for where it is 1 for all elements. */
static void elementwise_at_1(block_kernel kernel, block_kernel streaming_kernel, block_kernel kernel_at_1,
                             block_kernel streaming_kernel_at_1, const element_type *type, int arrays,
                             char *const *data, const ptrdiff_t *strides, ptrdiff_t n)
{
    char *operands[MAX_INPUTS];
    ptrdiff_t steps[MAX_INPUTS];
    if (strides[arrays] != 0 || !is_1(type, data[arrays])) {
        elementwise(kernel, streaming_kernel, type, arrays, 1, data, strides, n);
        return;
    }
    for (int k = 0; k <= arrays; k++) {
        operands[k] = data[k < arrays ? k : arrays + 1];
        steps[k] = strides[k < arrays ? k : arrays + 1];
    }
    elementwise(kernel_at_1, streaming_kernel_at_1, type, arrays, 0, operands, steps, n);
}

#endif
