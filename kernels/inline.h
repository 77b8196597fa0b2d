/* How a function is kept in, or out of, its callers. */
#ifndef FASTACT_INLINE_H
#define FASTACT_INLINE_H

/* ALWAYS_INLINE: a function of many uses, each of which its constant arguments make another function. */
#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))
#else
#define ALWAYS_INLINE inline
#define NEVER_INLINE
#endif

#endif
