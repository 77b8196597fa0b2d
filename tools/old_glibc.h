/*
 * Included before every source file of a Linux wheel: names the functions of glibc that have changed their version in
 * the symbol table since 2014, by the versions that they had before, which every later glibc has too. So a wheel built
 * on a new system runs on an old one. (2.29 freed exp from setting errno; 2.32 and 2.34 moved threads into libc.)
 */
#if defined(__x86_64__)
#define OLDEST(x86_64) "GLIBC_" #x86_64
#else
#define OLDEST(x86_64) "GLIBC_2.17"
#endif
#define TAKE(name, x86_64) __asm__(".symver " #name ", " #name "@" OLDEST(x86_64));

TAKE(exp, 2.2.5)
TAKE(pthread_attr_setstacksize, 2.2.5)
TAKE(pthread_create, 2.2.5)
TAKE(pthread_getaffinity_np, 2.3.4)
TAKE(pthread_mutex_trylock, 2.2.5)
TAKE(pthread_once, 2.2.5)
TAKE(pthread_setaffinity_np, 2.3.4)
TAKE(pthread_sigmask, 2.2.5)

#undef TAKE
#undef OLDEST
