// Operation 5: who listens on which port. Whose sockets they are is found out in a child: /proc of a busy guest is long.
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "frame.h"
#include "job.h"
#include "operations.h"
#include "procfs.h"

enum { TAG_FLAGS = 2, WITHOUT_OWNERS = 1 };
enum { PORTS_MAX = 1024, NAME_MAX_ = 16, ENTRY_FIXED = 28, TCP = 6, UDP = 17, TCP_LISTEN = 0x0A, UDP_UNCONNECTED = 7 };

static const char socket_link[] = "socket:[";

struct port {
    uint8_t protocol;
    uint8_t family;
    uint16_t number;
    uint32_t inode;
    uint8_t address[16];
    uint32_t pid;
    char name[NAME_MAX_ + 1];
};

struct ports {
    struct port list[PORTS_MAX];
    size_t count;
};

// "0100007F" is 127.0.0.1: groups of four bytes, each printed as a number of this machine (little endian).
static bool parse_address(const char *hex, uint8_t family, uint8_t address[16]) {
    size_t digits = strlen(hex);
    if (digits != (family == 4 ? 8 : 32)) return false;
    for (size_t i = 0; i < digits / 2; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], 0};
        address[i / 4 * 4 + 3 - i % 4] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return true;
}

// sl local remote state queues timer retransmits uid timeout inode ... False: no more that listen, the kernel lists those first.
static bool parse_line(struct ports *ports, char *line, uint8_t protocol, uint8_t family) {
    skip_words(&line, 1);
    char *local = next_word(&line);
    char *colon = strchr(local, ':');
    if (!colon) return true;
    *colon = 0;
    skip_words(&line, 1);
    if (next_number(&line, 16) != (protocol == TCP ? TCP_LISTEN : UDP_UNCONNECTED)) return protocol != TCP;
    skip_words(&line, 5);
    struct port *port = &ports->list[ports->count];
    *port = (struct port){.protocol = protocol, .family = family, .number = (uint16_t)strtoul(colon + 1, NULL, 16)};
    port->inode = (uint32_t)next_number(&line, 10);
    if (parse_address(local, family, port->address)) ports->count++;
    return ports->count < PORTS_MAX;
}

static void read_table(struct ports *ports, const char *path, uint8_t protocol, uint8_t family) {
    static struct lines table;
    if (!lines_open(&table, path)) return;
    for (char *line; (line = lines_next(&table)) && parse_line(ports, line, protocol, family);) continue;
    lines_close(&table);
}

static void read_name(int process, char name[NAME_MAX_ + 1]) {
    int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t got = read(fd, name, NAME_MAX_);
    close(fd);
    if (got > 0 && name[got - 1] == '\n') got--;
    name[got > 0 ? got : 0] = 0;
}

static void match_socket(struct ports *ports, uint32_t inode, uint32_t pid, int process) {
    for (size_t i = 0; i < ports->count; i++) {
        struct port *port = &ports->list[i];
        if (port->inode != inode || port->pid) continue;
        port->pid = pid;
        read_name(process, port->name);
    }
}

static void scan_process(struct ports *ports, int proc, const char *pid) {
    char target[64];
    int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fds = process >= 0 ? openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *folder = fds >= 0 ? fdopendir(fds) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        ssize_t length = readlinkat(fds, entry->d_name, target, sizeof target - 1);
        if (length <= 0) continue;
        target[length] = 0;
        if (strncmp(target, socket_link, sizeof socket_link - 1) != 0) continue;
        uint32_t inode = (uint32_t)strtoul(target + sizeof socket_link - 1, NULL, 10);
        match_socket(ports, inode, (uint32_t)strtoul(pid, NULL, 10), process);
    }
    if (folder) closedir(folder);
    else if (fds >= 0) close(fds);
    if (process >= 0) close(process);
}

static void find_owners(struct ports *ports) {
    DIR *proc = opendir("/proc");
    if (!proc) return;
    for (struct dirent *entry; (entry = readdir(proc));) {
        if (is_number(entry->d_name)) scan_process(ports, dirfd(proc), entry->d_name);
    }
    closedir(proc);
}

static void read_tables(struct ports *ports) {
    ports->count = 0;
    read_table(ports, "/proc/net/tcp", TCP, 4);
    read_table(ports, "/proc/net/tcp6", TCP, 6);
    read_table(ports, "/proc/net/udp", UDP, 4);
    read_table(ports, "/proc/net/udp6", UDP, 6);
}

static void write_ports(const struct ports *ports, struct field_writer *result) {
    for (size_t i = 0; i < ports->count; i++) {
        const struct port *port = &ports->list[i];
        uint8_t bytes[ENTRY_FIXED + NAME_MAX_] = {port->protocol, port->family};
        size_t name = strlen(port->name);
        put_u16(bytes + 2, port->number);
        put_u32(bytes + 4, port->inode);
        memcpy(bytes + 8, port->address, 16);
        put_u32(bytes + 24, port->pid);
        memcpy(bytes + ENTRY_FIXED, port->name, name);
        write_field(result, 1, bytes, ENTRY_FIXED + name);
    }
}

static struct ports found;
static uint8_t payload[FRAME_PAYLOAD_MAX];

static void run(struct fields request) {
    (void)request;
    struct field_writer result = {payload, sizeof payload, 0, false};
    read_tables(&found);
    if (found.count) find_owners(&found);
    write_ports(&found, &result);
    job_finish(&result);
}

static struct failure start(struct channel *channel, struct fields request) {
    if (!(fields_number(request, TAG_FLAGS, 0) & WITHOUT_OWNERS)) {
        return job_start(channel, &(struct job){.run = run, .terminal = -1}, request);
    }
    // The host asks this again and again: a child each time would be most of what it costs.
    struct field_writer result = {payload, sizeof payload, 0, false};
    read_tables(&found);
    write_ports(&found, &result);
    channel_finish(channel, FRAME_RESULT, payload, result.length);
    return NO_FAILURE;
}

const struct operation ports_operation = {.number = 5, .start = start};
