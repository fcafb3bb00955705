#include "frame-filter.h"

#include <string.h>

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_MAX = 65535, /* passt takes no larger ones */
    ETHERTYPE_AT = 12,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    IPV4_AT = 14,
    IPV4_HEADER = 20,
    SOURCE_AT = IPV4_AT + 12,
    DESTINATION_AT = IPV4_AT + 16,
};

static uint32_t read_u16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t read_u32(const uint8_t *at)
{
    return read_u16(at) << 16 | read_u16(at + 2);
}

static void write_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void write_u32(uint8_t *at, uint32_t value)
{
    write_u16(at, value >> 16);
    write_u16(at + 2, value & 0xffff);
}

static bool in_network(uint32_t address, uint32_t network, int bits)
{
    return ((address ^ network) >> (32 - bits)) == 0;
}

static bool is_reachable(uint32_t destination)
{
    return !in_network(destination, 0x00000000, 8)      /* 0.0.0.0/8: a socket connects to this host */
           && !in_network(destination, 0x7f000000, 8)   /* 127.0.0.0/8 */
           && !in_network(destination, 0xa9fe0000, 16)  /* 169.254.0.0/16 */
           && !in_network(destination, 0xe0000000, 3);  /* 224.0.0.0 and up: multicast, reserved, broadcast */
}

long frame_size(const uint8_t *bytes, size_t available)
{
    if (available < FRAME_PREFIX)
        return FRAME_INCOMPLETE;
    uint32_t size = read_u32(bytes);
    if (size > FRAME_MAX)
        return FRAME_INVALID;
    return available - FRAME_PREFIX < size ? FRAME_INCOMPLETE : (long)size;
}

bool frame_may_pass(const uint8_t *frame, size_t size, uint32_t guest)
{
    if (size < ETHERNET_HEADER || size > ETHERNET_MAX)
        return false;
    uint32_t type = read_u16(frame + ETHERTYPE_AT);
    if (type == ETHERTYPE_ARP)
        return true;
    if (type != ETHERTYPE_IPV4 || size < IPV4_AT + IPV4_HEADER)
        return false;
    if (frame[IPV4_AT] >> 4 != 4)
        return false;
    return read_u32(frame + SOURCE_AT) == guest && is_reachable(read_u32(frame + DESTINATION_AT));
}

void make_arp_request(uint8_t *out, uint32_t guest, uint32_t target)
{
    static const uint8_t head[] = { 0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01 };
    static const uint8_t sender[] = { 0x02, 0, 0, 0, 0, 0x01 };
    uint8_t *frame = out + FRAME_PREFIX;

    memset(out, 0, FRAME_PREFIX + ARP_FRAME_SIZE);
    write_u32(out, ARP_FRAME_SIZE);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, sender, 6);
    write_u16(frame + ETHERTYPE_AT, ETHERTYPE_ARP);
    memcpy(frame + 14, head, sizeof head);
    memcpy(frame + 22, sender, 6);
    write_u32(frame + 28, guest);
    write_u32(frame + 38, target);
}
