// The byte stream to the host: a virtio-serial port, a socket that is accepted again and again, or a given descriptor.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

enum link_kind { LINK_PORT, LINK_LISTEN, LINK_FD };

struct link {
    enum link_kind kind;
    struct watch stream;
    struct watch listener;
    bool connected;    // as far as known; a port can only be asked by reading it
    bool gone;         // the host is away for good: its session is over (whoever acts on it clears it)
    bool ended;        // a given descriptor is closed for good
    uint64_t retry_at; // when to look again for the port, or whether the host is back
    uint64_t lost_at;  // when the port said that nobody is there; 0: somebody is, or that was dealt with
    uint64_t opened_ms; // uptime when the agent was first ready; 0: not yet
};

bool link_port(struct link *link);
// Opens the port, where there is one by now, for the link that comes later: the host's first words are on their way meanwhile.
void link_find_port(void);
// In a process beside the one that has the link.
void link_forget_port(void);
bool link_listen(struct link *link, const char *path);
bool link_fd(struct link *link, int fd);
// Opens, accepts, notices a host that came back. Returns ms until it wants to be called again, -1 for on events only.
int link_tick(struct link *link);
// The bytes that were there, 0 for none.
size_t link_read(struct link *link, uint8_t *to, size_t room);
void link_lost(struct link *link);
