#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* processors by their numbers */
#endif
#include "pool.h"

#include <stdbool.h>

/* ---- The system: threads, locks, a clock ---------------------------------------------------------------------- */

#if defined(FASTACT_NO_THREADS) || !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L || \
    defined(__STDC_NO_ATOMICS__)
#define POOL_KIND "none"
#elif defined(_WIN32)
#define POOL_KIND "windows"
#define POOL_WINDOWS 1
#elif defined(__unix__) || defined(__APPLE__)
#define POOL_KIND "pthreads"
#define POOL_PTHREADS 1
#else
#define POOL_KIND "none"
#endif

#if defined(POOL_WINDOWS) || defined(POOL_PTHREADS)
#define POOL_THREADS 1
#include <fenv.h>
#include <stdatomic.h>
#include <stdint.h>

/* Kernels keep up to 100 KiB of buffers on the stack. */
enum { HELPER_STACK_BYTES = 1 << 20 };

static void helper_main(void);
#endif

#ifdef POOL_WINDOWS
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#define UNLOCKED SRWLOCK_INIT
#define NOBODY_WAITING CONDITION_VARIABLE_INIT
typedef SRWLOCK lock_type;
typedef CONDITION_VARIABLE condition_type;

static void lock(lock_type *l) { AcquireSRWLockExclusive(l); }
static bool try_lock(lock_type *l) { return TryAcquireSRWLockExclusive(l); }
static void unlock(lock_type *l) { ReleaseSRWLockExclusive(l); }
static void wait_on(condition_type *c, lock_type *l) { SleepConditionVariableSRW(c, l, INFINITE, 0); }
static void signal_one(condition_type *c) { WakeConditionVariable(c); }
static void signal_all(condition_type *c) { WakeAllConditionVariable(c); }
static void yield_processor(void) { SwitchToThread(); }
static void watch_for_fork(void) {}

static int64_t nanoseconds(void)
{
    LARGE_INTEGER ticks, per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (int64_t)((double)ticks.QuadPart * 1e9 / (double)per_second.QuadPart);
}

static DWORD WINAPI thread_main(void *unused)
{
    (void)unused;
    helper_main();
    return 0;
}

/* Starts a detached helper; false where the system has no more threads to give. */
static bool start_thread(void)
{
    HANDLE thread = CreateThread(NULL, HELPER_STACK_BYTES, thread_main, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    return thread != NULL && CloseHandle(thread);
}
#endif

#ifdef POOL_PTHREADS
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#define UNLOCKED PTHREAD_MUTEX_INITIALIZER
#define NOBODY_WAITING PTHREAD_COND_INITIALIZER
typedef pthread_mutex_t lock_type;
typedef pthread_cond_t condition_type;

static void lock(lock_type *l) { pthread_mutex_lock(l); }
static bool try_lock(lock_type *l) { return pthread_mutex_trylock(l) == 0; }
static void unlock(lock_type *l) { pthread_mutex_unlock(l); }
static void wait_on(condition_type *c, lock_type *l) { pthread_cond_wait(c, l); }
static void signal_one(condition_type *c) { pthread_cond_signal(c); }
static void signal_all(condition_type *c) { pthread_cond_broadcast(c); }
static void yield_processor(void) { sched_yield(); }

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *thread_main(void *unused)
{
    helper_main();
    return unused;
}

/* Starts a detached helper; false where the system has no more threads to give. */
static bool start_thread(void)
{
    /* A helper takes no signal, so that handlers run where the program expects them; but a fault in a kernel must
     * still reach the handler that reports it. */
    sigset_t blocked, callers;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGFPE);
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, HELPER_STACK_BYTES);
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &blocked, &callers);
    int error = pthread_create(&thread, &attributes, thread_main, NULL);
    pthread_sigmask(SIG_SETMASK, &callers, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

static void forget_everything(void);

static void register_fork_handler(void) { pthread_atfork(NULL, NULL, forget_everything); }

/* Sees to it that forked children forget the helpers, which they do not have. */
static void watch_for_fork(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork_handler);
}
#endif

