/*
 * Stores that bypass the caches.
 *
 * A plain store to memory that is not in cache first reads the line that it is about to overwrite: a third of the
 * traffic of y = f(x) on arrays larger than the last-level cache. Non-temporal stores do without that read, and
 * leave in the caches what the program had there.
 */
#ifndef FASTACT_STREAM_H
#define FASTACT_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#define HAVE_STREAMING_STORES 1
#else
#define HAVE_STREAMING_STORES 0
#endif

/* Bytes of output from which a result no longer fits in the caches that a process may count on. */
static const ptrdiff_t STREAMING_THRESHOLD = (ptrdiff_t)32 << 20;

static inline int streaming_pays(ptrdiff_t bytes)
{
    return HAVE_STREAMING_STORES && bytes >= STREAMING_THRESHOLD;
}

#if HAVE_STREAMING_STORES

#if defined(__AVX512F__)
#define STREAM_BYTES 64
static inline void stream_vector(char *to, const char *from)
{
    _mm512_stream_si512((__m512i *)to, _mm512_loadu_si512(from));
}
#elif defined(__AVX__)
#define STREAM_BYTES 32
static inline void stream_vector(char *to, const char *from)
{
    _mm256_stream_si256((__m256i *)to, _mm256_loadu_si256((const __m256i *)from));
}
#else
#define STREAM_BYTES 16
static inline void stream_vector(char *to, const char *from)
{
    _mm_stream_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
}
#endif

/* Copies whole lines to a place that begins with a line. */
static inline void stream_lines(void *to, const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += STREAM_BYTES) {
        stream_vector((char *)to + i, (const char *)from + i);
    }
}

/* Copies `bytes` bytes; the whole vectors of the destination bypass the caches, its ragged ends do not. */
static void stream_copy(char *to, const char *from, size_t bytes)
{
    size_t head = (size_t)(-(uintptr_t)to & (STREAM_BYTES - 1));
    if (head > bytes) {
        head = bytes;
    }
    memcpy(to, from, head);
    size_t i = head;
    for (; i + STREAM_BYTES <= bytes; i += STREAM_BYTES) {
        stream_vector(to + i, from + i);
    }
    memcpy(to + i, from + i, bytes - i);
}

/* Orders the streaming stores before whatever another thread does next. */
static inline void stream_fence(void)
{
    _mm_sfence();
}

#else

static inline void stream_lines(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

static inline void stream_copy(char *to, const char *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

static inline void stream_fence(void) {}

#endif

/* The beginning of a line of memory that waits for its end, with room for a line more. */
typedef struct {
    _Alignas(64) char line[128];
    ptrdiff_t bytes;
    char *place;
} line_edge;

/* Stores what waits, unless the bytes to come, at `next`, follow it. */
static inline void edge_before(line_edge *edge, const char *next)
{
    if (edge->bytes != 0 && edge->place + edge->bytes != next) {
        memcpy(edge->place, edge->line, (size_t)edge->bytes);
        edge->bytes = 0;
    }
}

#endif
