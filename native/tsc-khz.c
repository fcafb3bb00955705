/*
 * Prints the frequency of this machine's time stamp counter in kHz, one number and a newline.
 *
 * A guest under emulation reads the host's counter but has no clock to calibrate it against, so it must be told the
 * frequency, and exactly: its wall clock runs wrong by whatever this is wrong by. /proc/cpuinfo shows the cores'
 * frequency, which is another one on many machines.
 *
 * Prints nothing on machines without that counter. Exit status 1: the clock cannot be read.
 */
#include <stdio.h>

#if defined(__x86_64__) || defined(__i386__)

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

enum { WINDOW_NS = 100000000, BRACKETS = 200, NS_PER_MS = 1000000 };

struct moment {
    uint64_t ticks;
    uint64_t ns;
};

static int read_clock(uint64_t *ns)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_RAW, &now) != 0)
        return -1;
    *ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return 0;
}

/*
 * The counter and the clock at one instant: of many readings of the clock bracketed by two of the counter, the one with
 * the narrowest bracket, because an interrupt or another process can only widen it.
 */
static int read_moment(struct moment *best)
{
    uint64_t narrowest = UINT64_MAX;
    for (int i = 0; i < BRACKETS; i++) {
        unsigned int cpu;
        uint64_t ns;
        uint64_t before = __rdtscp(&cpu);
        if (read_clock(&ns) != 0)
            return -1;
        uint64_t after = __rdtscp(&cpu);
        if (after - before >= narrowest)
            continue;
        narrowest = after - before;
        best->ticks = before + narrowest / 2;
        best->ns = ns;
    }
    return 0;
}

int main(void)
{
    struct moment start, end;
    struct timespec window = { .tv_sec = 0, .tv_nsec = WINDOW_NS };

    if (read_moment(&start) != 0)
        return 1;
    nanosleep(&window, NULL);
    if (read_moment(&end) != 0 || end.ns <= start.ns)
        return 1;

    uint64_t elapsed = end.ns - start.ns;
    uint64_t khz = ((end.ticks - start.ticks) * NS_PER_MS + elapsed / 2) / elapsed;
    return printf("%llu\n", (unsigned long long)khz) < 0 ? 1 : 0;
}

#else

int main(void)
{
    return 0;
}

#endif