#ifdef POOL_THREADS
/* A sleeping thread, and the processors that it may use. */
typedef struct {
#ifdef __linux__
    pthread_t thread;
    bool moved;
    cpu_set_t allowed;
#else
    char unknown;
#endif
} place_type;

#ifdef __linux__
static void note_place(place_type *place) { place->thread = pthread_self(); }

/* Sees to it that a sleeper wakes on another processor than this one, if there is one. Linux would wake it here, where it
 * then waits while others idle, if it takes these for busy: in a virtual machine, a processor that rests looks as if it
 * had been taken away. */
static void send_away(place_type *place)
{
    int here = sched_getcpu();
    if (here < 0 || pthread_getaffinity_np(place->thread, sizeof place->allowed, &place->allowed) != 0)
        return;
    cpu_set_t others = place->allowed;
    CPU_CLR((size_t)here, &others);
    place->moved =
        CPU_COUNT(&others) > 0 && pthread_setaffinity_np(place->thread, sizeof others, &others) == 0;
}

/* Once this thread is awake, it may be anywhere again. */
static void stay_anywhere(const place_type *place)
{
    if (place->moved)
        pthread_setaffinity_np(place->thread, sizeof place->allowed, &place->allowed);
}
#else
static void note_place(place_type *place) { (void)place; }
static void send_away(place_type *place) { (void)place; }
static void stay_anywhere(const place_type *place) { (void)place; }
#endif

#ifdef _MSC_VER
#define THREAD_LOCAL __declspec(thread)
#else
#define THREAD_LOCAL _Thread_local
#endif

