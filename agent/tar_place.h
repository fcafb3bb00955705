// Puts the entries of an archive into the file system, strictly below one folder. Ends the process through job_fail.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tar_header.h"

struct late_folder;

struct placer {
    int root;
    bool replace; // remove what is in the way of a different kind
    bool owners;  // set uid and gid
    // The folder of the last entry: most entries lie beside the one before.
    bool cached;
    int parent;
    char parent_path[TAR_PATH_MAX];
    // Folders get their mode and time at the end, when nothing is written into them any more.
    struct late_folder *late;
    size_t late_count;
    size_t late_capacity;
};

// An open, empty file for a regular entry.
int place_file(struct placer *placer, const struct tar_entry *entry);
void place_file_done(struct placer *placer, const struct tar_entry *entry, int fd);
// Everything that is not a regular file.
void place_other(struct placer *placer, const struct tar_entry *entry);
void place_finish(struct placer *placer);
