// Operation 6: figures about the machine. In a child: a file system that hangs must not hang the agent.
#include <dirent.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "frame.h"
#include "job.h"
#include "operations.h"
#include "procfs.h"

enum { DISKS_MAX = 64, NAME_BYTES = 256, GIVE_UP_SECONDS = 20 };

static struct lines lines;

static void write_load(struct field_writer *result) {
    struct sysinfo info;
    uint8_t bytes[12];
    if (sysinfo(&info) < 0) return;
    for (int i = 0; i < 3; i++) put_u32(bytes + 4 * i, (uint32_t)((info.loads[i] * 100 + 32768) >> 16));
    write_field(result, 1, bytes, sizeof bytes);
}

static void write_memory(struct field_writer *result) {
    static const char *const keys[] = {"MemTotal:", "MemFree:", "MemAvailable:", "Cached:", "SwapTotal:", "SwapFree:"};
    uint8_t bytes[48] = {0};
    if (!lines_open(&lines, "/proc/meminfo")) return;
    for (char *line; (line = lines_next(&lines));) {
        const char *key = next_word(&line);
        for (int i = 0; i < 6; i++) {
            if (strcmp(key, keys[i]) == 0) put_u64(bytes + 8 * i, next_number(&line, 10) * 1024);
        }
    }
    write_field(result, 2, bytes, sizeof bytes);
}

static void write_uptime(struct field_writer *result) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    write_u64(result, 3, (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000);
}

static void write_processes(struct field_writer *result) {
    uint32_t count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) count += is_number(entry->d_name);
    if (proc) closedir(proc);
    write_u32(result, 4, count);
}

static void write_cpu(struct field_writer *result) {
    uint8_t bytes[64];
    if (!lines_open(&lines, "/proc/stat")) return;
    for (char *line; (line = lines_next(&lines));) {
        if (strcmp(next_word(&line), "cpu") != 0) continue;
        for (int i = 0; i < 8; i++) put_u64(bytes + 8 * i, next_number(&line, 10));
        write_field(result, 5, bytes, sizeof bytes);
    }
}

static void write_disk(struct field_writer *result, const char *folder) {
    struct statvfs info;
    uint8_t bytes[24 + NAME_BYTES];
    size_t name = strlen(folder);
    if (name > NAME_BYTES || statvfs(folder, &info) < 0 || info.f_blocks == 0) return;
    put_u64(bytes, (uint64_t)info.f_blocks * info.f_frsize);
    put_u64(bytes + 8, (uint64_t)info.f_bfree * info.f_frsize);
    put_u64(bytes + 16, (uint64_t)info.f_bavail * info.f_frsize);
    memcpy(bytes + 24, folder, name);
    write_field(result, 6, bytes, 24 + name);
}

// The kernel writes a space in a name as \040.
static void unescape(char *text) {
    char *to = text;
    while (*text) {
        if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
            *to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 4;
        } else {
            *to++ = *text++;
        }
    }
    *to = 0;
}

static bool is_new(char devices[DISKS_MAX][NAME_BYTES], int *count, const char *device) {
    for (int i = 0; i < *count; i++) {
        if (strcmp(devices[i], device) == 0) return false;
    }
    if (*count == DISKS_MAX || strlen(device) >= NAME_BYTES) return false;
    strcpy(devices[(*count)++], device);
    return true;
}

// Real disks, each once, and the root whatever it is. Network and FUSE file systems are left alone.
static void write_disks(struct field_writer *result) {
    static char devices[DISKS_MAX][NAME_BYTES];
    int count = 0;
    write_disk(result, "/");
    if (!lines_open(&lines, "/proc/self/mounts")) return;
    for (char *line; (line = lines_next(&lines));) {
        const char *device = next_word(&line);
        char *folder = next_word(&line);
        const char *type = next_word(&line);
        bool real = strncmp(device, "/dev/", 5) == 0 && strncmp(type, "fuse", 4) != 0;
        if (!real || !is_new(devices, &count, device)) continue;
        unescape(folder);
        if (strcmp(folder, "/") != 0) write_disk(result, folder);
    }
}

static void write_networks(struct field_writer *result) {
    if (!lines_open(&lines, "/proc/net/dev")) return;
    for (char *line; (line = lines_next(&lines));) {
        uint8_t bytes[32 + 32];
        char *colon = strchr(line, ':');
        if (!colon) continue;
        *colon = 0;
        const char *name = next_word(&line);
        size_t length = strlen(name);
        if (length > 32) continue;
        line = colon + 1;
        put_u64(bytes, next_number(&line, 10));
        put_u64(bytes + 16, next_number(&line, 10));
        skip_words(&line, 6);
        put_u64(bytes + 8, next_number(&line, 10));
        put_u64(bytes + 24, next_number(&line, 10));
        memcpy(bytes + 32, name, length);
        write_field(result, 7, bytes, 32 + length);
    }
}

static void run(struct fields request) {
    (void)request;
    static uint8_t payload[FRAME_PAYLOAD_MAX];
    struct field_writer result = {payload, sizeof payload, 0, false};
    alarm(GIVE_UP_SECONDS);
    write_load(&result);
    write_memory(&result);
    write_uptime(&result);
    write_processes(&result);
    write_cpu(&result);
    write_disks(&result);
    write_networks(&result);
    job_finish(&result);
}

static struct failure start(struct channel *channel, struct fields request) {
    return job_start(channel, &(struct job){.run = run, .terminal = -1}, request);
}

const struct operation stats_operation = {.number = 6, .start = start};
