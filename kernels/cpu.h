/* Which of the CPU targets that kernels are built for this processor (and its operating system) can run. */
#ifndef FASTACT_CPU_H
#define FASTACT_CPU_H

#if defined(_MSC_VER) && !defined(__clang__) && defined(_M_X64)

#include <windows.h>

static int runs_x86_64_v2(void) { return IsProcessorFeaturePresent(38); /* SSE4.2 */ }
static int runs_x86_64_v3(void) { return IsProcessorFeaturePresent(40); /* AVX2 */ }
static int runs_x86_64_v4(void) { return IsProcessorFeaturePresent(41); /* AVX-512 */ }

#elif defined(__x86_64__)

static int runs_x86_64_v2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
}

static int runs_x86_64_v3(void)
{
    return runs_x86_64_v2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi2");
}

static int runs_x86_64_v4(void)
{
    return runs_x86_64_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl");
}

#else

static int runs_x86_64_v2(void) { return 0; }
static int runs_x86_64_v3(void) { return 0; }
static int runs_x86_64_v4(void) { return 0; }

#endif
#endif
