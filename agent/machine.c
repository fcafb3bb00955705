#include "machine.h"

struct machine machine = {.is_guest = false, .init = INIT_OTHER};

const char *init_name(enum init_kind kind) {
    switch (kind) {
    case INIT_SYSTEMD: return "systemd";
    case INIT_OPENRC: return "openrc";
    case INIT_AGENT: return "agent";
    default: return "other";
    }
}
