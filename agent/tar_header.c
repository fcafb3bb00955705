#include "tar_header.h"

#include <stdlib.h>
#include <string.h>

// Offsets and lengths of the ustar header.
enum {
    NAME = 0, NAME_LENGTH = 100, MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, CHECKSUM = 148, TYPE = 156,
    TARGET = 157, MAGIC = 257, MAJOR = 329, MINOR = 337, PREFIX = 345, PREFIX_LENGTH = 155,
};

bool tar_is_zero_block(const uint8_t *block) {
    for (int i = 0; i < TAR_BLOCK; i++) {
        if (block[i]) return false;
    }
    return true;
}

// Octal text, or base 256 when the top bit is set. Negative base-256 numbers are for times before 1970 only.
static bool parse_number(const uint8_t *at, size_t length, int64_t *value) {
    if (at[0] & 0x80) {
        bool negative = at[0] & 0x40;
        uint64_t bits = negative ? ~(uint64_t)0 : 0;
        for (size_t i = 0; i < length; i++) {
            uint8_t byte = i == 0 ? (uint8_t)(negative ? at[i] : at[i] & 0x7F) : at[i];
            if (i + 8 < length && byte != (negative ? 0xFF : 0)) return false;
            bits = bits << 8 | byte;
        }
        *value = (int64_t)bits;
        return negative == (*value < 0);
    }
    uint64_t number = 0;
    size_t i = 0;
    while (i < length && at[i] == ' ') i++;
    for (; i < length && at[i] >= '0' && at[i] <= '7'; i++) number = number << 3 | (uint64_t)(at[i] - '0');
    for (; i < length; i++) {
        if (at[i] != ' ' && at[i] != 0) return false;
    }
    *value = (int64_t)number;
    return true;
}

static bool parse_u32(const uint8_t *at, size_t length, uint32_t *to) {
    int64_t value;
    if (!parse_number(at, length, &value) || value < 0 || value > UINT32_MAX) return false;
    *to = (uint32_t)value;
    return true;
}

static bool checksum_fits(const uint8_t *block) {
    int64_t wanted;
    int64_t plain = 0;
    int64_t with_sign = 0; // some old programs added up signed characters
    if (!parse_number(block + CHECKSUM, 8, &wanted)) return false;
    for (int i = 0; i < TAR_BLOCK; i++) {
        uint8_t byte = i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : block[i];
        plain += byte;
        with_sign += (int8_t)byte;
    }
    return wanted == plain || wanted == with_sign;
}

static size_t text_length(const uint8_t *at, size_t most) {
    const uint8_t *end = memchr(at, 0, most);
    return end ? (size_t)(end - at) : most;
}

static void parse_path(const uint8_t *block, struct tar_entry *entry) {
    size_t used = 0;
    bool ustar = memcmp(block + MAGIC, "ustar\0", 6) == 0; // GNU's "ustar  " keeps other things in the prefix
    if (ustar && block[PREFIX]) {
        used = text_length(block + PREFIX, PREFIX_LENGTH);
        memcpy(entry->path, block + PREFIX, used);
        entry->path[used++] = '/';
    }
    size_t length = text_length(block + NAME, NAME_LENGTH);
    memcpy(entry->path + used, block + NAME, length);
    entry->path[used + length] = 0;
}

bool tar_parse(const uint8_t *block, struct tar_entry *entry) {
    int64_t size;
    if (!checksum_fits(block) || !parse_number(block + SIZE, 12, &size) || size < 0) return false;
    parse_path(block, entry);
    size_t length = text_length(block + TARGET, NAME_LENGTH);
    memcpy(entry->target, block + TARGET, length);
    entry->target[length] = 0;
    entry->size = (uint64_t)size;
    entry->mtime_ns = 0;
    if (!parse_u32(block + MODE, 8, &entry->mode) || !parse_number(block + MTIME, 12, &entry->mtime)) return false;
    if (!parse_u32(block + UID, 8, &entry->uid) || !parse_u32(block + GID, 8, &entry->gid)) return false;
    entry->major = entry->minor = 0;
    char type = (char)block[TYPE];
    if ((type == '3' || type == '4') && memcmp(block + MAGIC, "ustar", 5) == 0) {
        if (!parse_u32(block + MAJOR, 8, &entry->major) || !parse_u32(block + MINOR, 8, &entry->minor)) return false;
    }
    if (type == 0 || type == '7') type = '0';
    size_t path = strlen(entry->path);
    if (type == '0' && path && entry->path[path - 1] == '/') type = '5';
    entry->type = type;
    return true;
}

