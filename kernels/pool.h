/* A pool of helper threads for loops over arrays.
 *
 * The caller of pool_run works too. Chunks are claimed one at a time from one counter, and a caller waits only for
 * chunks that a helper has claimed and not finished: a helper that the system does not schedule costs nothing.
 * Which thread computes a chunk is left to chance, where a chunk begins and ends is not: results cannot depend on
 * the number of threads. Helpers compute with the caller's rounding and denormal modes, for the same reason.
 *
 * Any number of threads may call at once. A forked child starts with no helpers and gets its own when it needs them.
 * Helpers live as long as the process: the library that holds them must not be unloaded.
 */
#ifndef FASTACT_POOL_H
#define FASTACT_POOL_H

#include <stddef.h>

/* Computes the items [begin, end). It returns normally (no longjmp) and does not fork. */
typedef void (*pool_task)(void *context, ptrdiff_t begin, ptrdiff_t end);

/* Calls task on [0, n) in chunks of `chunk` items (> 0; the last one may be shorter), or several of them at once, each
 * exactly once, on this thread and on up to pool_num_threads() - 1 helpers, and returns when all of it is done. The first
 * chunk is this thread's: the time that it takes decides whether helpers pay. Called from within a task, all of it runs
 * on this thread. */
void pool_run(pool_task task, void *context, ptrdiff_t n, ptrdiff_t chunk);

/* The most threads that work at once for one caller, itself included; 1 until it is set. */
int pool_num_threads(void);

/* Sets that number; less than 1 is taken as 1. Takes effect at once, also on running jobs. */
void pool_set_num_threads(int count);

/* What the helpers are made of: "pthreads", "windows", or "none" where the caller is always alone. */
const char *pool_kind(void);

#endif
