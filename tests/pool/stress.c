/* The thread pool under everything that a process may do to it. Prints a line for each case; status 1 if one failed. */
#include "pool.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifdef WITH_TSAN
/* A child forked from many threads may start threads of its own here. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }
#endif

enum { THREADS = 4, ITEMS = 1000 };

/* ---- Tasks ---------------------------------------------------------------------------------------------------- */

typedef struct {
    ptrdiff_t n, chunk;
    int *visits;
    atomic_bool misplaced;
} visit_context;

static void visit(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    visit_context *c = context;
    if (begin % c->chunk != 0 || end <= begin || (end % c->chunk != 0 && end != c->n))
        c->misplaced = true;
    for (ptrdiff_t i = begin; i < end; i++)
        c->visits[i]++;
}

/* Runs a job; true when each item was visited once, in whole chunks. */
static bool visits_all(ptrdiff_t n, ptrdiff_t chunk)
{
    visit_context c = {n, chunk, calloc((size_t)n + 1, sizeof(int)), false};
    pool_run(visit, &c, n, chunk);
    bool right = !c.misplaced && c.visits[n] == 0;
    for (ptrdiff_t i = 0; i < n; i++)
        right = right && c.visits[i] == 1;
    free(c.visits);
    return right;
}

static void nap(long microseconds)
{
    struct timespec t = {0, microseconds * 1000};
    nanosleep(&t, NULL);
}

typedef struct {
    pthread_t seen[1000];
    int count;
    pthread_mutex_t lock;
} census;

static void register_and_nap(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    (void)begin, (void)end;
    census *c = context;
    pthread_mutex_lock(&c->lock);
    int i = 0;
    while (i < c->count && !pthread_equal(c->seen[i], pthread_self()))
        i++;
    c->seen[i] = pthread_self();
    c->count += i == c->count;
    pthread_mutex_unlock(&c->lock);
    nap(1000);
}

/* How many threads take part in a job that is long enough for all. */
static int threads_at_work(void)
{
    census c = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pool_run(register_and_nap, &c, 100, 1);
    return c.count;
}

/* ---- Cases ---------------------------------------------------------------------------------------------------- */

static bool chunks_are_whole(void)
{
    bool right = true;
    for (ptrdiff_t n = 0; n < 70; n++)
        for (ptrdiff_t chunk = 1; chunk < 70; chunk += 3)
            right = right && visits_all(n, chunk);
    return right && visits_all(300000, 7);
}

static void count_call(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    atomic_ptrdiff_t *items = context;
    *items += end - begin;
}

static bool the_longest_array_does_not_overflow(void)
{
    atomic_ptrdiff_t items = 0;
    pool_run(count_call, &items, PTRDIFF_MAX, PTRDIFF_MAX / 2);
    return items == PTRDIFF_MAX;
}

static bool helpers_take_part(void)
{
    int count = threads_at_work();
    return count > 1 && count <= THREADS;
}

static bool one_thread_is_the_caller(void)
{
    pool_set_num_threads(1);
    int count = threads_at_work();
    pool_set_num_threads(THREADS);
    return count == 1;
}

static void work_inside(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    atomic_bool *right = context;
    if (!visits_all(end - begin + 100, 10) || threads_at_work() != 1)
        *right = false;
}

static bool a_task_may_run_another_on_its_thread(void)
{
    atomic_bool right = true;
    pool_run(work_inside, &right, 2 * THREADS, 1);
    return right;
}

static pthread_t main_thread;

static void finish_late(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    atomic_ptrdiff_t *finished = context;
    nap(pthread_equal(pthread_self(), main_thread) ? 100 : 20000);
    *finished += end - begin;
}

static bool the_caller_waits_for_late_helpers(void)
{
    atomic_ptrdiff_t finished = 0;
    pool_run(finish_late, &finished, 100, 1);
    return finished == 100;
}

static void *call_often(void *right)
{
    for (int i = 0; i < 300; i++) {
        if (!visits_all(ITEMS, 1 + i % 40))
            *(atomic_bool *)right = false;
        if (i % 30 == 0)
            nap(200); /* long enough for helpers to fall asleep */
    }
    return NULL;
}

static void *change_num_threads(void *stop)
{
    for (int i = 0; !*(atomic_bool *)stop; i++) {
        pool_set_num_threads(1 + i % 8);
        nap(50);
    }
    return NULL;
}

