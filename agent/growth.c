#include "growth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bytes.h"
#include "ioctls.h"
#include "job.h"
#include "machine.h"
#include "operations.h"
#include "procfs.h"

// Documentation/filesystems/ext4/super.rst
enum { SUPERBLOCK_AT = 1024, SUPERBLOCK_BYTES = 1024, EXT4_MAGIC = 0xEF53, FEATURE_64BIT = 0x80 };
enum { TAG_BYTES = 2, SECTOR_BYTES = 512, DISK_WAIT_MS = 5000, DISK_STEP_MS = 10 };

bool grow_filesystem(int folder, uint64_t disk_bytes) {
    struct statfs info;
    if (fstatfs(folder, &info) < 0) return false;
    uint64_t blocks = disk_bytes / (uint64_t)info.f_bsize;
    return ioctl(folder, EXT4_RESIZE, &blocks) == 0;
}

uint64_t ext4_bytes(int disk) {
    uint8_t block[SUPERBLOCK_BYTES];
    if (pread(disk, block, sizeof block, SUPERBLOCK_AT) != sizeof block) return 0;
    if (get_u16(block + 0x38) != EXT4_MAGIC) return 0;
    uint64_t blocks = get_u32(block + 0x04);
    if (get_u32(block + 0x60) & FEATURE_64BIT) blocks |= (uint64_t)get_u32(block + 0x150) << 32;
    return blocks << (10 + (get_u32(block + 0x18) & 15));
}

static uint64_t size_of(int folder) {
    struct statfs info;
    if (fstatfs(folder, &info) < 0) return 0;
    return (uint64_t)info.f_blocks * (uint64_t)info.f_bsize;
}

// As the kernel tells it, whatever the guest made of its /dev; 0: it does not.
static uint64_t disk_bytes_of(int folder) {
    static struct lines lines;
    struct stat info;
    char path[64];
    if (fstat(folder, &info) < 0) return 0;
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u/size", major(info.st_dev), minor(info.st_dev));
    if (!lines_open(&lines, path)) return 0;
    uint64_t sectors = 0;
    for (char *line; (line = lines_next(&lines));) sectors = next_number(&line, 10);
    return sectors * SECTOR_BYTES;
}

// The news of a larger disk is on its way through the driver when the host asks.
static uint64_t wait_for_disk(int folder, uint64_t wanted) {
    uint64_t bytes = disk_bytes_of(folder);
    for (int waited = 0; bytes < wanted && waited < DISK_WAIT_MS; waited += DISK_STEP_MS) {
        usleep(DISK_STEP_MS * 1000);
        bytes = disk_bytes_of(folder);
    }
    return bytes;
}

static void run(struct fields request) {
    uint8_t payload[64];
    struct field_writer result = {payload, sizeof payload, 0, false};
    uint64_t wanted = fields_number(request, TAG_BYTES, 0);
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) job_fail(job_error_code(errno), errno, "Cannot open the root folder");
    uint64_t disk = wait_for_disk(root, wanted);
    if (disk == 0) job_fail("UNSUPPORTED", 0, "The root file system is on no disk of its own");
    if (disk < wanted) job_fail("TIMEOUT", 0, "The root disk has only %llu bytes", (unsigned long long)disk);
    write_u64(&result, 1, size_of(root));
    if (!grow_filesystem(root, disk)) {
        const char *code = errno == ENOTTY ? "UNSUPPORTED" : job_error_code(errno);
        job_fail(code, errno, "Cannot grow the root file system");
    }
    write_u64(&result, 2, size_of(root));
    write_u64(&result, 3, disk);
    job_finish(&result);
}

static struct failure start(struct channel *channel, struct fields request) {
    if (!machine.is_guest) return not_a_machine;
    return job_start(channel, &(struct job){.run = run, .terminal = -1}, request);
}

const struct operation grow_operation = {.number = 10, .start = start};
