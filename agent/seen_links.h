// Which files with several names were written already, by device and inode.
#pragma once

#include <stddef.h>
#include <sys/stat.h>

struct seen_link;

struct seen_links {
    struct seen_link *slots;
    size_t capacity;
    size_t count;
};

// The name under which this file was written, or NULL: then it is remembered under `path`, memory permitting.
const char *seen_links_check(struct seen_links *seen, const struct stat *file, const char *path);
