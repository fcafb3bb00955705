#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "ioctls.h"

bool tty_open(int *master, int *slave, uint16_t rows, uint16_t columns) {
    *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (*master < 0) return false;
    int unlocked = 0;
    if (ioctl(*master, TIOCSPTLCK, &unlocked) == 0) {
        // By descriptor, not by path: /dev/pts may be another instance, or not what it seems.
        *slave = ioctl(*master, TTY_OPEN_PEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*slave >= 0) {
            tty_resize(*master, rows, columns);
            return true;
        }
    }
    int saved = errno;
    close(*master);
    errno = saved;
    return false;
}

void tty_resize(int master, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    ioctl(master, TIOCSWINSZ, &size);
}

bool tty_send_eof(int master) {
    struct termios settings;
    unsigned char end = 4;
    if (tcgetattr(master, &settings) == 0 && settings.c_cc[VEOF] != 0) end = settings.c_cc[VEOF];
    return write(master, &end, 1) == 1;
}

pid_t tty_foreground(int master) {
    pid_t group = 0;
    return ioctl(master, TIOCGPGRP, &group) == 0 && group > 0 ? group : -1;
}
