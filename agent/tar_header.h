// Tar headers (ustar, pax, GNU long names), pure: bytes in, entry out, and back.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK = 512, TAR_PATH_MAX = 4096, TAR_EXTENSION_MAX = 1 << 20 };

struct tar_entry {
    char path[TAR_PATH_MAX];
    char target[TAR_PATH_MAX]; // of a link
    char type;                 // the typeflag; '0' for both kinds of regular file
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint64_t size;
    int64_t mtime;
    uint32_t mtime_ns;
    uint32_t major;
    uint32_t minor;
};

// What pax and GNU headers said about the entry that follows them.
struct tar_override {
    bool has_path, has_target, has_size, has_mtime, has_uid, has_gid;
    struct tar_entry value;
};

bool tar_is_zero_block(const uint8_t *block);
// False: bad checksum, or a number that makes no sense.
bool tar_parse(const uint8_t *block, struct tar_entry *entry);
// Records of a pax extended header. NULL, or what is wrong with it.
const char *tar_parse_pax(const uint8_t *bytes, size_t length, struct tar_override *override);
// A GNU long name ('L') or long link target ('K').
const char *tar_parse_long(const uint8_t *bytes, size_t length, char type, struct tar_override *override);
void tar_apply(struct tar_entry *entry, const struct tar_override *override);

// Writes the header of an entry, with a pax header before it where ustar cannot say it. Returns the bytes written,
// a multiple of the block; `to` has room for TAR_HEADERS_MAX.
enum { TAR_HEADERS_MAX = 24 * TAR_BLOCK };
size_t tar_encode(uint8_t *to, const struct tar_entry *entry);
