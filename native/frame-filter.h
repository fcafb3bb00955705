/* Which Ethernet frames of a guest may leave it. Pure: no system calls, no state. */
#ifndef FRAME_FILTER_H
#define FRAME_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_PREFIX = 4, /* the length, big endian */
    FRAME_MAX = 69632, /* the largest that QEMU hands out (NET_BUFSIZE); more means that the lengths are out of step */
    ARP_FRAME_SIZE = 42,

    FRAME_INCOMPLETE = -1,
    FRAME_INVALID = -2,
};

/* Size of the frame at the front of `bytes`, without its prefix, or one of the two above. */
long frame_size(const uint8_t *bytes, size_t available);

/* `guest` is the only source address, in host byte order. */
bool frame_may_pass(const uint8_t *frame, size_t size, uint32_t guest);

/* Writes prefix and frame: FRAME_PREFIX + ARP_FRAME_SIZE bytes. */
void make_arp_request(uint8_t *out, uint32_t guest, uint32_t target);

#endif