static bool copy_text(char *to, const uint8_t *bytes, size_t length) {
    if (length >= TAR_PATH_MAX || memchr(bytes, 0, length)) return false;
    memcpy(to, bytes, length);
    to[length] = 0;
    return true;
}

const char *tar_parse_long(const uint8_t *bytes, size_t length, char type, struct tar_override *override) {
    length = text_length(bytes, length);
    char *to = type == 'L' ? override->value.path : override->value.target;
    if (!copy_text(to, bytes, length)) return "a name is too long";
    if (type == 'L') override->has_path = true;
    else override->has_target = true;
    return NULL;
}

static bool decimal(const uint8_t *bytes, size_t length, uint64_t *value, size_t *used) {
    uint64_t number = 0;
    size_t i = 0;
    for (; i < length && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
        if (number > (INT64_MAX - 9) / 10) return false;
        number = number * 10 + (uint64_t)(bytes[i] - '0');
    }
    *value = number;
    *used = i;
    return i > 0;
}

static bool whole_decimal(const uint8_t *bytes, size_t length, uint64_t *value) {
    size_t used;
    return decimal(bytes, length, value, &used) && used == length;
}

static bool parse_time(const uint8_t *bytes, size_t length, struct tar_entry *value) {
    bool negative = length && bytes[0] == '-';
    if (negative) bytes++, length--;
    uint64_t seconds;
    size_t used;
    if (!decimal(bytes, length, &seconds, &used)) return false;
    uint32_t ns = 0;
    uint32_t scale = 100000000;
    if (used < length && bytes[used] == '.') {
        for (used++; used < length && bytes[used] >= '0' && bytes[used] <= '9'; used++) {
            ns += scale * (uint32_t)(bytes[used] - '0');
            scale /= 10;
        }
    }
    if (used != length) return false;
    value->mtime = negative ? -(int64_t)seconds : (int64_t)seconds;
    value->mtime_ns = ns;
    if (negative && ns) {
        value->mtime--;
        value->mtime_ns = 1000000000 - ns;
    }
    return true;
}

static const char *pax_record(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length,
                              struct tar_override *override) {
    struct tar_entry *value = &override->value;
    uint64_t number;
#define IS(text) (key_length == sizeof text - 1 && memcmp(key, text, sizeof text - 1) == 0)
    if (key_length > 11 && memcmp(key, "GNU.sparse.", 11) == 0) return "sparse files are not supported";
    if (IS("path")) {
        override->has_path = true;
        return copy_text(value->path, bytes, length) ? NULL : "a name is too long";
    }
    if (IS("linkpath")) {
        override->has_target = true;
        return copy_text(value->target, bytes, length) ? NULL : "a link's target is too long";
    }
    if (IS("mtime")) {
        override->has_mtime = true;
        return parse_time(bytes, length, value) ? NULL : "a pax header has a bad time";
    }
    if (!IS("size") && !IS("uid") && !IS("gid")) return NULL;
    if (!whole_decimal(bytes, length, &number)) return "a pax header has a bad number";
    if (IS("size")) {
        override->has_size = true;
        value->size = number;
        return NULL;
    }
    if (number >= UINT32_MAX) return "a pax header has a bad owner";
    if (IS("uid")) override->has_uid = true, value->uid = (uint32_t)number;
    else override->has_gid = true, value->gid = (uint32_t)number;
#undef IS
    return NULL;
}

const char *tar_parse_pax(const uint8_t *bytes, size_t length, struct tar_override *override) {
    while (length && bytes[0] != 0) {
        uint64_t size;
        size_t digits;
        if (!decimal(bytes, length, &size, &digits)) return "a pax header is malformed";
        if (size > length || size < digits + 3 || bytes[digits] != ' ' || bytes[size - 1] != '\n') {
            return "a pax header is malformed";
        }
        const uint8_t *key = bytes + digits + 1;
        const uint8_t *end = bytes + size - 1;
        const uint8_t *equals = memchr(key, '=', (size_t)(end - key));
        if (!equals) return "a pax header is malformed";
        const char *wrong =
            pax_record(key, (size_t)(equals - key), equals + 1, (size_t)(end - equals - 1), override);
        if (wrong) return wrong;
        bytes += size;
        length -= size;
    }
    return NULL;
}

void tar_apply(struct tar_entry *entry, const struct tar_override *override) {
    const struct tar_entry *value = &override->value;
    if (override->has_path) strcpy(entry->path, value->path);
    if (override->has_target) strcpy(entry->target, value->target);
    if (override->has_size) entry->size = value->size;
    if (override->has_uid) entry->uid = value->uid;
    if (override->has_gid) entry->gid = value->gid;
    if (override->has_mtime) {
        entry->mtime = value->mtime;
        entry->mtime_ns = value->mtime_ns;
    }
}
