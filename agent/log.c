#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static enum log_target target = LOG_STDERR;
static int kept = -1;

void log_to(enum log_target to) {
    target = to;
}

static void emit(int fd, const char *format, va_list arguments) {
    char line[512] = "banger-agent: ";
    int used = 14;
    int wrote = vsnprintf(line + used, sizeof line - 16, format, arguments);
    if (wrote < 0) return;
    used += wrote;
    if (used > (int)sizeof line - 2) used = (int)sizeof line - 2;
    line[used++] = '\n';
    if (write(fd, line, (size_t)used) < 0) return;
}

static int open_kernel_log(void) {
    return open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);
}

void log_keep(void) {
    kept = open_kernel_log();
}

void log_let_go(void) {
    if (kept >= 0) close(kept);
    kept = -1;
}

void log_line(const char *format, ...) {
    int saved = errno;
    int fd = target == LOG_KERNEL ? open_kernel_log() : -1;
    va_list arguments;
    va_start(arguments, format);
    emit(fd >= 0 ? fd : kept >= 0 ? kept : STDERR_FILENO, format, arguments);
    va_end(arguments);
    if (fd >= 0) close(fd);
    errno = saved;
}

void log_console(const char *format, ...) {
    int saved = errno;
    int fd = open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY);
    va_list arguments;
    va_start(arguments, format);
    emit(fd >= 0 ? fd : STDERR_FILENO, format, arguments);
    va_end(arguments);
    if (fd >= 0) {
        tcdrain(fd);
        close(fd);
    }
    errno = saved;
}