static bool many_call_at_once_while_the_number_changes(void)
{
    enum { CALLERS = 20 }; /* more than there are places for jobs */
    atomic_bool right = true, stop = false;
    pthread_t callers[CALLERS], changer;
    pthread_create(&changer, NULL, change_num_threads, &stop);
    for (int i = 0; i < CALLERS; i++)
        pthread_create(&callers[i], NULL, call_often, &right);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    stop = true;
    pthread_join(changer, NULL);
    pool_set_num_threads(THREADS);
    return right;
}

static void check_rounding(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    (void)begin, (void)end;
    if (fegetround() != FE_UPWARD)
        *(atomic_bool *)context = false;
    nap(100);
}

static bool helpers_round_as_the_caller_does(void)
{
    atomic_bool right = true;
    fesetround(FE_UPWARD);
    pool_run(check_rounding, &right, 100, 1);
    fesetround(FE_TONEAREST);
    return right;
}

static volatile sig_atomic_t signals_here, signals_elsewhere;

static void on_signal(int number)
{
    (void)number;
    if (pthread_equal(pthread_self(), main_thread))
        signals_here++;
    else
        signals_elsewhere++;
}

static bool helpers_take_no_signals(void)
{
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    signal(SIGUSR1, on_signal);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    kill(getpid(), SIGUSR1);
    bool right = helpers_take_part() && visits_all(ITEMS, 1);
    right = right && signals_here == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return right && signals_here == 1 && signals_elsewhere == 0;
}

/* Runs a case in a forked child that is killed after a while; true when it returned true. */
static bool in_child(bool (*child_case)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(child_case() ? 0 : 1);
    }
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool compute_with_helpers(void) { return visits_all(ITEMS, 3) && helpers_take_part(); }
static bool compute_in_grandchild(void) { return compute_with_helpers() && in_child(compute_with_helpers); }

static bool a_child_of_a_sleeping_pool_computes(void)
{
    nap(100000);
    return in_child(compute_in_grandchild) && compute_with_helpers();
}

static bool a_child_of_a_working_pool_computes(void)
{
    atomic_bool right = true;
    pthread_t callers[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&callers[i], NULL, call_often, &right);
    bool children_right = true;
    for (int i = 0; i < 20; i++)
        children_right = in_child(compute_with_helpers) && children_right;
    for (int i = 0; i < 3; i++)
        pthread_join(callers[i], NULL);
    return right && children_right;
}

static void *call_forever(void *unused)
{
    for (;;)
        threads_at_work();
    return unused;
}

static bool exit_while_working(void)
{
    pthread_t caller;
    pthread_create(&caller, NULL, call_forever, NULL);
    nap(20000);
    exit(0); /* runs destructors, which _exit does not */
}

static bool a_process_exits_while_helpers_work(void) { return in_child(exit_while_working); }

#ifndef WITH_TSAN /* which itself needs memory */
static bool compute_without_memory_for_stacks(void)
{
    struct rlimit none = {1, 1};
    return setrlimit(RLIMIT_AS, &none) == 0 && threads_at_work() == 1 && threads_at_work() == 1;
}

/* The first case, since a child inherits the stacks of helpers that it does not have, and can use them again. */
static bool without_threads_the_caller_does_all(void) { return in_child(compute_without_memory_for_stacks); }
#endif

int main(void)
{
    static const struct {
        const char *name;
        bool (*passes)(void);
    } cases[] = {
#ifndef WITH_TSAN
        {"without threads to be had, the caller does all", without_threads_the_caller_does_all},
#endif
        {"chunks are whole", chunks_are_whole},
        {"the longest array does not overflow", the_longest_array_does_not_overflow},
        {"helpers take part", helpers_take_part},
        {"one thread is the caller", one_thread_is_the_caller},
        {"a task may run another, on its thread", a_task_may_run_another_on_its_thread},
        {"the caller waits for late helpers", the_caller_waits_for_late_helpers},
        {"many call at once while the number of threads changes", many_call_at_once_while_the_number_changes},
        {"helpers round as the caller does", helpers_round_as_the_caller_does},
        {"helpers take no signals", helpers_take_no_signals},
        {"a child of a sleeping pool computes", a_child_of_a_sleeping_pool_computes},
        {"a child of a working pool computes", a_child_of_a_working_pool_computes},
        {"a process exits while helpers work", a_process_exits_while_helpers_work},
    };
    alarm(300); /* a hang is a failure too */
    main_thread = pthread_self();
    pool_set_num_threads(THREADS);
    int failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool passed = cases[i].passes();
        failed += !passed;
        printf("%-4s %s\n", passed ? "ok" : "FAIL", cases[i].name);
        fflush(stdout);
    }
    return failed != 0;
}
