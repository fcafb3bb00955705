#include "cmdline.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

void cmdline_read(char *to, size_t size) {
    to[0] = 0;
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        log_line("cannot read the kernel command line: %m");
        return;
    }
    ssize_t got = read(fd, to, size - 1);
    close(fd);
    to[got > 0 ? got : 0] = 0;
}

static int hex(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

static bool decode(const char *text, size_t length, char *value, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        if (byte == '%') {
            if (length - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) return false;
            byte = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
            i += 2;
        }
        if (byte == 0 || used + 1 >= size) return false;
        value[used++] = byte;
    }
    value[used] = 0;
    return used > 0;
}

bool cmdline_get(const char *cmdline, const char *key, char *value, size_t size) {
    bool found = false;
    size_t wanted = strlen(key);
    while (*cmdline) {
        cmdline += strspn(cmdline, " \n\t");
        size_t length = strcspn(cmdline, " \n\t");
        if (length > wanted && cmdline[wanted] == '=' && memcmp(cmdline, key, wanted) == 0) {
            found = decode(cmdline + wanted + 1, length - wanted - 1, value, size);
        }
        cmdline += length;
    }
    return found;
}
