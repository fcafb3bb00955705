// The address that a request names: a numeric host, the guest's own loopback when it names none, and a port.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "fields.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// Its size, or 0 when it is not a numeric address with a port from 1 to 65535.
socklen_t address_of_request(struct fields request, uint8_t host_tag, uint8_t port_tag, union address *address);
