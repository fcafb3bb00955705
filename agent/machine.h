// What kind of machine the agent runs in, settled once at the start.
#pragma once

#include <stdbool.h>

enum init_kind { INIT_SYSTEMD, INIT_OPENRC, INIT_BUSYBOX, INIT_OTHER, INIT_AGENT };

struct machine {
    bool is_guest; // false: test mode, an ordinary process on somebody's host
    enum init_kind init;
};

extern struct machine machine;

// As HELLO_OK names it.
const char *init_name(enum init_kind kind);
