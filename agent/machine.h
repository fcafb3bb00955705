// What kind of machine the agent runs in, settled once at the start.
#pragma once

#include <stdbool.h>

// INIT_OPENRC: its own init. INIT_BUSYBOX_OPENRC: busybox's, as on Alpine, which has openrc start the services.
enum init_kind { INIT_SYSTEMD, INIT_OPENRC, INIT_BUSYBOX_OPENRC, INIT_BUSYBOX, INIT_OTHER, INIT_AGENT };

struct machine {
    bool is_guest; // false: test mode, an ordinary process on somebody's host
    enum init_kind init;
    int init_hold; // while it is open, the init waits to be executed; -1: it does not wait
};

extern struct machine machine;

// Lets the init begin. May be called again.
void machine_release_init(void);

// As HELLO_OK names it.
const char *init_name(enum init_kind kind);
