/* Unit test of the frame filter; the Makefile builds it with sanitizers. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame-filter.h"

static int failures;

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);       \
            failures++;                                                                   \
        }                                                                                 \
    } while (0)

enum { IPV4_FRAME = 34 };

static uint32_t address(const char *text)
{
    return ntohl(inet_addr(text));
}

static void write_address(uint8_t *at, const char *text)
{
    uint32_t value = inet_addr(text);
    memcpy(at, &value, 4);
}

/* On the heap in its exact size, so that a read beyond it is seen. */
static bool passes(const uint8_t *frame, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    memcpy(copy, frame, size);
    bool result = frame_may_pass(copy, size, address("10.77.0.2"));
    free(copy);
    return result;
}

static bool packet_passes(const char *source, const char *destination)
{
    uint8_t frame[IPV4_FRAME] = { [12] = 0x08, [14] = 0x45 };
    write_address(frame + 26, source);
    write_address(frame + 30, destination);
    return passes(frame, sizeof frame);
}

static void test_destinations(void)
{
    static const char *const reachable[] = { "1.1.1.1",   "10.77.0.1",       "10.77.0.3", "192.168.1.1", "126.255.255.255",
                                             "128.0.0.1", "223.255.255.255", "1.0.0.0",   "169.253.255.255", "169.255.0.1" };
    static const char *const unreachable[] = { "127.0.0.1",       "127.255.255.255", "127.0.0.53",      "0.0.0.0",   "0.1.2.3",
                                               "169.254.169.254", "224.0.0.1",       "239.255.255.250", "240.0.0.1", "255.255.255.255" };
    for (size_t i = 0; i < sizeof reachable / sizeof *reachable; i++)
        CHECK(packet_passes("10.77.0.2", reachable[i]));
    for (size_t i = 0; i < sizeof unreachable / sizeof *unreachable; i++)
        CHECK(!packet_passes("10.77.0.2", unreachable[i]));
}

static void test_sources(void)
{
    CHECK(!packet_passes("127.0.0.1", "1.1.1.1"));
    CHECK(!packet_passes("10.77.0.3", "1.1.1.1"));
    CHECK(!packet_passes("0.0.0.0", "1.1.1.1"));
}

static void test_kinds(void)
{
    uint8_t frame[64] = { [12] = 0x08, [13] = 0x06 };
    CHECK(passes(frame, 42)); /* ARP */
    CHECK(passes(frame, 14));
    for (size_t size = 0; size < 14; size++)
        CHECK(!passes(frame, size));
    frame[13] = 0x00; /* IPv4, cut short */
    frame[14] = 0x45;
    write_address(frame + 26, "10.77.0.2");
    write_address(frame + 30, "1.1.1.1");
    CHECK(passes(frame, IPV4_FRAME));
    for (size_t size = 14; size < IPV4_FRAME; size++)
        CHECK(!passes(frame, size));
    frame[14] = 0x65; /* says IPv4 outside and IPv6 inside */
    CHECK(!passes(frame, IPV4_FRAME));
    frame[14] = 0x45;
    frame[12] = 0x86, frame[13] = 0xdd; /* IPv6 */
    CHECK(!passes(frame, sizeof frame));
    frame[12] = 0x81, frame[13] = 0x00; /* VLAN tag */
    CHECK(!passes(frame, sizeof frame));
}

static void test_sizes(void)
{
    uint8_t bytes[FRAME_PREFIX + 4] = { 0, 0, 0, 4 };
    for (size_t available = 0; available < sizeof bytes; available++)
        CHECK(frame_size(bytes, available) == FRAME_INCOMPLETE);
    CHECK(frame_size(bytes, sizeof bytes) == 4);
    bytes[3] = 0;
    CHECK(frame_size(bytes, sizeof bytes) == 0);
    bytes[1] = FRAME_MAX >> 16, bytes[2] = (FRAME_MAX >> 8) & 0xff, bytes[3] = FRAME_MAX & 0xff;
    CHECK(frame_size(bytes, sizeof bytes) == FRAME_INCOMPLETE);
    bytes[3]++;
    CHECK(frame_size(bytes, sizeof bytes) == FRAME_INVALID);
    memset(bytes, 0xff, sizeof bytes);
    CHECK(frame_size(bytes, sizeof bytes) == FRAME_INVALID);
}

static void test_arp_request(void)
{
    uint8_t request[FRAME_PREFIX + ARP_FRAME_SIZE];
    make_arp_request(request, address("10.77.0.2"), address("10.77.0.1"));
    CHECK(frame_size(request, sizeof request) == ARP_FRAME_SIZE);
    CHECK(passes(request + FRAME_PREFIX, ARP_FRAME_SIZE));
    CHECK(memcmp(request + FRAME_PREFIX + 28, "\x0a\x4d\x00\x02", 4) == 0);
    CHECK(memcmp(request + FRAME_PREFIX + 38, "\x0a\x4d\x00\x01", 4) == 0);
}

int main(void)
{
    test_destinations();
    test_sources();
    test_kinds();
    test_sizes();
    test_arp_request();
    if (failures == 0)
        puts("frame-filter: all checks hold");
    return failures == 0 ? 0 : 1;
}
