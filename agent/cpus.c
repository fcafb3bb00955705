#include "cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

enum { CPUS_MAX = 1024 };

static int folder = -1;

bool cpus_open(void) {
    folder = open("/sys/devices/system/cpu", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) log_line("cannot look for CPUs: %s", strerror(errno));
    return folder >= 0;
}

// False when there is no such CPU. The first one often has no switch.
static bool start_cpu(unsigned number) {
    char path[32];
    snprintf(path, sizeof path, "cpu%u/online", number);
    int fd = openat(folder, path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return number == 0;
    char state = '1';
    if (read(fd, &state, 1) == 1 && state == '0' && pwrite(fd, "1", 1, 0) < 0) {
        log_line("cannot start CPU %u: %s", number, strerror(errno));
    }
    close(fd);
    return true;
}

void cpus_start(void) {
    for (unsigned number = 0; number < CPUS_MAX && start_cpu(number); number++) continue;
}
