/*
 * Leaves the caller's floating-point exception flags as they were. A loop that declares to raise no errors is still
 * asked for them when NumPy casts its operands, and then an underflow on the way to a finite result would be a warning.
 */
#ifndef FASTACT_SILENCE_H
#define FASTACT_SILENCE_H

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

typedef unsigned int exception_flags;

static inline exception_flags save_exception_flags(void) { return _mm_getcsr(); }
static inline void restore_exception_flags(exception_flags flags) { _mm_setcsr(flags); }

#else

#include <fenv.h>

typedef fenv_t exception_flags;

static inline exception_flags save_exception_flags(void)
{
    exception_flags flags;
    fegetenv(&flags);
    return flags;
}

static inline void restore_exception_flags(exception_flags flags) { fesetenv(&flags); }

#endif
#endif
