#include "tar_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "job.h"
#include "tar_path.h"

enum { LATE_MAX = 65536 };

struct late_folder {
    char *path;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec times[2];
};

static _Noreturn void fail(const struct tar_entry *entry) {
    int error = errno;
    bool link_in_the_way = error == ELOOP || error == ENOTDIR || error == EXDEV;
    job_fail(link_in_the_way ? "INVALID" : job_error_code(error), error, "Cannot unpack \"%s\"", entry->path);
}

static void entry_times(const struct tar_entry *entry, struct timespec times[2]) {
    times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
    times[1] = (struct timespec){.tv_sec = (time_t)entry->mtime, .tv_nsec = (long)entry->mtime_ns};
}

// Splits a clean path into its folder, opened, and the last part.
static int open_parent(struct placer *placer, const struct tar_entry *entry, char *clean, const char **base) {
    char *slash = strrchr(clean, '/');
    *base = slash ? slash + 1 : clean;
    const char *folder = "";
    if (slash) {
        *slash = 0;
        folder = clean;
    }
    if (placer->cached && strcmp(folder, placer->parent_path) == 0) return placer->parent;
    if (placer->cached) close(placer->parent);
    placer->cached = false;
    placer->parent = tar_path_open_folder(placer->root, folder, true);
    if (placer->parent < 0) fail(entry);
    strcpy(placer->parent_path, folder);
    placer->cached = true;
    return placer->parent;
}

static void clean_path(const struct tar_entry *entry, const char *name, char *clean) {
    if (!tar_path_clean(name, clean, TAR_PATH_MAX)) {
        job_fail("INVALID", 0, "The archive has a name that leads out of the folder: \"%s\"", name);
    }
    if (!*clean && entry->type != '5') job_fail("INVALID", 0, "The archive has an entry without a name");
}

static mode_t entry_kind(char type) {
    switch (type) {
    case '0':
    case '1': return S_IFREG;
    case '2': return S_IFLNK;
    case '3': return S_IFCHR;
    case '4': return S_IFBLK;
    case '5': return S_IFDIR;
    case '6': return S_IFIFO;
    default: return 0;
    }
}

// Makes the name free. What is of the same kind is simply replaced; another kind needs the host's word.
static void clear_name(const struct placer *placer, const struct tar_entry *entry, int parent, const char *base) {
    struct stat there;
    if (fstatat(parent, base, &there, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT) return;
        fail(entry);
    }
    if ((there.st_mode & S_IFMT) != entry_kind(entry->type) && !placer->replace) {
        errno = EEXIST;
        fail(entry);
    }
    if (!tar_path_remove(parent, base)) fail(entry);
}

int place_file(struct placer *placer, const struct tar_entry *entry) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char clean[TAR_PATH_MAX];
    const char *base;
    clean_path(entry, entry->path, clean);
    int parent = open_parent(placer, entry, clean, &base);
    int fd = openat(parent, base, flags, 0600);
    if (fd < 0 && (errno == EEXIST || errno == EISDIR)) {
        clear_name(placer, entry, parent, base);
        fd = openat(parent, base, flags, 0600);
    }
    if (fd < 0) fail(entry);
    return fd;
}

void place_file_done(struct placer *placer, const struct tar_entry *entry, int fd) {
    struct timespec times[2];
    entry_times(entry, times);
    // The owner first: changing it clears setuid bits.
    if (placer->owners && fchown(fd, entry->uid, entry->gid) < 0) fail(entry);
    if (fchmod(fd, entry->mode & 07777) < 0 || futimens(fd, times) < 0) fail(entry);
    if (close(fd) < 0) fail(entry);
}

static void apply_folder(struct placer *placer, const struct late_folder *folder) {
    int fd = tar_path_open_folder(placer->root, folder->path, false);
    if (fd < 0) return; // a later entry replaced it
    if (placer->owners && fchown(fd, folder->uid, folder->gid) < 0) job_fail("IO", errno, "Cannot set an owner");
    if (fchmod(fd, folder->mode) < 0 || futimens(fd, folder->times) < 0) {
        job_fail("IO", errno, "Cannot set the mode of \"%s\"", folder->path);
    }
    close(fd);
}

