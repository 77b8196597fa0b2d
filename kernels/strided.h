/*
 * Elements between memory of any layout and contiguous places.
 */
#ifndef FASTACT_STRIDED_H
#define FASTACT_STRIDED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

#define COPY_STRIDED(TYPE)                                                                           \
    for (ptrdiff_t i = 0; i < n; i++) {                                                              \
        *(TYPE *)(to + i * to_stride) = *(const TYPE *)(from + i * from_stride);                     \
    }                                                                                                \
    return

/* Copies n elements of `size` bytes between two strided places. */
static void copy_strided(const char *from, ptrdiff_t from_stride, char *to, ptrdiff_t to_stride, ptrdiff_t size,
                         ptrdiff_t n)
{
    if (from_stride == size && to_stride == size) {
        memcpy(to, from, (size_t)(n * size));
        return;
    }
    if (from_stride == 0 && to_stride == size && n > 0) {
        memcpy(to, from, (size_t)size);
        fill(to, size, n);
        return;
    }
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

/* The offset of element i of an array, counted in C order, and how many elements follow it at the last stride. */
static ptrdiff_t run_at(int dimensions, const ptrdiff_t *shape, const ptrdiff_t *strides, ptrdiff_t i,
                        ptrdiff_t *offset)
{
    int last = dimensions - 1;
    ptrdiff_t inner = i % shape[last];
    *offset = inner * strides[last];
    ptrdiff_t rest = i / shape[last];
    for (int k = last - 1; k >= 0; k--) {
        *offset += rest % shape[k] * strides[k];
        rest /= shape[k];
    }
    return shape[last] - inner;
}

/* Copies elements [i, i + n) of an array to a contiguous place, or back. */
static void copy_elements(int dimensions, const ptrdiff_t *shape, const ptrdiff_t *strides, char *array, ptrdiff_t i,
                          ptrdiff_t n, char *packed, ptrdiff_t size, int back)
{
    ptrdiff_t stride = strides[dimensions - 1];
    while (n > 0) {
        ptrdiff_t offset, run = run_at(dimensions, shape, strides, i, &offset);
        run = run < n ? run : n;
        if (back) {
            copy_strided(packed, size, array + offset, stride, size, run);
        }
        else {
            copy_strided(array + offset, stride, packed, size, size, run);
        }
        packed += run * size;
        i += run;
        n -= run;
    }
}

#endif
