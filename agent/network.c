#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmdline.h"
#include "ioctls.h"
#include "log.h"

enum { DEVICE_WAIT_MS = 2000, DEVICE_STEP_MS = 5 };

static char device[] = "eth0"; // not const only because of rtentry

static struct sockaddr ipv4(uint32_t address) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
    } to = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = address}};
    return to.any;
}

static struct ifreq request(const char *name) {
    struct ifreq wanted;
    memset(&wanted, 0, sizeof wanted);
    strncpy(wanted.ifr_name, name, IFNAMSIZ - 1);
    return wanted;
}

static bool set(int fd, unsigned long number, struct ifreq *wanted, const char *what) {
    if (ioctl(fd, IOCTL(number), wanted) == 0) return true;
    log_line("cannot set the %s of %s: %s", what, wanted->ifr_name, strerror(errno));
    return false;
}

static void bring_up(int fd, const char *name) {
    struct ifreq wanted = request(name);
    if (ioctl(fd, SIOCGIFFLAGS, &wanted) < 0) wanted.ifr_flags = 0;
    wanted.ifr_flags |= IFF_UP;
    set(fd, SIOCSIFFLAGS, &wanted, "state");
}

static bool wait_for_device(int fd) {
    for (int waited = 0; waited <= DEVICE_WAIT_MS; waited += DEVICE_STEP_MS) {
        struct ifreq wanted = request(device);
        if (ioctl(fd, SIOCGIFFLAGS, &wanted) == 0) return true;
        usleep(DEVICE_STEP_MS * 1000);
    }
    log_line("cannot find %s", device);
    return false;
}

static void add_route(int fd, uint32_t gateway, bool to_host) {
    struct rtentry route;
    memset(&route, 0, sizeof route);
    route.rt_dst = ipv4(to_host ? gateway : 0);
    route.rt_genmask = ipv4(to_host ? 0xFFFFFFFF : 0);
    route.rt_gateway = ipv4(to_host ? 0 : gateway);
    route.rt_flags = (unsigned short)(RTF_UP | (to_host ? RTF_HOST : RTF_GATEWAY));
    route.rt_dev = device;
    if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST) log_line("cannot add a route: %s", strerror(errno));
}

static void set_gateway(int fd, const char *cmdline, uint32_t address, uint32_t mask) {
    char value[CMDLINE_VALUE_MAX];
    struct in_addr gateway;
    if (!cmdline_get(cmdline, "banger.gateway", value, sizeof value)) return;
    if (inet_pton(AF_INET, value, &gateway) != 1) {
        log_line("cannot read the gateway \"%s\"", value);
        return;
    }
    if ((gateway.s_addr & mask) != (address & mask)) add_route(fd, gateway.s_addr, true);
    add_route(fd, gateway.s_addr, false);
}

static void set_device(int fd, const char *cmdline, const char *text) {
    char value[CMDLINE_VALUE_MAX];
    struct in_addr address;
    char *slash = strchr(strcpy(value, text), '/');
    if (slash) *slash = 0;
    long prefix = slash ? strtol(slash + 1, NULL, 10) : 32;
    if (inet_pton(AF_INET, value, &address) != 1 || prefix < 0 || prefix > 32) {
        log_line("cannot read the address \"%s\"", text);
        return;
    }
    if (!wait_for_device(fd)) return;
    uint32_t mask = prefix ? htonl(0xFFFFFFFFU << (32 - prefix)) : 0;
    struct ifreq wanted = request(device);
    if (cmdline_get(cmdline, "banger.mtu", value, sizeof value)) {
        wanted.ifr_mtu = (int)strtol(value, NULL, 10);
        set(fd, SIOCSIFMTU, &wanted, "MTU");
    }
    wanted = request(device);
    wanted.ifr_addr = ipv4(address.s_addr);
    if (!set(fd, SIOCSIFADDR, &wanted, "address")) return;
    wanted = request(device);
    wanted.ifr_netmask = ipv4(mask);
    set(fd, SIOCSIFNETMASK, &wanted, "netmask");
    bring_up(fd, device);
    set_gateway(fd, cmdline, address.s_addr, mask);
}

void network_up(const char *cmdline) {
    char value[CMDLINE_VALUE_MAX];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        log_line("cannot set up the network: %s", strerror(errno));
        return;
    }
    bring_up(fd, "lo");
    if (cmdline_get(cmdline, "banger.address", value, sizeof value)) set_device(fd, cmdline, value);
    close(fd);
}
