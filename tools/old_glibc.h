/*
 * Included before every source file of a Linux wheel: names the functions of glibc that have changed their version in
 * the symbol table since 2014, by the versions that they had before, which every later glibc has too. So a wheel built
 * on a new system runs on an old one. (2.29 freed exp from setting errno; 2.32 and 2.34 moved threads into libc.)
 */
#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#else
#define OLDEST "GLIBC_2.17"
#endif
#define TAKE_OLDEST(name) __asm__(".symver " #name ", " #name "@" OLDEST);

TAKE_OLDEST(exp)
TAKE_OLDEST(pthread_attr_setstacksize)
TAKE_OLDEST(pthread_create)
TAKE_OLDEST(pthread_mutex_trylock)
TAKE_OLDEST(pthread_once)
TAKE_OLDEST(pthread_sigmask)

#undef TAKE_OLDEST
#undef OLDEST