static void place_folder(struct placer *placer, const struct tar_entry *entry, char *clean) {
    // The folder itself belongs to the guest: an archive of "." does not change what /tmp may be.
    if (!*clean) return;
    char *path = strdup(clean);
    const char *base;
    if (!path) job_fail("IO", ENOMEM, "Cannot unpack \"%s\"", entry->path);
    int parent = open_parent(placer, entry, clean, &base);
    if (mkdirat(parent, base, 0700) < 0) {
        struct stat there;
        if (errno != EEXIST || fstatat(parent, base, &there, AT_SYMLINK_NOFOLLOW) < 0) fail(entry);
        if (!S_ISDIR(there.st_mode)) {
            clear_name(placer, entry, parent, base);
            if (mkdirat(parent, base, 0700) < 0) fail(entry);
        }
    }
    struct late_folder late = {.path = path, .mode = entry->mode & 07777, .uid = entry->uid, .gid = entry->gid};
    entry_times(entry, late.times);
    if (placer->late_count == placer->late_capacity && placer->late_capacity < LATE_MAX) {
        size_t capacity = placer->late_capacity ? placer->late_capacity * 2 : 64;
        struct late_folder *grown = realloc(placer->late, capacity * sizeof *grown);
        if (!grown) job_fail("IO", ENOMEM, "Cannot unpack \"%s\"", entry->path);
        placer->late = grown;
        placer->late_capacity = capacity;
    }
    if (placer->late_count < placer->late_capacity) {
        placer->late[placer->late_count++] = late;
        return;
    }
    apply_folder(placer, &late);
    free(path);
}

static void place_hard_link(struct placer *placer, const struct tar_entry *entry, int parent, const char *base) {
    char target[TAR_PATH_MAX];
    clean_path(entry, entry->target, target);
    char *slash = strrchr(target, '/');
    const char *name = slash ? slash + 1 : target;
    if (slash) *slash = 0;
    int folder = tar_path_open_folder(placer->root, slash ? target : "", false);
    struct stat from;
    struct stat there;
    if (folder < 0 || fstatat(folder, name, &from, AT_SYMLINK_NOFOLLOW) < 0) fail(entry);
    bool exists = fstatat(parent, base, &there, AT_SYMLINK_NOFOLLOW) == 0;
    bool same = exists && there.st_dev == from.st_dev && there.st_ino == from.st_ino;
    if (exists && !same) clear_name(placer, entry, parent, base);
    if (!same && linkat(folder, name, parent, base, 0) < 0) fail(entry);
    close(folder);
}

static bool make_node(const struct tar_entry *entry, int parent, const char *base) {
    if (entry->type == '2') return symlinkat(entry->target, parent, base) == 0;
    // The mode here and not by fchmodat, which would follow a link that somebody puts in the node's place.
    return mknodat(parent, base, entry_kind(entry->type) | (entry->mode & 0777), makedev(entry->major, entry->minor)) == 0;
}

void place_other(struct placer *placer, const struct tar_entry *entry) {
    char clean[TAR_PATH_MAX];
    const char *base;
    clean_path(entry, entry->path, clean);
    if (!entry_kind(entry->type)) {
        job_fail("UNSUPPORTED", 0, "Entry \"%s\" is of the unknown type '%c'", entry->path, entry->type);
    }
    if (entry->type == '5') {
        place_folder(placer, entry, clean);
        return;
    }
    int parent = open_parent(placer, entry, clean, &base);
    if (entry->type == '1') {
        place_hard_link(placer, entry, parent, base);
        return;
    }
    clear_name(placer, entry, parent, base);
    if (!make_node(entry, parent, base)) fail(entry);
    struct timespec times[2];
    entry_times(entry, times);
    if (placer->owners && fchownat(parent, base, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0) fail(entry);
    if (utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW) < 0) fail(entry);
}

void place_finish(struct placer *placer) {
    while (placer->late_count) {
        struct late_folder *folder = &placer->late[--placer->late_count];
        apply_folder(placer, folder);
        free(folder->path);
    }
    free(placer->late);
    if (placer->cached) close(placer->parent);
}
