#include "address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static socklen_t parse_address(const char *host, uint16_t port, union address *address) {
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return sizeof address->v4;
    }
    if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        return sizeof address->v6;
    }
    return 0;
}

socklen_t address_of_request(struct fields request, uint8_t host_tag, uint8_t port_tag, union address *address) {
    struct field field;
    uint64_t port = fields_number(request, port_tag, 0);
    if (port == 0 || port > UINT16_MAX) return 0;
    if (!fields_find(request, host_tag, &field)) return parse_address("127.0.0.1", (uint16_t)port, address);
    char *host = fields_text(request, host_tag);
    socklen_t size = host ? parse_address(host, (uint16_t)port, address) : 0;
    free(host);
    return size;
}
