#include "timekeeping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ioctls.h"
#include "log.h"

enum { ENTROPY_MAX = 256 };

// What the host wrote may have waited in the port while the machine booted, so it says that it is at least that late.
static const uint64_t behind_ns = 250000000;
static const uint64_t ahead_ns = 60000000000;

static uint64_t clock_read(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void clock_write(uint64_t wall_ns) {
    struct timespec time = {.tv_sec = (time_t)(wall_ns / 1000000000), .tv_nsec = (long)(wall_ns % 1000000000)};
    if (clock_settime(CLOCK_REALTIME, &time) < 0) log_line("cannot set the clock: %s", strerror(errno));
}

uint64_t clock_wall_ms(void) {
    return clock_read() / 1000000;
}

void clock_step(uint64_t wall_ns) {
    if (wall_ns == 0) return;
    uint64_t now = clock_read();
    bool behind = wall_ns > now && wall_ns - now > behind_ns;
    bool ahead = now > wall_ns && now - wall_ns > ahead_ns;
    if (behind || ahead) clock_write(wall_ns);
}

void clock_advance_ms(uint64_t launched_ms) {
    struct timespec uptime;
    if (launched_ms > UINT64_MAX / 2000000) return;
    clock_gettime(CLOCK_BOOTTIME, &uptime);
    uint64_t wall_ns = launched_ms * 1000000 + (uint64_t)uptime.tv_sec * 1000000000 + (uint64_t)uptime.tv_nsec;
    if (clock_read() < wall_ns) clock_write(wall_ns);
}

void entropy_add(const uint8_t *bytes, size_t length) {
    struct {
        int bits;
        int size;
        uint8_t bytes[ENTROPY_MAX];
    } pool = {.bits = (int)length * 8, .size = (int)length};
    if (length == 0 || length > sizeof pool.bytes) return;
    memcpy(pool.bytes, bytes, length);
    int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (ioctl(fd, RANDOM_ADD_ENTROPY, &pool) < 0 || ioctl(fd, RANDOM_RESEED) < 0) {
        log_line("cannot add entropy: %s", strerror(errno));
    }
    close(fd);
}
