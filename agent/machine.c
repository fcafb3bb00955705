#include "machine.h"

#include <unistd.h>

struct machine machine = {.is_guest = false, .init = INIT_OTHER, .init_hold = -1};

void machine_release_init(void) {
    if (machine.init_hold >= 0) close(machine.init_hold);
    machine.init_hold = -1;
}

const char *init_name(enum init_kind kind) {
    switch (kind) {
    case INIT_SYSTEMD: return "systemd";
    case INIT_OPENRC:
    case INIT_BUSYBOX_OPENRC: return "openrc";
    case INIT_AGENT: return "agent";
    default: return "other";
    }
}
