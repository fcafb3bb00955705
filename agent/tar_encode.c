// The writing half of tar_header.h.
#include <stdio.h>
#include <string.h>

#include "tar_header.h"

enum { SIZE_MAX_OCTAL_DIGITS = 11, OWNER_MAX = 07777777 };

static const uint64_t size_max = 077777777777ULL;

static void octal(uint8_t *at, int digits, uint64_t value) {
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
    at[digits] = 0;
}

static size_t add_record(char *to, size_t used, const char *key, const char *value, size_t length) {
    // The record's length counts its own digits.
    size_t rest = strlen(key) + length + 3;
    size_t total = rest + 1;
    for (size_t digits = 1, power = 10; total >= power; power *= 10) total = rest + ++digits;
    int wrote = sprintf(to + used, "%zu %s=", total, key);
    memcpy(to + used + wrote, value, length);
    to[used + total - 1] = '\n';
    return used + total;
}

static size_t add_number(char *to, size_t used, const char *key, uint64_t number) {
    char digits[24];
    int length = sprintf(digits, "%llu", (unsigned long long)number);
    return add_record(to, used, key, digits, (size_t)length);
}

static size_t add_time(char *to, size_t used, const struct tar_entry *entry) {
    char text[48];
    int64_t seconds = entry->mtime;
    uint32_t ns = entry->mtime_ns;
    bool negative = seconds < 0;
    if (negative && ns) {
        seconds++;
        ns = 1000000000 - ns;
    }
    uint64_t whole = negative ? (uint64_t)-seconds : (uint64_t)seconds;
    int length = sprintf(text, "%s%llu.%09u", negative ? "-" : "", (unsigned long long)whole, ns);
    return add_record(to, used, "mtime", text, (size_t)length);
}

static void header(uint8_t *at, const struct tar_entry *entry, char type, uint64_t size, const char *path) {
    memset(at, 0, TAR_BLOCK);
    strncpy((char *)at, path, 100);
    octal(at + 100, 7, entry->mode & 07777);
    octal(at + 108, 7, entry->uid <= OWNER_MAX ? entry->uid : 0);
    octal(at + 116, 7, entry->gid <= OWNER_MAX ? entry->gid : 0);
    octal(at + 124, SIZE_MAX_OCTAL_DIGITS, size <= size_max ? size : 0);
    bool plain_time = entry->mtime >= 0 && (uint64_t)entry->mtime <= size_max;
    octal(at + 136, 11, plain_time ? (uint64_t)entry->mtime : 0);
    at[156] = (uint8_t)type;
    if (type != 'x') strncpy((char *)at + 157, entry->target, 100);
    memcpy(at + 257, "ustar\00000", 8);
    octal(at + 329, 7, entry->major);
    octal(at + 337, 7, entry->minor);
    memset(at + 148, ' ', 8);
    uint64_t sum = 0;
    for (int i = 0; i < TAR_BLOCK; i++) sum += at[i];
    octal(at + 148, 6, sum);
    at[155] = ' ';
}

size_t tar_encode(uint8_t *to, const struct tar_entry *entry) {
    char *records = (char *)to + TAR_BLOCK;
    size_t used = 0;
    size_t path = strlen(entry->path);
    size_t target = strlen(entry->target);
    if (path > 100) used = add_record(records, used, "path", entry->path, path);
    if (target > 100) used = add_record(records, used, "linkpath", entry->target, target);
    if (entry->size > size_max) used = add_number(records, used, "size", entry->size);
    if (entry->uid > OWNER_MAX) used = add_number(records, used, "uid", entry->uid);
    if (entry->gid > OWNER_MAX) used = add_number(records, used, "gid", entry->gid);
    bool odd_time = entry->mtime < 0 || (uint64_t)entry->mtime > size_max;
    if (entry->mtime_ns || odd_time) used = add_time(records, used, entry);
    if (!used) {
        header(to, entry, entry->type, entry->size, entry->path);
        return TAR_BLOCK;
    }
    size_t padded = (used + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    memset(records + used, 0, padded - used);
    header(to, entry, 'x', used, "@PaxHeader");
    header(to + TAR_BLOCK + padded, entry, entry->type, entry->size, entry->path);
    return 2 * TAR_BLOCK + padded;
}
