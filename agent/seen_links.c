#include "seen_links.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, CAPACITY_MAX = 1 << 20 };

struct seen_link {
    dev_t device;
    ino_t inode;
    char *path; // NULL: free
};

static struct seen_link *find(const struct seen_links *seen, dev_t device, ino_t inode) {
    uint64_t hash = ((uint64_t)inode ^ (uint64_t)device << 32) * 0x9E3779B97F4A7C15ULL;
    size_t at = (size_t)(hash >> 32) & (seen->capacity - 1);
    while (seen->slots[at].path && (seen->slots[at].inode != inode || seen->slots[at].device != device)) {
        at = (at + 1) & (seen->capacity - 1);
    }
    return &seen->slots[at];
}

static void grow(struct seen_links *seen) {
    size_t capacity = seen->capacity ? seen->capacity * 2 : FIRST_CAPACITY;
    if (capacity > CAPACITY_MAX) return;
    struct seen_links bigger = {calloc(capacity, sizeof(struct seen_link)), capacity, seen->count};
    if (!bigger.slots) return;
    for (size_t i = 0; i < seen->capacity; i++) {
        struct seen_link *old = &seen->slots[i];
        if (old->path) *find(&bigger, old->device, old->inode) = *old;
    }
    free(seen->slots);
    *seen = bigger;
}

const char *seen_links_check(struct seen_links *seen, const struct stat *file, const char *path) {
    if (seen->count * 2 >= seen->capacity) grow(seen);
    if (!seen->capacity) return NULL;
    struct seen_link *slot = find(seen, file->st_dev, file->st_ino);
    if (slot->path) return slot->path;
    if (seen->count * 2 >= seen->capacity) return NULL; // full: the file is written once more
    char *copy = strdup(path);
    if (!copy) return NULL;
    *slot = (struct seen_link){file->st_dev, file->st_ino, copy};
    seen->count++;
    return NULL;
}
