/*
 * The end of a dense layer: bias and activation, in place, in one pass.
 *
 * The sums of a block stay in L1 until a ufunc's loop has made activations of them: the rows are read and written once,
 * and adding the bias costs next to nothing.
 */
#ifndef FASTACT_LAYER_H
#define FASTACT_LAYER_H

#include "elementwise.h"

/* A ufunc's inner loop, of one array and the parameters behind it. */
typedef int (*activation_loop)(void *context, char **data, const ptrdiff_t *sizes, const ptrdiff_t *strides,
                               void *auxdata);

typedef struct {
    activation_loop loop;
    int parameters;
    char *parameter_values;
    ptrdiff_t size;            /* bytes of an element, of a parameter too: of a float or of a double */
    char *rows;
    const char *bias;
    ptrdiff_t units;           /* of a row */
} layer_end;

#define ADD_BIAS(TYPE)                                                                               \
    const TYPE *row = (const TYPE *)end->rows + first, *bias = (const TYPE *)end->bias + unit;       \
    TYPE *sums = to;                                                                                 \
    for (ptrdiff_t i = 0; i < n; i++) {                                                              \
        sums[i] = row[i] + bias[i];                                                                  \
    }

/* Adds the bias of the units from `unit` on to n elements of one row, from `first` on. */
static void add_bias(const layer_end *end, ptrdiff_t first, ptrdiff_t unit, void *to, ptrdiff_t n)
{
    if (end->size == sizeof(float)) {
        ADD_BIAS(float);
    }
    else {
        ADD_BIAS(double);
    }
}
#undef ADD_BIAS

/* Finishes elements [begin, stop) of the rows. */
static void end_range(void *context, ptrdiff_t begin, ptrdiff_t stop)
{
    const layer_end *end = context;
    block_buffer sums;
    char *data[MAX_INPUTS + 1];
    ptrdiff_t strides[MAX_INPUTS + 1] = {end->size};
    int out = 1 + end->parameters;
    ptrdiff_t unit = begin == 0 ? 0 : begin % end->units, n, part;    /* there may be no units */
    data[0] = sums.bytes;
    for (int k = 1; k < out; k++) {
        data[k] = end->parameter_values + (k - 1) * end->size;
    }
    strides[out] = end->size;
    for (ptrdiff_t i = begin; i < stop; i += n) {
        n = stop - i < BLOCK ? stop - i : BLOCK;
        for (ptrdiff_t done = 0; done < n; done += part) {
            part = end->units - unit < n - done ? end->units - unit : n - done;
            add_bias(end, i + done, unit, sums.bytes + done * end->size, part);
            unit = unit + part == end->units ? 0 : unit + part;
        }
        data[out] = end->rows + i * end->size;
        end->loop(NULL, data, &n, strides, NULL);
    }
}

/* Finishes all n elements. */
static void finish_layer(layer_end *end, ptrdiff_t n)
{
    share_elements(end_range, end, n);
}

#endif