/* Tells the processor that this is a waiting loop. */
static void relax(void)
{
#if defined(_MSC_VER)
    YieldProcessor();
#elif defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* ---- The pool ------------------------------------------------------------------------------------------------- */

/* About what it costs to wake a thread. So threads wait awake for this long before they sleep, and one is woken only
 * where it will find this much to do: neither guess can lose more than it might have gained. */
#define PATIENCE INT64_C(50000) /* nanoseconds */

/* What has to be left to do, by the pace of the first chunk, to share it with helpers that are awake: they too cost time,
 * above all that of getting to them what lies in the caller's cache. */
#ifndef WORTHWHILE
#define WORTHWHILE INT64_C(8000) /* nanoseconds */
#endif

enum {
    MAX_JOBS = 16,             /* open at once; one more caller works alone */
    PAUSES_BETWEEN_YIELDS = 16 /* about a microsecond */
};

/* One call of pool_run. Who takes a chunk from `unclaimed` owes one to `unfinished`, and until that is paid the caller
 * cannot return: so the plain fields, which nobody reads without having claimed, stand still while they are read. */
typedef struct {
    _Alignas(128) atomic_bool taken; /* by a caller */
    atomic_ptrdiff_t unclaimed;      /* chunks */
    atomic_ptrdiff_t unfinished;     /* chunks */
    atomic_ptrdiff_t from_end;       /* chunks that helpers have claimed */
    pool_task task;
    void *context;
    ptrdiff_t n, chunk, count;
    fenv_t modes; /* of the caller's arithmetic */
} job_type;

static job_type jobs[MAX_JOBS];
static atomic_int num_threads = 1;
static _Atomic int64_t last_end; /* of a job, in nanoseconds */
static atomic_ptrdiff_t bell;    /* changes when helpers should look for work */

/* A helper is asleep, or ready (looking for work, or called and on its way), or in the team that works. */
static atomic_int ready;
static atomic_int team; /* callers and helpers */

/* A helper that sleeps, on its own stack. */
typedef struct sleeper {
    struct sleeper *next;
    condition_type called;
    bool is_called;
    place_type place;
} sleeper_type;

static lock_type sleep_lock = UNLOCKED; /* over these; a caller never waits for it */
static sleeper_type *sleepers;
static int helpers;
static bool refused; /* the system gave no more threads: asking again at each call would be slow */

static lock_type finish_lock = UNLOCKED;
static condition_type finished = NOBODY_WAITING;
static atomic_int waiting; /* callers asleep until a helper finishes; changes under the lock */

static THREAD_LOCAL bool in_task;

#ifdef POOL_PTHREADS
/* In a forked child: no thread but this one exists, whatever the others were doing. */
static void forget_everything(void)
{
    sleep_lock = finish_lock = (lock_type)UNLOCKED;
    finished = (condition_type)NOBODY_WAITING;
    sleepers = NULL;
    helpers = 0;
    refused = false;
    ready = team = waiting = 0;
    for (int i = 0; i < MAX_JOBS; i++) {
        jobs[i].taken = false;
        jobs[i].unclaimed = 0;
        jobs[i].unfinished = 0;
    }
}
#endif

/* Wakes or starts one helper, unless all are up or somebody else is at it. */
static void call_one_helper(void)
{
    if (!try_lock(&sleep_lock))
        return;
    sleeper_type *sleeper = sleepers;
    bool start = sleeper == NULL && !refused && helpers < num_threads - 1;
    if (sleeper != NULL) {
        sleepers = sleeper->next;
        sleeper->is_called = true;
        send_away(&sleeper->place);
        signal_one(&sleeper->called); /* still locked: once it has heard, it is gone */
    }
    if (start) {
        start = start_thread();
        refused = !start;
    }
    helpers += start;
    ready += sleeper != NULL || start;
    unlock(&sleep_lock);
}

/* Brings helpers to a job with unclaimed chunks. Whoever claims a chunk calls one more, so that many come quickly. */
static void call_helpers(const job_type *job, bool wake)
{
    int missing = num_threads - team;
    if (missing <= 0 || job->unclaimed == 0)
        return;
    bell++;
    if (wake && ready < missing && ready < job->unclaimed)
        call_one_helper();
}

/* Takes a chunk of an open job; false where none is left. The caller takes them from the first on, helpers from the last
 * on, and so they meet: what lies in a processor's cache is mostly asked for by the same one again. */
static bool claim(job_type *job)
{
    ptrdiff_t left = job->unclaimed;
    while (left > 0)
        if (atomic_compare_exchange_weak(&job->unclaimed, &left, left - 1))
            return true;
    return false;
}

/* Computes a claimed chunk. After its last line the job may be another one. */
static void work(job_type *job, ptrdiff_t index)
{
    ptrdiff_t begin = index * job->chunk;
    job->task(job->context, begin, job->n - begin < job->chunk ? job->n : begin + job->chunk);
    if (atomic_fetch_sub(&job->unfinished, 1) == 1 && waiting) {
        lock(&finish_lock);
        unlock(&finish_lock);
        signal_all(&finished);
    }
}

/* Enters the team, if it is not complete. */
static bool join_team(void)
{
    int members = team;
    while (members < num_threads)
        if (atomic_compare_exchange_weak(&team, &members, members + 1))
            return true;
    return false;
}

/* Works on whatever is open, as long as the team needs this helper. */
static void help(void)
{
    if (!join_team())
        return;
    ready--;
    for (job_type *job = jobs; job < jobs + MAX_JOBS; job++)
        while (team <= num_threads && claim(job)) {
            call_helpers(job, true);
            fesetenv(&job->modes);
            work(job, job->count - 1 - job->from_end++);
        }
    ready++;
    team--;
}

/* Waits awake for a value to change, but not for ever; true when it did. Whoever else wants the processor gets it: a
 * helper interrupted here holds nobody back, one interrupted in the midst of a chunk does. */
static bool changes(const atomic_ptrdiff_t *value, ptrdiff_t old)
{
    int64_t end = nanoseconds() + PATIENCE;
    do {
        for (int i = 0; i < PAUSES_BETWEEN_YIELDS; i++) {
            if (*value != old)
                return true;
            relax();
        }
        yield_processor();
    } while (nanoseconds() < end);
    return false;
}

/* Sleeps until called, unless the bell rang. */
static void sleep_unless_rung(ptrdiff_t heard)
{
    sleeper_type self = {.called = NOBODY_WAITING};
    lock(&sleep_lock);
    if (bell == heard) {
        ready--;
        self.next = sleepers;
        sleepers = &self;
        note_place(&self.place);
        while (!self.is_called)
            wait_on(&self.called, &sleep_lock);
    }
    unlock(&sleep_lock);
    stay_anywhere(&self.place);
}

/* The life of a helper, which ends with the process. */
static void helper_main(void)
{
    in_task = true;
    for (;;) {
        ptrdiff_t heard = bell;
        help();
        if (!changes(&bell, heard))
            sleep_unless_rung(heard);
    }
}

static ptrdiff_t chunks_of(ptrdiff_t n, ptrdiff_t chunk) { return n / chunk + (n % chunk != 0); }

/* Finds a place in the table, NULL when all are taken. */
static job_type *take_job(void)
{
    for (int i = 0; i < MAX_JOBS; i++)
        if (!jobs[i].taken && !atomic_exchange(&jobs[i].taken, true))
            return &jobs[i];
    return NULL;
}

/* Waits for helpers in the midst of a chunk: asleep after a while, which leaves this processor to one that was
 * interrupted. */
static void await_helpers(const job_type *job)
{
    ptrdiff_t left = job->unfinished;
    while (left != 0 && changes(&job->unfinished, left))
        left = job->unfinished;
    if (left == 0)
        return;
    lock(&finish_lock);
    waiting++;
    while (job->unfinished != 0)
        wait_on(&finished, &finish_lock);
    waiting--;
    unlock(&finish_lock);
}

/* Opens a job, whose first chunk is done, works on it and returns when all of it is done. Helpers that are awake come at
 * once, others if they are to be woken. */
static void run_together(job_type *job, pool_task task, void *context, ptrdiff_t n, ptrdiff_t chunk, bool wake)
{
    job->task = task;
    job->context = context;
    job->n = n;
    job->chunk = chunk;
    job->count = chunks_of(n, chunk);
    fegetenv(&job->modes);
    job->from_end = 0;
    job->unfinished = job->count - 1;
    job->unclaimed = job->count - 1;
    for (ptrdiff_t next = 1; claim(job); next++) {
        call_helpers(job, wake);
        work(job, next);
    }
    await_helpers(job);
    last_end = nanoseconds();
    job->taken = false;
}

/* The first chunk shows what the others will take. To wake helpers for them pays if that is long; or if the last job was
 * a moment ago, since then the next may be too and they will be awake. */
void pool_run(pool_task task, void *context, ptrdiff_t n, ptrdiff_t chunk)
{
    if (n <= chunk || num_threads == 1 || in_task) {
        if (n > 0)
            task(context, 0, n);
        return;
    }
    in_task = true;
    int64_t start = nanoseconds();
    task(context, 0, chunk);
    double left = (double)(nanoseconds() - start) * (double)(chunks_of(n, chunk) - 1);
    if (left < WORTHWHILE)
        task(context, chunk, n);
    else {
        watch_for_fork();
        team++;
        job_type *job = take_job();
        if (job)
            run_together(job, task, context, n, chunk, left > PATIENCE || start - last_end < PATIENCE);
        else
            task(context, chunk, n);
        team--;
    }
    in_task = false;
}

int pool_num_threads(void) { return num_threads; }

void pool_set_num_threads(int count)
{
    num_threads = count < 1 ? 1 : count;
    lock(&sleep_lock);
    refused = false;
    unlock(&sleep_lock);
}

#else /* no threads */

void pool_run(pool_task task, void *context, ptrdiff_t n, ptrdiff_t chunk)
{
    (void)chunk;
    if (n > 0)
        task(context, 0, n);
}

int pool_num_threads(void) { return 1; }
void pool_set_num_threads(int count) { (void)count; }

#endif

const char *pool_kind(void) { return POOL_KIND; }
